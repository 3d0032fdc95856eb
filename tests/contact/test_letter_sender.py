"""A letter under the operator's heading: he signs it, his address is where a slip goes back to, and what is copied stays in one line."""

from __future__ import annotations

import io
import re

import msgspec
from pypdf import PdfReader
from web.office import Office

from collecthub.engine.contact_words import preview_letter
from collecthub.model.contact import Heading, Tone
from collecthub.store.queries.scope import LOCAL_OPERATOR
from contact.conftest import THREE_MAILS, agree
from contact.test_course import open_case


def test_the_operator_signs_and_names_where_to_write_back(office: Office) -> None:
    more = {"operator_name": "Office Peeters", "operator_address": "Kouter 1, 9000 Gent"}
    office.hub.settings = office.hub.settings.model_copy(update=more)
    agree(office.hub, msgspec.structs.replace(THREE_MAILS, heading=Heading.OPERATOR, phone="+32 9 123 45 67"))
    case_id = open_case(office, "", address_lines=["Grote Markt 1"], postcode="9000", city="Gent")
    for language in ("nl", "fr", "de", "en"):
        letter = preview_letter(office.hub, LOCAL_OPERATOR, case_id, Tone.FIRM, language=language)
        pages = PdfReader(io.BytesIO(letter)).pages
        lines = [line.strip() for page in pages for line in page.extract_text().splitlines()]
        assert lines.count("Office Peeters") == 1, language  # the signature; the heading has the address with it
        assert "Office Peeters, Kouter 1, 9000 Gent" in lines
        assert any("Brouwerij De Kroon" in line for line in lines)
        assert any(re.search(r"\+{3}[0-9/]{14}\+{3}", line) for line in lines), language  # never over two lines
