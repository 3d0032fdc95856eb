"""An office keeps its word: the same fate for the same case, never too much money, nothing after a recall."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from collecthub.sandbox.office import Office, OfficeProfile
from collecthub.sandbox.office_desk import ChangedExchange
from collecthub.sandbox.office_plan import track_of
from collecthub.sandbox.twin import Books, Clock
from sandbox.partner_messages import Json, amendment, case_file, case_number_on, exchange

PROFILE = OfficeProfile(ref="agency-DE", kind="agency", seed="s", is_auto=True)


def open_office(path: Path, **changes: object) -> Office:
    books = Books(path)
    return Office(books, Clock(books), replace(PROFILE, **changes))  # type: ignore[arg-type]  # any field may change


@pytest.fixture
def office(tmp_path: Path) -> Office:
    return open_office(tmp_path / "office.sqlite")


def send(office: Office, *messages: Json, name: str = "") -> list[Json]:
    answer = office.receive(exchange(name or f"x-{messages[0]['message_id']}", "agency-DE", messages), "digest")
    return [] if answer.replies is None else list(answer.replies["messages"])


def sent(office: Office, *kinds: str) -> Iterator[Json]:
    for one in office.outbox(0, 1_000_000):
        yield from (message for message in one["exchange"]["messages"] if not kinds or message["type"] in kinds)


def accounts(office: Office) -> dict[str, Json]:
    return {line["case_id"]: line for line in office.accounts()}


def test_fates_are_spread_as_promised_and_follow_the_number_alone() -> None:
    fates = Counter(track_of("s", f"2026-{n}").name for n in range(4_000))
    paid = sum(fates[name] for name in ("paid_full", "paid_in_parts", "reversed")) / 4_000
    assert 0.30 < paid < 0.38
    assert 0.045 < fates["refused"] / 4_000 < 0.075
    assert {track_of(seed, "2026-1").name for seed in map(str, range(50))} > {"paid_full", "silent"}


def test_two_offices_with_other_ids_report_the_same_course(tmp_path: Path) -> None:
    courses = []
    for run in ("a", "b"):
        office = open_office(tmp_path / run)
        for n in range(60):
            send(office, case_file(f"{run}{n}", f"2026-{n}"))
        office.work(10)
        courses.append([
            (message["type"], message["case_id"][1:], message.get("status_code"), message.get("amount"))
            for message in sent(office)
        ])  # fmt: skip
    assert courses[0] == courses[1]
    assert len(courses[0]) > 150


@pytest.mark.parametrize("kind", ["agency", "bailiff", "lawyer"])
@pytest.mark.parametrize(("currency", "digits"), [("EUR", 2), ("JPY", 0), ("KWD", 3)])
def test_money_never_exceeds_what_is_owed_and_every_cent_is_told(
    tmp_path: Path, kind: str, currency: str, digits: int
) -> None:
    office = open_office(tmp_path / "office", kind=kind)
    amount = str(Decimal("333.333").quantize(Decimal(1).scaleb(-digits)))
    send(office, *(case_file(f"c{n}", f"N-{n}", amount=amount, currency=currency) for n in range(60)))
    for _ in range(12):
        office.work(1)
        assert all(Decimal(case["paid"]) <= Decimal(case["principal"]) + Decimal(case["debtor_costs"])
                   for case in office.report()["cases"])  # fmt: skip
    told: Counter[str] = Counter()
    for message in sent(office, "payment_report"):
        told[message["case_id"]] += Decimal(message["amount"])  # type: ignore[assignment]  # exact sums
        assert -Decimal(message["amount"]).as_tuple().exponent == digits  # type: ignore[operator]
    assert {case_id: Decimal(line["paid"]) for case_id, line in accounts(office).items() if Decimal(line["paid"])} == {
        case_id: total for case_id, total in told.items() if total
    }
    costs = sum(Decimal(m["amount"]) + Decimal(m["tax_amount"]) for m in sent(office, "cost_statement"))
    assert costs == sum(Decimal(line["costs"]) for line in accounts(office).values())
    assert costs > 0


def test_a_reversed_payment_is_told_as_negative_and_names_the_first(office: Office) -> None:
    send(office, case_file("c1", case_number_on("reversed", "s")))
    office.work(9)
    first, back, again = sent(office, "payment_report")
    assert (first["amount"], back["amount"], again["amount"]) == ("250.00", "-250.00", "250.00")
    assert back["reverses_ref"] == first["payment_ref"] != again["payment_ref"]
    (returned,) = sent(office, "case_return")
    assert (returned["close_code"], returned["remaining"]) == ("paid_full", "0.00")


def test_a_recall_is_acknowledged_and_ends_all_work(office: Office) -> None:
    send(office, *(case_file(f"c{n}", f"N-{n}") for n in range(100)))
    office.work(2)
    before = {case["case_id"]: case["state"] for case in office.report()["cases"]}
    answers = send(office, *(amendment(f"c{n}", "recall") for n in range(0, 100, 2)))
    assert {answer["verdict"] for answer in answers} == {"accepted"}
    spoken = sum(1 for _ in sent(office))
    office.work(10)
    later = list(sent(office))[spoken:]
    assert {message["case_id"] for message in later if message["type"] != "case_acknowledgement"} == {
        f"c{n}" for n in range(1, 100, 2) if before[f"c{n}"] == "held"
    }
    assert office.report()["acts_after_recall"] == 0
    recalled = [line for line in office.accounts() if int(line["case_id"][1:]) % 2 == 0]
    assert all(line["is_stopped"] and line["principal"] == "0" for line in recalled)


def test_the_count_of_acts_after_a_recall_would_show_one(office: Office) -> None:
    send(office, case_file("c1", case_number_on("silent", "s")))
    send(office, amendment("c1", "recall"))
    with office.books.transaction():
        office.books.queue(office.books.message("cost_statement", "c1", ""))
    assert office.report()["acts_after_recall"] == 1


def test_amendments_that_come_before_their_case(office: Office) -> None:
    number = case_number_on("paid_full", "s")
    (kept,) = send(office, amendment("late", "balance", principal="100.00"))
    assert (kept["verdict"], kept["reason_code"]) == ("received", "unknown_case")
    taken, applied = send(office, case_file("late", number))
    assert (taken["verdict"], applied["verdict"], applied["in_reply_to"]) == ("accepted", "accepted", "a-balance-late")
    office.work(6)
    assert [message["amount"] for message in sent(office, "payment_report")] == ["100.00"]

    (stopped,) = send(office, amendment("never", "recall"))
    assert (stopped["verdict"], stopped["reason_code"]) == ("accepted", "unknown_case")
    (refused,) = send(office, case_file("never", number))
    assert (refused["verdict"], refused["reason_code"]) == ("refused", "recalled")
    office.work(6)
    assert office.report()["acts_after_recall"] == 0


def test_a_new_balance_changes_what_is_asked_and_zero_ends_the_case(office: Office) -> None:
    number = case_number_on("paid_in_parts", "s")
    send(office, case_file("c1", number), case_file("c2", f"{case_number_on('paid_in_parts', 's', 1)}"))
    office.work(3)
    send(office, amendment("c1", "balance", principal="200.00"), amendment("c2", "balance", principal="90.00"))
    office.work(6)
    paid = [(message["case_id"], message["amount"]) for message in sent(office, "payment_report")]
    assert paid == [("c1", "125.00"), ("c2", "125.00"), ("c1", "75.00")]
    assert accounts(office)["c2"]["is_stopped"]


def test_a_suspended_case_rests_until_it_is_resumed(office: Office) -> None:
    send(office, case_file("c1", case_number_on("paid_full", "s")))
    send(office, amendment("c1", "suspend"))
    office.work(8)
    assert list(sent(office)) == []
    send(office, amendment("c1", "resume"))
    office.work(4)
    assert [message["amount"] for message in sent(office, "payment_report")] == ["250.00"]


def test_the_same_message_is_answered_as_before_in_whatever_exchange(office: Office) -> None:
    file = case_file("c1", case_number_on("silent", "s"))
    first = send(office, file, name="x1")
    assert send(office, file, name="x1") == first == send(office, file, name="x2")
    assert office.report()["duplicates"] == {"exchanges": 1, "messages": 1}
    assert len(office.report()["cases"]) == 1
    with pytest.raises(ChangedExchange):
        office.receive(exchange("x1", "agency-DE", []), "other digest")


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"principal": "249.99"}, "invalid_data"),
        ({"principal": "-1.00", "credits": "251.00"}, "invalid_data"),
        ({"documents": [{"name": "i.pdf", "kind": "invoice", "media_type": "application/pdf", "sha256": "0" * 64,
                         "content": "aGVsbG8="}]}, "invalid_data"),
    ],
)  # fmt: skip
def test_a_case_file_that_contradicts_itself_is_refused(office: Office, change: Json, code: str) -> None:
    bad, good = send(office, {**case_file("c1", "N-1"), **change}, case_file("c2", case_number_on("silent", "s")))
    assert (bad["verdict"], bad["reason_code"], good["verdict"]) == ("refused", code, "accepted")


def test_a_balance_in_another_currency_or_below_zero_is_refused(office: Office) -> None:
    send(office, case_file("c1", case_number_on("paid_full", "s")))
    answers = send(office, amendment("c1", "balance", principal="5.00", currency="USD", name="a1"),
                   amendment("c1", "balance", principal="-5.00", name="a2"))  # fmt: skip
    assert [(answer["verdict"], answer["reason_code"]) for answer in answers] == [("refused", "invalid_data")] * 2
    assert accounts(office)["c1"]["principal"] == "250.00"


def test_a_test_exchange_is_answered_and_forgotten(office: Office) -> None:
    content = exchange("x1", "agency-DE", [case_file("c1", case_number_on("paid_full", "s"))])
    answer = office.receive({**content, "is_test": True}, "digest")
    assert answer.replies is not None
    assert answer.replies["messages"][0]["reason_code"] == "test"
    office.work(5)
    assert (office.accounts(), list(sent(office))) == ([], [])


def test_without_auto_the_decision_comes_with_the_next_day(tmp_path: Path) -> None:
    office = open_office(tmp_path / "office", is_auto=False)
    (read,) = send(office, case_file("c1", case_number_on("silent", "s")))
    assert read["verdict"] == "received"
    office.work(1)
    decided = next(sent(office, "case_acknowledgement"))
    assert (decided["verdict"], decided["in_reply_to"]) == ("accepted", "m-c1")
    assert decided["holder_ref"]


def test_mischief_happens_once_each_and_is_on_record(tmp_path: Path) -> None:
    office = open_office(tmp_path / "office", is_mischievous=True, spoils={"truncated": "quarantine"})
    send(office, *(case_file(f"c{n}", f"N-{n}") for n in range(40)))
    office.work(10)
    done = {row["kind"]: row for row in office.report()["mischief"]}
    assert set(done) == {"unknown_status", "impossible_date", "unknown_case", "duplicate_payment",
                         "repeated_payment_ref", "out_of_order", "truncated"}  # fmt: skip
    payments = list(sent(office, "payment_report"))
    assert len(payments) == len({payment["payment_ref"] for payment in payments}) + 2
    assert sum(1 for message in sent(office) if message.get("next_deadline_on") == "2026-02-30") == 1
    assert [one["spoil"] for one in office.undelivered(10_000) if one["spoil"]] == ["truncated"]
    assert done["truncated"]["exchange_id"] not in json.dumps(office.outbox(0, 10_000))
