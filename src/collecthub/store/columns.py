"""What the tables of every field are made of: one metadata, and the kinds of column."""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class Moment(TypeDecorator[dt.datetime]):
    """An aware moment; SQLite keeps it as UTC without zone and gets the zone back on reading."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: dt.datetime | None, dialect: Dialect) -> dt.datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("moments carry a time zone")
        return value.astimezone(dt.UTC)

    def process_result_value(self, value: dt.datetime | None, dialect: Dialect) -> dt.datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=dt.UTC) if value.tzinfo is None else value.astimezone(dt.UTC)


def id_column(name: str, **more: bool) -> sa.Column[str]:
    """An identifier of ours or theirs; a key or not."""
    return sa.Column(name, sa.String(64), nullable=more.get("nullable", False), primary_key=more.get("key", False))


def text_column(name: str, default: str = "") -> sa.Column[str]:
    """Text that is never NULL."""
    return sa.Column(name, sa.Text, nullable=False, server_default=default)


def moment_column(name: str, nullable: bool = True) -> sa.Column[dt.datetime]:
    """A moment, kept as UTC."""
    return sa.Column(name, Moment, nullable=nullable)


def count_column(name: str) -> sa.Column[int]:
    """A whole number, never NULL: a count, or an amount in minor units."""
    return sa.Column(name, sa.BigInteger, nullable=False, server_default="0")
