"""The services of other countries load offline by an import map, and no adapter's types leak into another."""

from __future__ import annotations

from pathlib import Path

import pytest

from collecthub.errors import ConfigurationError
from collecthub.wire.soap import SoapClient

NOWHERE = "http://127.0.0.1:8099/soap"
IOBS = "https://secure.inkasso.is/SOAP/IOBS/IcelandicOnlineBankingClaimsSoap.svc"
BASIC = "https://demo-inkasso.azurewebsites.net/SOAP/InkassoBasicService/InkassoBasicService.svc"


def maps(formats: Path) -> dict[str, tuple[Path, dict[str, Path], int]]:
    """WSDL, import map and number of operations of each service, as the folders' pages state them."""
    iobs, basic, ecf = formats / "inkasso-iceland/iobs", formats / "inkasso-iceland/basic", formats / "oasis-ecf4"
    claims = iobs / "IcelandicOnlineBankingClaimsSoap"
    of_iobs = {f"{IOBS}?wsdl=wsdl0": "21.wsdl", f"{IOBS}?xsd=xsd0": "31.xsd", f"{IOBS}?xsd=xsd1": "3.xsd", f"{IOBS}?xsd=xsd2": "32.xsd"}
    of_basic = {0: "3", 1: "", 2: "2", 3: "1", 4: "7", 5: "5", 6: "6", 7: "4"}
    return {
        "iobs": (Path(f"{claims}2.wsdl"), {address: Path(f"{claims}{end}") for address, end in of_iobs.items()}, 10),
        "basic": (
            basic / "InkassoBasicService.wsdl",
            {f"{BASIC}?xsd=xsd{number}": basic / f"InkassoBasicService{end}.xsd" for number, end in of_basic.items()}, 26,
        ),
        "filing": (next(ecf.glob("stage/*Filing*.wsdl")), {"../base": ecf / "base"}, 12),
        "record": (next(ecf.glob("stage/*Record*.wsdl")), {"../base": ecf / "base"}, 10),
    }  # fmt: skip


def operations(client: SoapClient) -> int:
    return len(client._binding._operations)


def test_they_load_without_the_network_and_keep_their_types_apart(shared_data: Path) -> None:
    clients: dict[str, SoapClient] = {}
    for name, (wsdl, mapped, count) in maps(shared_data / "formats").items():
        clients[name] = SoapClient(wsdl, NOWHERE, allow_loopback=True, import_map=mapped)
        assert operations(clients[name]) == count, name
    spaces = {name: set(client._client.namespaces.values()) for name, client in clients.items()}
    assert not any("inkasso" in space for name in ("filing", "record") for space in spaces[name])
    assert not any("ecf" in space.lower() for name in ("iobs", "basic") for space in spaces[name])
    for client in clients.values():
        client.close()


@pytest.mark.parametrize("name", ["iobs", "basic"])
def test_without_the_map_they_are_refused_and_nobody_is_called(name: str, shared_data: Path) -> None:
    wsdl, _, _ = maps(shared_data / "formats")[name]
    with pytest.raises(ConfigurationError, match="cannot be used|outside of its own folder"):
        SoapClient(wsdl, NOWHERE, allow_loopback=True)
