"""Where the published contracts lie, and how a twin says that a document breaks one."""

from __future__ import annotations

from pathlib import Path

SCHEMAS = Path(__file__).parents[1] / "formats" / "schemas"


class ContractBreach(ValueError):
    """A document that breaks the published contract; `code` is a short dotted reason."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code, self.reason = code, reason
