"""The table of cases: for each op a call, and NumPy's word on what it must return.

`test_cases` puts every case through the same checks. The cases are in the files
``cases_<family>.py`` beside this one, each with a list ``CASES``; ops which do not fit
into the table are named there in ``ELSEWHERE``, with the file that tests them, as seen
from this folder.
"""

from __future__ import annotations

import importlib
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

__all__ = ["Case", "booleans", "distinct", "integers", "load", "normal", "uniform"]

HERE = Path(__file__).parent

Maker = Callable[[np.random.Generator], np.ndarray]


@dataclass(frozen=True)
class Case:
    """One call of one op.

    Attributes:
        op: its name in the registry.
        function: its public function: of the inputs, then `kwargs`.
        oracle: the same in NumPy; its floating-point inputs are float64.
        inputs: for each array its maker, or just a shape (uniform from -2 to 2), or
            a fixed array.
        kwargs: given to both `function` and `oracle`.
        wrt: the inputs that gradients reach; by default all floating-point ones.
        note: tells cases of one op apart.
        dtype: of the result; by default that of the floating-point inputs if the
            oracle's result is floating-point, or else of the oracle's kind.
        rtol: allowed error, as a multiple of what the dtype usually gets.
        static: whether known input shapes decide the output's shape.
        ranked: whether known input ranks decide the output's rank.
        any_rank: whether it can be built on inputs of unknown rank.
        second: whether its gradient can be differentiated.
        exact: whether a plan gives the very bits that the kernel gives.
    """

    op: str
    function: Callable[..., Any]
    oracle: Callable[..., Any]
    inputs: tuple[tuple[int, ...] | np.ndarray | Maker, ...]
    kwargs: dict[str, Any] = field(default_factory=dict)
    wrt: tuple[int, ...] | None = None
    note: str = ""
    dtype: str | None = None
    rtol: float = 1.0
    static: bool = True
    ranked: bool = True
    any_rank: bool = True
    second: bool = True
    exact: bool = True

    def __str__(self) -> str:
        kwargs = ",".join(f"{k}={v}" for k, v in self.kwargs.items())
        return "-".join(filter(None, [self.op, self.note or kwargs.replace(" ", "")]))

    @property
    def rng(self) -> np.random.Generator:
        """Random numbers of its own: other cases do not disturb them."""
        return np.random.default_rng(zlib.crc32(str(self).encode()))

    def arrays(self, dtype: str = "float64") -> list[np.ndarray]:
        """Return the inputs, those of floating point in `dtype`."""
        rng = self.rng
        made = [_make(given, rng) for given in self.inputs]
        return [a.astype(dtype) if a.dtype.kind == "f" else a for a in made]

    def call(self, *xs: Any) -> Any:
        """Call the function on arrays or tensors."""
        return self.function(*xs, **self.kwargs)

    def expected(self, arrays: list[np.ndarray]) -> Any:
        """Return the oracle's result."""
        wide = [a.astype("float64") if a.dtype.kind == "f" else a for a in arrays]
        with np.errstate(all="ignore"):
            return self.oracle(*wide, **self.kwargs)

    def differentiable(self) -> list[int]:
        """Return which inputs gradients reach."""
        if self.wrt is not None:
            return list(self.wrt)
        return [i for i, a in enumerate(self.arrays()) if a.dtype.kind == "f"]


def _make(given: Any, rng: np.random.Generator) -> np.ndarray:
    if isinstance(given, tuple):
        return uniform(given)(rng)
    return given(rng) if callable(given) else given.copy()


def uniform(shape: tuple[int, ...], low: float = -2.0, high: float = 2.0) -> Maker:
    """Make floats between `low` and `high`."""
    return lambda rng: np.asarray(rng.uniform(low, high, shape))


def normal(shape: tuple[int, ...]) -> Maker:
    """Make floats of the standard normal distribution."""
    return lambda rng: np.asarray(rng.standard_normal(shape))


def distinct(shape: tuple[int, ...], low: float = -2.0, high: float = 2.0) -> Maker:
    """Make floats no two of which are close: for maxima, sorting and the like."""
    count = int(np.prod(shape))
    return lambda rng: rng.permutation(np.linspace(low, high, count)).reshape(shape)


def integers(
    shape: tuple[int, ...], low: int = -5, high: int = 6, dtype: str = "int32"
) -> Maker:
    """Make integers from `low` up to, and without, `high`."""
    return lambda rng: np.asarray(rng.integers(low, high, shape)).astype(dtype)


def booleans(shape: tuple[int, ...]) -> Maker:
    """Make truth values, half of them true."""
    return lambda rng: np.asarray(rng.random(shape)) < 0.5


def load() -> tuple[list[Case], dict[str, str]]:
    """Return all cases, and the ops tested in other files with the names of those."""
    cases: list[Case] = []
    elsewhere: dict[str, str] = {}
    for path in sorted(HERE.glob("cases_*.py")):
        module = importlib.import_module(f"tests.engine.ops.{path.stem}")
        cases += module.CASES
        elsewhere |= getattr(module, "ELSEWHERE", {})
    return cases, elsewhere
