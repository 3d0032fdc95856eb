"""The one place where an error becomes words and an exit code for the person at the terminal."""

from __future__ import annotations

import sys
import traceback
from typing import Any

import typer
from typer.core import TyperGroup

from collecthub.errors import CollecthubError, ConfigurationError, InDoubtError, RetryableError

FINDINGS, CONFIGURATION, UNAVAILABLE = 1, 3, 4  # 0 is done; 2, wrong usage, is the option parser's own
EXIT_CODES: tuple[tuple[type[Exception], int], ...] = (
    (ConfigurationError, CONFIGURATION),
    (RetryableError, UNAVAILABLE),
    (InDoubtError, UNAVAILABLE),
    (OSError, CONFIGURATION),
)


def exit_code(error: Exception) -> int:
    """The exit code of an error; what is refused for good, or a mistake of ours, counts as a finding.

    >>> exit_code(RetryableError("the partner is down"))
    4
    """
    return next((code for kind, code in EXIT_CODES if isinstance(error, kind)), FINDINGS)


def sentences(error: Exception) -> str:
    """What happened and what to do next, one sentence each.

    >>> sentences(ConfigurationError("the port is taken", cure="Choose another one."))
    'The port is taken. Choose another one.'
    """
    if isinstance(error, CollecthubError):
        return " ".join(_sentence(text) for text in (error.message, error.cure) if text)
    if isinstance(error, OSError) and error.filename:
        return f"{error.filename} cannot be used ({error.strerror}). Correct its path or permissions."
    return f"This is a mistake in collecthub: {type(error).__name__}: {error}. Report it with what --debug prints."


def _sentence(text: str) -> str:
    text = text.strip()
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "!", "?")) else ".")


class HubGroup(TyperGroup):
    """The command `collecthub`: `--debug` works at any place, errors are sentences, exit codes are the contract's."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Take `--debug` from wherever it stands."""
        if "--debug" in args:
            args = ["--debug", *(arg for arg in args if arg != "--debug")]
        return super().parse_args(ctx, args)

    def invoke(self, ctx: Any) -> Any:
        """Run the chosen command and translate what it raises."""
        try:
            return super().invoke(ctx)
        except Exception as error:
            # The option parser's own exceptions are ways to end, and it deals with a closed pipe.
            if type(error).__module__.split(".")[0] in ("typer", "click") or isinstance(error, BrokenPipeError):
                raise
            if ctx.params.get("debug"):
                traceback.print_exception(error)
            print(sentences(error), file=sys.stderr)
            raise typer.Exit(exit_code(error)) from error
