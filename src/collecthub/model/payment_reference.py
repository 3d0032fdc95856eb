"""The payment reference of a case: what a debtor writes on his transfer so that the money is known at once.

It is derived from the case number, so it is the same on every letter. Belgium has the structured communication
(OGM/VCS: ten digits and the remainder modulo 97, a remainder of zero written 97; Febelfin), everywhere else the
creditor reference of ISO 11649 is understood (RF, two check digits modulo 97-10, up to 21 characters).
"""

from __future__ import annotations

import hashlib
import re

from stdnum import iso11649
from stdnum.be import ogm_vcs
from stdnum.exceptions import ValidationError
from stdnum.iso7064 import mod_97_10

_RF_BODY_LONGEST = 21
_OGM_SHAPE = re.compile(r"(?<!\d)(?:\+{3}|\*{3})?\s?(\d{3}[ /.]?\d{4}[ /.]?\d{5})\s?(?:\+{3}|\*{3})?(?!\d)", re.ASCII)
_RF_SHAPE = re.compile(r"\bRF\d{2}(?: ?[A-Z0-9]){1,21}\b", re.ASCII)
_NUMBER = re.compile(r"CH-?[0-9A-HJKMNP-TV-Z]{4}-?[0-9A-HJKMNP-TV-Z]{4}-?[0-9A-HJKMNP-TV-Z]{2}", re.ASCII)


def ogm_digits(number: str) -> str:
    """The twelve digits of a case's structured communication.

    Ten digits hold less than a case number does, so two cases in very many share one: whoever looks a case up by it
    must expect more than one.

    >>> ogm_digits("CH-0ZGP-S42G-HW")
    '785860664332'
    """
    digest = hashlib.blake2b(f"ogm\x1f{number}".encode(), digest_size=8).digest()
    base = int.from_bytes(digest, "big") % 10**10
    return f"{base:010d}{base % 97 or 97:02d}"


def ogm_reference(number: str) -> str:
    """The structured communication as it is printed.

    >>> ogm_reference("CH-0ZGP-S42G-HW")
    '+++785/8606/64332+++'
    """
    return f"+++{ogm_vcs.format(ogm_digits(number))}+++"


def rf_reference(number: str) -> str:
    """The creditor reference of ISO 11649; the case number can be read back from it.

    >>> rf_reference("CH-0ZGP-S42G-HW")
    'RF30CH0ZGPS42GHW'
    """
    body = re.sub(r"[^0-9A-Z]", "", number.upper())[:_RF_BODY_LONGEST]
    return f"RF{mod_97_10.calc_check_digits(body + 'RF')}{body}"


def payment_reference(number: str, debtor_country: str) -> str:
    """What this debtor is asked to write: the structured communication in Belgium, ISO 11649 elsewhere.

    >>> payment_reference("CH-0ZGP-S42G-HW", "DE")
    'RF30CH0ZGPS42GHW'
    """
    return ogm_reference(number) if debtor_country == "BE" else rf_reference(number)


def find_ogm(text: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The structured communications in a text: those whose check digits hold, and those that are mistyped.

    Twelve digits that fail the check count as mistyped only between plus signs or asterisks; else they are a number.

    >>> find_ogm("+++785/8606/64332+++ and +++785/8606/64331+++")
    (('785860664332',), ('785860664331',))
    """
    good: list[str] = []
    bad: list[str] = []
    for match in _OGM_SHAPE.finditer(text):
        digits = re.sub(r"\D", "", match.group(1))
        if ogm_vcs.is_valid(digits):
            good.append(digits)
        elif "+++" in match.group(0) or "***" in match.group(0):
            bad.append(digits)
    return tuple(dict.fromkeys(good)), tuple(dict.fromkeys(bad))


def find_rf(text: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The references of ISO 11649 in a text: those whose check digits hold, and those that are mistyped.

    >>> find_rf("RF30 CH0Z GPS4 2GHW"), find_rf("RF98123456789012")
    ((('RF30CH0ZGPS42GHW',), ()), ((), ('RF98123456789012',)))
    """
    good: list[str] = []
    bad: list[str] = []
    for match in _RF_SHAPE.finditer(text.upper()):
        found = _longest_valid(match.group(0))
        (good if found else bad).append(found or match.group(0).replace(" ", ""))
    return tuple(dict.fromkeys(good)), tuple(dict.fromkeys(bad))


def _longest_valid(shape: str) -> str:
    """The reference without the words that may follow it after a blank."""
    groups = shape.split(" ")
    for end in range(len(groups), 0, -1):
        candidate = "".join(groups[:end])
        try:
            return str(iso11649.validate(candidate))
        except ValidationError:
            continue
    return ""


def find_case_numbers(text: str) -> tuple[str, ...]:
    """Case numbers in a text, as they are written in the hub; also those inside a creditor reference.

    >>> find_case_numbers("dossier ch 0zgp s42g hw"), find_case_numbers("RF30CH0ZGPS42GHW")
    (('CH-0ZGP-S42G-HW',), ('CH-0ZGP-S42G-HW',))
    """
    joined = re.sub(r"[^0-9A-Z-]", "", text.upper())
    found = (match.group(0).replace("-", "") for match in _NUMBER.finditer(joined))
    return tuple(dict.fromkeys(f"{bare[:2]}-{bare[2:6]}-{bare[6:10]}-{bare[10:]}" for bare in found))
