"""What people do once in the demo: agree with partners, connect the ERPs, look at the first wave, release it."""

from __future__ import annotations

import base64
import datetime as dt
import secrets
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs, urlsplit

import requests

from collecthub.cli.demo.network import add_agency
from collecthub.cli.demo.portfolio import CreditorPlan, Plan
from collecthub.cli.demo.town import OPERATOR, Town
from collecthub.engine.context import Hub
from collecthub.engine.doors import connect, create_creditor, create_partner
from collecthub.errors import PermanentError
from collecthub.model.approval import ApprovalLimits
from collecthub.model.charging import ChargePolicy, Charging
from collecthub.model.ids import new_id
from collecthub.model.partner import PartnerProfile
from collecthub.model.party import Address, Party
from collecthub.sandbox import b1, exact, exact_books, sap
from collecthub.store.connections import Playbook, read_connection
from collecthub.store.queries.scope import LOCAL_OPERATOR
from collecthub.wire.crypto import generate_identity, generate_login_key, login_public_key

WEBHOOK_EVENTS = [
    "case_sent", "case_accepted", "case_refused", "cost_reported", "payment_reported", "amendment_acknowledged",
    "case_returned", "case_closed",
]  # fmt: skip
HANDLER, CONTACT = "Nora Claes", "Tom Willems"
# What the creditors agreed beforehand: one step before a court, all steps of a case. Above it they are asked each time.
COURT_COSTS = ApprovalLimits(given_up_to=Decimal(1000), case_cap=Decimal(5000))


def agree_with_partners(hub: Hub, town: Town, plan: Plan, hub_url: str) -> None:
    """Partner profiles, keys and tokens, exchanged as two offices would."""
    homes = tuple(sorted({creditor.country for creditor in plan.creditors}))
    # Keys are agreed once: whoever was connected by an earlier run keeps what he has.
    if not _is_there(hub, "bailiff-sftp"):
        _bailiff(hub, town, homes)
    if not _is_there(hub, "lawyer-soap"):
        _lawyer(hub, town, homes)
    for country, facts in town.agencies.items():
        if not _is_there(hub, f"{facts['partner_ref']}-rest"):
            _agency(hub, town, country, facts, hub_url, plan.as_of)


def _is_there(hub: Hub, connection_id: str) -> bool:
    with hub.database.read() as conn:
        return read_connection(conn, connection_id) is not None


def _connect(hub: Hub, kind: str, name: str, values: dict[str, Any], connection_id: str, **owner: str) -> str:
    with hub.work() as work:
        if read_connection(work.conn, connection_id) is not None:
            return connection_id  # an earlier run came this far
        return connect(
            hub, work, LOCAL_OPERATOR, kind=kind, name=name, settings=values, connection_id=connection_id, **owner
        )


def _bailiff(hub: Hub, town: Town, homes: tuple[str, ...]) -> None:
    twin = town["bailiff"]
    create_partner(hub, PartnerProfile(partner_id="bailiff", name="Bailiff's office Peeters", role="bailiff", countries=homes, is_demo=True))
    identity = generate_identity(OPERATOR)
    login = generate_login_key()
    twin.control(
        "hub",
        {
            "certificate_pem": identity.certificate_pem.decode(),
            "ssh_public_key": login_public_key(login),
            "sender_ref": OPERATOR,
        },
    )
    values = {
        "host": twin.facts["sftp_host"], "port": twin.facts["sftp_port"], "username": twin.facts["username"],
        "private_key": login.decode(), "host_key_fingerprints": [twin.facts["host_key_fingerprint"]],
        "partner_certificate": twin.facts["certificate_pem"], "own_certificate": identity.certificate_pem.decode(),
        "own_key": identity.private_key_pem.decode(),
    }  # fmt: skip
    _connect(hub, "sftp_batch", "Peeters over SFTP", values, partner_id="bailiff", connection_id="bailiff-sftp")


def _lawyer(hub: Hub, town: Town, homes: tuple[str, ...]) -> None:
    facts = town["lawyer"].facts
    create_partner(hub, PartnerProfile(partner_id="lawyer", name="Advocaten Lambert & Maes", role="lawyer", countries=homes, is_demo=True))
    town["lawyer"].control("hub", {"sender_ref": OPERATOR})
    values = {
        "endpoint": f"http://{facts['host']}:{facts['port']}{facts['path']}", "username": facts["username"],
        "password": facts["password"],
    }  # fmt: skip
    _connect(hub, "soap_exchange", "Lambert & Maes over SOAP", values, partner_id="lawyer", connection_id="lawyer-soap")


