"""What plugins hand over through the `register_*` hooks."""

from __future__ import annotations

import enum
from collections.abc import Callable

import msgspec
from pydantic import BaseModel

from collecthub.law.rules import CountryLaw
from collecthub.ports import ConnectorContext


class ConnectorRole(enum.StrEnum):
    """Which door of the hub a connector stands at."""

    ERP = "erp"
    PARTNER = "partner"
    REPORTER = "reporter"
    CHANNEL = "channel"  # brings messages to debtors
    REGISTER = "register"  # publishes insolvencies; belongs to nobody but the operator


class ConnectorSpec(msgspec.Struct, frozen=True, kw_only=True):
    """A connector kind. `load` returns the factory; it is called on first use, so that a heavy import that
    fails disables this kind only.
    """

    kind: str
    title: str
    role: ConnectorRole
    settings: type[BaseModel]
    load: Callable[[], Callable[[ConnectorContext], object]]
    vocabularies: tuple[str, ...] = ("collecthub",)  # status tables its partners speak, best first
    tells_partner: bool = False  # a reporter that tells a partner about its cases, instead of a creditor about his


class JurisdictionPack(msgspec.Struct, frozen=True, kw_only=True):
    """The law of one country: data plus pure functions. `load` is called on first use, so that a damaged sheet
    disables this country only. `replaces` says that the pack takes the place of the one that ships with the hub.
    """

    country: str  # ISO 3166-1 alpha-2
    load: Callable[[], CountryLaw]
    replaces: bool = False
