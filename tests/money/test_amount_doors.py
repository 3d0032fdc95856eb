"""No door lets an amount in that is not a plain ASCII decimal: each option, body, form and reader is found and tried."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Annotated, Any, get_args

import msgspec
import pytest
import typer
from pydantic import TypeAdapter, ValidationError
from starlette.datastructures import FormData

import collecthub.web.app  # every body of the API is known once its app is
from collecthub.cli.main import app
from collecthub.engine.intake_file import _amount as file_amount
from collecthub.engine.playbooks import read_terms
from collecthub.errors import CollecthubError
from collecthub.formats.bank.coda import _amount as coda_amount
from collecthub.formats.bank.statement import amount_of
from collecthub.formats.elan import _amount as elan_amount
from collecthub.formats.partner_form import form_amount
from collecthub.formats.plain_json import read_plain
from collecthub.formats.sap_files import _signed
from collecthub.formats.scalars import AMOUNT
from collecthub.model.money import parse_amount
from collecthub.web.api.fields import Inbound
from collecthub.web.portal.entered import Entered

ARABIC, FULL_WIDTH = "\u0661\u0662.\u0665", "\uff11\uff12"
BAD = ("1e3", "NaN", "Infinity", "-Infinity", "1_000", ARABIC, FULL_WIDTH, "0x10", "1.2.3", "--1", "12 EUR", "1/3", "\u00bd")
assert collecthub.web.app is not None


class _Stated(msgspec.Struct):
    amount: Decimal


class _Mapping:
    decimal_mark = "."


def _in_a_form(text: str) -> Decimal:
    entered = Entered(FormData({"amount": text}))
    found = entered.amount("amount", "EUR")
    entered.check()
    return found


def _in_a_file(text: str) -> Decimal | None:
    return file_amount(text, "amount", _Mapping(), lambda field, reason: None)  # type: ignore[arg-type]  # the one field it reads


def _in_a_playbook(text: str) -> Decimal:
    steps = '[[contact]]\nname = "x"\nhandover_after_days = 31\n[[contact.steps]]\nname = "a"\nafter_days = 1\nchannel = "email"\ntone = "firm"\n'
    return read_terms(f"{steps}[plans]\nminimum_instalment = {json.dumps(text)}\n", "playbook").plans.minimum_instalment


READERS: dict[str, Callable[[str], Decimal | None]] = {
    "text": parse_amount,
    "exchange, XML and JSON": AMOUNT.read,
    "document, JSON": lambda text: read_plain(json.dumps({"amount": text}).encode(), _Stated, frozenset({"amount"})).amount,
    "form of the portal": _in_a_form,
    "form of a partner": form_amount,
    "file of open items, CSV and XLSX": _in_a_file,
    "playbook": _in_a_playbook,
    "request for attachment, Norway": lambda text: elan_amount({"beloep": text, "valuta": "NOK"}, "x"),
    "IDoc": lambda text: _signed({"WRBTR": text, "SHKZG": "S"}),
    "bank file, camt, MT940 and CSV": lambda text: amount_of(text, "EUR", "line 1"),
    "bank file, CODA": lambda text: coda_amount(text, "EUR", "line 1"),
}


@pytest.mark.parametrize("door", READERS)
def test_no_reader_takes_what_is_no_plain_decimal(door: str) -> None:
    read = READERS[door]
    assert read("000000000012500" if door == "bank file, CODA" else "12.50") == Decimal("12.50")
    for text in BAD:
        try:
            found = read(text)
        except (CollecthubError, ValueError):
            continue
        assert found is None, (door, text, found)  # noted as wrong, and no amount


def _bodies(of: type = Inbound) -> Iterator[tuple[str, Any]]:
    for body in of.__subclasses__():
        yield from ((f"{body.__name__}.{name}", field) for name, field in body.model_fields.items())
        yield from _bodies(body)


def _holds_amount(annotation: Any) -> bool:
    return annotation is Decimal or any(_holds_amount(part) for part in get_args(annotation))


def test_no_body_of_the_api_takes_what_is_no_plain_decimal() -> None:
    tried = 0
    for name, field in _bodies():
        if not _holds_amount(field.annotation):
            continue
        tried += 1
        adapter = TypeAdapter(Annotated[field.annotation, *field.metadata] if field.metadata else field.annotation)
        for value in (*BAD, "1,50", " 1", "+1", 1, 1.5, True):
            with pytest.raises(ValidationError):
                found = adapter.validate_json(json.dumps(value))
                pytest.fail(f"{name} takes {value!r} as {found}")
    assert tried > 10


def _options(command: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    for param in command.params:
        yield f"{path} {param.name}", param.type_descriptor
    for name, inner in getattr(command, "commands", {}).items():
        yield from _options(inner, f"{path} {name}")


def test_no_option_of_a_command_takes_what_is_no_plain_decimal() -> None:
    tried = 0
    for name, described in _options(typer.main.get_command(app)):
        if not _holds_amount(described.annotation):
            continue
        tried += 1
        for text in (*BAD, "1,50", " 1", "+1", ".5", "1."):
            with pytest.raises((typer.BadParameter, CollecthubError)):
                found = described.parameter_info.parser(text)
                pytest.fail(f"{name} takes {text!r} as {found}")
    assert tried > 10
