"""A small town for the portal: two creditors, six partners, debtors in several scripts, and some history.

Everything enters through the product's own engine: invoices are pulled, cases open, partners answer.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path

from pydantic import BaseModel
from walk.scripted import ScriptedErp, ScriptedPartner, World

from collecthub.bundled import intake, routes
from collecthub.config import load_settings
from collecthub.engine.context import Hub
from collecthub.formats import plugin as formats_plugin
from collecthub.hub import open_hub
from collecthub.model.approval import ApprovalLimits
from collecthub.model.case import Case
from collecthub.model.exchange import (
    AckVerdict,
    CaseAcknowledgement,
    CaseInstruction,
    CaseReturn,
    CaseStatusUpdate,
    CostBearer,
    CostStatement,
    InstructionCode,
    PaymentReport,
)
from collecthub.model.ids import new_id
from collecthub.model.partner import PartnerProfile
from collecthub.model.party import Address, Contact, Party, PartyKind
from collecthub.plugins import PluginSet
from collecthub.sdk import ConnectorContext, ConnectorRole, ConnectorSpec, DeliveryState, hookimpl
from collecthub.store import tables as t
from collecthub.store.accounts import User, add_user
from collecthub.store.case_log import read_cases
from collecthub.store.connections import (
    RELEASED,
    SHADOW,
    ConnectionRow,
    CreditorRow,
    Exclusions,
    Playbook,
    add_connection,
    write_creditor,
    write_partner,
)
from collecthub.store.queries.scope import Role
from collecthub.testing.inline import InlineQueue, run_until_idle

TODAY = dt.date(2026, 6, 15)
PASSWORD = "a long enough password"
RUNS_IF_NOT_TEXT = "<script>document.title='ran'</script>"

# (customer number, name, country, kind, oldest due date, amount)
DEBTORS = (
    ("10001", "Bakkerij Van den Broeck BV", "BE", "company", "2026-05-02", "1240.50"),
    ("10002", "Łucja Wójcik-Żółkiewska", "BE", "person", "2026-03-14", "318.20"),
    ("10003", "Stad Oostende – Dienst Cultuur", "BE", "public", "2026-01-20", "8750.00"),
    ("10004", f"Café {RUNS_IF_NOT_TEXT} & Zonen", "BE", "company", "2026-04-11", "640.00"),
    ("10005", "Ολυμπία Ξενοδοχεία Α.Ε.", "GR", "company", "2026-02-01", "12480.75"),
    ("10006", "株式会社山田製作所", "DE", "company", "2025-11-30", "22310.00"),
    ("10007", "مؤسسة النخيل للتجارة", "NL", "company", "2025-09-15", "4120.90"),
    ("10008", "Müller & Söhne GmbH", "DE", "company", "2026-05-28", "980.00"),
    ("10009", "Jean-Baptiste O'Neill", "BE", "person", "2025-05-10", "92.75"),
    ("10010", "Товариство «Світанок»", "UA", "company", "2026-04-02", "3305.00"),
    ("10011", "Brouwersgilde Antwerpen", "BE", "company", "2026-02-18", "41200.00"),
    ("10012", "De Smet Logistics", "BE", "company", "2026-06-01", "2210.00"),
    ("10013", "Van Dijk Horeca", "NL", "company", "2026-05-20", "1875.40"),
    ("10014", "Hotel \" onfocus=alert(1) x=\"", "NL", "company", "2026-04-25", "760.00"),
    ("10015", "Grüne Küche Köln", "DE", "company", "2026-03-30", "5400.00"),
    ("10016", "Dupont et Fils", "BE", "company", "2026-05-15", "150.00"),
)  # fmt: skip
FOREIGN = (
    ("20001", "Boulangerie Lefèvre", "FR", "company", "2026-05-04", "720.00"),
    ("20002", "Garage Moreau", "FR", "company", "2026-04-10", "2480.00"),
    ("20003", "Société {{7*7}}", "BE", "company", "2026-03-01", "1310.00"),
    ("20004", "Pharmacie du Port", "FR", "company", "2026-05-30", "45.00"),
)  # fmt: skip
PARTNERS = (
    ("office", "Bailiff's office Peeters", "bailiff", "BE"),
    ("lambert", "Advocaten Lambert & Maes", "lawyer", "BE"),
    ("rhein", "Rhein Inkasso GmbH", "agency", "DE"),
    ("rijnmond", "Incasso Rijnmond", "agency", "NL"),
    ("aegean", "Aegean Recovery", "agency", "GR"),
    ("delmas", "Étude Delmas, huissiers", "bailiff", "FR"),
)  # fmt: skip


class Forgetful(ScriptedPartner):
    """A partner that cannot say whether a file arrived."""

    def probe(self, envelope: object, intent: str) -> DeliveryState:
        return DeliveryState.UNKNOWN


class Settings(BaseModel):
    """The scripted connectors need none."""


class TownPlugin:
    """Scripted ERPs and partners, one world a connection."""

    def __init__(self, worlds: dict[str, World]) -> None:
        self._worlds = worlds

    @hookimpl
    def register_connectors(self) -> list[ConnectorSpec]:
        def erp(context: ConnectorContext) -> ScriptedErp:
            return ScriptedErp(self._worlds[context.connection_id])

        def partner(context: ConnectorContext) -> ScriptedPartner:
            kind = Forgetful if context.connection_id == "line-aegean" else ScriptedPartner
            return kind(self._worlds[context.connection_id])

        return [
            ConnectorSpec(
                kind="town_erp", title="Books", role=ConnectorRole.ERP, settings=Settings, load=lambda: erp
            ),
            ConnectorSpec(
                kind="town_line",
                title="Line",
                role=ConnectorRole.PARTNER,
                settings=Settings,
                load=lambda: partner,
            ),
        ]


class Town:
    """The hub, its worlds and its people."""

    def __init__(self, hub: Hub, worlds: dict[str, World]) -> None:
        self.hub = hub
        self.worlds = worlds

    def wake(self, job: str, target: str) -> None:
        with self.hub.work() as work:
            work.wake(job, target)
        run_until_idle(self.hub)

    def case_of(self, debtor_ref: str) -> Case:
        """The one case of a customer number."""
        with self.hub.database.read() as conn:
            (found,) = read_cases(conn, t.cases.c.debtor_ref == debtor_ref)
        return found

    def say(self, partner_id: str, *messages: object) -> None:
        self.worlds[f"line-{partner_id}"].say(new_id(), *messages)
        self.wake("receive", f"line-{partner_id}")


@contextmanager
def open_town(home: Path, database_url: str = "") -> Iterator[Town]:
    """A hub on an empty home with the town's history in it."""
    settings = load_settings({}, home=home, database_url=database_url, business_date=TODAY)
    connections = ["books", "livres", *(f"line-{partner_id}" for partner_id, *_ in PARTNERS)]
    worlds = {connection_id: World() for connection_id in connections}
    plugins = PluginSet()
    for name, plugin in (
        ("formats", formats_plugin),
        ("routes", routes),
        ("intake", intake),
        ("town", TownPlugin(worlds)),
    ):
        plugins.add(name, plugin)
    hub = open_hub(settings, plugins=plugins)
    hub.queue = InlineQueue()
    try:
        town = Town(hub, worlds)
        _settle(town)
        _live(town)
        yield town
    finally:
        hub.close()


