"""A connector's settings as a person typed them into a form; every wrong field is named, no secret is shown again."""

from __future__ import annotations

from collections.abc import Mapping

from collecthub.engine.connection_settings import setting_problems
from collecthub.engine.setting_fields import FieldKind, SettingField, setting_fields, value_of
from collecthub.registers import ConnectorSpec
from collecthub.web.portal.entered import Entered

PREFIX, FORGET = "s.", "forget."
_LONGEST = 20_000


class EnteredSettings:
    """`changes` are the values that were given, `forgotten` the fields that go back to their default."""

    def __init__(self, spec: ConnectorSpec, entered: Entered) -> None:
        self._spec = spec
        self._entered = entered
        self.changes: dict[str, object] = {}
        self.forgotten: list[str] = []
        for field in setting_fields(spec.settings):
            self._read(field)
        for field in setting_fields(spec.settings):
            if field.is_secret:
                entered.given.pop(PREFIX + field.name, None)

    def problems(self, values: Mapping[str, object]) -> dict[str, str]:
        """What the model finds wrong with `values`, by the name of the form's field; the whole has an empty name."""
        found = setting_problems(self._spec, values)
        return {PREFIX + name if name else "": reason for name, reason in found.items()}

    def _read(self, field: SettingField) -> None:
        name = PREFIX + field.name
        text = self._entered.text(name, longest=_LONGEST)
        if field.kind is FieldKind.FLAG:
            self.changes[field.name] = bool(text)
        elif field.kind is FieldKind.MANY and not field.is_secret and not text and not field.is_required:
            self.changes[field.name] = []
        elif text:
            self._take(field, text)
        elif not field.is_secret or self._entered.given.get(FORGET + field.name):
            self.forgotten.append(field.name)

    def _take(self, field: SettingField, text: str) -> None:
        try:
            self.changes[field.name] = value_of(self._spec.settings.model_fields[field.name], text)
        except ValueError as error:
            self._entered.wrong[PREFIX + field.name] = f"{error}"[:300]
