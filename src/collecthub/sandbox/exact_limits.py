"""The call limits of Exact Online, per app and company, in fixed windows, with the vendor's headers."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

_MINUTE, _HOUR, _DAY = 60, 3600, 86400
_ERRORS_AN_HOUR = 10


@dataclass(frozen=True)
class Limits:
    """How many calls are allowed; the real ones, or raised for demo and bench and then announced as such."""

    a_minute: int = 60
    a_day: int = 5000
    token_calls_a_day: int = 200


RAISED = Limits(a_minute=1_000_000, a_day=100_000_000, token_calls_a_day=1_000_000)


@dataclass
class _Window:
    seconds: int
    limit: int
    prefix: str
    start: float = -1.0
    used: int = 0

    def take(self, now: float) -> bool:
        start = now // self.seconds * self.seconds
        if start != self.start:
            self.start, self.used = start, 0
        self.used += 1
        return self.used <= self.limit

    def headers(self) -> dict[str, str]:
        reset = int((self.start + self.seconds) * 1000)
        return {
            f"{self.prefix}-Limit": str(self.limit),
            f"{self.prefix}-Remaining": str(max(0, self.limit - self.used)),
            f"{self.prefix}-Reset": str(reset),
        }


@dataclass
class _Errors:
    """Errors of one endpoint in the last hour; the block doubles each time it is earned again."""

    moments: deque[float] = field(default_factory=deque)
    blocked_until: float = 0.0
    blocks: int = 0


class CallCounter:
    """Counts calls and errors; kept in memory, as a restart of the vendor's balancer would."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._windows: dict[tuple[str, int], tuple[_Window, _Window]] = {}
        self._errors: dict[tuple[str, int, str], _Errors] = {}

    def set_limits(self, limits: Limits) -> None:
        """Change the limits and begin counting anew."""
        self.limits = limits
        self._windows.clear()
        self._errors.clear()

    def take(self, client: str, division: int, now: float) -> tuple[bool, dict[str, str]]:
        """Count one call; whether it is allowed, and the headers: both families, or the exhausted one alone."""
        minute, day = self._windows.setdefault(
            (client, division),
            (
                _Window(_MINUTE, self.limits.a_minute, "X-RateLimit-Minutely"),
                _Window(_DAY, self.limits.a_day, "X-RateLimit"),
            ),
        )
        if not minute.take(now):
            return False, minute.headers()
        if not day.take(now):
            return False, day.headers()
        return True, {**day.headers(), **minute.headers()}

    def blocked(self, client: str, division: int, endpoint: str, now: float) -> bool:
        """Whether errors have closed this endpoint."""
        errors = self._errors.get((client, division, endpoint))
        return errors is not None and now < errors.blocked_until

    def error(self, client: str, division: int, endpoint: str, now: float) -> None:
        """Count one 400, 401, 403 or 404; the tenth within an hour closes the endpoint for an hour, then longer."""
        errors = self._errors.setdefault((client, division, endpoint), _Errors())
        errors.moments.append(now)
        while errors.moments[0] <= now - _HOUR:
            errors.moments.popleft()
        if len(errors.moments) >= _ERRORS_AN_HOUR:
            errors.blocked_until = now + _HOUR * 2**errors.blocks
            errors.blocks += 1
            errors.moments.clear()
