"""The form of partners without an API: one row a case, as CSV or XLSX in a folder, uploaded, or attached to a mail.

The hub fills in who and what; the partner fills in what he has to say. Each filled part of a row becomes one message of
the published exchange, so a form means what the same words over REST or SFTP mean. Its message ids come from its content:
the same form sent twice, or through two doors, has one effect.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal

import msgspec

from collecthub.errors import PermanentError, QuarantineError
from collecthub.formats.form_words import (
    FormError,
    asked_in,
    column_named,
    heading,
    said_in_form,
    told,
    value_meant,
)
from collecthub.model.exchange import (
    AckVerdict,
    CaseAcknowledgement,
    CaseAmendment,
    CaseFile,
    CaseInstruction,
    CaseReturn,
    CaseStatusUpdate,
    CostBearer,
    CostStatement,
    Decoded,
    Fault,
    InboundMessage,
    InstructionCode,
    Message,
    PaymentReport,
)
from collecthub.model.ids import derived_id
from collecthub.model.money import parse_amount
from collecthub.model.partner_words import COST_TYPES, sequence_at
from collecthub.model.party import Party
from collecthub.wire.tabular import read_rows, write_csv, write_xlsx

FILLED_IN = (
    "case_id", "case_number", "debtor", "debtor_address", "debtor_contact", "creditor", "invoices", "currency", "demanded",
    "asked", "answer_to",
)  # fmt: skip
TO_FILL = (
    "answer", "holder_ref", "reason", "question", "status_code", "status_on", "status_text", "received_amount",
    "received_on", "payment_ref", "cost_amount", "cost_type", "cost_on", "cost_ref", "cost_bearer", "close_code", "remaining",
)  # fmt: skip
COLUMNS = (*FILLED_IN, *TO_FILL)
_VERDICTS = {"accept": AckVerdict.ACCEPTED, "refuse": AckVerdict.REFUSED, "confirm": AckVerdict.ACCEPTED}


class FormRow(msgspec.Struct, frozen=True, kw_only=True):
    """One row as texts; everything that the partner left open is empty.

    `answer` is accept, refuse or confirm and replies to the message `answer_to`. Amounts have a point or a comma as decimal
    mark and no other separator, days are written YYYY-MM-DD.
    """

    case_id: str
    case_number: str = ""
    debtor: str = ""
    debtor_address: str = ""
    debtor_contact: str = ""
    creditor: str = ""
    invoices: str = ""
    currency: str = ""
    demanded: str = ""
    asked: str = ""
    answer_to: str = ""
    answer: str = ""
    holder_ref: str = ""
    reason: str = ""
    question: str = ""
    status_code: str = ""
    status_on: str = ""
    status_text: str = ""
    received_amount: str = ""
    received_on: str = ""
    payment_ref: str = ""
    cost_amount: str = ""
    cost_type: str = ""
    cost_on: str = ""
    cost_ref: str = ""
    cost_bearer: str = ""
    close_code: str = ""
    remaining: str = ""

    @property
    def is_filled(self) -> bool:
        """Whether the partner said anything."""
        return any(getattr(self, name) for name in TO_FILL if name != "holder_ref") or bool(self.answer)


def form_amount(text: str) -> Decimal:
    """An amount as a form has it: one decimal mark at most, which may be a comma.

    >>> form_amount("1234,50"), form_amount("12.5")
    (Decimal('1234.50'), Decimal('12.5'))
    """
    plain = text.replace(" ", "").replace("\u00a0", "")
    if plain.count(",") + plain.count(".") > 1:
        raise _no_amount(text)
    try:
        return parse_amount(plain.replace(",", "."))
    except PermanentError:
        raise _no_amount(text) from None


def _no_amount(text: str) -> FormError:
    return FormError(
        "amount", text[:30], f"{text[:30]!r} is not an amount", cure="Write it without thousands separators, such as 1234.50."
    )


def form_day(text: str, today: dt.date) -> dt.date:
    """A day as a form has it; today when it is left open."""
    if not text:
        return today
    try:
        return dt.date.fromisoformat(text[:10])
    except ValueError:
        raise FormError("day", text[:20], f"{text[:20]!r} is not a day", cure="Write it as 2026-06-15.") from None


def messages_of(row: FormRow, partner_id: str, now: dt.datetime) -> tuple[InboundMessage, ...]:
    """What a row says. Raises `PermanentError` for a part that cannot be read; then nothing of the row counts."""
    return tuple(message for make in _PARTS if (message := make(row, partner_id, now)) is not None)


def _id(row: FormRow, partner_id: str, *parts: str) -> str:
    return derived_id("form", partner_id, row.case_id, *parts)


def _at(day: dt.date, now: dt.datetime) -> dt.datetime:
    """Noon of a day, UTC: inside that day in every zone but two; never after now."""
    return min(dt.datetime.combine(day, dt.time(12), dt.UTC), now)


def _answer(row: FormRow, partner_id: str, now: dt.datetime) -> CaseAcknowledgement | None:
    if not row.answer:
        return None
    verdict = _VERDICTS.get(row.answer.strip().lower())
    if verdict is None:
        raise FormError(
            "answer", row.answer[:20], f"the answer {row.answer[:20]!r} is unknown", cure="Write accept, refuse or confirm."
        )
    if not row.answer_to:
        raise FormError(
            "answer_to", "", "the row does not say what it answers", cure="Keep the column answer_to as it was filled in."
        )
    if row.answer.strip().lower() == "accept" and not row.holder_ref:
        raise FormError("holder_ref", "", "an accepted case has no file number of yours", cure="Fill in holder_ref.")
    return CaseAcknowledgement(
        message_id=_id(row, partner_id, "answer", row.answer_to, row.answer), case_id=row.case_id,
        holder_ref=row.holder_ref, in_reply_to=row.answer_to, verdict=verdict,
        reason_code="declined" if verdict is AckVerdict.REFUSED else "", reason=row.reason, occurred_at=now,
    )


def _question(row: FormRow, partner_id: str, now: dt.datetime) -> CaseInstruction | None:
    if not row.question:
        return None
    return CaseInstruction(
        message_id=_id(row, partner_id, "question", row.question), case_id=row.case_id, holder_ref=row.holder_ref,
        code=InstructionCode.QUESTION, text=row.question,
    )


def _status(row: FormRow, partner_id: str, now: dt.datetime) -> CaseStatusUpdate | None:
    if not row.status_code:
        return None
    day = form_day(row.status_on, now.date())
    return CaseStatusUpdate(
        message_id=_id(row, partner_id, "status", row.status_code, day.isoformat(), row.status_text), case_id=row.case_id,
        holder_ref=row.holder_ref, sequence=sequence_at(_at(day, now)), status_code=row.status_code, text=row.status_text,
        occurred_at=_at(day, now),
    )


def _payment(row: FormRow, partner_id: str, now: dt.datetime) -> PaymentReport | None:
    if not row.received_amount:
        return None
    day, amount = form_day(row.received_on, now.date()), form_amount(row.received_amount)
    reference = row.payment_ref or f"{day.isoformat()} {amount}"
    return PaymentReport(
        message_id=_id(row, partner_id, "payment", reference), case_id=row.case_id, holder_ref=row.holder_ref,
        payment_ref=reference, currency=row.currency, amount=amount, received_on=day,
    )


def _cost(row: FormRow, partner_id: str, now: dt.datetime) -> CostStatement | None:
    if not row.cost_amount:
        return None
    day, amount, kind = form_day(row.cost_on, now.date()), form_amount(row.cost_amount), row.cost_type or "other"
    if kind not in COST_TYPES:
        raise FormError(
            "cost_type", kind[:20], f"the cost type {kind[:20]!r} is unknown", cure=f"Write one of {', '.join(COST_TYPES)}."
        )
    if row.cost_bearer not in ("", *(bearer.value for bearer in CostBearer)):
        raise FormError(
            "cost_bearer", row.cost_bearer[:20], f"the bearer {row.cost_bearer[:20]!r} is unknown", cure="Write debtor or creditor."
        )
    reference = row.cost_ref or f"{kind} {day.isoformat()} {amount}"
    return CostStatement(
        message_id=_id(row, partner_id, "cost", reference), case_id=row.case_id, holder_ref=row.holder_ref,
        cost_ref=reference, cost_type=kind, currency=row.currency, amount=amount,
        bearer=CostBearer(row.cost_bearer or "creditor"), occurred_on=day,
    )


def _return(row: FormRow, partner_id: str, now: dt.datetime) -> CaseReturn | None:
    if not row.close_code:
        return None
    return CaseReturn(
        message_id=_id(row, partner_id, "return", row.close_code), case_id=row.case_id, holder_ref=row.holder_ref,
        close_code=row.close_code, currency=row.currency, remaining=form_amount(row.remaining or row.demanded or "0"),
        occurred_on=now.date(), text=row.reason,
    )


_PARTS: Sequence[Callable[[FormRow, str, dt.datetime], InboundMessage | None]] = (
    _answer, _question, _status, _payment, _cost, _return,
)  # fmt: skip


def row_of(message: Message) -> FormRow:
    """A message of the hub as a row to answer. Raises `PermanentError` for one that only a partner sends."""
    if isinstance(message, CaseFile):
        row = FormRow(
            case_id=message.case_id, case_number=message.case_number, currency=message.currency, demanded=f"{message.principal:f}",
            asked="acceptance", answer_to=message.message_id, creditor=message.creditor.name,
        )  # fmt: skip
        invoices = [(one.invoice_ref, one.due_on, one.open_amount) for one in message.claims]
        return about(row, message.debtors[0], invoices) if message.debtors else row
    if isinstance(message, CaseAmendment):
        return FormRow(
            case_id=message.case_id, currency=message.currency, demanded=f"{message.principal:f}",
            asked=f"confirm: {message.code.value}", answer_to=message.message_id, holder_ref=message.holder_ref,
        )
    if isinstance(message, CaseInstruction):
        return FormRow(case_id=message.case_id, asked=f"{message.code.value}: {message.text}", holder_ref=message.holder_ref)
    raise PermanentError("this message is no row of a form", cure="Send it through another channel.")


def about(row: FormRow, debtor: Party, invoices: Iterable[tuple[str, dt.date, Decimal]]) -> FormRow:
    """A row with what its holder needs to begin: who owes, where he is reached, and the invoices that are open."""
    place = debtor.address
    where = (*place.lines, f"{place.postcode} {place.city}".strip(), debtor.country or place.country)
    reached = (part for one in debtor.contacts for part in (one.name, one.email, one.phone))
    return msgspec.structs.replace(
        row, debtor=debtor.name, debtor_address=", ".join(filter(None, where)), debtor_contact=", ".join(filter(None, reached)),
        invoices="; ".join(f"{number} {due_on} {amount:f}" for number, due_on, amount in invoices),
    )


# --- as a file ------------------------------------------------------------------------------------


def write_form(rows: Sequence[FormRow], kind: str = "csv", language: str = "en") -> bytes:
    """The form as `csv` or `xlsx`, with headings in a language."""
    told_rows = (msgspec.structs.replace(row, asked=asked_in(language, row.asked)) for row in rows)
    cells = [[getattr(row, name) for name in COLUMNS] for row in told_rows]
    names = [heading(name, language) for name in COLUMNS]
    return write_xlsx(names, cells, title="Cases") if kind == "xlsx" else write_csv(names, cells)


def read_form(content: bytes, name: str, partner_id: str, now: dt.datetime) -> Decoded:
    """What a filled form says; a row that cannot be read becomes a fault and stops no other.

    Raises `QuarantineError` when the file is no form at all.
    """
    return said_in(_form_rows(content, name), name, partner_id, now)


def said_in(rows: Iterable[tuple[int, Mapping[str, str]]], name: str, partner_id: str, now: dt.datetime) -> Decoded:
    """What rows of a form say, each with the line where a person finds it in `name`."""
    messages: list[InboundMessage] = []
    faults: list[Fault] = []
    for line, cells in rows:
        row = row_said(cells)
        try:
            if row.is_filled:
                messages += messages_of(row, partner_id, now)
        except PermanentError as error:
            faults.append(
                Fault(
                    code="form.row", reason=f"{error.message}. {error.cure}", path=f"/line {line}",
                    message_id=_id(row, partner_id, name, str(line)), case_id=row.case_id[:64],
                )
            )
    return Decoded(
        exchange_id=derived_id("form", partner_id, name), sender_ref=partner_id, messages=tuple(messages),
        faults=tuple(faults),
    )


def row_said(cells: Mapping[str, str]) -> FormRow:
    """A row by the names of its columns, its words understood in whatever language they are."""
    return FormRow(**{
        column: value_meant(column, cells.get(column, "").removeprefix("'").strip()) for column in COLUMNS
    })  # fmt: skip


def told_faults(content: bytes, name: str, partner_id: str, now: dt.datetime, language: str) -> tuple[str, ...]:
    """Every row of a form that cannot be read, in the words of whoever filled it in."""
    wrong = []
    for line, cells in _form_rows(content, name):
        row = row_said(cells)
        try:
            _ = messages_of(row, partner_id, now) if row.is_filled else ()
        except PermanentError as error:
            wrong.append(said_in_form(language, "line", line=line, why=told(error, language)))
    return tuple(wrong)


def _form_rows(content: bytes, name: str) -> Iterator[tuple[int, Mapping[str, str]]]:
    for place, row in enumerate(read_rows(content, name, max_rows=50_000)):
        cells = {column_named(name): text for name, text in row.cells.items()}
        if place == 0 and "case_id" not in cells:
            raise QuarantineError(
                f"{name} is not the form: it has no column case_id", code="form.columns",
                cure="Fill in the form as it was sent, with its first line.",
            )
        yield row.line, cells
