"""An agency with an inbox and nothing else: cases go by real mail, its replies are read from a real mailbox."""

from __future__ import annotations

import email
import email.policy
import re
from collections.abc import Iterator
from email.message import EmailMessage
from typing import Any

import pytest
from web.office import Office, once

from collecthub.bundled import form_mail
from collecthub.engine.inward import receive_connection
from collecthub.model.partner import PartnerProfile
from collecthub.sandbox.twin import RunningTwin, start_twin
from collecthub.store.connections import read_connection, write_partner
from collecthub.wire.tabular import read_rows, write_csv
from partner.imap_server import PASSWORD, USER, Mailbox, serving

AGENCY = "agency-cl"
INVOICE = b"%PDF-1.4 invoice\n%%EOF"


@pytest.fixture(scope="module")
def sink(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningTwin]:
    found = start_twin("mail", tmp_path_factory.mktemp("mail"))
    yield found
    found.kill()


@pytest.fixture
def box() -> Iterator[Mailbox]:
    with serving(Mailbox()) as found:
        yield found


@pytest.fixture
def line(office: Office, sink: RunningTwin, box: Mailbox) -> str:
    """The connection of an agency in Chile."""
    office.hub.plugins.add("form_mail", form_mail)
    with office.hub.database.write() as conn:
        profile = PartnerProfile(partner_id=AGENCY, name="Cobranzas", role="agency", countries=("CL",))
        write_partner(conn, profile, office.hub.now())
    made = connect(office, sink, box)
    assert made.status_code == 201, made.text
    return str(made.json()["connection_id"])


def connect(office: Office, sink: RunningTwin, box: Mailbox, **changes: Any) -> Any:
    settings = {
        "to": "ana@cobranzas.example", "senders": ["ana@cobranzas.example"], "language": "es", "sender": "hub@agency.example",
        "smtp_host": "127.0.0.1", "smtp_port": sink.facts["smtp_port"], "smtp_security": "none",
        "imap_host": "127.0.0.1", "imap_port": box.port, "imap_security": "none", "smtp_login": False, "user": USER, "password": PASSWORD,
        **changes,
    }  # fmt: skip
    body = {"kind": "form_mail", "name": "mail", "partner_id": AGENCY, "settings": settings}
    return office.client("operator").post("/api/v1/connections", json=body, headers=once())


def sent(sink: RunningTwin) -> EmailMessage:
    """The last mail that left."""
    content = sink.control("messages", {"to": "ana@"})["items"][-1]["raw"]
    found = email.message_from_string(content, policy=email.policy.default)
    assert isinstance(found, EmailMessage)
    return found


def reply(text: str, sender: str = "Ana <ana@cobranzas.example>", form: bytes = b"", paper: bytes = b"") -> bytes:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = sender, "hub@agency.example", "Re: Expedientes"
    mail.set_content(text)
    if form:
        mail.add_attachment(form, maintype="text", subtype="csv", filename="form.csv")
    if paper:
        mail.add_attachment(paper, maintype="application", subtype="pdf", filename="recibo.pdf")
    return mail.as_bytes()


def case_of(office: Office, case_id: str) -> dict[str, Any]:
    found: dict[str, Any] = office.client("operator").get(f"/api/v1/cases/{case_id}").json()
    return found


