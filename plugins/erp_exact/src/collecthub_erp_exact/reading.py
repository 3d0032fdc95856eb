"""Reads what is known by reference: in batches that fit one query, sparing the day's reserve when it is many."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TypeVar

from collecthub.wire.http import HttpResponse
from collecthub_erp_exact.client import ExactClient
from collecthub_erp_exact.mapping import split_ref

T = TypeVar("T")
_BATCH = 20  # guids in one filter; keeps the query below 2,048 characters


class Reader:
    """Reads for somebody who asked for so many things: one is a person's question, more are a job's."""

    def __init__(self, client: ExactClient, asked_for: int) -> None:
        self._client = client
        self._is_bulk = asked_for > 1

    def records(self, division: int, endpoint: str, row_type: type[T], query: Mapping[str, str]) -> Iterator[T]:
        """All records of a query."""
        return self._client.records(division, endpoint, row_type, query, is_bulk=self._is_bulk)

    def download(self, division: int, endpoint: str, url: str) -> HttpResponse:
        """A file by the address that a record names."""
        return self._client.download(division, endpoint, url, is_bulk=self._is_bulk)


def batches(references: Sequence[str]) -> Iterator[tuple[int, Sequence[str]]]:
    """References grouped by division, each guid once, in batches that fit one query."""
    by_division: dict[int, dict[str, None]] = {}
    for reference in references:
        division, key = split_ref(reference)
        by_division.setdefault(division, {})[key] = None
    for division, keys in by_division.items():
        for part in parts(list(keys)):
            yield division, part


def parts(values: Sequence[str]) -> Iterator[Sequence[str]]:
    """Values in batches that fit one query."""
    return (values[start : start + _BATCH] for start in range(0, len(values), _BATCH))
