"""Logistic regression by Newton's method with a ridge, small enough to read: no numeric library is needed for it."""

from __future__ import annotations

import math
from collections.abc import Sequence

import msgspec

Vector = Sequence[float]
STEPS_MAX = 50
CONVERGED = 1e-9


class LogisticModel(msgspec.Struct, frozen=True, kw_only=True):
    """A fitted model: weights in standard units of each input, so that their sizes can be compared."""

    names: tuple[str, ...]
    means: tuple[float, ...]
    spreads: tuple[float, ...]
    weights: tuple[float, ...]  # the first is the constant

    def contributions(self, inputs: Vector) -> tuple[tuple[str, float], ...]:
        """What each input adds to the log-odds, against the average of the training set."""
        return tuple(
            (name, weight * (value - mean) / spread)
            for name, weight, value, mean, spread in zip(
                self.names, self.weights[1:], inputs, self.means, self.spreads, strict=True
            )
        )

    def chance(self, inputs: Vector) -> float:
        """The probability of the event."""
        return sigmoid(self.weights[0] + math.fsum(part for _, part in self.contributions(inputs)))


def sigmoid(log_odds: float) -> float:
    """The probability that belongs to log-odds.

    >>> sigmoid(0.0), round(sigmoid(-800.0), 3)
    (0.5, 0.0)
    """
    if log_odds >= 0:
        return 1.0 / (1.0 + math.exp(-log_odds))
    return math.exp(log_odds) / (1.0 + math.exp(log_odds))


def fit(names: Sequence[str], rows: Sequence[Vector], events: Sequence[bool], ridge: float = 1.0) -> LogisticModel:
    """The model of largest penalised likelihood. `ridge` keeps the weights finite where inputs separate the events."""
    means = tuple(math.fsum(column) / len(rows) for column in zip(*rows, strict=True))
    spreads = tuple(
        math.sqrt(math.fsum((value - mean) ** 2 for value in column) / len(rows)) or 1.0
        for column, mean in zip(zip(*rows, strict=True), means, strict=True)
    )
    scaled = [
        (1.0, *((value - mean) / spread for value, mean, spread in zip(row, means, spreads, strict=True)))
        for row in rows
    ]
    weights = [0.0] * (len(names) + 1)
    for _ in range(STEPS_MAX):
        step = _newton_step(scaled, events, weights, ridge)
        weights = [weight + change for weight, change in zip(weights, step, strict=True)]
        if max(map(abs, step)) < CONVERGED:
            break
    return LogisticModel(names=tuple(names), means=means, spreads=spreads, weights=tuple(weights))


def _newton_step(
    rows: Sequence[Vector], events: Sequence[bool], weights: Sequence[float], ridge: float
) -> list[float]:
    size = len(weights)
    gradient = [0.0] + [-ridge * weight for weight in weights[1:]]
    curvature = [[ridge if i == j and i > 0 else 0.0 for j in range(size)] for i in range(size)]
    for row, event in zip(rows, events, strict=True):
        chance = sigmoid(sum(weight * value for weight, value in zip(weights, row, strict=True)))
        miss, sharpness = event - chance, chance * (1.0 - chance)
        for i, value in enumerate(row):
            gradient[i] += miss * value
            line, factor = curvature[i], sharpness * value
            for j in range(i + 1):
                line[j] += factor * row[j]
    for i in range(size):
        for j in range(i):
            curvature[j][i] = curvature[i][j]
    return _solve(curvature, gradient)


def _solve(matrix: list[list[float]], right: list[float]) -> list[float]:
    """The solution of a small linear system by elimination with the largest pivot."""
    size = len(right)
    rows = [[*line, value] for line, value in zip(matrix, right, strict=True)]
    for column in range(size):
        pivot = max(range(column, size), key=lambda i: abs(rows[i][column]))
        rows[column], rows[pivot] = rows[pivot], rows[column]
        head = rows[column]
        for other in range(column + 1, size):
            factor = rows[other][column] / head[column]
            rows[other] = [value - factor * top for value, top in zip(rows[other], head, strict=True)]
    found = [0.0] * size
    for i in reversed(range(size)):
        found[i] = (rows[i][size] - sum(rows[i][j] * found[j] for j in range(i + 1, size))) / rows[i][i]
    return found
