"""Threads that decode one type for the first time at once: without `learn_types` this process would die."""

from __future__ import annotations

import subprocess
import sys

import pytest

PROGRAM = """
import sys, threading
from typing import Generic, TypeVar
import msgspec
from collecthub.engine.known_types import learn_types
from collecthub.wire.decoders import decoder

T = TypeVar("T")

class Answer(msgspec.Struct, Generic[T]):
    d: T

sys.setswitchinterval(1e-6)
for number in range(300):
    inner = msgspec.defstruct(f"Inner{number}", [("a", int), ("b", str | None, None)])
    outer = msgspec.defstruct(f"Outer{number}", [(f"f{k}", inner | None, None) for k in range(30)])
    if sys.argv[1] == "learned":
        learn_types()
    gate = threading.Barrier(12)

    def decode(outer=outer, gate=gate):
        gate.wait()
        msgspec.json.decode(b'{"f3": {"a": 1, "b": "x"}, "f29": {"a": 2}}', type=outer)

    def read_answer(outer=outer, gate=gate):  # a generic type, put together where it is used
        gate.wait()
        decoder(Answer[outer]).decode(b'{"d": {"f3": {"a": 1}}}')

    threads = [threading.Thread(target=target) for target in (decode, read_answer) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
"""


@pytest.mark.chaos
def test_learned_types_are_safe_in_threads() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM, "learned"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
