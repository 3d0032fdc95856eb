"""Claims that say something of a person's health or the like: kept from everybody who states no need."""

from __future__ import annotations

import msgspec

# Kinds of claims whose invoices tell of a person's health (GDPR art. 9: health bills are special data).
NATURES = frozenset({"medical"})


class Sensitive(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Marked claims (all of them where `is_whole`), and the partners for whom somebody stated a need."""

    claim_ids: tuple[str, ...] = ()
    is_whole: bool = False
    needed_by: tuple[str, ...] = ()