def _settle(town: Town) -> None:
    now = town.hub.now()
    kroon = Party(name="Brouwerij De Kroon", country="BE")
    lumen = Party(name="Lumière & Énergie SA", country="FR")
    people = Playbook(owner="Nora Claes", contact_person="Tom Willems", approval=ApprovalLimits(given_up_to=Decimal(1000)))
    with town.hub.database.write() as conn:
        for creditor_id, party in (("kroon", kroon), ("lumen", lumen)):
            row = CreditorRow(creditor_id=creditor_id, name=party.name, party=party, playbook=people)
            write_creditor(conn, row, now)
        for partner_id, name, role, country in PARTNERS:
            write_partner(
                conn, PartnerProfile(partner_id=partner_id, name=name, role=role, countries=(country,)), now
            )
            add_connection(
                conn,
                _connection(f"line-{partner_id}", "town_line", f"{name}, line", now, partner_id=partner_id),
            )
        add_connection(conn, _connection("books", "town_erp", "Books of De Kroon", now, creditor_id="kroon"))
        add_connection(
            conn,
            _connection("livres", "town_erp", "Livres de Lumière", now, creditor_id="lumen", mode=SHADOW),
        )
        for name, role, tenant in (
            ("operator", Role.OPERATOR, {}),
            ("kroon", Role.CREDITOR, {"creditor_id": "kroon"}),
            ("lumen", Role.CREDITOR, {"creditor_id": "lumen"}),
            ("office", Role.PARTNER, {"partner_id": "office"}),
        ):
            user = User(
                user_id=f"u-{name}",
                email=f"{name}@town.example",
                name=f"{name.capitalize()} Desk",
                role=role,
                **tenant,
            )
            add_user(conn, user, PASSWORD, now)


def _connection(
    connection_id: str,
    kind: str,
    name: str,
    now: dt.datetime,
    *,
    creditor_id: str | None = None,
    partner_id: str | None = None,
    mode: str = RELEASED,
) -> ConnectionRow:
    return ConnectionRow(
        connection_id=connection_id,
        kind=kind,
        role="erp" if creditor_id else "partner",
        name=name,
        creditor_id=creditor_id,
        partner_id=partner_id,
        settings="{}",
        mode=mode,
        release=Exclusions(),
        checkpoint="",
        status="ok",
        status_detail="",
        status_until=None,
        created_at=now,
        last_complete_at=None,
        next_due_at=None,
    )


