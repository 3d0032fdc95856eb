"""What a creditor tells us about his S/4HANA system."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

CompanyCode = Annotated[str, Field(pattern=r"^[A-Z0-9]{4}$")]
ServicePath = Annotated[str, Field(pattern=r"^/[^?#\s]+[^?#\s/]$")]


class S4Settings(BaseModel):
    """Settings of a connection of the kind `erp_sap` (SAP S/4HANA, Cloud or on premise)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    base_url: str = Field(
        description="Address of the API host without a path, for example https://my300000-api.s4hana.example.",
        pattern=r"^https?://[^/\s]+/?$",
    )
    sap_client: str = Field(
        default="", description="Client (Mandant), three digits; empty for the default client.", pattern=r"^(\d{3})?$"
    )
    company_codes: tuple[CompanyCode, ...] = Field(
        description="Company codes whose receivables are read.", min_length=1
    )
    username: str = Field(default="", description="Communication user for basic authentication.")
    password: SecretStr = Field(default=SecretStr(""), description="Password of the communication user.")
    token_url: str = Field(default="", description="OAuth2 token address; replaces user name and password.")
    client_id: str = Field(default="", description="OAuth2 client.")
    client_secret: SecretStr = Field(default=SecretStr(""), description="Secret of the OAuth2 client.")
    client_certificate_file: str = Field(
        default="",
        description="PEM file with the client certificate of the communication user and its private key; "
        "replaces user name and password.",
    )
    ca_file: str = Field(
        default="", description="File with the certificate authority of an on-premise host; empty for the public ones."
    )
    private_networks: tuple[str, ...] = Field(
        default=(), description="Networks of an on-premise host that may be called, for example 10.20.0.0/16."
    )
    page_size: int = Field(default=5000, ge=1000, le=5000, description="Open items asked for at a time.")
    cube_path: ServicePath = Field(
        default="/sap/opu/odata/sap/API_OPLACCTGDOCITEMCUBE_SRV",
        description="Path of the service with the customer items; creditors often publish a view of their own.",
    )
    cube_entity: str = Field(
        default="A_OperationalAcctgDocItemCube", description="Entity set in that service.", pattern=r"^\w+$"
    )
    partner_path: ServicePath = Field(
        default="/sap/opu/odata/sap/API_BUSINESS_PARTNER", description="Path of the customer master service."
    )
    billing_path: ServicePath = Field(
        default="/sap/opu/odata/sap/API_BILLING_DOCUMENT_SRV", description="Path of the service with invoice PDFs."
    )
    soap_path: ServicePath = Field(
        default="/sap/bc/srt/scs_ext/sap/journalentrybulkchangerequest_",
        description="Path of the SOAP service Journal Entry - Change (asynchronous).",
    )
    credit_memo_types: tuple[str, ...] = Field(
        default=("DG",), description="Document types that credit a customer without a billing document."
    )
    public_account_groups: tuple[str, ...] = Field(
        default=(), description="Customer account groups of public bodies; SAP itself does not mark them."
    )
    write_customer_block: bool = Field(
        default=True, description="Stop SAP's own reminders to a customer while his case is with a partner."
    )
    write_line_block: bool = Field(
        default=False, description="Also block each invoice of the case, over the asynchronous SOAP service."
    )
    dunning_area: str = Field(default="", description="Dunning area whose customer data is written.", max_length=2)
    dunning_block_reason: str = Field(
        default="C",
        description="Dunning block that means: with a collection partner. Keep one reason for this hub alone, "
        "because only a block with this reason is ever released.",
        pattern=r"^[A-Z0-9]$",
    )
    sender_business_system: str = Field(
        default="COLLECTHUB", description="Our name as sender in SOAP messages, as configured in SAP.", max_length=60
    )
    confirm_seconds: float = Field(
        default=10, ge=0, le=60, description="How long to wait for an asynchronous change before asking again later."
    )

    @model_validator(mode="after")
    def _one_way_to_log_on(self) -> Self:
        has_basic = bool(self.username and self.password.get_secret_value())
        has_oauth = bool(self.token_url and self.client_id and self.client_secret.get_secret_value())
        if has_basic + has_oauth + bool(self.client_certificate_file) != 1:
            raise ValueError(
                "give either username and password, or token_url, client_id and client_secret, "
                "or client_certificate_file"
            )
        return self
