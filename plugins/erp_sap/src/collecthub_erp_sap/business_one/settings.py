"""What a creditor tells us about his Business One company."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr

Iso = Annotated[str, Field(pattern=r"^[A-Z]{3}$")]


class BusinessOneSettings(BaseModel):
    """Settings of a connection of the kind `erp_sap_b1` (SAP Business One, Service Layer)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    base_url: str = Field(
        description="Address of the Service Layer without a path, for example https://b1.example:50000.",
        pattern=r"^https?://[^/\s]+/?$",
    )
    version: Literal["v1", "v2"] = Field(
        default="v2", description="Version of the Service Layer; v2 is for release FP2405 and later."
    )
    company_db: str = Field(description="Company database (CompanyDB), for example SBO_PROD.", min_length=1)
    username: str = Field(description="User of the Service Layer; give it to this hub alone.", min_length=1)
    password: SecretStr = Field(description="Password of that user.")
    ca_file: str = Field(
        default="",
        description="File with the certificate authority of the host, which usually signed its own; empty for public ones.",
    )
    private_networks: tuple[str, ...] = Field(
        default=(), description="Networks of an on-premise host that may be called, for example 10.20.0.0/16."
    )
    page_size: int = Field(default=500, ge=20, le=1000, description="Documents asked for at a time.")
    local_currency: Iso = Field(
        default="EUR", description="Currency that the company keeps its books in; other documents carry both."
    )
    currency_codes: dict[str, Iso] = Field(
        default={}, description='Currency codes of the company that are not those of ISO 4217, for example {"$": "USD"}.'
    )
    payments_since: dt.date | None = Field(
        default=None,
        description="Day from which incoming payments are looked at for money on no invoice; empty for all there are. "
        "They are read anew every day, so name one where there are hundreds of thousands.",
    )
    read_journal: bool = Field(
        default=True,
        description="Read journal entries that were made on customers, such as opening balances, and compare every "
        "customer's account balance, once a day; our user needs the right to internal reconciliations for it.",
    )
    block: Literal["invoices", "customer", "none"] = Field(
        default="invoices",
        description="Where dunning is blocked while a case is with a partner: on its invoices, on the customer, or not.",
    )
    write_activities: bool = Field(
        default=True, description="Note on the customer, as an activity, when a case leaves, comes back or ends."
    )
