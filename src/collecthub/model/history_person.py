"""What the facts about sensitive claims do to a case."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from collecthub.model import event as ev
from collecthub.model import facts_person as fp
from collecthub.model.case import Case

replace = msgspec.structs.replace


def _marked(case: Case, fact: fp.ClaimsMarkedSensitive, event: ev.CaseEvent) -> Case:
    known = case.sensitive
    ids = tuple(dict.fromkeys((*known.claim_ids, *fact.claim_ids)))
    return replace(
        case, sensitive=replace(known, claim_ids=ids, is_whole=known.is_whole or not fact.claim_ids)
    )


def _needed(case: Case, fact: fp.SensitiveNeedStated, event: ev.CaseEvent) -> Case:
    needed_by = tuple(dict.fromkeys((*case.sensitive.needed_by, fact.partner_id)))
    return replace(case, sensitive=replace(case.sensitive, needed_by=needed_by))


HANDLERS: Mapping[type, Callable[[Case, Any, ev.CaseEvent], Case]] = {
    fp.ClaimsMarkedSensitive: _marked,
    fp.SensitiveNeedStated: _needed,
}
HISTORY_ONLY = frozenset({fp.SensitiveShown})
