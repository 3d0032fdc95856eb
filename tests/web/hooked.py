"""A partner that pushes: its calls carry a shared word, as a signature would."""

from __future__ import annotations

from pydantic import BaseModel, SecretStr

from collecthub.sdk import (
    ConnectorContext,
    ConnectorRole,
    ConnectorSpec,
    HookAnswer,
    HookRequest,
    PermanentError,
    RawMessage,
    hookimpl,
)


class _Settings(BaseModel):
    word: SecretStr = SecretStr("sesame")


class _Pushing:
    def receive_hook(self, request: HookRequest) -> HookAnswer:
        if request.headers.get("x-word") != "sesame":
            raise PermanentError("the word is wrong", cure="Use the right one.")
        if request.body == b"news":
            return HookAnswer(pull_soon=True)
        raw = RawMessage(remote_ref=request.headers["x-id"], media_type="text/plain", content=request.body)
        return HookAnswer(status=202, messages=(raw,), body="thanks")


def _build(_context: ConnectorContext) -> _Pushing:
    return _Pushing()


@hookimpl
def register_connectors() -> list[ConnectorSpec]:
    return [
        ConnectorSpec(
            kind="pushing", title="Pushing", role=ConnectorRole.PARTNER, settings=_Settings, load=lambda: _build
        )
    ]
