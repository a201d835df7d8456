"""Cases of complex numbers, made of real ones and taken apart: gradients are real."""

import numpy as np

from minikeras.engine import ops
from tests.engine.ops.cases import Case, integers

X = (2, 3)


def parts(z):
    return ops.real(z), ops.imag(z)


def of_complex(function):
    """Return a function of complex numbers as one of their parts, with such results."""

    def call(x, y):
        z = function(ops.complex(x, y))
        return parts(z) if "complex" in str(z.dtype) else z

    return call


def oracle(function):
    def call(x, y):
        z = np.asarray(function(x + 1j * y))
        return (z.real, z.imag) if np.iscomplexobj(z) else z

    return call


def case(op, function, numpys, *shapes, **fields):
    return Case(op, of_complex(function), oracle(numpys), shapes or (X, X), **fields)


ZEROS = np.array([[0.0, 1.5, 0.0], [-2.0, 0.0, 0.5]])

CASES = [
    case("complex", lambda z: z, lambda z: z),
    case("complex", lambda z: z * z, np.square, (2, 3), (3,), note="broadcast"),
    case("complex", lambda z: 1j * z / (z + 3), lambda z: 1j * z / (z + 3), note="by"),
    case("complex", lambda z: z @ z, lambda z: z @ z, (3, 3), (3, 3), note="product"),
    case("complex", ops.exp, np.exp, note="function"),
    case("real", lambda z: ops.real(z * z), lambda z: (z * z).real),
    case("imag", lambda z: ops.imag(z * z), lambda z: (z * z).imag),
    case("conjugate", lambda z: ops.conjugate(z) * z * z, lambda z: z.conj() * z * z),
    case("absolute", ops.absolute, np.abs, note="complex"),
    case("absolute", lambda z: ops.absolute(z * z), lambda z: abs(z) ** 2, note="z²"),
    case("arctan2", ops.angle, np.angle, note="angle"),
    Case(
        "equal",
        lambda x, y: ops.isreal(ops.complex(x, y)),
        lambda x, y: y == 0,
        (X, ZEROS),
        wrt=(),
        note="isreal",
    ),
    Case("arctan2", ops.angle, np.angle, (X,), wrt=(), note="angle of real"),
    Case(
        "complex",
        lambda x, y: ops.real(ops.complex(x, y)),
        lambda x, y: 1.0 * x,
        (integers(X), integers(X)),
        note="integers",
        wrt=(),
    ),
]
