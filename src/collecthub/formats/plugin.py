"""The bundled plugin that hands over the case exchange, the formats of courts, renderings, and the status tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from collecthub.formats.elan import ElanFormat
from collecthub.formats.epu_claim import EpuFormat
from collecthub.formats.json import JsonFormat
from collecthub.formats.rendering import HtmlRendering, PdfRendering
from collecthub.formats.sdt_claim import SdtFormat
from collecthub.formats.xjustiz import XJustizFormat
from collecthub.formats.xml import XmlFormat
from collecthub.model.status_tables import status_tables
from collecthub.sdk import CaseFormat, StatusCode, hookimpl


@hookimpl
def register_case_formats() -> Sequence[CaseFormat]:
    """The case exchange in both spellings, what courts take, and what people read."""
    return (
        XmlFormat(), JsonFormat(), XJustizFormat(), SdtFormat("mcolClaim"), SdtFormat("mcolWarrant"), EpuFormat(),
        ElanFormat(), HtmlRendering(), PdfRendering(),
    )  # fmt: skip


@hookimpl
def register_status_codes() -> Mapping[str, Sequence[StatusCode]]:
    """The hub's own words and the bundled crosswalks."""
    return {name: tuple(table.codes.values()) for name, table in status_tables().items()}
