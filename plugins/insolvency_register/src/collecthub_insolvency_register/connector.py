"""One register: what it published since the last look."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from collecthub.sdk import (
    CheckStep,
    ConnectorContext,
    InsolvencyNotice,
    NoticePage,
    try_reach,
)
from collecthub_insolvency_register.client import RegisterClient
from collecthub_insolvency_register.mapping import notice_of


class InsolvencyRegisterConnector:
    """Satisfies `InsolvencyRegister` and `Checkable`."""

    def __init__(self, ctx: ConnectorContext) -> None:
        self._client = RegisterClient(ctx.settings, allow_loopback=ctx.allow_loopback)

    def close(self) -> None:
        """Give the connection back."""
        self._client.close()

    def notices(self, checkpoint: str) -> Iterator[NoticePage]:
        """Page after page until nothing is left; a row that cannot be understood never stops its neighbours."""
        after = checkpoint
        while True:
            page = self._client.page(after)
            notices: list[InsolvencyNotice] = []
            unread: list[str] = []
            for row in page["items"]:
                try:
                    notices.append(notice_of(row))
                except (KeyError, TypeError, ValueError, AttributeError):
                    unread.append(str(row.get("id", "?"))[:140] if isinstance(row, dict) else "?")
            following = str(page.get("next") or "")
            yield NoticePage(notices=notices, checkpoint=following or after, unread=unread)
            if not following or following == after or not page["items"]:
                return
            after = following

    def check(self) -> Sequence[CheckStep]:
        """Reach the register and log in; nothing is stored."""
        return try_reach(lambda: self._client.page("", limit=1))
