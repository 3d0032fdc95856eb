"""What a creditor gave up is no payment, and no debtor reads it as one."""

from __future__ import annotations

from decimal import Decimal

import pytest
from web.office import Office

from collecthub.engine.contact_words import letters_folder, preview_message
from collecthub.engine.writing_off import write_off
from collecthub.model.contact import Tone
from collecthub.paper.letter_text import template_of
from collecthub.store.queries.scope import LOCAL_OPERATOR
from contact.test_course import open_case, record

LINES = {
    "nl": "Kwijtgescholden door de schuldeiser: -€ 30,00", "fr": "Remise accordée par le créancier : -30,00 €",
    "de": "Vom Gläubiger erlassen: -30,00 €", "en": "Given up by the creditor: -€30.00",
}  # fmt: skip


def test_a_write_off_has_a_line_of_its_own_beside_what_was_paid(office: Office) -> None:
    case_id = open_case(office, "waived@example.org")
    record(office, case_id, "20.50")
    with office.hub.work() as work:
        write_off(office.hub, work, LOCAL_OPERATOR, case_id, amount=Decimal("30.00"), reason="goodwill")
    for language, line in LINES.items():
        said = preview_message(office.hub, LOCAL_OPERATOR, case_id, Tone.FRIENDLY, language=language)
        plain = said.text.replace("\xa0", " ").replace("\u202f", " ")
        assert line in plain and "70" in said.subject
        assert "50,50" not in plain and "50.50" not in plain  # nobody reads that he paid what was given up


@pytest.mark.parametrize(("language", "own"), [("nl", "Kwijt"), ("pl", "Given up")])
def test_own_templates_written_before_the_line_existed_still_work(office: Office, language: str, own: str) -> None:
    folder = letters_folder(office.hub)
    folder.mkdir(parents=True, exist_ok=True)
    shipped = template_of("nl")
    lines = []
    for part, texts in shipped.items():
        lines.append(f"[{part}]")
        lines += [f"{key} = {text!r}" if "'" not in text else f'{key} = """{text}"""' for key, text in texts.items()
                  if key != "waived" and (part != "courtesy" or key not in ("real", "phone"))]
    (folder / f"{language}.toml").write_text("\n".join(lines), encoding="utf-8")
    assert template_of(language, folder)["parts"]["waived"].startswith(own)
