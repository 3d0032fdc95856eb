"""The QR code of a euro transfer, as banks' apps read it (EPC069-12, version 002)."""

from __future__ import annotations

import io
from decimal import Decimal

from segno import QRCode
from segno.helpers import make_epc_qr
from stdnum import iban
from stdnum.exceptions import ValidationError

from collecthub.errors import PermanentError

_LEAST, _MOST = Decimal("0.01"), Decimal("999999999.99")
_NAME_LONGEST = 70


def epc_code_svg(*, beneficiary: str, account: str, amount: Decimal, reference: str) -> str:
    """The code as SVG, dark modules on nothing, sized by whoever embeds it. Raises as `_code` does."""
    drawn = io.BytesIO()
    code = _code(beneficiary, account, amount, reference)
    code.save(drawn, kind="svg", xmldecl=False, omitsize=True, border=4)
    return drawn.getvalue().decode()


def epc_code_png(*, beneficiary: str, account: str, amount: Decimal, reference: str) -> bytes:
    """The code as a small picture, for an e-mail. Raises as `_code` does."""
    drawn = io.BytesIO()
    _code(beneficiary, account, amount, reference).save(drawn, kind="png", scale=4, border=4)
    return drawn.getvalue()


def _code(beneficiary: str, account: str, amount: Decimal, reference: str) -> QRCode:
    """The code itself.

    A creditor reference (RF) travels in the structured field, a Belgian structured communication as text, which is
    how Belgian banks read it. Raises `PermanentError` for an account that is no IBAN or an amount no transfer can have.
    """
    try:
        number = iban.validate(account, check_country=False)  # the lists of banks in it lag behind
    except ValidationError as error:
        raise PermanentError(f"{account[:40]!r} is not an IBAN", cure="A payment code needs the IBAN of an account.") from error
    if not _LEAST <= amount <= _MOST:
        raise PermanentError(f"{amount} EUR cannot be transferred", cure="A payment code needs an amount from 0.01.")
    if not beneficiary.strip():
        raise PermanentError("nobody is named who is paid", cure="A payment code needs the name of the account's owner.")
    structured = reference if reference.startswith("RF") else None
    text = None if structured else reference
    return make_epc_qr(
        name=beneficiary.strip()[:_NAME_LONGEST], iban=number, amount=amount, reference=structured, text=text,
        encoding="utf-8",
    )  # fmt: skip
