"""The built-in connector of cases that enter by form, file, API or from another hub.

It reads nothing and writes nothing; it gives such cases a connection, so that they are routed, watched and shown
like those of an ERP.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from pydantic import BaseModel, ConfigDict

from collecthub.sdk import CheckStep, ConnectorContext, ConnectorRole, ConnectorSpec, hookimpl

KIND = "intake"


class IntakeSettings(BaseModel):
    """Nothing to set."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class IntakeConnector:
    """Satisfies `Checkable`: there is no system behind it that could fail."""

    def check(self) -> Sequence[CheckStep]:
        """Always well."""
        return (CheckStep(name="built in", is_ok=True, detail="cases enter by form, file or API"),)


def _load() -> Callable[[ConnectorContext], object]:
    return lambda _context: IntakeConnector()


@hookimpl
def register_connectors() -> Sequence[ConnectorSpec]:
    """One kind, made on demand per creditor."""
    return [
        ConnectorSpec(
            kind=KIND, title="Form, file and API", role=ConnectorRole.ERP, settings=IntakeSettings, load=_load
        )
    ]
