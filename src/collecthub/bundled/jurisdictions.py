"""The country packs that ship with the hub, registered like any plugin's."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import msgspec

from collecthub.law.belgium.steps import lawful_step
from collecthub.law.packs import bundled_countries, bundled_law
from collecthub.sdk import CountryLaw, JurisdictionPack, StepAnswer, StepQuestion, hookimpl

# Where data cannot say it: whether a step is lawful on a day.
CHECKS: Mapping[str, Callable[[CountryLaw, StepQuestion], StepAnswer]] = {"BE": lawful_step}


def _load(country: str) -> CountryLaw:
    return msgspec.structs.replace(bundled_law(country), check_step=CHECKS.get(country))


@hookimpl
def register_jurisdictions() -> Sequence[JurisdictionPack]:
    """One pack a country, read when somebody asks for it."""
    return [JurisdictionPack(country=country, load=partial(_load, country)) for country in bundled_countries()]
