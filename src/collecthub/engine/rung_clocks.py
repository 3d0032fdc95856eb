"""How long a partner may take for each rung of a sending: read, and agreed upon."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from collecthub.engine.context import Hub
from collecthub.errors import PermanentError
from collecthub.model.partner import PartnerProfile
from collecthub.model.rungs import RungClocks
from collecthub.store.connections import read_profiles, write_partner
from collecthub.store.queries.scope import not_there


def clocks_of(hub: Hub, partner_id: str) -> RungClocks:
    """What was agreed with a partner; None in a field is not agreed. Raises `NotThereError`."""
    return _profile(hub, partner_id).clocks


def agree_clocks(hub: Hub, partner_id: str, wanted: Mapping[str, int | None]) -> RungClocks:
    """Agree on lengths for cases placed from now on; None takes one back. Raises `PermanentError` for an unknown clock."""
    known = RungClocks.__struct_fields__
    if unknown := [name for name in wanted if name not in known]:
        raise PermanentError(f"there is no clock {unknown[0][:60]!r}", cure=f"There are {', '.join(known)}.")
    profile = _profile(hub, partner_id)
    changed = msgspec.structs.replace(profile, clocks=msgspec.structs.replace(profile.clocks, **wanted))
    with hub.database.write() as conn:
        write_partner(conn, changed, hub.now())
    return changed.clocks


def _profile(hub: Hub, partner_id: str) -> PartnerProfile:
    with hub.database.read() as conn:
        found = next((one for one in read_profiles(conn) if one.partner_id == partner_id), None)
    if found is None:
        raise not_there("partner", partner_id)
    return found
