"""Every error collecthub raises on purpose, branched by what the caller should do.

CollecthubError
├── ConfigurationError   stop this connection, tell a person which setting is wrong
│   └── ConsentError     the same, and the cure is one button: give consent again
├── RetryableError       outside is unavailable: try the same thing again later
│   └── UnsettledError   outside is well and this item takes its time: look again later, go on with the next
├── PermanentError       this item is refused: tell a person, go on with the next
│   └── GoneError        outside wants no more calls: stop this connection, keep what waits for it
├── InDoubtError         the act may have happened: probe before anything is sent again
├── QuarantineError      these bytes are not understood: keep them, continue
└── ContractError        a plugin broke its promise: disable it, go on without it

The message is one sentence on what happened; `cure` is one sentence on what to do next.
"""

from __future__ import annotations


class CollecthubError(Exception):
    """Root of all errors. `reference` names the case, file, connection or row that is concerned."""

    def __init__(self, message: str, *, cure: str = "", reference: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.cure = cure
        self.reference = reference


class ConfigurationError(CollecthubError):
    """A setting, credential or key is wrong or missing; nothing works until a person repairs it."""


class ConsentError(ConfigurationError):
    """The outside wants a person's consent, for the first time or again; no setting is wrong."""


class RetryableError(CollecthubError):
    """The outside did not answer or asked to come back; the same call may succeed later."""

    def __init__(
        self, message: str, *, cure: str = "", reference: str = "", retry_after_seconds: float | None = None
    ) -> None:
        super().__init__(message, cure=cure, reference=reference)
        self.retry_after_seconds = retry_after_seconds


class UnsettledError(RetryableError):
    """The outside took this item and has not finished with it; nothing else has to wait."""


class PermanentError(CollecthubError):
    """This item is refused for good in its present form."""


class GoneError(PermanentError):
    """The other side has ended this for good and wants no further calls; nothing is sent until a person resumes it."""


class InDoubtError(CollecthubError):
    """An outward act was begun and its outcome is unknown."""


class QuarantineError(CollecthubError):
    """Inbound bytes that cannot be understood or trusted. `code` is a short dotted reason such as `xml.doctype`."""

    def __init__(self, message: str, *, code: str, cure: str = "", reference: str = "") -> None:
        super().__init__(message, cure=cure, reference=reference)
        self.code = code


class ContractError(CollecthubError):
    """A plugin raised something unknown, answered a wrong type or missed its deadline."""
