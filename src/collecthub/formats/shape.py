"""What an exchange looks like on paper: every record of the model, field by field, with its element and value.

The one table behind both spellings and the generated schemas. Element names are the model's field names in
CamelCase; a repeated field is a repeated element in the singular (`claims` -> `Claim`).
"""

from __future__ import annotations

import datetime as dt
import enum
import types
import typing
from decimal import Decimal
from functools import cache
from typing import Any

import msgspec

from collecthub.formats import scalars
from collecthub.formats.scalars import Scalar
from collecthub.model.exchange import EXCHANGE_VERSION, CaseFile, Message

Record = msgspec.Struct


class Field(msgspec.Struct, frozen=True, kw_only=True):
    """One field of a record: either a `scalar` or a nested `record`, once or many times."""

    name: str
    element: str
    scalar: Scalar | None = None
    record: type[Record] | None = None
    is_many: bool = False
    is_required: bool = False
    minimum: int = 0  # entries a repeated field must have
    default: Any = None

    @property
    def is_text(self) -> bool:
        """Whether the value is a text in every spelling; whole numbers and flags are not."""
        return self.scalar is not None and self.scalar.json_type == "string"


class ExchangeHead(Record, frozen=True, kw_only=True):
    """The envelope of an exchange without its messages, in the order of the XSD."""

    exchange_id: str
    version: str = EXCHANGE_VERSION
    sender_ref: str
    receiver_ref: str
    created_at: dt.datetime
    is_test: bool = False
    message_count: int


MESSAGES: tuple[type[Record], ...] = typing.get_args(Message)
MESSAGE_BY_TAG = {str(kind.__struct_config__.tag): kind for kind in MESSAGES}
MESSAGE_BY_ELEMENT = {kind.__name__: kind for kind in MESSAGES}

_BY_TYPE: dict[type, Scalar] = {
    Decimal: scalars.AMOUNT,
    dt.datetime: scalars.MOMENT,
    dt.date: scalars.DATE,
    bool: scalars.FLAG,
    bytes: scalars.BASE64,
}
# Texts by name: (scalar when required, scalar when it may be empty).
_ID = (scalars.ID, scalars.OPTIONAL_ID)
_REF = (scalars.REF, scalars.OPTIONAL_REF)
_CODE = (scalars.CODE, scalars.OPTIONAL_CODE)
_LINE = (scalars.LINE, scalars.OPTIONAL_LINE)
_BY_NAME: dict[str, tuple[Scalar, Scalar]] = {
    **dict.fromkeys("message_id case_id claim_id claim_ids related_claim_ids exchange_id in_reply_to".split(), _ID),
    **dict.fromkeys(
        "case_number invoice_ref cost_ref payment_ref reverses_ref remittance_ref mandate_ref sender_ref "
        "receiver_ref registration_ref vat_ref account reference file_ref".split(),
        _REF,
    ),
    "holder_ref": (scalars.OPTIONAL_REF, scalars.OPTIONAL_REF),  # a holder may have no file number yet
    **dict.fromkeys("reason_code status_code close_code cost_type kind code cause channel".split(), _CODE),
    **dict.fromkeys("reference_rate method certificate".split(), _CODE),
    **dict.fromkeys("rate_percent margin_percent".split(), (scalars.PERCENT, scalars.PERCENT)),
    **dict.fromkeys("name payee lines postcode city email phone role authority".split(), _LINE),
    "element": (scalars.OPTIONAL_LINE, scalars.OPTIONAL_LINE),  # empty: the message as a whole
    **dict.fromkeys("description remarks reason text legal_basis".split(), (scalars.TEXT, scalars.TEXT)),
    "version": (scalars.VERSION, scalars.VERSION),
    "currency": (scalars.CURRENCY, scalars.CURRENCY),
    "country": (scalars.COUNTRY, scalars.COUNTRY),
    "language": (scalars.LANGUAGE, scalars.LANGUAGE),
    "media_type": (scalars.MEDIA_TYPE, scalars.MEDIA_TYPE),
    "sha256": (scalars.SHA256, scalars.SHA256),
    "message_count": (scalars.COUNT, scalars.COUNT),
    **dict.fromkeys("dunning_level level".split(), (scalars.LEVEL, scalars.LEVEL)),
    "sequence": (scalars.SEQUENCE, scalars.SEQUENCE),
}
_ALWAYS_WRITTEN = {(ExchangeHead, "version")}
_AT_LEAST_ONE = {(CaseFile, "debtors"), (CaseFile, "claims")}


@cache
def fields_of(record: type[Record]) -> tuple[Field, ...]:
    """The fields of a record in the order in which they travel."""
    return tuple(_field(record, info) for info in msgspec.structs.fields(record))


def _field(record: type[Record], info: msgspec.structs.FieldInfo) -> Field:
    inner, is_many = _unwrapped(info.type)
    is_required = info.required or (record, info.name) in _ALWAYS_WRITTEN
    nested = inner if issubclass(inner, Record) else None
    return Field(
        name=info.name,
        element=_element_name(info.name, is_many),
        scalar=None if nested else _scalar(info.name, inner, is_required or is_many),
        record=nested,
        is_many=is_many,
        is_required=is_required,
        minimum=1 if (record, info.name) in _AT_LEAST_ONE else 0,
        default=None if info.required else info.default,
    )


def _unwrapped(annotation: Any) -> tuple[type, bool]:
    """The plain type behind `tuple[X, ...]` and `X | None`, and whether it repeats."""
    if typing.get_origin(annotation) is tuple:
        return typing.get_args(annotation)[0], True
    if isinstance(annotation, types.UnionType):
        return next(part for part in typing.get_args(annotation) if part is not type(None)), False
    return annotation, False


def _element_name(name: str, is_many: bool) -> str:
    camel = "".join(part.capitalize() for part in name.split("_"))
    return camel.removesuffix("s") if is_many else camel


def _scalar(name: str, kind: type, is_required: bool) -> Scalar:
    if issubclass(kind, enum.StrEnum):
        return scalars.choice(kind)
    if name in _BY_NAME:
        required, optional = _BY_NAME[name]
        return required if is_required else optional
    return _BY_TYPE[kind]