def test_a_case_goes_by_mail_and_is_accepted_and_reported_by_reply(
    office: Office, sink: RunningTwin, box: Mailbox, line: str
) -> None:
    debtor = {"name": "Viña Sur", "country": "CL", "address_lines": ["Camino 1"], "city": "Talca"}
    case_id = office.open_case(debtor=debtor)["case_id"]
    kept = office.client("kroon").post(
        f"/api/v1/cases/{case_id}/documents", params={"name": "factura.pdf", "kind": "invoice"}, content=INVOICE, headers=once()
    )
    assert kept.status_code == 201, kept.text
    office.run()
    mail = sent(sink)
    body = mail.get_body(("plain",))
    assert body is not None
    text = body.get_content()
    assert "Responda a este correo" in text and "Viña Sur" in text and mail["To"] == "ana@cobranzas.example"
    (form, invoice) = mail.iter_attachments()
    assert (invoice.get_filename(), invoice.get_payload(decode=True)) == ("factura.pdf", INVOICE)
    (row,) = read_rows(form.get_payload(decode=True), "form.xlsx")
    assert row.cells["Id del expediente"] == case_id and row.cells["Se pide"] == "aceptar o rechazar"
    assert "Respuesta: aceptar / rechazar" in text and "Camino 1" in text, "words to choose from, and where the debtor is"
    answered = re.sub(r"(?m)^Respuesta:\s?$", "Respuesta: aceptar", re.sub(r"(?m)^(Su número de expediente):", r"\1: CL-7", text))
    box.put(reply("\n".join(f"> {one}" for one in answered.splitlines())))
    box.put(reply("Buenos días", "somebody@else.example"))
    receive(office, line)
    assert (case_of(office, case_id)["status"], box.seen) == ("accepted", {1}), "what nobody could read stays unread"
    filled = {**row.cells, "Qué ha ocurrido": "Deudor contactado", "Importe recibido": "20,50", "Recibido el": "2026-06-14"}
    content = write_csv(list(filled), [list(filled.values())])
    box.put(reply("Adjunto", form=content, paper=b"%PDF-1.4 recibo"))
    box.put(reply("Adjunto otra vez", form=content))
    receive(office, line)
    timeline = office.client("operator").get(f"/api/v1/cases/{case_id}/timeline").json()["items"]
    assert [one["fact"]["amount"] for one in timeline if one["kind"] == "payment_reported"] == ["20.50"], "said twice, once"
    assert [one["fact"]["foreign_code"] for one in timeline if one["kind"] == "status_reported"] == ["contact_made"], "in its own words"
    brought = [one["fact"]["name"] for one in timeline if one["kind"] == "document_added" and one["actor"] == f"partner:{AGENCY}"]
    assert brought == ["recibo.pdf"], "for the one case of the form beside it"


def test_a_line_that_breaks_loses_nothing_and_a_new_era_begins_anew(
    office: Office, sink: RunningTwin, box: Mailbox, line: str
) -> None:
    case_id = office.open_case(debtor={"name": "Viña Norte", "country": "CL"})["case_id"]
    office.run()
    for code in ("contact_made", "promise_to_pay"):
        box.put(reply(f"case_id: {case_id}\nstatus_code: {code}\nstatus_on: 2026-06-14"))
    box.break_off = 1
    receive(office, line)
    receive(office, line)
    with office.hub.database.read() as conn:
        row = read_connection(conn, line)
    assert row is not None and row.checkpoint == "17:2"
    box.era, said = 18, case_of(office, case_id)["version"]
    receive(office, line)
    assert case_of(office, case_id)["version"] == said, "read again from the beginning, nothing counts twice"


def receive(office: Office, line: str) -> None:
    receive_connection(office.hub, line)
    office.run()


@pytest.mark.parametrize("changes", [{"password": "wrong"}, {"folder": "Nowhere"}])
def test_a_wrong_login_is_said_before_anything_is_sent(
    office: Office, sink: RunningTwin, box: Mailbox, line: str, changes: dict[str, str]
) -> None:
    made = connect(office, sink, box, **changes)
    checked = office.client("operator").post(f"/api/v1/connections/{made.json()['connection_id']}/check", headers=once())
    failed = [step for step in checked.json()["steps"] if not step["is_ok"]]
    assert failed and failed[0]["cure"]


def test_plain_lines_are_for_this_machine(office: Office, sink: RunningTwin, box: Mailbox, line: str) -> None:
    assert connect(office, sink, box, imap_host="mail.agency.example").status_code == 422
