"""How long a variable's value is kept: as long as somebody could ask for it."""

from __future__ import annotations

import gc

import numpy as np

from minikeras import backend as K


def test_a_graph_keeps_the_variables_that_it_reads() -> None:
    x = K.placeholder(shape=(2,))
    f = K.function([x], [x * K.variable([1.0, 2.0])])
    gc.collect()
    np.testing.assert_array_equal(f([[3.0, 4.0]])[0], [3.0, 8.0])


def test_what_nothing_refers_to_is_let_go() -> None:
    def count() -> int:
        gc.collect()
        return len(K.get_session().values)

    K.clear_session()
    kept = K.variable(np.zeros(3))
    f = K.function([], [K.variable(np.ones(1000)) * 2.0])
    f([])
    with_both = count()
    del f
    K.clear_session()
    assert count() == with_both - 1
    np.testing.assert_array_equal(K.get_value(kept), np.zeros(3))
