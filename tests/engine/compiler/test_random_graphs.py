"""A compiled plan does what the same nodes do one by one, on random graphs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minikeras.engine.compiler import PASSES, without
from minikeras.engine.session import Session
from tests.engine.compiler.random_graphs import Drawn

RUNS = 2


def results(drawn: Drawn, *off: str) -> list[Any]:
    """Return what runs yield, and the variables they leave, without some passes."""
    drawn.rng = np.random.default_rng(1)
    found: list[Any] = []
    with without(*off, "wait"), Session(graph=drawn.graph) as session:
        session.run([v.initializer for v in drawn.variables])
        for _ in range(RUNS):
            found += session.run([*drawn.fetches, *drawn.updates], drawn.feeds())
            found += session.run(drawn.variables)
    return found


def graphs(exact: bool) -> st.SearchStrategy[Drawn]:
    return st.composite(lambda draw: Drawn(draw, exact))()


def check_exactly(drawn: Drawn, *off: str) -> None:
    """Demand the bits of the plain run."""
    for got, want in zip(results(drawn, *off), results(drawn, "compile"), strict=True):
        np.testing.assert_array_equal(got, want)
        assert np.asarray(got).dtype == np.asarray(want).dtype


def check_roughly(drawn: Drawn) -> None:
    """Demand the numbers of the plain run, but for their last digits."""
    for got, want in zip(results(drawn), results(drawn, "compile"), strict=True):
        np.testing.assert_allclose(got, want, rtol=2e-4, atol=2e-4)


@pytest.mark.parametrize("off", [(), ("native",), *((name,) for name in PASSES)])
@settings(max_examples=15)
@given(drawn=graphs(exact=True))
def test_exact_graphs_agree_bit_for_bit(off: tuple[str, ...], drawn: Drawn) -> None:
    check_exactly(drawn, *off)


@settings(max_examples=40)
@given(drawn=graphs(exact=False))
def test_others_agree_within_rounding(drawn: Drawn) -> None:
    check_roughly(drawn)


@pytest.mark.slow
@pytest.mark.parametrize("off", [(), ("native",)])
@settings(max_examples=1500)
@given(drawn=graphs(exact=True))
def test_thousands_of_exact_graphs(off: tuple[str, ...], drawn: Drawn) -> None:
    check_exactly(drawn, *off)


@pytest.mark.slow
@settings(max_examples=1500)
@given(drawn=graphs(exact=False))
def test_a_thousand_others(drawn: Drawn) -> None:
    check_roughly(drawn)
