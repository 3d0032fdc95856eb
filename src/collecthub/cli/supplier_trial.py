"""`collecthub exchange trial`: the hub as counterparty for a supplier's software, without a database."""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer

from collecthub.cli.connections import Given, SecretFiles
from collecthub.cli.output import Json, note, plain, print_json, print_table, say
from collecthub.cli.parties import words

if TYPE_CHECKING:
    from pydantic import BaseModel

    from collecthub.plugins import PluginSet
    from collecthub.registers import ConnectorSpec

_LARGE_MOST = 99_000_000  # with its wrapping, just below the 100 MB that the profile allows
_WRAPPING = 100_000


def exchange_trial(
    kind: Annotated[str, typer.Argument(help="How the software is reached: sftp_batch or soap_exchange.")],
    partner: Annotated[str, typer.Option(help="ReceiverRef of the software.")] = "partner",
    sender: Annotated[str, typer.Option(help="SenderRef of this hub.")] = "collecthub",
    given: Given = None,
    secret_files: SecretFiles = None,
    level: Annotated[int, typer.Option(min=1, max=3, help="Conformance level to try.")] = 3,
    steps: Annotated[str, typer.Option(help="Only these: new,amended,duplicate,recalled,wrongly_signed,large.")] = "",
    seconds: Annotated[float, typer.Option(min=1, help="How long to wait for each answer.")] = 120,
    settle: Annotated[float, typer.Option(min=0, help="How long to listen for answers that must not come.")] = 10,
    large_mb: Annotated[int, typer.Option(min=1, max=100, help="Size of the large file.")] = 100,
    unmarked: Annotated[
        bool, typer.Option("--unmarked", help="Do not mark the exchanges as tests: only for a test system.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Drive a supplier's software by a script and judge its answers. Exit code 1 if a step fails, 4 if nobody is there.

    A new case, an amendment, the same file again, a recall, a file signed by a stranger, and a large one. The settings
    are those of a connection of this kind (`collecthub connection add`).
    """
    from collecthub.engine.supplier_trial import Script, Trial, checked_steps

    try:
        wanted = checked_steps(words(steps), level)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
    script = Script(
        sender_ref=sender, receiver_ref=partner, steps=wanted, is_marked=not unmarked, seconds=seconds,
        settling_seconds=settle, large_bytes=min(large_mb * 1_000_000, _LARGE_MOST),
    )
    with _lines(kind, given or [], secret_files or [], script) as (line, stranger, most):
        _refuse_unreachable(line)
        if most < script.large_bytes:
            note(f"The large file has {most:,} bytes: this line takes no more.")
            script = msgspec.structs.replace(script, large_bytes=most)
        verdicts = Trial(script, line, stranger, lambda: dt.datetime.now(dt.UTC)).run()
    is_passed = all(one.is_passed for one in verdicts)
    if as_json:
        print_json({"kind": kind, "partner": partner, "is_passed": is_passed, "steps": verdicts})
    else:
        rows = [[one.step, "passed" if one.is_passed else "FAILED", one.wanted, plain(one.seen), f"{one.seconds:g} s"]
                for one in verdicts]  # fmt: skip
        print_table(["step", "", "wanted", "seen", "took"], rows)
        say(f"{sum(one.is_passed for one in verdicts)} of {len(verdicts)} passed.")
    raise typer.Exit(0 if is_passed else 1)


@contextlib.contextmanager
def _lines(kind: str, given: list[str], secret_files: list[str], script: Any) -> Iterator[tuple[Any, Any, int]]:
    """The connector, the same as a stranger would have it, and the bytes that one file may have."""
    from collecthub.cli.given_settings import read_settings
    from collecthub.config import load_settings
    from collecthub.engine.context import validated
    from collecthub.errors import ConfigurationError
    from collecthub.hub import load_all_plugins

    hub_settings = load_settings()
    plugins = load_all_plugins(hub_settings)
    spec = plugins.connectors.get(kind)
    if spec is None:
        raise ConfigurationError(f"there is no connector kind {kind}", cure="Use sftp_batch or soap_exchange.")
    settings = validated(spec, read_settings(spec.settings, given, secret_files, is_partial=False))
    settings = _roomy(settings, script.large_bytes)
    made = [_built(plugins, spec, one, script, hub_settings.allow_loopback) for one in (settings, _strange(settings))]
    try:
        yield made[0], made[1], min(_LARGE_MOST, getattr(settings, "file_bytes_max", 8_000_000) - _WRAPPING)
    finally:
        for connector in made:
            connector.close()


def _built(plugins: PluginSet, spec: ConnectorSpec, settings: BaseModel, script: Any, allow_loopback: bool) -> Any:
    from collecthub.ports import ConnectorContext

    context = ConnectorContext(
        connection_id="trial", settings=settings, vault=_NoVault(), formats=plugins.formats,
        now=lambda: dt.datetime.now(dt.UTC), business_date=lambda: dt.datetime.now(dt.UTC).date(),
        sender_ref=script.sender_ref, receiver_ref=script.receiver_ref, allow_loopback=allow_loopback,
    )
    return spec.load()(context)


def _roomy(settings: BaseModel, large_bytes: int) -> BaseModel:
    """The settings with room for the large file: how much a partner takes in earnest is agreed later."""
    wanted = large_bytes + _WRAPPING
    is_narrow = getattr(settings, "file_bytes_max", wanted) < wanted
    return settings.model_copy(update={"file_bytes_max": wanted}) if is_narrow else settings


def _strange(settings: BaseModel) -> BaseModel:
    """The settings with another signing key, or another password where nothing is signed."""
    from pydantic import SecretStr

    from collecthub.wire.crypto import generate_identity

    if getattr(settings, "own_certificate", ""):
        identity = generate_identity("stranger")
        changed: dict[str, object] = {
            "own_key": SecretStr(identity.private_key_pem.decode()), "own_certificate": identity.certificate_pem.decode(),
        }  # fmt: skip
    else:
        changed = {"password": SecretStr("not the agreed one")}
    return settings.model_copy(update=changed)


class _NoVault:
    """A trial keeps nothing: it forgets what a connector writes when it ends."""

    def __init__(self) -> None:
        self._values: dict[str, str] = {}

    def read(self, name: str) -> str | None:
        return self._values.get(name)

    def write(self, name: str, value: str) -> None:
        self._values[name] = value

    @contextlib.contextmanager
    def exclusive(self, name: str, seconds: int) -> Iterator[None]:
        yield


def _refuse_unreachable(line: Any) -> None:
    from collecthub.errors import RetryableError

    for step in line.check():
        if not step.is_ok:
            raise RetryableError(f"the software cannot be reached: {step.name}: {step.detail}", cure=step.cure)
