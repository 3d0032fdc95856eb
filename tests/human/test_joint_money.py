"""One payment over the cases of several creditors: divided by the stored rule, and no creditor learns of another from it."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator

from fastapi.testclient import TestClient
from payments.bank_samples import camt, paid
from web.office import Office
from web.test_partner_isolation import get_routes

from collecthub.engine.identity import identify
from collecthub.engine.matching import match_payments
from collecthub.engine.payments_in import Owner, import_bank_file
from collecthub.store.queries.scope import LOCAL_OPERATOR, Role
from human.test_debtor_pages import person
from human.test_identity import ROSE, ask, debtor_of

CLIENT_ACCOUNT = "BE71096123456769"


def joint_payment(office: Office, reference: str, amount: str) -> None:
    """The debtor pays on the operator's own account and names his one reference."""
    rows = [paid(amount, ref=reference, name="Bloemen Roos", bank_ref="B-77")]
    stream = io.BytesIO(camt("camt.053", rows, account=CLIENT_ACCOUNT, ident="JOINT-1"))
    found = import_bank_file(office.hub, LOCAL_OPERATOR, stream, "joint.xml", Owner(creditor_id=None))
    assert found.state == "imported", found.problem
    match_payments(office.hub, LOCAL_OPERATOR)


def everything(office: Office, client: TestClient, case_id: str) -> Iterator[tuple[str, str]]:
    """Path and text of every page and answer that can be read without naming anything but the own case."""
    for path in sorted(set(get_routes(office.app))):
        if set(re.findall(r"{(\w+)", path)) <= {"case_id"} and "logout" not in path and "static" not in path:
            found = client.get(path.replace("{case_id}", case_id))
            if found.status_code == 200:
                yield path, found.content.decode("utf-8", "replace")


def test_one_payment_is_divided_and_nobody_reads_of_the_other(office: Office) -> None:
    """120.50 with each, both due the same day: 100.00 is divided 50.00 and 50.00, by what is owed."""
    ours, theirs = (
        str(office.open_case(who, debtor=ROSE, debtor_ref="7", claims=[{"number": f"INV-OF-{who}", "due_on": "2026-05-01", "amount": "120.50"}])["case_id"])
        for who in ("kroon", "other")
    )  # fmt: skip
    for creditor_id in ("kroon", "other"):
        identify(office.hub, creditor_id)
    debtor = debtor_of(office, ours)
    assert debtor["identity_id"] == debtor_of(office, theirs)["identity_id"]
    joint_payment(office, debtor["reference"], "100.00")
    office.run()
    parts = {one["case_id"]: one["owed"] for one in debtor_of(office, ours)["cases"]}
    assert parts == {ours: "70.50", theirs: "70.50"}
    cases = {who: office.client(who).get(f"/api/v1/cases/{case_id}").json() for who, case_id in (("kroon", ours), ("other", theirs))}
    for who, case_id, stranger, name in (("kroon", ours, "other", "Other SA"), ("other", theirs, "kroon", "Brouwerij De Kroon")):
        secrets = (
            cases[stranger]["case_id"], cases[stranger]["number"], cases[stranger]["claims"][0]["number"], name,
            debtor["identity_id"], debtor["number"], "100.00", "divided over",
        )  # fmt: skip
        seen = 0
        for client in (office.client(who), person(office, Role.CREDITOR, who)):
            for path, text in everything(office, client, case_id):
                seen += "50.00" in text
                assert not [one for one in secrets if one in text], path
        assert seen >= 3, "his own part is there to be read"
    (row,) = ask(office, "payments?state=booked")["items"]
    for who in ("kroon", "other"):
        assert office.client(who).get(f"/api/v1/payments/{row['payment_id']}").status_code in (403, 404)
