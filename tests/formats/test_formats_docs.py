"""The pages on formats name every field of the particulars, and their links lead somewhere."""

from __future__ import annotations

import re
import typing
from pathlib import Path

import msgspec
import pytest

from collecthub.formats.epu_particulars import EpuParticulars
from collecthub.formats.sdt_particulars import SdtParticulars
from collecthub.formats.xjustiz_particulars import XJustizParticulars

PAGES = Path(__file__).parents[2] / "docs" / "formats"


def structs_in(annotation: object) -> set[type[msgspec.Struct]]:
    if isinstance(annotation, type) and issubclass(annotation, msgspec.Struct):
        return {annotation}
    return {found for part in typing.get_args(annotation) for found in structs_in(part)}


def field_names(kind: type[msgspec.Struct]) -> set[str]:
    names: set[str] = set()
    for field in msgspec.structs.fields(kind):
        names |= {field.name} | {name for nested in structs_in(field.type) for name in field_names(nested)}
    return names


@pytest.mark.parametrize(
    ("page", "kind"),
    [("sdt-claim", SdtParticulars), ("epu-claim", EpuParticulars), ("xjustiz-2600003", XJustizParticulars)],
)
def test_a_page_names_every_field_of_its_particulars(page: str, kind: type[msgspec.Struct]) -> None:
    text = (PAGES / f"{page}.md").read_text(encoding="utf-8")
    told = set(re.findall(r"[a-z0-9_]+", " ".join(re.findall("`([^`]+)`", text))))
    assert len(field_names(kind)) > 15
    assert field_names(kind) - told == set()


def test_links_lead_somewhere() -> None:
    for page in PAGES.glob("*.md"):
        for target in re.findall(r"\]\(([^)#]+)", page.read_text(encoding="utf-8")):
            assert (PAGES / target).exists(), f"{page.name}: {target}"