def _live(town: Town) -> None:
    """Half a year of business: invoices, hand-over, answers, money, trouble."""
    for connection_id, debtors in (("books", DEBTORS), ("livres", FOREIGN)):
        for ref, name, country, kind, due, amount in debtors:
            _owe(town.worlds[connection_id], ref, name, country, kind, due, amount)
    town.worlds["books"].invoice("bad", "10001", "2026-05-01", "-5.00")
    town.worlds["line-aegean"].lose_receipts = 1
    town.wake("pull", "books")
    town.wake("pull", "livres")
    for ref in ("10001", "10002", "10003", "10006", "10008", "10009", "10013", "10015", "10016"):
        _accept(town, ref)
    _collect(town)


def _owe(world: World, ref: str, name: str, country: str, kind: str, due: str, amount: str) -> None:
    world.invoice(f"I{ref}", ref, due, amount, debtor_name=name, number=f"F-{ref}")
    world.invoice(f"J{ref}", ref, "2026-06-10", "75.00", debtor_name=name, number=f"F-{ref}-2")
    world.parties[ref] = Party(
        name=name,
        country=country,
        kind=PartyKind(kind),
        vat_ref=f"{country}0{ref}00",
        address=Address(lines=("Kerkstraat 12",), postcode="2000", city="Antwerpen", country=country),
        contacts=(Contact(name="Accounts payable", email=f"ap{ref}@example.org", phone="+32 2 555 01 01"),),
    )


def _accept(town: Town, ref: str) -> None:
    case = town.case_of(ref)
    assert case.placement is not None, f"{ref} was not placed"
    verdicts = (AckVerdict.RECEIVED, AckVerdict.ACCEPTED)
    town.say(
        case.placement.partner_id,
        *(
            CaseAcknowledgement(
                message_id=new_id(),
                case_id=case.case_id,
                holder_ref=f"D-{ref}",
                in_reply_to=case.placement.message_id,
                verdict=verdict,
                occurred_at=town.hub.now(),
            )
            for verdict in verdicts
        ),
    )


def _collect(town: Town) -> None:
    for ref, amount, day in (
        ("10001", "400.00", "2026-05-20"), ("10001", "300.00", "2026-06-12"), ("10003", "2500.00", "2026-03-03"),
        ("10003", "1500.00", "2026-04-17"), ("10006", "9000.00", "2026-01-09"), ("10006", "2200.00", "2025-12-19"),
        ("10009", "60.00", "2025-10-02"), ("10015", "3100.00", "2026-05-05"),
    ):  # fmt: skip
        _report(town, ref, lambda case, ref=ref, amount=amount, day=day: PaymentReport(
            message_id=new_id(), case_id=case.case_id, payment_ref=f"P-{ref}-{day}", currency="EUR",
            amount=Decimal(amount), received_on=dt.date.fromisoformat(day)))  # fmt: skip
    _report(town, "10001", lambda case: CaseStatusUpdate(
        message_id=new_id(), case_id=case.case_id, sequence=1, status_code="contact_made", text="Spoke to the manager.",
        occurred_at=town.hub.now()))  # fmt: skip
    _report(town, "10001", lambda case: CostStatement(
        message_id=new_id(), case_id=case.case_id, cost_ref="K-1", cost_type="bailiff_act", currency="EUR",
        amount=Decimal("62.00"), tax_amount=Decimal("13.02"), bearer=CostBearer.DEBTOR, occurred_on=TODAY,
        legal_basis="tariff of 30 November 1976, article 6"))  # fmt: skip
    _report(town, "10002", lambda case: CaseInstruction(
        message_id=new_id(), case_id=case.case_id, code=InstructionCode.QUESTION,
        text="The debtor says the goods came back in March. Do you have a return note?"))  # fmt: skip
    _report(town, "10008", lambda case: CaseStatusUpdate(
        message_id=new_id(), case_id=case.case_id, sequence=1, status_code="dispute_raised", occurred_at=town.hub.now()))  # fmt: skip
    _report(town, "10009", lambda case: CaseReturn(
        message_id=new_id(), case_id=case.case_id, close_code="paid_partial", currency="EUR",
        remaining=Decimal("107.75"), occurred_on=TODAY, text="No further assets."))  # fmt: skip
    _report(town, "10013", lambda case: CaseStatusUpdate(
        message_id=new_id(), case_id=case.case_id, sequence=1, status_code="ZZ-77", occurred_at=town.hub.now()))  # fmt: skip


def _report(town: Town, ref: str, message: object) -> None:
    case = town.case_of(ref)
    assert case.placement is not None
    town.say(case.placement.partner_id, message(case))  # type: ignore[operator]  # a lambda over the case
