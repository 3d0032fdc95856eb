"""Whether two debtors of the books are one: what speaks for it and against it, and what follows.

Pure. Only a number of the same register joins two debtors by itself, and only under one name; everything else is at most a
possible twin, on which a person decides. A name alone is never evidence.
"""

from __future__ import annotations

import enum
import hashlib
import re
from collections.abc import Iterator
from difflib import SequenceMatcher

import msgspec

from collecthub.model.party import Party
from collecthub.model.spelling import party_name, place, register_number

ALIKE = 0.86  # of two names that differ by a letter or two


class Kinship(enum.StrEnum):
    """What two debtors are to each other."""

    SAME = "same"
    POSSIBLE = "possible"
    DIFFERENT = "different"


class Clue(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One thing that two debtors have in common, or that tells them apart."""

    what: str
    speaks_for: bool


class Judgement(msgspec.Struct, frozen=True, kw_only=True):
    """What two debtors are to each other, and why."""

    kinship: Kinship
    clues: tuple[Clue, ...] = ()

    @property
    def words(self) -> str:
        """The evidence as one line."""
        return "; ".join(clue.what for clue in self.clues)


class Likeness(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A debtor of the books as he is compared. `account_ref` is his number there without leading noughts."""

    name: str
    register: str = ""
    place: str = ""
    emails: frozenset[str] = frozenset()
    phones: frozenset[str] = frozenset()
    account_ref: str = ""


def likeness(party: Party, connection_id: str, debtor_ref: str) -> Likeness:
    """What of a party is compared."""
    phones = (re.sub(r"\D", "", contact.phone)[-9:] for contact in party.contacts)
    bare_ref = debtor_ref.lstrip("0")
    return Likeness(
        name=party_name(party.name), register=register_number(party),
        place=place(party.address, party.country),
        emails=frozenset(contact.email.strip().casefold() for contact in party.contacts if contact.email.strip()),
        phones=frozenset(phone for phone in phones if len(phone) >= 8),
        account_ref=f"{connection_id} {bare_ref}" if bare_ref.isdigit() else "",
    )  # fmt: skip


def keys(one: Likeness) -> frozenset[str]:
    """By what candidates are looked up, hashed: the index holds nobody's address in clear."""
    return frozenset(hashlib.sha256(key.encode()).hexdigest()[:40] for key in _keys(one))


def _keys(one: Likeness) -> Iterator[str]:
    if one.register:
        yield f"register {one.register}"
    if one.place and one.name:
        yield f"place {one.place} {one.name.split()[0]}"
    yield from (f"e-mail {email}" for email in one.emails)
    yield from (f"phone {phone}" for phone in one.phones)
    if one.account_ref:
        yield f"account {one.account_ref}"


def judge(one: Likeness, other: Likeness) -> Judgement:
    """Compare two debtors of the books."""
    clues = tuple(_clues(one, other))
    has_name = one.name == other.name != "" or alike(one.name, other.name)
    against = any(not clue.speaks_for for clue in clues)
    shared = any(clue.speaks_for for clue in clues)
    if one.register and one.register == other.register:
        return Judgement(kinship=Kinship.SAME if has_name and not against else Kinship.POSSIBLE, clues=clues)
    if against or not (has_name and shared):
        return Judgement(kinship=Kinship.DIFFERENT, clues=clues)
    name = "the same name" if one.name == other.name else "a similar name"
    return Judgement(kinship=Kinship.POSSIBLE, clues=(Clue(what=name, speaks_for=True), *clues))


def _clues(one: Likeness, other: Likeness) -> Iterator[Clue]:
    if one.register and other.register:
        if one.register == other.register:
            yield Clue(what=f"the same number in the register, {one.register}", speaks_for=True)
        elif one.register[:2] == other.register[:2]:
            yield Clue(what=f"other numbers in the register, {one.register} and {other.register}", speaks_for=False)
    if one.place and one.place == other.place:
        yield Clue(what="the same address", speaks_for=True)
    if one.emails & other.emails:
        yield Clue(what="the same e-mail address", speaks_for=True)
    if one.phones & other.phones:
        yield Clue(what="the same phone number", speaks_for=True)
    if one.account_ref and one.account_ref == other.account_ref:
        yield Clue(what="the same customer number but for leading noughts", speaks_for=True)


def alike(one: str, other: str) -> bool:
    """Whether two compared names differ by a slip of the pen only; numbers and initials in them must be the same.

    >>> alike("CAFE ZOE", "CAFFE ZOE"), alike("DEBTOR 1", "DEBTOR 2"), alike("", "")
    (True, False, False)
    """
    if not one or not other:
        return False
    if one == other:
        return True
    short = [{word for word in name.split() if len(word) < 3 or word.isdigit()} for name in (one, other)]
    return short[0] == short[1] and SequenceMatcher(None, one, other).ratio() >= ALIKE
