"""How good a score is: order (AUC) and honesty (calibration, Brier score)."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import msgspec


class Bin(msgspec.Struct, frozen=True, kw_only=True):
    """Items of similar predicted chance: what was said and what happened."""

    count: int
    predicted: float  # mean chance that was said
    observed: float  # share in which the event happened


def auc(chances: Sequence[float], events: Sequence[bool]) -> float:
    """The probability that an item with the event got a higher chance than one without; ties count half.

    By the rank sum of Mann and Whitney. NaN where one of both kinds is missing.

    >>> auc([0.1, 0.4, 0.35, 0.8], [False, False, True, True])
    0.75
    """
    pairs = sorted(zip(chances, events, strict=True), key=lambda pair: pair[0])
    positives = sum(event for _, event in pairs)
    negatives = len(pairs) - positives
    if not positives or not negatives:
        return math.nan
    rank_sum, rank = 0.0, 0
    for _, group in itertools.groupby(pairs, key=lambda pair: pair[0]):
        tied = [event for _, event in group]
        rank_sum += sum(tied) * (rank + (len(tied) + 1) / 2)
        rank += len(tied)
    return (rank_sum - positives * (positives + 1) / 2) / (positives * negatives)


def brier(chances: Sequence[float], events: Sequence[bool]) -> float:
    """The mean squared distance between what was said and what happened; 0 is perfect."""
    return math.fsum((chance - event) ** 2 for chance, event in zip(chances, events, strict=True)) / len(chances)


def calibration(chances: Sequence[float], events: Sequence[bool], bins: int = 10) -> tuple[Bin, ...]:
    """Bins of equal size by rising chance: what was said against what happened."""
    pairs = sorted(zip(chances, events, strict=True), key=lambda pair: pair[0])
    edges = [round(len(pairs) * number / bins) for number in range(bins + 1)]
    parts = [pairs[start:end] for start, end in itertools.pairwise(edges) if end > start]
    return tuple(
        Bin(
            count=len(part),
            predicted=math.fsum(chance for chance, _ in part) / len(part),
            observed=sum(event for _, event in part) / len(part),
        )
        for part in parts
    )


def calibration_error(bins: Sequence[Bin]) -> float:
    """The mean distance between said and seen over the bins, weighted by their sizes."""
    total = sum(one.count for one in bins)
    return math.fsum(one.count * abs(one.predicted - one.observed) for one in bins) / total
