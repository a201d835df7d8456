"""Arguments of augmentations: within what limits to draw, in what range pixels are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

__all__ = ["Limits", "interval", "known", "sorted_range"]

Pair = tuple[float, float]


def interval(value: Any, bounds: Pair, name: str = "factor") -> Pair:
    """Return the lowest and the highest number to draw; of `f` that is -f and f.

    Args:
        value: one number or two.
        bounds: what may be drawn at all; what lies beyond is cut off.
        name: of the argument.

    Raises:
        ValueError: if it is neither, or lies outside the bounds.
    """
    low, high = bounds
    problem = ValueError(
        f"The `{name}` argument should be a number (or a list of two numbers) in the "
        f"range [{low}, {high}]. Received: factor={value}"
    )
    if isinstance(value, (tuple, list)):
        if len(value) != 2 or value[0] > high or value[1] < low:
            raise problem
        return min(value), max(value)
    if not isinstance(value, (int, float)) or not low <= value <= high:
        raise problem
    return max(-abs(value), low), abs(value)


class Limits(NamedTuple):
    """Between what each number of a factor must lie.

    Attributes:
        arguments: what they limit, as a message says it.
        shown: the limits as a message says them; "(" for a low one that is excluded.
        low: the lowest number.
        high: the highest number.
    """

    arguments: str
    shown: str
    low: float
    high: float = 1.0

    def interval(self, value: Any, name: str) -> Pair:
        """Return the lowest and the highest number to draw; of `f` that is -f and f.

        Raises:
            ValueError: if `value` is not one number or two within the limits.
        """
        problem = (
            f"The {self.arguments} should be a number (or a list of two numbers) in "
            f"the range {self.shown}. Received: "
        )
        single = isinstance(value, (int, float))
        if not single and not (isinstance(value, (tuple, list)) and len(value) == 2):
            raise ValueError(f"{problem}{name}={value}")
        numbers = (value,) if single else value
        for n in numbers:
            excluded = n == self.low and self.shown.startswith("(")
            if n > self.high or n < self.low or excluded:
                raise ValueError(f"{problem}input_number={n}")
        return (-abs(value), abs(value)) if single else (min(value), max(value))


def sorted_range(value: Any) -> list[float]:
    """Return the lowest and the highest value of a pixel.

    Raises:
        ValueError: if they are not given as two numbers.
    """
    if not isinstance(value, (tuple, list)) or len(value) != 2:
        raise ValueError(
            "The `value_range` argument should be a list of two numbers. Received: "
            f"value_range={value}"
        )
    return sorted(value)


def known(name: str, value: str, among: Sequence[str]) -> str:
    """Return `value`.

    Raises:
        NotImplementedError: if it is not `among` those that there are.
    """
    if value not in among:
        raise NotImplementedError(
            f"Unknown `{name}` {value}. Expected of one {tuple(among)}."
        )
    return value
