"""Checks a connection step by step, so that a person sees which arrangement in SAP is missing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

import msgspec

from collecthub.sdk import CheckStep, CollecthubError, ConfigurationError
from collecthub.wire.xml import Element, parse
from collecthub_erp_sap.client import SapClient
from collecthub_erp_sap.cube import SELECT, read_page
from collecthub_erp_sap.debtors import MASTER_COLUMNS
from collecthub_erp_sap.mapping import COLUMNS
from collecthub_erp_sap.odata import equals
from collecthub_erp_sap.settings import S4Settings

_ANY = msgspec.json.Decoder(dict[str, object])


def check_steps(client: SapClient, settings: S4Settings) -> Iterator[CheckStep]:
    """The steps in order. After a refused log-on the rest is not tried, because SAP locks users."""
    for name, step in _steps(client, settings):
        try:
            yield CheckStep(name=name, is_ok=True, detail=step())
        except CollecthubError as error:
            yield CheckStep(name=name, is_ok=False, detail=error.message, cure=error.cure)
            if isinstance(error, ConfigurationError) and client.is_refused:
                return


def _steps(client: SapClient, settings: S4Settings) -> Iterator[tuple[str, Callable[[], str]]]:
    yield "columns of the open items", lambda: _columns(client, settings.cube_path, {settings.cube_entity: COLUMNS})
    yield "columns of the customer master", lambda: _columns(client, settings.partner_path, MASTER_COLUMNS)
    for company in settings.company_codes:
        yield f"open items of company code {company}", lambda company=company: _items(client, settings, company)  # type: ignore[misc]  # bound per turn
    partner = settings.partner_path
    for title, path, column in (
        ("customer master", f"{partner}/A_Customer", "Customer"),
        ("business partners", f"{partner}/A_BusinessPartner", "BusinessPartner"),
        ("billing documents", f"{settings.billing_path}/A_BillingDocument", "BillingDocument"),
    ):
        yield title, lambda path=path, column=column: _one(client, path, column)  # type: ignore[misc]  # bound per turn
    if settings.write_customer_block:
        yield "dunning data of customers", lambda: _one(client, f"{partner}/A_CustomerDunning", "Customer")
        yield "permission to write", lambda: _token(client, partner)


def _columns(client: SapClient, service: str, wanted: Mapping[str, Sequence[str]]) -> str:
    """The service's own description names every column that is selected. Raises `ConfigurationError`."""
    document = parse(client.read_bytes(f"{service}/$metadata", {}, accept="application/xml"))
    for entity_set, names in wanted.items():
        found = properties_of(document, entity_set)
        missing = [name for name in names if name not in found]
        if missing:
            raise ConfigurationError(
                f"{entity_set} has no {', '.join(missing)}.",
                cure="Correct the path and entity of this service in the connection, or have the view in SAP extended.",
            )
    return f"all {sum(map(len, wanted.values()))} there"


def properties_of(document: Element, entity_set: str) -> set[str]:
    """Names of the properties of an entity set, by the metadata of its service; empty when it is not in there."""
    sets = (one for one in document.iter("{*}EntitySet") if one.get("Name") == entity_set)
    wanted = next((str(one.get("EntityType")).rpartition(".")[2] for one in sets), "")
    types = (one for one in document.iter("{*}EntityType") if one.get("Name") == wanted)
    return {str(one.get("Name")) for found in types for one in found.iter("{*}Property")}


def _items(client: SapClient, settings: S4Settings, company: str) -> str:
    """All columns that a pull selects are asked for, so that a view without one of them shows here."""
    options = {
        "$filter": equals(("CompanyCode", "FinancialAccountType"), (company, "D")) + " and IsCleared eq false",
        "$select": SELECT,
        "$top": "1",
        "$inlinecount": "allpages",
        "$format": "json",
    }
    count = read_page(client.read_bytes(f"{settings.cube_path}/{settings.cube_entity}", options)).count
    return f"{count} open items"


def _one(client: SapClient, path: str, column: str) -> str:
    client.read(path, {"$select": column, "$top": "1", "$format": "json"}, _ANY)
    return "readable"


def _token(client: SapClient, service: str) -> str:
    client.fetch_token(service)
    return "SAP gives a token for changes"
