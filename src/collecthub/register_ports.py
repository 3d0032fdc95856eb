"""How a register of insolvencies is read: the notice, and the port that yields what was published since.

As with `collecthub.ports`, implementing a port is the capability declaration.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import Protocol, runtime_checkable

import msgspec

from collecthub.model.party import Address
from collecthub.model.proceeding import ProceedingKind


class InsolvencyNotice(msgspec.Struct, frozen=True, kw_only=True):
    """One publication on one debtor. `declared_on` is the day from which time limits count.

    `register_ref` is his number in the register of companies; empty for a person. `authority` is the court, `holder` the
    trustee or mediator. `is_end` says that the proceeding was closed.
    """

    notice_ref: str
    kind: ProceedingKind
    name: str
    country: str
    declared_on: dt.date
    published_on: dt.date
    register_ref: str = ""
    address: Address = Address()
    authority: str = ""
    reference: str = ""
    holder: str = ""
    is_end: bool = False


class NoticePage(msgspec.Struct, frozen=True, kw_only=True):
    """Notices, and where to go on once they are stored (opaque text). `unread` are rows that could not be understood."""

    notices: Sequence[InsolvencyNotice]
    checkpoint: str
    unread: Sequence[str] = ()


@runtime_checkable
class InsolvencyRegister(Protocol):
    """A register that is watched."""

    def notices(self, checkpoint: str) -> Iterator[NoticePage]:
        """What was published since `checkpoint`, oldest first; everything when it is empty."""
        ...
