"""What HMCTS Secure Data Transfer asks for beyond the case file, and the characters it takes.

Source of every limit: the published schemas of hmcts/civil-sdt-common (Base.xsd, Claim.xsd, Warrant.xsd), MIT.
"""

from __future__ import annotations

import base64
import binascii
import datetime as dt
from collections.abc import Mapping
from decimal import Decimal

import msgspec

from collecthub.formats.carrying import Carrier
from collecthub.model.ids import derived_id
from collecthub.model.party import Address

SCHEMA_ROOT = "http://ws.sdt.moj.gov.uk/2013/"
BULK, BASE = f"{SCHEMA_ROOT}sdt/BulkRequestSchema", f"{SCHEMA_ROOT}sdt/BaseSchema"
CLAIM, WARRANT = f"{SCHEMA_ROOT}mcol/ClaimSchema", f"{SCHEMA_ROOT}mcol/WarrantSchema"

CASES_MOST = 2000
TEXT = r"(?=.*\S)[a-zA-Z0-9\-+.,£@?'()/%_ &!:]*"
TEXT_WORDS = "letters A-Z, digits and -+.,£@?'()/%_&!: only"
UK_POSTCODE = r"[A-Z]{1,2}[0-9R][0-9A-Z]? [0-9][ABD-HJLNP-UW-Z]{2}"
ANY_POSTCODE = "[0-9a-zA-Z ]+"
CUSTOMER_REFERENCE = r"[0-9a-zA-Z_\-]+"
ROWS_LEAST, ROWS_MOST, ROW_CHARS = 2, 4, 30


class Interest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Simple interest on the principal. The daily amount is derived (365 days, half up to the penny), never stored."""

    annual_percent: Decimal
    owed_from: dt.date
    claim_on: dt.date


class Correspondence(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where the court writes to for the claimant: a name and two lines of 30 characters."""

    name: str
    line1: str
    line2: str
    postcode: str = ""


class SdtCase(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What one case needs. The last six fields are for a warrant alone."""

    interest: Interest | None = None
    reserve_interest: bool = False
    send_particulars_separately: bool = False
    particulars: tuple[str, ...] = ()  # at most 24 lines of 45; one line per invoice when empty
    solicitor_cost: Decimal | None = None
    claim_number: str = ""
    defendant: int = 1
    warrant_amount: Decimal | None = None
    with_address: bool = True
    notes: str = ""


class SdtParticulars(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The customer's registration, who signs the statement of truth, and what the cases need.

    `cases` goes by case number; a case that is not named there takes `case`.
    """

    sdt_customer_id: str = ""
    target_application_id: str = "mcol"
    signatory: str = ""
    with_claimant: bool = True
    correspondence: Correspondence | None = None
    case: SdtCase = SdtCase()
    cases: Mapping[str, SdtCase] = {}

    def of(self, case_number: str) -> SdtCase:
        """The particulars of one case."""
        return self.cases.get(case_number, self.case)


def request_id(case_id: str, message_id: str) -> str:
    """The 24 characters that name a request: 22 for the case, so that a reply finds it, and 2 for the message.

    >>> request_id("0197a3c4d5e6f7081920a1b2c3d4e5f6", "m-1")[:22]
    'AZejxNXm9wgZIKGyw9Tl9g'
    """
    mark = base64.urlsafe_b64encode(bytes.fromhex(derived_id(message_id)[:4])).decode()[:2]
    try:
        return base64.urlsafe_b64encode(bytes.fromhex(case_id)).decode().rstrip("=") + mark
    except ValueError:
        return ""


def case_of_request(identifier: str) -> str:
    """The case that a request id names, or an empty string when it is not one of ours."""
    try:
        raw = base64.b64decode(f"{identifier[:22]}==", altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return ""
    return raw.hex() if len(raw) == 16 and len(identifier) == 24 else ""


def sdt_text(carrier: Carrier, value: str, element: str, target: str, most: int) -> str:
    """A text of SDT's own characters."""
    return carrier.text(value, element, target, most=most, pattern=TEXT, words=TEXT_WORDS)


def sdt_rows(carrier: Carrier, rows: tuple[str, ...], element: str, target: str) -> tuple[str, ...]:
    """Two to four address lines of 30 characters."""
    is_fit = ROWS_LEAST <= len(rows) <= ROWS_MOST
    carrier.check(is_fit, element, f"has {len(rows)} lines with the town, {ROWS_LEAST} to {ROWS_MOST} fit", target)
    for number, row in enumerate(rows, 1):
        sdt_text(carrier, row, f"{element}.lines[{number - 1}]", f"{target}/line{number}", ROW_CHARS)
    return rows


def uk_postcode(carrier: Carrier, address: Address, element: str, target: str) -> str:
    """The postcode of a defendant, who must live in the United Kingdom."""
    words = "a British postcode such as SW1A 2AA, in capitals with a space"
    return carrier.text(
        address.postcode, f"{element}.postcode", f"{target}/postcode", most=8, pattern=UK_POSTCODE, words=words
    )
