"""Cases of cross-correlation, distinct elements, and search for labels."""

import itertools

import numpy as np

from minikeras.engine import ops
from tests.engine.ops.cases import Case, integers


def correlate(a, v, full=True):
    """Sum over all pairs of elements, by how far they are apart."""
    y = np.zeros(len(a) + len(v) - 1)
    for i, j in itertools.product(range(len(a)), range(len(v))):
        y[i - j + len(v) - 1] += a[i] * v[j]
    return y if full else y[len(v) - 1 : len(a)]


def unique_places(x, axis=0):
    """Compare slices as lists."""
    slices = [s.tolist() for s in np.moveaxis(x, axis, 0)]
    distinct = sorted({str(s): s for s in slices}.values())
    return (
        np.array([slices.index(s) for s in distinct]),
        np.array([distinct.index(s) for s in slices]),
        np.array([slices.count(s) for s in distinct]),
    )


def beam_search(chances, lengths, width, paths, blank):
    """Add up the chances of all ways to spell; no beam is ever dropped."""
    batch, steps, classes = chances.shape
    labels = np.full((paths, batch, steps), -1)
    scores = np.full((batch, paths), -np.inf)
    for b in range(batch):
        total = {}
        for way in itertools.product(range(classes), repeat=int(lengths[b])):
            merged = [c for c, _ in itertools.groupby(way)]
            spelled = tuple(c for c in merged if c != blank % classes)
            score = sum(chances[b, t, c] for t, c in enumerate(way))
            total[spelled] = np.logaddexp(total.get(spelled, -np.inf), score)
        best = sorted(total, key=total.get, reverse=True)[:paths]
        for rank, spelled in enumerate(best):
            labels[rank, b, : len(spelled)] = spelled
            scores[b, rank] = total[spelled]
    return labels, scores


def chances(rng):
    x = rng.normal(size=(3, 4, 3))
    return x - np.log(np.exp(x).sum(-1, keepdims=True))


CASES = [
    Case("correlate", ops.correlate, correlate, ((7,), (3,))),
    Case("correlate", ops.correlate, correlate, ((2,), (5,)), note="longer"),
    Case("correlate", ops.correlate, correlate, ((7,), (3,)), {"full": False}),
    Case(
        "unique_places",
        ops.unique_places,
        unique_places,
        (integers((9,), 0, 4),),
        dtype="int32",
        static=False,
    ),
    Case(
        "unique_places",
        ops.unique_places,
        unique_places,
        (integers((2, 9), 0, 2),),
        {"axis": 1},
        dtype="int32",
        static=False,
    ),
    *(
        Case(
            "ctc_beam_search",
            ops.ctc_beam_search,
            beam_search,
            (chances, np.array([4, 3, 0], "int32")),
            {"width": 100, "paths": 3, "blank": blank},
            wrt=(),
        )
        for blank in (0, -1)
    ),
]
