"""The vendor's budgets: calls a minute and a day per division, and errors an hour per endpoint.

Headers are the only truth. A family that is absent from an answer says nothing: after a 429 only the family that
ran out is sent, and reading the other one as 0 would take the whole day for spent.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence

import msgspec

from collecthub.sdk import Budget, RetryableError, Vault

_FAMILIES = {"minute": "x-ratelimit-minutely-", "day": "x-ratelimit-"}
_BLIND_WAIT_SECONDS = 61.0
BUDGETS = "exact.budgets"
_KEEP_EVERY = dt.timedelta(seconds=10)
CIRCUITS = "exact.circuits"
_TRIP_AFTER = 3  # of the ten errors an hour after which the vendor blocks
_CIRCUIT_HOUR = dt.timedelta(hours=1)
_NO_DIVISION = "0"


class _Window(msgspec.Struct, frozen=True):
    """A family of one division: what was left of it when an answer last said so, and when it ends."""

    remaining: int
    limit: int | None
    resets_at: dt.datetime

    def later(self, other: _Window | None) -> _Window:
        """Which of two observations was made later: of the newer window, and in one window the lower."""
        if other is None or other.resets_at < self.resets_at:
            return self
        return min(self, other, key=lambda one: one.remaining) if other.resets_at == self.resets_at else other


class CallBudget:
    """What is left of the minute and the day, per division, as the last answers to any worker said.

    Observations are kept in the vault every ten seconds and whenever a window runs out.
    """

    def __init__(self, now: Callable[[], dt.datetime], reserve: int, vault: Vault) -> None:
        self._now = now
        self._reserve = reserve
        self._vault = vault
        self._windows: dict[str, _Window] = self._stored()
        self._keep_at = now()

    def note(self, division: int, headers: Mapping[str, str]) -> None:
        """Take over the families that an answer carries. `*-Reset` is epoch milliseconds in UTC."""
        is_spent = False
        for family, prefix in _FAMILIES.items():
            remaining, reset = headers.get(f"{prefix}remaining", ""), headers.get(f"{prefix}reset", "")
            if remaining.isdigit() and reset.isdigit():
                limit = headers.get(f"{prefix}limit", "")
                resets_at = dt.datetime.fromtimestamp(int(reset) / 1000, dt.UTC)
                window = _Window(int(remaining), int(limit) if limit.isdigit() else None, resets_at)
                self._windows[f"{division}/{family}"] = window
                is_spent = is_spent or window.remaining == 0
        if is_spent or self._now() >= self._keep_at:
            self.keep()

    def keep(self) -> None:
        """Store what was observed, merged with what other workers observed."""
        self._windows = self._merged()
        self._vault.write(BUDGETS, msgspec.json.encode(self._windows).decode())
        self._keep_at = self._now() + _KEEP_EVERY

    def budgets(self) -> Sequence[Budget]:
        """The windows that have not ended yet, for people to see."""
        return [
            Budget(
                name=key.partition("/")[2], subject=key.partition("/")[0], remaining=window.remaining,
                limit=window.limit, resets_at=window.resets_at,
            )
            for key, window in sorted(self._merged().items())
            if window.resets_at > self._now() and key.partition("/")[0] != _NO_DIVISION
        ]  # fmt: skip

    def admit(self, division: int, *, is_bulk: bool) -> None:
        """Let a call pass, or raise `RetryableError` that says when to come back.

        Bulk pulls leave the reserve of the day to people and write-back.
        """
        floors = {"minute": 0, "day": self._reserve if is_bulk else 0}
        for family, floor in floors.items():
            window = self._windows.get(f"{division}/{family}")
            if window is not None and window.remaining <= floor and self._now() < window.resets_at:
                raise self._exhausted(division, family, window)

    def refused(self, division: int) -> RetryableError:
        """The error for a 429 that was just noted: come back one second after the reset of what ran out."""
        for family in ("day", "minute"):
            window = self._windows.get(f"{division}/{family}")
            if window is not None and window.remaining == 0 and self._now() < window.resets_at:
                return self._exhausted(division, family, window)
        return RetryableError(
            f"Exact Online refuses further calls for division {division} and does not say until when.",
            cure="Nothing to do; the work goes on by itself.",
            retry_after_seconds=_BLIND_WAIT_SECONDS,
        )

    def _exhausted(self, division: int, family: str, window: _Window) -> RetryableError:
        day = self._windows.get(f"{division}/day")
        is_day_known = day is not None and self._now() < day.resets_at
        left = f", {day.remaining} calls left today" if day is not None and is_day_known else ""
        wait = (window.resets_at - self._now()).total_seconds() + 1
        return RetryableError(
            f"Throttled until {_clock(window.resets_at, self._now())}{left}.",
            cure=f"Nothing to do: the calls of this {family} for division {division} are used up "
            "but for the reserve, and the work goes on by itself.",
            reference=str(division),
            retry_after_seconds=max(wait, 1.0),
        )

    def _merged(self) -> dict[str, _Window]:
        stored = self._stored()
        mine = {key: window.later(stored.get(key)) for key, window in self._windows.items()}
        return stored | mine

    def _stored(self) -> dict[str, _Window]:
        text = self._vault.read(BUDGETS)
        return msgspec.json.decode(text, type=dict[str, _Window]) if text else {}


def _clock(moment: dt.datetime, now: dt.datetime) -> str:
    """The time of day, with the date when it is not today.

    >>> _clock(dt.datetime(2026, 6, 15, 14, 32, tzinfo=dt.UTC), dt.datetime(2026, 6, 15, 14, 31, tzinfo=dt.UTC))
    '14:32 UTC'
    """
    return f"{moment:%H:%M} UTC" if moment.date() == now.date() else f"{moment:%Y-%m-%d %H:%M} UTC"


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
