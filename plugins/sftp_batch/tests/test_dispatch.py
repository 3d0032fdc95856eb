"""Putting a batch into the partner's folder: whole or absent, once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from collecthub.errors import (
    CollecthubError,
    ConfigurationError,
    InDoubtError,
    PermanentError,
    RetryableError,
)
from collecthub.model.exchange import Exchange
from collecthub.ports import Checkable, DeliveryState, Dispatcher, PartnerBooks, StatusSource
from collecthub.testing.fakes import ListJournal

Make = Callable[..., Exchange]
STRANGER = "SHA256:" + "A" * 43


class ActingJournal(ListJournal):
    """Does something between the durable note and the act that follows it."""

    def __init__(self, act: Callable[[], None]) -> None:
        super().__init__()
        self._act = act

    def mark(self, intent: str) -> None:
        super().mark(intent)
        self._act()


def die() -> None:
    """End as a killed process would."""
    raise KeyboardInterrupt


def test_the_connector_stands_at_every_door_it_claims(connect) -> None:
    connector = connect()
    for port in (Dispatcher, StatusSource, PartnerBooks, Checkable):
        assert isinstance(connector, port)
    assert connector.batch_limit == 500


def test_the_office_reads_what_was_sent(connect, office, exchange: Make) -> None:
    connector, journal, sent = connect(), ListJournal(), exchange(3)
    envelope = connector.prepare(sent)
    assert envelope.name == f"bailiff-{sent.exchange_id}.zip.p7m"
    assert b"120.50" not in envelope.payload
    receipt = connector.deliver(envelope, journal)
    assert journal.marks == ["renaming"] and receipt.reference == envelope.name
    books = office.await_exchanges(1)
    assert books["refused"] == [] and books["exchanges_in"] == 1
    principals = {one["case_id"]: one["principal"] for one in books["cases"]}
    assert all(principals[message.case_id] == "120.50" for message in sent.messages)


def test_a_crash_between_intent_and_rename_goes_on_with_the_same_file(connect, office, exchange: Make) -> None:
    quiet = office.quiet()
    envelope = connect().prepare(exchange())
    with pytest.raises(KeyboardInterrupt):
        connect(folder="quiet").deliver(envelope, ActingJournal(die))
    part = quiet / "in" / f".{envelope.name}.part"
    uploaded = part.stat()
    after = connect(folder="quiet")
    assert after.probe(envelope, "") is DeliveryState.NOT_ARRIVED
    assert after.probe(envelope, "renaming") is DeliveryState.NOT_ARRIVED
    after.deliver(envelope, ListJournal())
    final = (quiet / "in" / envelope.name).stat()
    assert (final.st_ino, final.st_mtime_ns) == (uploaded.st_ino, uploaded.st_mtime_ns), "it was uploaded twice"
    assert not part.exists()
    assert after.probe(envelope, "renaming") is DeliveryState.ARRIVED


@pytest.mark.parametrize(("promise", "state"), [(True, DeliveryState.ARRIVED), (False, DeliveryState.UNKNOWN)])
def test_a_file_that_the_office_took_proves_itself_only_by_promise(
    connect, office, exchange: Make, promise: bool, state: DeliveryState
) -> None:
    connector = connect(promises_not_to_touch_tmp=promise)
    envelope = connector.prepare(exchange())
    connector.deliver(envelope, ListJournal())
    office.await_exchanges(1)
    assert connector.probe(envelope, "renaming") is state


def test_a_cut_upload_is_done_again(connect, office, exchange: Make) -> None:
    quiet, connector = office.quiet(), connect(folder="quiet")
    envelope = connector.prepare(exchange())
    (quiet / "in" / f".{envelope.name}.part").write_bytes(envelope.payload[:-100])
    connector.deliver(envelope, ListJournal())
    assert (quiet / "in" / envelope.name).read_bytes() == envelope.payload


def test_a_tampered_upload_of_the_same_size_is_done_again(connect, office, exchange: Make) -> None:
    quiet, connector = office.quiet(), connect(folder="quiet")
    envelope = connector.prepare(exchange())
    (quiet / "in" / f".{envelope.name}.part").write_bytes(bytes(len(envelope.payload)))
    connector.deliver(envelope, ListJournal())
    assert (quiet / "in" / envelope.name).read_bytes() == envelope.payload


def test_the_same_file_under_its_final_name_is_done(connect, office, exchange: Make) -> None:
    quiet, connector, journal = office.quiet(), connect(folder="quiet"), ListJournal()
    envelope = connector.prepare(exchange())
    (quiet / "in" / envelope.name).write_bytes(envelope.payload)
    assert connector.deliver(envelope, journal).detail == "was there already"
    assert journal.marks == []


def test_another_file_under_our_name_is_never_replaced(connect, office, exchange: Make) -> None:
    quiet, connector = office.quiet(), connect(folder="quiet")
    envelope = connector.prepare(exchange())
    (quiet / "in" / envelope.name).write_bytes(b"somebody else's")
    with pytest.raises(PermanentError):
        connector.deliver(envelope, ListJournal())
    assert (quiet / "in" / envelope.name).read_bytes() == b"somebody else's"


def test_another_file_that_appears_last_minute_is_never_replaced(connect, office, exchange: Make) -> None:
    quiet, connector = office.quiet(), connect(folder="quiet")
    envelope = connector.prepare(exchange())
    final = quiet / "in" / envelope.name
    with pytest.raises(PermanentError):
        connector.deliver(envelope, ActingJournal(lambda: write(final, b"somebody else's")))
    assert final.read_bytes() == b"somebody else's"


def write(path: Path, content: bytes) -> None:
    path.write_bytes(content)


def test_a_temporary_file_that_vanishes_leaves_it_in_doubt(connect, office, exchange: Make) -> None:
    quiet, connector = office.quiet(), connect(folder="quiet")
    envelope = connector.prepare(exchange())
    part = quiet / "in" / f".{envelope.name}.part"
    with pytest.raises(InDoubtError):
        connector.deliver(envelope, ActingJournal(part.unlink))


def test_a_withdrawn_sending_stays_under_its_temporary_name(connect, office, exchange: Make) -> None:
    quiet, connector = office.quiet(), connect(folder="quiet")
    envelope = connector.prepare(exchange())
    with pytest.raises(PermanentError, match="withdrawn"):
        connector.deliver(envelope, ListJournal(withdrawn=True))
    assert [path.name for path in (quiet / "in").iterdir()] == [f".{envelope.name}.part"]


def test_the_same_bytes_twice_are_one_case(connect, office, exchange: Make) -> None:
    connector = connect()
    envelope = connector.prepare(exchange())
    connector.deliver(envelope, ListJournal())
    office.await_exchanges(1)
    changed = msgspec.structs.replace(envelope, payload=connector.prepare(exchange()).payload)
    connector.deliver(changed, ListJournal())
    books = office.await_exchanges(2)
    assert books["exchanges_in"] == 1 and len(books["refused"]) == 1, "a name with another content must be refused"


def test_an_unknown_host_is_not_spoken_to(connect, office, exchange: Make) -> None:
    connector = connect(host_key_fingerprints=(STRANGER,))
    with pytest.raises(ConfigurationError) as caught:
        connector.deliver(connector.prepare(exchange()), ListJournal())
    assert office.twin.facts["host_key_fingerprint"] in caught.value.message
    assert list((office.files / "in").iterdir()) == []


def test_the_check_goes_as_far_as_it_can(connect, office, exchange: Make) -> None:
    assert [(step.name, step.is_ok) for step in connect().check()] == [
        ("own certificate", True), ("partner certificate", True), ("host key", True), ("login", True), ("folders", True)
    ]  # fmt: skip
    failed = connect(host_key_fingerprints=(STRANGER,)).check()[-1]
    assert failed.name == "host key" and office.twin.facts["host_key_fingerprint"] in failed.detail and failed.cure
    failed = connect(username="nobody").check()[-1]
    assert (failed.name, failed.is_ok) == ("login", False) and failed.cure
    failed = connect(folder="elsewhere").check()[-1]
    assert not failed.is_ok and failed.cure
    failed = connect(port=1).check()[-1]
    assert (failed.name, failed.is_ok) == ("host key", False) and failed.cure


def test_a_key_of_another_certificate_is_found_by_the_check(connect, office) -> None:
    failed = next(step for step in connect(own_certificate=office.twin.facts["certificate_pem"]).check() if not step.is_ok)
    assert failed.name == "own certificate" and failed.cure


def test_a_closed_door_is_tried_again(connect, exchange: Make) -> None:
    connector = connect(port=1)
    envelope = connector.prepare(exchange())
    with pytest.raises(CollecthubError) as caught:
        connector.deliver(envelope, ListJournal())
    assert type(caught.value) is RetryableError
