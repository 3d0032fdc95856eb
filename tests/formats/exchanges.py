"""Exchanges to test with: one small fixed one per message, and strategies that make any."""

from __future__ import annotations

import datetime as dt
import hashlib
from decimal import Decimal

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from collecthub.model.exchange import (
    AccountLine,
    AckVerdict,
    AmendmentCode,
    CaseAcknowledgement,
    CaseAmendment,
    CaseFile,
    CaseInstruction,
    CaseReturn,
    CaseStatusUpdate,
    ClaimItem,
    ClaimPart,
    CostBearer,
    CostStatement,
    DocumentItem,
    DunningStep,
    Exchange,
    FaultItem,
    InstructionCode,
    InterestTerm,
    Message,
    OrderItem,
    PaymentInstruction,
    PaymentReport,
    Procedure,
    TitleItem,
    Totals,
)
from collecthub.model.party import Address, Contact, Party, PartyKind

# The same examples in every run, so that a red run is red again; set derandomize to False to look for new ones.
generated = settings(
    max_examples=60, derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)

MOMENT = dt.datetime(2026, 6, 15, 8, 30, tzinfo=dt.UTC)


def exchange(*messages: Message, exchange_id: str = "x-1") -> Exchange:
    """An envelope around the messages."""
    return Exchange(
        exchange_id=exchange_id, sender_ref="hub", receiver_ref="office", created_at=MOMENT, messages=messages
    )


def payment(number: int = 1, amount: str = "12.50", reverses_ref: str = "") -> PaymentReport:
    """A payment report; `number` makes it distinct."""
    return PaymentReport(
        message_id=f"m-{number}", case_id=f"case-{number}", payment_ref=f"P{number}", currency="EUR",
        amount=Decimal(amount), received_on=dt.date(2026, 6, 12), reverses_ref=reverses_ref,
    )  # fmt: skip


def case_file(content: bytes = b"%PDF-1.7 invoice") -> CaseFile:
    """A case file with two claims, a credit and a document."""
    claims = tuple(
        ClaimItem(
            claim_id=f"claim-{number}", invoice_ref=f"2026/{number}", due_on=dt.date(2026, 3, number),
            original_amount=Decimal("100.00"), open_amount=Decimal(amount),
        )
        for number, amount in ((1, "100.00"), (2, "60.10"))
    )  # fmt: skip
    document = DocumentItem(
        name="Factuur 2026-1.pdf", kind="invoice", media_type="application/pdf",
        sha256=hashlib.sha256(content).hexdigest(), content=content,
    )  # fmt: skip
    return CaseFile(
        message_id="m-file", case_id="case-1", case_number="BE-2026-000123", procedure=Procedure.AMICABLE,
        currency="EUR", language="nl", creditor=Party(name="Šabac & Zonen NV", country="BE"),
        debtors=(Party(
            name="Ο Παπαδόπουλος <b>", kind=PartyKind.PERSON, country="BE",
            address=Address(lines=("Dorpsstraat 1", "bus 3"), postcode="9000", city="Gent", country="BE"),
            contacts=(Contact(email="p@example.test"), Contact(phone="+32 9 000 00 00", role="home")),
        ),),
        claims=claims, principal=Decimal("150.10"), credits=Decimal("10.00"),
        payment=PaymentInstruction(payee="Šabac & Zonen NV", account="BE71096123456769", reference="123"),
        documents=(document,), remarks="Eerste regel\nTweede regel",
    )  # fmt: skip


def told_case_file() -> CaseFile:
    """A case file that says everything that one can say beside the claims."""
    plain = case_file()
    first, second = plain.claims
    term = InterestTerm(
        base_amount=Decimal("100.00"), rate_percent=Decimal("10.5"), method="actual/365", from_on=dt.date(2026, 3, 2),
        accrued_amount=Decimal("3.02"), legal_basis="be.interest.b2b.2013",
    )  # fmt: skip
    return replace(
        plain,
        claims=(
            replace(first, cause="goods", interest=(term,)),
            replace(second, part=ClaimPart.TITLED_COSTS, kind="titled_cost", related_claim_ids=(first.claim_id,)),
        ),
        titles=(
            TitleItem(
                kind="judgment", authority="Vredegerecht Gent", file_ref="26A417", dated_on=dt.date(2026, 5, 4),
                served_on=dt.date(2026, 5, 8), certificate="eeo", claim_ids=(first.claim_id,),
            ),
        ),
        orders=(OrderItem(code="enforcement", text="The creditor allowed costs of 500.00 EUR."),),
        dunning_steps=(
            DunningStep(level=1, sent_on=dt.date(2026, 3, 10), reference="2026/1"),
            DunningStep(level=2, sent_on=dt.date(2026, 3, 24), channel="letter", reference="reminder 2"),
        ),
        dunning_level=2, mandate_ref="M-1",
        totals=Totals(
            as_of_on=dt.date(2026, 6, 15), principal=Decimal("160.10"), interest=Decimal("3.02"), received=Decimal("10.00"),
            total=Decimal("153.12"),
        ),
    )  # fmt: skip