def _agency(hub: Hub, town: Town, country: str, facts: dict[str, Any], hub_url: str, as_of: dt.date) -> None:
    partner_id, connection_id = facts["partner_ref"], f"{facts['partner_ref']}-rest"
    secret = "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()
    add_agency(hub, country, partner_id, as_of.replace(month=1, day=1))
    values = {
        "base_url": f"{town['agency'].url}{facts['base_path']}", "token": facts["token"], "hook_secrets": [secret],
    }  # fmt: skip
    _connect(
        hub, "partner_network", f"Agency {country}", values, partner_id=partner_id, connection_id=connection_id
    )
    hook = {"country": country, "hook_url": f"{hub_url}/hooks/{connection_id}", "secret": secret, "sender_ref": OPERATOR}
    town["agency"].control("hub", hook)


def connect_creditor(hub: Hub, town: Town, plan: CreditorPlan) -> str:
    """A creditor, its ERP with consent or password, and its own webhook. Returns the ERP connection's id."""
    party = Party(name=plan.name, country=plan.country, language="nl", address=Address(country=plan.country))
    playbook = Playbook(
        owner=HANDLER, contact_person=CONTACT, payment_account="BE68539007547034",
        charges=ChargePolicy(charging=Charging.BOOKED), approval=COURT_COSTS,
    )  # fmt: skip
    create_creditor(hub, party, playbook, creditor_id=plan.creditor_id)
    _connect(
        hub, "creditor_webhook", f"Webhook of {plan.name}",
        {"url": f"{town['creditor'].url}{town['creditor'].facts['hook_path']}", "secret": town["creditor"].facts["secret"],
         "events": WEBHOOK_EVENTS},
        creditor_id=plan.creditor_id, connection_id=f"{plan.creditor_id}-hook",
    )  # fmt: skip
    return {"exact": _connect_exact, "sap": _connect_sap, "b1": _connect_b1}[plan.erp](hub, town, plan)


def _connect_exact(hub: Hub, town: Town, plan: CreditorPlan) -> str:
    values = {
        "base_url": town["exact"].url, "client_id": exact.CLIENT_ID, "client_secret": exact.CLIENT_SECRET,
        "redirect_uri": exact.REDIRECT_URI, "divisions": [exact_books.DEFAULT_DIVISION],
        "webhook_secret": exact.WEBHOOK_SECRET,
        "person_classifications": [exact_books.guid("classification", "person")],
        "public_classifications": [exact_books.guid("classification", "public")],
    }  # fmt: skip
    connection_id = _connect(
        hub, "erp_exact", "Exact Online", values, creditor_id=plan.creditor_id, connection_id=f"{plan.creditor_id}-exact"
    )
    consent(hub, connection_id)
    return connection_id


def consent(hub: Hub, connection_id: str) -> None:
    """Play the person at the browser: open the consent page and bring the code back that it redirects with."""
    connector: Any = hub.connector(connection_id)
    state = new_id()
    answer = requests.get(connector.begin_consent(state), allow_redirects=False, timeout=10)
    given = parse_qs(urlsplit(answer.headers.get("location", "")).query)
    if given.get("state") != [state] or "code" not in given:
        raise PermanentError("the consent page did not send a code back", cure="Look at the exact twin's log.")
    connector.finish_consent(given["code"][0])


def _connect_sap(hub: Hub, town: Town, plan: CreditorPlan) -> str:
    values = {
        "base_url": town["sap"].url, "sap_client": sap.SAP_CLIENT, "username": sap.USER, "password": sap.PASSWORD,
        "company_codes": list(plan.companies) or ["1000"], "public_account_groups": ["GOV"],
    }  # fmt: skip
    return _connect(
        hub, "erp_sap", "SAP S/4HANA", values, creditor_id=plan.creditor_id, connection_id=f"{plan.creditor_id}-sap"
    )


def _connect_b1(hub: Hub, town: Town, plan: CreditorPlan) -> str:
    values = {
        "base_url": town["b1"].url, "company_db": b1.COMPANY, "username": b1.USER, "password": b1.PASSWORD,
    }  # fmt: skip
    return _connect(
        hub, "erp_sap_b1", "SAP Business One", values, creditor_id=plan.creditor_id, connection_id=f"{plan.creditor_id}-b1"
    )


def is_connected(hub: Hub, plan: Plan) -> bool:
    """Whether an earlier run came as far as the last connection."""
    last = plan.creditors[-1]
    return _is_there(hub, f"{last.creditor_id}-{last.erp}")


