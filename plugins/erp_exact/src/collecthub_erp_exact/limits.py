"""The vendor's budgets: calls a minute and a day per division, and errors an hour per endpoint.

Headers are the only truth. A family that is absent from an answer says nothing: after a 429 only the family that
ran out is sent, and reading the other one as 0 would take the whole day for spent.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping

import msgspec

from collecthub.sdk import RetryableError, Vault

_FAMILIES = {"minute": "x-ratelimit-minutely-", "day": "x-ratelimit-"}
_BLIND_WAIT_SECONDS = 61.0
CIRCUITS = "exact.circuits"
_TRIP_AFTER = 3  # of the ten errors an hour after which the vendor blocks
_CIRCUIT_HOUR = dt.timedelta(hours=1)


class _Budget(msgspec.Struct, frozen=True):
    remaining: int
    resets_at: dt.datetime


class CallBudget:
    """What is left of the minute and the day, per division, as the last answers said."""

    def __init__(self, now: Callable[[], dt.datetime], reserve: int) -> None:
        self._now = now
        self._reserve = reserve
        self._budgets: dict[tuple[int, str], _Budget] = {}

    def note(self, division: int, headers: Mapping[str, str]) -> None:
        """Take over the families that an answer carries. `*-Reset` is epoch milliseconds in UTC."""
        for family, prefix in _FAMILIES.items():
            remaining, reset = headers.get(f"{prefix}remaining", ""), headers.get(f"{prefix}reset", "")
            if remaining.isdigit() and reset.isdigit():
                resets_at = dt.datetime.fromtimestamp(int(reset) / 1000, dt.UTC)
                self._budgets[division, family] = _Budget(int(remaining), resets_at)

    def admit(self, division: int, *, is_bulk: bool) -> None:
        """Let a call pass, or raise `RetryableError` that says when to come back.

        Bulk pulls leave the reserve of the day to people and write-back.
        """
        floors = {"minute": 0, "day": self._reserve if is_bulk else 0}
        for family, floor in floors.items():
            budget = self._budgets.get((division, family))
            if budget is None or budget.remaining > floor:
                continue
            if self._now() < budget.resets_at:
                raise self._exhausted(division, family, budget)

    def refused(self, division: int) -> RetryableError:
        """The error for a 429 that was just noted: come back one second after the reset of what ran out."""
        for family in ("day", "minute"):
            budget = self._budgets.get((division, family))
            if budget is not None and budget.remaining == 0 and self._now() < budget.resets_at:
                return self._exhausted(division, family, budget)
        return RetryableError(
            f"Exact Online refuses further calls for division {division}.",
            cure="Nothing to do; the work goes on by itself.",
            retry_after_seconds=_BLIND_WAIT_SECONDS,
        )

    def _exhausted(self, division: int, family: str, budget: _Budget) -> RetryableError:
        wait = (budget.resets_at - self._now()).total_seconds() + 1
        return RetryableError(
            f"The calls of this {family} for division {division} are used up ({budget.remaining} left).",
            cure=f"Nothing to do; the work goes on by itself after {budget.resets_at:%Y-%m-%d %H:%M} UTC.",
            reference=str(division),
            retry_after_seconds=max(wait, 1.0),
        )


class CircuitOpenError(RetryableError):
    """An endpoint is not asked because it refused too often."""


class _Circuit(msgspec.Struct, frozen=True):
    errors: int
    since: dt.datetime
    reason: str


class CircuitBreaker:
    """Stops asking an endpoint of a division that keeps refusing, for an hour, across restarts and workers.

    Ten refusals (400, 401, 403, 404) in an hour make the vendor block the endpoint, for longer each time.
    """

    def __init__(self, now: Callable[[], dt.datetime], vault: Vault) -> None:
        self._now = now
        self._vault = vault
        self._circuits = self._stored()

    def admit(self, division: int, endpoint: str) -> None:
        """Let a call pass, or raise `CircuitOpenError`."""
        circuit = self._circuits.get(f"{division}/{endpoint}")
        if circuit is None or circuit.errors < _TRIP_AFTER:
            return
        wait = (circuit.since + _CIRCUIT_HOUR - self._now()).total_seconds()
        if wait > 0:
            raise CircuitOpenError(
                f"{endpoint} of division {division} refused {circuit.errors} times: {circuit.reason}",
                cure="Repair the cause; the endpoint is asked again an hour after its last refusal.",
                reference=str(division),
                retry_after_seconds=wait,
            )

    def note_refusal(self, division: int, endpoint: str, reason: str) -> None:
        """Count a refusal; refusals more than an hour apart do not add up."""
        self._circuits = self._stored()
        key = f"{division}/{endpoint}"
        known = self._circuits.get(key)
        is_recent = known is not None and self._now() - known.since < _CIRCUIT_HOUR
        errors = known.errors + 1 if known is not None and is_recent else 1
        self._circuits[key] = _Circuit(errors, self._now(), reason)
        self._vault.write(CIRCUITS, msgspec.json.encode(self._circuits).decode())

    def close(self, division: int, endpoint: str) -> None:
        """Forget the refusals of an endpoint, because a person's check has just found it working."""
        self._circuits = self._stored()
        if self._circuits.pop(f"{division}/{endpoint}", None) is not None:
            self._vault.write(CIRCUITS, msgspec.json.encode(self._circuits).decode())

    def _stored(self) -> dict[str, _Circuit]:
        text = self._vault.read(CIRCUITS)
        return msgspec.json.decode(text, type=dict[str, _Circuit]) if text else {}
