"""Ask a country pack whether a step is lawful."""

from __future__ import annotations

from collecthub.errors import PermanentError
from collecthub.law.rules import CountryLaw
from collecthub.law.steps import StepAnswer, StepQuestion


def check_step(law: CountryLaw, question: StepQuestion) -> StepAnswer:
    """The pack's answer. Raises `PermanentError` where a pack checks no steps: silence would look like consent."""
    if law.check_step is None:
        raise PermanentError(
            f"the pack of {law.title} checks no steps", cure="Ask a lawyer, or install a pack that does."
        )
    return law.check_step(law, question)
