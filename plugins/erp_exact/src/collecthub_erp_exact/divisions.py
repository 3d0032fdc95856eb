"""Which divisions (companies) of Exact Online the connection's user may see."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from msgspec import field

from collecthub.sdk import ConfigurationError, Division
from collecthub_erp_exact.client import NO_DIVISION, ExactClient
from collecthub_erp_exact.odata import columns

ME, ACCESSIBLE = "current/Me", "hrm/Divisions"


class _Me(msgspec.Struct, frozen=True):
    current_division: int = field(name="CurrentDivision")


class _Accessible(msgspec.Struct, frozen=True):
    code: int = field(name="Code")
    description: str | None = field(name="Description")
    archived_at: str | None = field(name="ArchiveDate")


def current_division(client: ExactClient) -> int:
    """The division that the user works in, which the list of divisions is asked of."""
    me = next(client.records(NO_DIVISION, ME, _Me, {"$select": columns(_Me)}), None)
    if me is None:
        raise ConfigurationError(
            "Exact Online does not say who this is.", cure="Reconnect with a user of the company."
        )
    return me.current_division


def accessible_divisions(client: ExactClient, asked_of: int) -> Sequence[Division]:
    """Every division that the user may see, archived ones marked as such."""
    query = {"$select": columns(_Accessible)}
    return [
        Division(
            division_ref=str(row.code),
            name=f"{row.description or ''}{' (archived)' if row.archived_at else ''}".strip(),
        )
        for row in client.records(asked_of, ACCESSIBLE, _Accessible, query)
    ]


def chosen(divisions: Sequence[int]) -> Sequence[int]:
    """The divisions that a person chose. Raises `ConfigurationError` while nobody has."""
    if not divisions:
        raise ConfigurationError(
            "No division is chosen for this connection.",
            cure="Choose the divisions whose open items are to be pulled; `connection check` lists them.",
        )
    return divisions
