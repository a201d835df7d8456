"""Convolution by 3 x 3 taps with 16 multiplications where there would be 36.

Two neighboring results of a filter with three taps take four products, not six:

    y = A (G w * B x)       A: 4 to 2,    G: 3 to 4,    B: 4 to 4

with matrices of 0, 1, -1 and 1/2, so that rounding is hardly worse. On a plane each is
applied along both axes: to tiles of 4 x 4 elements, 2 apart, of which each makes 2 x 2
results. For each of the 16 places in a tile the products are one of matrices, of all
tiles' channels with the filters. The gradients are the transposes of these steps.

All of it is array expressions, of which a compiled plan makes a few loops.

Shapes: x (examples, height, width, channels), w (3, 3, channels, filters), y and g
(examples, height, width, filters); what belongs to tiles (16, examples, tiles along
height, tiles along width, channels or filters).

Source: Lavin and Gray 2016, arXiv:1509.09308, section 4.1.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from types import ModuleType

from minikeras.engine.kernels.slices import product, product_over_rows
from minikeras.engine.kernels.windows import Grid, Window, bordered, laid
from minikeras.engine.spec import Array

__all__ = ["backprop_filter", "backprop_input", "convolve", "suits"]

# For fewer channels or filters the sums are dearer than what the products save.
FEWEST = 8
# Numbers that are kept from one step to the next, and from x to the gradient of w.
MOST, MOST_KEPT = 2**26, 2**21

Square = Sequence[Sequence[Array]]


def suits(grid: Grid, x: Sequence[int], w: Sequence[int]) -> bool:
    """Whether a convolution is better done in this way, given the shapes of x and w."""
    *_, channels, filters = w
    plain = all(w.size == 3 and w.stride == w.dilation == 1 for w in grid.windows)
    many = channels == x[-1] and min(channels, filters) >= FEWEST
    if len(grid.windows) != 2 or not plain or not many:
        return False
    return 0 < 4 * x[0] * math.prod(grid.wide) * (channels + filters) <= MOST


def convolve(xp: ModuleType, x: Array, w: Array, grid: Grid) -> Array:
    """Return the convolution of x with w."""
    v, u = _tiles(xp, x, grid), _filters(xp, w)
    _, *tiles, channels = v.shape
    m = product(xp, v.reshape(16, -1, channels), u).reshape(16, *tiles, u.shape[-1])
    y = laid(xp, _on_plane(_to_results, _square(m, 4)), _pairs(tiles[1:]))
    return _cut(y, grid.counts)


def backprop_filter(xp: ModuleType, x: Array, g: Array, grid: Grid) -> Array:
    """Return the gradient of w, given x and that of y."""
    # With its steps in another order, a plan does not know the value for that which
    # `convolve` made, and makes it anew rather than keep it, four times as large as x.
    v = _tiles(xp, x, grid, turned=4 * x.size > MOST_KEPT)
    v, m = (a.reshape(16, -1, a.shape[-1]) for a in (v, _above(xp, g)))
    u = product_over_rows(xp, v, m)
    dw = xp.stack(_on_plane(_from_filters, _square(u, 4)))
    return dw.reshape(3, 3, *u.shape[1:])


def backprop_input(
    xp: ModuleType, w: Array, g: Array, grid: Grid, channels: int
) -> Array:
    """Return the gradient of x, which has `channels`, given w and that of y."""
    m, u = _above(xp, g), _filters(xp, w.swapaxes(2, 3))
    _, *tiles, filters = m.shape
    d = product(xp, m.reshape(16, -1, filters), u)
    d = d.reshape(4, 4, *tiles, channels)
    dx = _overlapped(xp, _overlapped(xp, d))
    return grid.cropped(_cut(dx, grid.wide))


# -- from arrays to tiles, and back ----------------------------------------------------


def _tiles(xp: ModuleType, x: Array, grid: Grid, turned: bool = False) -> Array:
    """Return B x, for all tiles; `turned`: applied along the height last, not first."""
    widths, sizes = [], []
    for window, n, count in zip(grid.windows, grid.sizes, grid.counts, strict=True):
        before, after = window.pads(n)
        widths.append((before, after + count % 2))
        sizes.append(before + n + after + count % 2)
    tiles = Grid((Window(4, stride=2),) * 2, tuple(sizes))
    whole = bordered(xp, x, ((0, 0), *widths, (0, 0)), 0)
    taps = [whole[reads] for _, reads in tiles.taps()]
    order = [4 * j + i if turned else 4 * i + j for i in range(4) for j in range(4)]
    values = _on_plane(_of_tiles, _square([taps[k] for k in order], 4))
    return xp.stack([values[k] for k in order])


def _above(xp: ModuleType, g: Array) -> Array:
    """Return the gradient of the products, A transposed applied to g."""
    widths = [(0, n % 2) for n in g.shape]
    widths[0] = widths[-1] = (0, 0)
    whole = bordered(xp, g, widths, 0)
    tiles = [-(-n // 2) for n in g.shape[1:-1]]
    taps = [whole[reads] for _, reads in _pairs(tiles).taps()]
    return xp.stack(_on_plane(_from_results, _square(taps, 2)))


def _filters(xp: ModuleType, w: Array) -> Array:
    """Return G w, (16, channels, filters)."""
    return xp.stack(_on_plane(_of_filters, _square(w.reshape(9, *w.shape[2:]), 3)))


def _pairs(tiles: Sequence[int]) -> Grid:
    """Return the windows of the results that each tile makes."""
    return Grid((Window(2, stride=2),) * 2, tuple(2 * n for n in tiles))


def _cut(x: Array, sizes: Sequence[int]) -> Array:
    """Return the view of an array with these sizes in space."""
    return x[(slice(None), *(slice(0, n) for n in sizes))]


def _overlapped(xp: ModuleType, d: Array) -> Array:
    """Return B transposed applied to d, and tiles added where they overlap.

    The axis of four before the others is applied to the tiles of the fourth axis, which
    becomes one of elements.
    """
    _, a, b, n, *rest = d.shape
    x = xp.empty_like(d, shape=(a, b, 2 * n + 2, *rest), order="C")

    def part(start: int, stop: int) -> Sequence[Array]:
        return _from_tiles(*(d[i, :, :, start:stop] for i in range(4)))

    first, last, before, behind = part(0, 1), part(n - 1, n), part(0, n - 1), part(1, n)
    for i in range(2):
        x[:, :, i : i + 1] = first[i]
        x[:, :, 2 + i : 2 * n : 2] = before[i + 2] + behind[i]
        x[:, :, 2 * n + i : 2 * n + i + 1] = last[i + 2]
    return x


# -- the matrices ----------------------------------------------------------------------


def _on_plane(
    matrix: Callable[..., Sequence[Array]], square: Square
) -> Sequence[Array]:
    """Return a matrix applied along both axes of a square of arrays."""
    columns = [matrix(*column) for column in zip(*square, strict=True)]
    return [x for row in zip(*columns, strict=True) for x in matrix(*row)]


def _square(x: Array | Sequence[Array], n: int) -> Square:
    """Return the first n times n items of x in rows."""
    return [[x[n * i + j] for j in range(n)] for i in range(n)]


def _of_tiles(x0: Array, x1: Array, x2: Array, x3: Array) -> Sequence[Array]:
    """Apply B."""
    return x0 - x2, x1 + x2, x2 - x1, x1 - x3


def _from_tiles(v0: Array, v1: Array, v2: Array, v3: Array) -> Sequence[Array]:
    """Apply B transposed."""
    return v0, v1 - v2 + v3, v1 + v2 - v0, -v3


def _of_filters(w0: Array, w1: Array, w2: Array) -> Sequence[Array]:
    """Apply G."""
    return w0, (w0 + w1 + w2) * 0.5, (w0 - w1 + w2) * 0.5, w2


def _from_filters(u0: Array, u1: Array, u2: Array, u3: Array) -> Sequence[Array]:
    """Apply G transposed."""
    middle = (u1 + u2) * 0.5
    return u0 + middle, (u1 - u2) * 0.5, middle + u3


def _to_results(m0: Array, m1: Array, m2: Array, m3: Array) -> Sequence[Array]:
    """Apply A."""
    return m0 + m1 + m2, m1 - m2 - m3


def _from_results(g0: Array, g1: Array) -> Sequence[Array]:
    """Apply A transposed."""
    return g0, g0 + g1, g0 - g1, -g1
