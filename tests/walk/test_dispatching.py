"""After a crash: what left no receipt is asked about one by one, and what has not arrived leaves together with the rest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from collecthub.corridor.dispatch import dispatch
from collecthub.errors import CollecthubError, InDoubtError, RetryableError
from collecthub.model.exchange import Exchange
from collecthub.ports import DeliveryState, Envelope, Journal, Receipt
from collecthub.testing.fakes import ListJournal


@dataclass
class Office:
    """A partner who knows of each name whether it arrived; a name that it does not know breaks the line."""

    known: dict[str, DeliveryState]
    asked: list[str] = field(default_factory=list)
    sent: list[list[str]] = field(default_factory=list)
    batch_limit: int = 1

    def prepare(self, exchange: Exchange) -> Envelope:
        raise NotImplementedError

    def deliver(self, envelope: Envelope, journal: Journal) -> Receipt:
        raise NotImplementedError

    def deliver_many(self, work: Sequence[tuple[Envelope, Journal]]) -> Sequence[Receipt | CollecthubError]:
        self.sent.append([envelope.name for envelope, _ in work])
        return [Receipt(reference=f"sent {envelope.name}") for envelope, _ in work]

    def probe(self, envelope: Envelope, intent: str) -> DeliveryState:
        self.asked.append(envelope.name)
        if envelope.name not in self.known:
            raise RetryableError("the line is down")
        return self.known[envelope.name]


def envelopes(names: str, intents: dict[str, str]) -> list[tuple[Envelope, ListJournal, str | None]]:
    return [
        (Envelope(envelope_id=name, name=name, media_type="", payload=b"", sha256="", message_ids=()), ListJournal(), intents.get(name))
        for name in names
    ]


def test_what_did_not_arrive_leaves_together_with_what_was_never_tried() -> None:
    office = Office({"a": DeliveryState.ARRIVED, "b": DeliveryState.NOT_ARRIVED, "c": DeliveryState.UNKNOWN, "e": DeliveryState.NOT_ARRIVED})
    work = envelopes("abcde", {"a": "renaming", "b": "renaming", "c": "renaming", "e": ""})
    arrived, again, doubtful, fresh, early = dispatch(office, work)
    assert office.sent == [["b", "d", "e"]]
    assert office.asked == ["a", "b", "c", "e"]
    assert isinstance(arrived, Receipt) and arrived.reference == "a"
    assert [one.reference for one in (again, fresh, early) if isinstance(one, Receipt)] == ["sent b", "sent d", "sent e"]
    assert isinstance(doubtful, InDoubtError)
    assert [journal.marks for _, journal, _ in work] == [[], [""], [], [], []]  # a crash from here on is no rename


def test_a_line_that_is_down_is_not_asked_about_every_envelope() -> None:
    office = Office({"b": DeliveryState.NOT_ARRIVED})
    outcomes = dispatch(office, envelopes("abcdef", dict.fromkeys("abcdef", "renaming")))
    assert office.asked == ["a", "b", "c", "d"], "one failure says nothing of the line, two in a row do"
    assert [type(one) for one in outcomes] == [RetryableError, Receipt, *[RetryableError] * 4]
    assert office.sent == [["b"]]
