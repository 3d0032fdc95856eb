"""Pictures of numbers: inline SVG drawn on the server, sized by attributes, without script and style.

Each bar stands beside its label and its figure as text: the picture is never the only way to the number.
"""

from __future__ import annotations

from decimal import Decimal

from markupsafe import Markup

_LEAST = Decimal("0.8")  # a sum that is there must be seen, per cent of the whole width


def share(amount: Decimal, largest: Decimal) -> Decimal:
    """Length of a bar in per cent of the longest.

    >>> share(Decimal(25), Decimal(100)), share(Decimal("0.01"), Decimal(100)), share(Decimal(0), Decimal(0))
    (Decimal('25.0'), Decimal('0.8'), Decimal('0'))
    """
    if largest <= 0 or amount <= 0:
        return Decimal(0)
    return max(_LEAST, (amount * 100 / largest).quantize(Decimal("0.1")))


def bar(amount: Decimal, largest: Decimal, name: str = "") -> Markup:
    """A lying bar as wide as its place allows."""
    part = share(amount, largest)
    return Markup(
        '<svg class="bar" viewBox="0 0 100 8" preserveAspectRatio="none" role="img" aria-label="{1}">'
        '<rect class="track" width="100" height="8"/><rect class="fill-main" width="{0}" height="8"/></svg>'
    ).format(part, f"{name}: {part} per cent of the largest")


def column(amount: Decimal, largest: Decimal, name: str = "") -> Markup:
    """A standing bar as high as its place allows."""
    height = share(amount, largest)
    return Markup(
        '<svg class="column" viewBox="0 0 10 100" preserveAspectRatio="none" role="img" aria-label="{2}">'
        '<title>{2}</title><rect class="track" y="99" width="10" height="1"/>'
        '<rect class="fill-main" y="{0}" width="10" height="{1}"/></svg>'
    ).format(100 - height, height, name)
