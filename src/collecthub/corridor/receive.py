"""Room 1 of BACK: take what a partner left for us through the `StatusSource` port, as untouched bytes."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from collecthub.errors import ContractError
from collecthub.ports import RawMessage, StatusSource

Item = tuple[RawMessage, str]


def receive(
    source: StatusSource, checkpoint: str, walk: Callable[[Iterator[Item]], Iterator[Item]]
) -> Iterator[Item]:
    """New messages with the checkpoint that is valid once each is stored."""
    for raw, position in walk(source.fetch(checkpoint)):
        if not isinstance(raw, RawMessage) or not isinstance(raw.content, bytes):
            raise ContractError("a status source yielded no raw message", cure="Report it to the plugin's author.")
        yield raw, position
