"""Speaks the feed of one register: pages of publications after a position."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from collecthub.sdk import ConfigurationError, PermanentError, RetryableError
from collecthub.wire.http import HttpClient, safe_json
from collecthub_insolvency_register.settings import InsolvencyRegisterSettings

_PAGE_BYTES = 5_000_000


class RegisterClient:
    """One subscription."""

    def __init__(self, settings: InsolvencyRegisterSettings, *, allow_loopback: bool) -> None:
        self._size = settings.page_size
        self._http = HttpClient(
            settings.base_url, allow_loopback=allow_loopback, max_bytes=_PAGE_BYTES,
            headers={"Authorization": f"Bearer {settings.token.get_secret_value()}"},
        )  # fmt: skip

    def close(self) -> None:
        """Give the connection back."""
        self._http.close()

    def page(self, after: str, limit: int = 0) -> dict[str, Any]:
        """One page after a position, the first one after none."""
        query = {"limit": str(limit or self._size), **({"after": after} if after else {})}
        answer = self._http.request("GET", f"publications?{urlencode(query)}")
        if answer.is_success:
            found = safe_json(answer.content)
            if isinstance(found, dict) and isinstance(found.get("items"), list):
                return found
            raise PermanentError("the register's answer is no list of publications", cure="Ask its provider.")
        said = answer.json_error_text()
        if answer.status in (401, 403):
            raise ConfigurationError(f"the register does not let us in ({said})", cure="Correct the token.")
        if answer.status == 429 or answer.status >= 500:
            raise RetryableError(f"the register cannot answer now ({said})", retry_after_seconds=answer.retry_after_seconds)
        raise PermanentError(f"the register refused the question ({said})", cure="Ask its provider.")