# --- strategies -----------------------------------------------------------------------------------------------

_UNFIT = {"Cc", "Cs", "Cn"}
_SCRIPTS = st.sampled_from(
    ["Žofia Šťastná", "Γιώργος Δ.", "Иван Іваненко", "אברהם כהן", "محمد علي", "王小明", "ยุพา", "हरि सिंह", "𠮷野家", "Zoë e\u0301"]
)
IDS = st.from_regex(r"[A-Za-z0-9._:/\-]{1,64}", fullmatch=True)
REFS = st.text(st.characters(exclude_categories=_UNFIT), min_size=1, max_size=140)
LINES = _SCRIPTS | st.text(st.characters(exclude_categories=_UNFIT), min_size=1, max_size=300)
TEXTS = _SCRIPTS | st.text(st.characters(exclude_categories=_UNFIT) | st.sampled_from("\n\t\r"), max_size=200)
OPTIONAL_REFS, CODES = st.just("") | REFS, REFS.filter(lambda text: len(text) <= 64)
OPTIONAL_LINES = st.just("") | LINES
CURRENCIES = st.sampled_from(["EUR", "PLN", "JPY", "KWD"])
COUNTRIES, LANGUAGES = st.sampled_from(["", "BE", "UY", "JP"]), st.sampled_from(["", "nl", "nl-BE", "zh-Hant"])
AMOUNTS = st.decimals("-999999999999999", "999999999999999", places=6) | st.decimals(-10**6, 10**6, places=2)
POSITIVE = st.decimals(0, 10**9, places=2)
DATES = st.dates(dt.date(1, 1, 2), dt.date(9999, 12, 30))
ZONES = st.integers(-14 * 60, 14 * 60).map(lambda minutes: dt.timezone(dt.timedelta(minutes=minutes)))
MOMENTS = st.datetimes(timezones=ZONES).filter(lambda moment: 1 < moment.year < 9999)

CONTACTS = st.builds(Contact, name=OPTIONAL_LINES, email=OPTIONAL_LINES, phone=OPTIONAL_LINES, role=OPTIONAL_LINES)
ADDRESSES = st.builds(
    Address, lines=st.lists(LINES, max_size=3).map(tuple), postcode=OPTIONAL_LINES, city=OPTIONAL_LINES,
    country=COUNTRIES,
)  # fmt: skip
PARTIES = st.builds(
    Party, name=LINES, kind=st.sampled_from(PartyKind), country=COUNTRIES, language=LANGUAGES,
    registration_ref=OPTIONAL_REFS, vat_ref=OPTIONAL_REFS, address=ADDRESSES,
    contacts=st.lists(CONTACTS, max_size=2).map(tuple),
)  # fmt: skip
PERCENTS = st.decimals(-999, 999, places=6)
_RATES = st.fixed_dictionaries({"rate_percent": PERCENTS}) | st.fixed_dictionaries(
    {"reference_rate": CODES, "margin_percent": st.none() | PERCENTS}
)


@st.composite
def interest_terms(draw: st.DrawFn) -> InterestTerm:
    """A rule of interest that does not end before it begins."""
    from_on = draw(DATES)
    return InterestTerm(
        base_amount=draw(POSITIVE), from_on=from_on, to_on=draw(st.none() | st.dates(from_on, dt.date(9999, 12, 31))),
        method=draw(st.just("") | CODES), accrued_amount=draw(st.none() | POSITIVE), legal_basis=draw(TEXTS), **draw(_RATES),
    )  # fmt: skip


@st.composite
def totals(draw: st.DrawFn) -> Totals:
    """An account whose sum is right."""
    charged = [draw(POSITIVE) for _ in range(6)]
    received, withheld = draw(POSITIVE), draw(POSITIVE)
    names = ("principal", "interest", "surcharges", "recurring", "titled_costs", "enforcement_costs")
    return Totals(
        as_of_on=draw(DATES), received=received, withheld=withheld, total=sum(charged, Decimal(0)) - received - withheld,
        **dict(zip(names, charged, strict=True)),
    )


CLAIMS = st.lists(
    st.builds(
        ClaimItem, claim_id=IDS, invoice_ref=REFS, issued_on=st.none() | DATES, due_on=DATES,
        original_amount=POSITIVE, open_amount=POSITIVE, description=TEXTS, part=st.sampled_from(ClaimPart),
        cause=st.just("") | CODES, interest=st.lists(interest_terms(), max_size=2).map(tuple), kind=st.just("") | CODES,
    ),
    min_size=1, max_size=3, unique_by=lambda claim: claim.claim_id,
).map(lambda claims: (claims[0], *(replace(one, related_claim_ids=(claims[0].claim_id,)) for one in claims[1:])))  # fmt: skip


def _document(name: str, kind: str, content: bytes) -> DocumentItem:
    sha256 = hashlib.sha256(content).hexdigest()
    return DocumentItem(name=name, kind=kind, media_type="application/pdf", sha256=sha256, content=content)


DOCUMENTS = st.lists(st.builds(_document, LINES, CODES, st.binary(max_size=50)), max_size=2).map(tuple)


