"""What a creditor already sent is looked at before the final summons: what is wrong for certain, and what nobody can prove."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal

import msgspec
import sqlalchemy as sa
from law.asked import law
from web.office import Office

from collecthub.engine.intake import intake_connection_id
from collecthub.law.basis import Evidence
from collecthub.law.reminder_review import ReminderReview, review_reminders
from collecthub.law.rules import CountryLaw
from collecthub.law.steps import Happening, Obstacle, Step, StepAnswer, StepQuestion, answer_of
from collecthub.model.debtor_account import OwnReminder
from collecthub.model.event import Claim
from collecthub.store.erp_tables import own_reminders
from contact.conftest import THREE_MAILS
from contact.test_course import case_of, open_case

DUE = dt.date(2026, 3, 31)


def reviewed(*sent: tuple[int, int], segment: str = "B2B", pack: CountryLaw | None = None) -> ReminderReview:
    """Reminders as level and days after the due day, of one invoice of a Belgian debtor, looked at 40 days after it."""
    claim = Claim(
        claim_id="c", number="F-1", due_on=DUE, issued_on=None, original_amount=Decimal(100), open_amount=Decimal(100)
    )
    reminders = [OwnReminder(level=level, dunned_on=DUE + dt.timedelta(days=days)) for level, days in sent]
    return review_reminders(
        [(claim, reminders)], segment=segment, law=pack or law("BE"), policy=THREE_MAILS, on=DUE + dt.timedelta(days=40)
    )


def kinds(review: ReminderReview) -> list[str]:
    return [one.kind for one in review.invoices[0].findings]


def test_reminders_in_order_and_enough_of_them_leave_only_what_nobody_can_prove() -> None:
    review = reviewed((1, 3), (2, 10), (3, 20))
    assert kinds(review) == []
    [advice] = review.advice
    assert advice.startswith("Keep copies")


def test_what_is_wrong_for_certain_is_named_with_its_day() -> None:
    review = reviewed((1, 0), (2, 5), (2, 5), (1, 8))
    assert kinds(review) == ["early", "hasty", "same_day", "falls_back", "hasty"]  # the playbook leaves 7 days
    assert [one.on.day for one in review.invoices[0].findings] == [31, 5, 5, 8, 8]
    assert any("(2)" in line and "3 messages" in line for line in review.advice)  # 5 and 8 days after the due day count


def test_an_invoice_that_was_only_reminded_of_before_its_due_day_is_reminded_of_first() -> None:
    review = reviewed((1, -3))
    assert (kinds(review), review.advice) == (["early"], ("Remind of F-1 first: no reminder after the due day is known.",))


def test_a_consumer_is_asked_for_nothing_more_unless_a_reminder_is_proven() -> None:
    [_, advice] = reviewed((1, 3), (2, 12), (3, 22), segment="B2C").advice
    assert "CEL XIX.2: no free first reminder" in advice
    assert advice.endswith("If you can prove that the reminder of 2026-04-03 was free and in writing, this falls away.")
    lately = reviewed((1, 38), segment="B2C").advice  # two days ago: proof would not help yet
    assert [line for line in lately if "XIX.2" in line] and not [line for line in lately if "prove that" in line]


def test_a_pack_that_forbids_a_reminder_is_named_with_its_article() -> None:
    def once_only(pack: CountryLaw, question: StepQuestion) -> StepAnswer:
        again = question.step is Step.REMIND and question.last(Happening.REMINDER) is not None
        found = Obstacle(article="art. 7", reason="one reminder is enough", cure="Wait.", evidence=Evidence.VERIFIED)
        return answer_of([found if again else None], {})

    review = reviewed((1, 3), (2, 12), pack=msgspec.structs.replace(law("BE"), check_step=once_only))
    assert [(one.kind, one.on.day, one.article) for one in review.invoices[0].findings] == [("unlawful", 12, "art. 7")]
    assert any("Ask nothing" in line for line in review.advice)


def test_the_creditor_reads_it_and_nobody_else_does(office: Office) -> None:
    case_id = open_case(office, "reviewed@example.org")
    claim_id = case_of(office, case_id).claims[0].claim_id
    row = {
        "connection_id": intake_connection_id("kroon"), "item_ref": claim_id, "dunned_on": dt.date(2026, 6, 14), "level": 1,
        "creditor_id": "kroon",
    }  # fmt: skip
    with office.hub.database.write() as conn:  # as a pull keeps it
        conn.execute(sa.insert(own_reminders).values(row))
    path = f"/api/v1/cases/{case_id}/reminders-review"
    said = office.client("kroon").get(path)
    assert said.status_code == 200, said.text
    [invoice] = json.loads(said.text)["invoices"]
    assert [one["kind"] for one in invoice["findings"]] == ["early"]  # on the due day itself
    assert [office.client(who).get(path).status_code for who in ("other", "bailiff")] == [404, 403]


SENT = b"invoice;sent_on;level;channel;fee\n%s;2026-06-14;;letter;0\n%s;2026-06-15;2;email;0.00\nF-X;2026-06-14;;;\n%s;14/06/2026;11;pigeon;-1\n"


def test_earlier_reminders_come_by_file_row_by_row_and_are_reviewed(office: Office) -> None:
    case_id = open_case(office, "told@example.org")
    number = case_of(office, case_id).claims[0].number.encode()
    content = SENT % (number, number, number)
    client, path = office.client("kroon"), f"/api/v1/cases/{case_id}/reminders/imports"
    said = client.post(path, params={"name": "sent.csv"}, content=content).json()
    assert (said["taken"], said["refused"], said["cases"]) == (2, 2, 1)
    wrong = {row["line"]: [error["field"] for error in row["errors"]] for row in said["rows"] if row["errors"]}
    assert wrong == {4: ["invoice"], 5: ["sent_on", "level", "channel", "fee"]}
    review = client.get(f"/api/v1/cases/{case_id}/reminders-review").json()
    assert [(one["level"], one["channel"], one["fee"]) for one in review["invoices"][0]["reminders"]] == [
        (1, "letter", "0.00"), (2, "email", "0.00")
    ]  # fmt: skip
    version = case_of(office, case_id).version
    again = client.post("/api/v1/reminders/imports", params={"name": "sent.csv"}, content=content).json()
    assert again["taken"] == 2 and case_of(office, case_id).version == version  # the same again changes nothing
    kept = [one for one in client.get("/api/v1/quarantine").json()["items"] if one["code"] == "reminders.row"]
    assert len(kept) == 2
    assert [office.client(who).post(path, params={"name": "a"}, content=content).status_code for who in ("other", "bailiff")] == [404, 403]
    assert client.post(path, params={"name": "a"}, content=b"a;b\n1;2\n").status_code == 422


def test_a_told_free_letter_proves_what_the_erp_cannot() -> None:
    def told(fee: str) -> list[str]:
        claim = Claim(claim_id="c", number="F-1", due_on=DUE, issued_on=None, original_amount=Decimal(100), open_amount=Decimal(100))
        letter = OwnReminder(level=1, dunned_on=DUE + dt.timedelta(days=3), channel="letter", fee=Decimal(fee))
        review = review_reminders(
            [(claim, [letter])], segment="B2C", law=law("BE"), policy=None, on=DUE + dt.timedelta(days=40)
        )
        return [*kinds(review), *review.advice]

    [free] = told("0.00")
    assert "by what you told of your reminders" in free
    kind, *advice = told("7.50")  # the first reminder of a consumer is free: CEL XIX.2
    assert kind == "unlawful" and any("Ask nothing for the reminders that the law forbids" in line for line in advice)
