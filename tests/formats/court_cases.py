"""One English, one Polish and one German case that the courts' formats carry, and the particulars of the handbook."""

from __future__ import annotations

import datetime as dt
import tomllib
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec

from collecthub.model.exchange import CaseFile, ClaimItem, Exchange, PaymentInstruction, Procedure
from collecthub.model.party import Address, Contact, Party, PartyKind
from formats.exchanges import exchange

EXAMPLES = Path(__file__).parents[2] / "docs" / "formats" / "examples"
DEMO = Path(__file__).parents[2] / "src" / "collecthub" / "cli" / "demo" / "particulars"
CASE_ID, MESSAGE_ID = "0197a3c4d5e6f7081920a1b2c3d4e5f6", "0197a3c4d5e6f7081920a1b2c3d4e5f7"


def particulars(name: str, folder: Path = EXAMPLES) -> dict[str, Any]:
    """An example of the handbook, or what the demo's filer gives."""
    return tomllib.loads((folder / f"{name}.toml").read_text(encoding="utf-8"))


def case(country: str, currency: str, creditor: Party, debtor: Party, account: str = "") -> CaseFile:
    """Two invoices, 100.00 whole and 400.00 left of 450.00."""
    claims = tuple(
        ClaimItem(
            claim_id=f"claim-{number}", invoice_ref=f"2026-{number:04d}", issued_on=dt.date(2026, 1, 30),
            due_on=dt.date(2026, 3, number), original_amount=Decimal(original), open_amount=Decimal(left),
        )
        for number, original, left in ((1, "100.00", "100.00"), (2, "450.00", "400.00"))
    )  # fmt: skip
    return CaseFile(
        message_id=MESSAGE_ID, case_id=CASE_ID, case_number=f"{country}-2026-0001", procedure=Procedure.JUDICIAL,
        currency=currency, language="en", creditor=creditor, debtors=(debtor,), claims=claims,
        principal=Decimal("500.00"), payment=PaymentInstruction(payee=creditor.name, account=account, reference="R-1"),
    )  # fmt: skip


def address(street: str, postcode: str, city: str, country: str) -> Address:
    return Address(lines=(street,), postcode=postcode, city=city, country=country)


ENGLISH = case(
    "GB", "GBP", Party(name="Kingston Textiles Ltd", address=address("4 Mill Lane", "LS2 7EW", "Leeds", "GB")),
    Party(name="Smith and Daughters Ltd", address=address("10 High Street", "SW1A 2AA", "London", "GB")),
)  # fmt: skip
POLISH = case(
    "PL", "PLN",
    Party(
        name="Tkanina sp. z o.o.", country="PL", registration_ref="0000012345",
        address=address("ul. Przemysłowa 12", "90-001", "Łódź", "PL"),
    ),
    Party(
        name="Nowak Krawiectwo", kind=PartyKind.PERSON, country="PL",
        address=address("ul. Długa 5/7", "00-238", "Warszawa", "PL"),
    ),
    account="PL61109010140000071219812874",
)  # fmt: skip
GERMAN = case(
    "DE", "EUR",
    Party(name="Weberei Müller GmbH", vat_ref="DE123456789", address=address("Tuchweg 5", "10115", "Berlin", "DE")),
    Party(
        name="Jan Beispiel", kind=PartyKind.PERSON, address=address("Musterstraße 1", "10117", "Berlin", "DE"),
        contacts=(Contact(email="jan@example.test", phone="+49 30 000000"),),
    ),
    account="DE02 1203 0000 0000 2020 51",
)  # fmt: skip


def sent(*files: CaseFile) -> Exchange:
    """The case files under way."""
    return exchange(*files, exchange_id="0197a3c4d5e6f7081920a1b2c3d4e500")


def altered(file: CaseFile, **changes: Any) -> CaseFile:
    """The case file with other values."""
    return msgspec.structs.replace(file, **changes)


def debtor_with(file: CaseFile, **changes: Any) -> CaseFile:
    """The case file with another first debtor."""
    return altered(file, debtors=(msgspec.structs.replace(file.debtors[0], **changes), *file.debtors[1:]))
