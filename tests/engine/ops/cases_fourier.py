"""Cases of Fourier transforms against sums of exponentials, and of frames."""

import functools

import numpy as np

from minikeras.engine import ops
from tests.engine.ops.cases import Case, integers
from tests.engine.ops.cases_complexes import parts


def matrix(n, sign=-1):
    """Return the matrix of the discrete Fourier transform, element by element."""
    k = np.arange(n)
    return np.exp(sign * 2j * np.pi * np.outer(k, k) / n).round(15)


def transform(x, y, axes=(-1,), inverse=False):
    z = x + 1j * y
    for axis in axes:
        n = z.shape[axis]
        m = matrix(n, 1) / n if inverse else matrix(n)
        z = np.moveaxis(np.moveaxis(z, axis, -1) @ m, -1, axis)
    return z.real, z.imag


def fftn(x, y, **kwargs):
    return parts(ops.fftn(ops.complex(x, y), **kwargs))


def rfft(x):
    return parts(ops.rfft(x))


def half_transform(x):
    n = x.shape[-1]
    z = (x @ matrix(n))[..., : n // 2 + 1]
    return z.real, z.imag


def irfft(x, y, length):
    return ops.irfft(ops.complex(x, y), length)


def mirrored(x, y, length):
    """Return the inverse transform of all frequencies, those left out mirrored."""
    z = x + 1j * y
    full = [z[..., 0].real] + [
        z[..., k].real if 2 * k == length else z[..., k]
        for k in range(1, length // 2 + 1)
    ]
    full += [z[..., length - k].conj() for k in range(length // 2 + 1, length)]
    return (np.stack(full, -1) @ matrix(length, 1)).real / length


def frames(x, sequence_length, sequence_stride):
    n, k = x.shape[-1], sequence_length
    starts = range(0, n - k + 1, sequence_stride)
    return np.stack([x[..., i : i + k] for i in starts], -2)


def overlap_add(x, sequence_length, sequence_stride):
    count = x.shape[-2]
    y = np.zeros((*x.shape[:-2], (count - 1) * sequence_stride + sequence_length))
    for i in range(count):
        first = i * sequence_stride
        y[..., first : first + sequence_length] += x[..., i, :]
    return y


case = functools.partial(Case, rtol=4)

CASES = [
    *(
        case("fftn", fftn, transform, (shape, shape), kwargs)
        for shape, kwargs in [
            ((5,), {}),
            ((2, 3, 4), {"inverse": True}),
            ((2, 3, 4), {"axes": (-2, -1)}),
            ((3, 5), {"axes": (0, 1), "inverse": True}),
            ((3, 2), {"axes": (0,)}),
        ]
    ),
    *(
        case("rfft", rfft, half_transform, ((2, n),), note=f"{n}", any_rank=False)
        for n in (1, 2, 5, 8)
    ),
    case(
        "rfft",
        rfft,
        half_transform,
        (integers((2, 6)),),
        note="integers",
        any_rank=False,
    ),
    *(
        case(
            "irfft",
            irfft,
            mirrored,
            ((2, n // 2 + 1),) * 2,
            {"length": n},
            any_rank=False,
        )
        for n in (1, 2, 5, 8)
    ),
    *(
        Case(
            "extract_sequences",
            ops.extract_sequences,
            frames,
            (shape,),
            {"sequence_length": k, "sequence_stride": stride},
            note=f"{k} by {stride} of {shape}",
            any_rank=False,
        )
        for shape, k, stride in [
            ((9,), 3, 1),
            ((2, 9), 4, 2),
            ((2, 2, 10), 5, 3),
            ((2, 11), 2, 4),
            ((2, 4), 4, 2),
        ]
    ),
    *(
        Case(
            "scatter_selected",
            ops.overlap_add,
            overlap_add,
            ((2, count, k),),
            {"sequence_length": k, "sequence_stride": stride},
            note=f"{count} pieces of {k} by {stride}",
            any_rank=False,
        )
        for count, k, stride in [(4, 5, 2), (3, 2, 3), (1, 4, 1)]
    ),
]