STEPS = st.builds(DunningStep, level=st.integers(0, 99), sent_on=DATES, channel=st.just("") | CODES, reference=OPTIONAL_REFS)


def titles(claim_ids: list[str]) -> st.SearchStrategy[TitleItem]:
    """A title that covers some of the claims."""
    return st.builds(
        TitleItem, kind=CODES, authority=LINES, file_ref=REFS, dated_on=DATES, served_on=st.none() | DATES,
        final_on=st.none() | DATES, certificate=st.just("") | CODES,
        claim_ids=st.lists(st.sampled_from(claim_ids), max_size=1).map(tuple),
    )  # fmt: skip


@st.composite
def case_files(draw: st.DrawFn) -> CaseFile:
    """A case file whose sum is right."""
    claims, credits = draw(CLAIMS), draw(POSITIVE)
    return CaseFile(
        message_id=draw(IDS), case_id=draw(IDS), case_number=draw(REFS), procedure=draw(st.sampled_from(Procedure)),
        currency=draw(CURRENCIES), language=draw(LANGUAGES), creditor=draw(PARTIES),
        debtors=tuple(draw(st.lists(PARTIES, min_size=1, max_size=2))), claims=claims,
        principal=sum((claim.open_amount for claim in claims), Decimal(0)) - credits, credits=credits,
        payment=PaymentInstruction(payee=draw(LINES), account=draw(OPTIONAL_REFS), reference=draw(OPTIONAL_REFS)),
        dunning_level=draw(st.integers(0, 99)), mandate_ref=draw(OPTIONAL_REFS), documents=draw(DOCUMENTS),
        remarks=draw(TEXTS), titles=tuple(draw(st.lists(titles([claim.claim_id for claim in claims]), max_size=1))),
        orders=tuple(draw(st.lists(st.builds(OrderItem, code=CODES, text=TEXTS), max_size=1))),
        dunning_steps=tuple(draw(st.lists(STEPS, max_size=2))), totals=draw(st.none() | totals()),
    )  # fmt: skip


_ABOUT = {"message_id": IDS, "case_id": IDS, "holder_ref": OPTIONAL_REFS}
FAULTS = st.builds(FaultItem, element=OPTIONAL_LINES, code=CODES, reason=TEXTS)
MESSAGES = st.one_of(
    case_files(),
    st.builds(
        CaseAmendment, **_ABOUT, code=st.sampled_from(AmendmentCode), reason_code=CODES, reason=TEXTS,
        currency=CURRENCIES, principal=AMOUNTS, claims=st.just(()) | CLAIMS, effective_on=DATES,
    ),
    st.builds(
        CaseInstruction, **_ABOUT, code=st.sampled_from(InstructionCode), in_reply_to=st.just("") | IDS, text=TEXTS
    ),
    st.builds(
        CaseAcknowledgement, **_ABOUT, in_reply_to=IDS, verdict=st.sampled_from(AckVerdict), reason_code=CODES,
        reason=TEXTS, occurred_at=MOMENTS,
    ),
    st.builds(
        CaseAcknowledgement, **_ABOUT, in_reply_to=IDS, verdict=st.just(AckVerdict.REFUSED), reason_code=CODES,
        occurred_at=MOMENTS, faults=st.lists(FAULTS, max_size=2).map(tuple),
    ),
    st.builds(
        CaseStatusUpdate, **_ABOUT, sequence=st.integers(0, 2**63 - 1), status_code=CODES, text=TEXTS,
        occurred_at=MOMENTS, next_deadline_on=st.none() | DATES,
    ),
    st.builds(
        CostStatement, **_ABOUT, cost_ref=REFS, cost_type=CODES, currency=CURRENCIES, amount=AMOUNTS,
        tax_amount=AMOUNTS, bearer=st.sampled_from(CostBearer), occurred_on=DATES, legal_basis=TEXTS,
    ),
    st.builds(
        PaymentReport, **_ABOUT, payment_ref=REFS, currency=CURRENCIES, amount=AMOUNTS, received_on=DATES,
        reverses_ref=REFS, remittance_ref=OPTIONAL_REFS,
    ),
    st.builds(
        CaseReturn, **_ABOUT, close_code=CODES, currency=CURRENCIES, remaining=AMOUNTS, occurred_on=DATES, text=TEXTS
    ),
)  # fmt: skip
EXCHANGES = st.builds(
    Exchange, exchange_id=IDS, sender_ref=REFS, receiver_ref=REFS, created_at=MOMENTS, is_test=st.booleans(),
    messages=st.lists(MESSAGES, max_size=4, unique_by=lambda message: message.message_id).map(tuple),
)  # fmt: skip
ACCOUNTS = st.lists(
    st.builds(
        AccountLine, case_id=IDS, holder_ref=OPTIONAL_REFS, currency=CURRENCIES, principal=AMOUNTS, paid=AMOUNTS,
        costs=AMOUNTS, is_stopped=st.booleans(), as_of_on=st.none() | DATES, interest=st.none() | AMOUNTS,
        surcharges=st.none() | AMOUNTS,
    ),
    max_size=3,
).map(tuple)  # fmt: skip
