"""Values of LLVM's language that are added, compared and chosen by Python's operators.

A `Value` stands for an SSA value: a number, or a vector of `lanes` numbers which go
through an instruction together. Its operators write one line of text each into the
`Function` that it belongs to, so that formulas read as formulas:

    y = where(x < 0.0, fma(p, r, c), x)

becomes

    %7 = fcmp olt <16 x float> %4, splat (float 0.0)
    %8 = call <16 x float> @llvm.fma.v16f32(<16 x float> %5, ...
    %9 = select <16 x i1> %7, <16 x float> %8, <16 x float> %4
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from minikeras.engine.native.function import Function

__all__ = ["BOOL", "SCALARS", "DType", "Value", "fma", "llvm_type", "suffix", "where"]

BOOL = np.dtype(bool)
DType: TypeAlias = "np.dtype[Any]"

# By kind and size in bytes. Signs belong to instructions, not to types.
SCALARS = {"b1": "i1", "f2": "half", "f4": "float", "f8": "double"} | {
    f"{kind}{size}": f"i{8 * size}" for kind in "iu" for size in (1, 2, 4, 8)
}
# The same in the names of intrinsics.
SUFFIXES = {"half": "f16", "float": "f32", "double": "f64"}

# C leaves open what a float out of an integer's range becomes. NumPy's compilers go
# through a wider integer and cut it off.
_THROUGH: dict[DType, DType] = {
    np.dtype(narrow): np.dtype(wide)
    for wide, several in (("i4", ("i1", "u1", "i2", "u2")), ("i8", ("u4",)))
    for narrow in several
}


@lru_cache(maxsize=1024)
def llvm_type(dtype: DType, lanes: int = 0) -> str:
    """Return the type of a vector, or without lanes of a number."""
    scalar = SCALARS[dtype.str[1:]]
    return f"<{lanes} x {scalar}>" if lanes else scalar


@lru_cache(maxsize=1024)
def suffix(dtype: DType, lanes: int) -> str:
    """Return the same as the names of intrinsics have it."""
    scalar = llvm_type(dtype)
    return f"{f'v{lanes}' if lanes else ''}{SUFFIXES.get(scalar, scalar)}"


class Value:
    """One SSA value, or a constant.

    Attributes:
        code: the function that it is part of.
        text: its name or literal.
        dtype: of its numbers.
        lanes: how many they are; 0 for a single number which is no vector.
        type: LLVM's name for dtype and lanes.
    """

    __slots__ = ("code", "dtype", "lanes", "text", "type")

    def __init__(self, code: Function, text: str, dtype: DType, lanes: int) -> None:
        self.code, self.text, self.dtype, self.lanes = code, text, dtype, lanes
        self.type = llvm_type(dtype, lanes)

    def like(self, number: Any) -> Value:
        """Return a constant of this value's type; a Value is returned as it is."""
        if isinstance(number, Value):
            return number
        return self.code.constant(number, self.dtype, self.lanes)

    def _binary(self, operation: str, y: Any) -> Value:
        text = f"{operation} {self.type} {self.text}, {self.like(y).text}"
        return self.code.emit(text, self.dtype, self.lanes)

    def _arithmetic(self, operation: str, y: Any) -> Value:
        return self._binary(f"f{operation}" if self.dtype.kind == "f" else operation, y)

    def __add__(self, y: Any) -> Value:
        return self._arithmetic("add", y)

    def __sub__(self, y: Any) -> Value:
        return self._arithmetic("sub", y)

    def __mul__(self, y: Any) -> Value:
        return self._arithmetic("mul", y)

    def __truediv__(self, y: Any) -> Value:
        return self._binary("fdiv", y)

    def __neg__(self) -> Value:
        if self.dtype.kind == "f":
            text = f"fneg {self.type} {self.text}"
            return self.code.emit(text, self.dtype, self.lanes)
        return self.like(0) - self

    def __and__(self, y: Any) -> Value:
        return self._binary("and", y)

    def __or__(self, y: Any) -> Value:
        return self._binary("or", y)

    def __xor__(self, y: Any) -> Value:
        return self._binary("xor", y)

    def __invert__(self) -> Value:
        return self ^ (-1 if self.dtype != BOOL else True)

    def __lshift__(self, y: Any) -> Value:
        return self._binary("shl", y)

    def __rshift__(self, y: Any) -> Value:
        return self._binary("ashr" if self.dtype.kind == "i" else "lshr", y)

    def quotient(self, y: Value) -> Value:
        """Divide integers, cutting off towards zero; `y` must not be 0."""
        return self._binary("sdiv" if self.dtype.kind == "i" else "udiv", y)

    def remainder(self, y: Value) -> Value:
        """Return what `quotient` leaves."""
        return self._binary("srem" if self.dtype.kind == "i" else "urem", y)

    def _compare(self, floats: str, signed: str, unsigned: str, y: Any) -> Value:
        kinds = {"f": f"fcmp {floats}", "i": f"icmp {signed}"}
        predicate = kinds.get(self.dtype.kind, f"icmp {unsigned}")
        text = f"{predicate} {self.type} {self.text}, {self.like(y).text}"
        return self.code.emit(text, BOOL, self.lanes)

    def __lt__(self, y: Any) -> Value:
        return self._compare("olt", "slt", "ult", y)

    def __le__(self, y: Any) -> Value:
        return self._compare("ole", "sle", "ule", y)

    def __gt__(self, y: Any) -> Value:
        return self._compare("ogt", "sgt", "ugt", y)

    def __ge__(self, y: Any) -> Value:
        return self._compare("oge", "sge", "uge", y)

    def equals(self, y: Any) -> Value:
        """Return whether x = y; never true of a NaN."""
        return self._compare("oeq", "eq", "eq", y)

    def differs(self, y: Any) -> Value:
        """Return whether x and y differ; always true of a NaN."""
        return self._compare("une", "ne", "ne", y)

    def is_nan(self) -> Value:
        """Return whether a float is not a number."""
        return self._compare("uno", "ne", "ne", self)

    def intrinsic(self, name: str, *others: Value) -> Value:
        """Return what LLVM's intrinsic of that name makes of this and `others`."""
        full = f"@llvm.{name}.{suffix(self.dtype, self.lanes)}"
        return self.code.call(full, (self, *others), self)

    def scaled(self, n: Value) -> Value:
        """Return ``x * 2**n``, rounded once."""
        kinds = f"{suffix(self.dtype, self.lanes)}.{suffix(n.dtype, n.lanes)}"
        return self.code.call(f"@llvm.ldexp.{kinds}", (self, n), self)

    def cast(self, dtype: DType) -> Value:
        """Return this in another dtype, as ``astype`` does."""
        to = np.dtype(dtype)
        source = self.dtype
        if to == source:
            return self
        if to == BOOL:
            return self.differs(0)
        through = _THROUGH.get(to) if source.kind == "f" else None
        if through:
            return self.cast(through).cast(to)
        return self._convert(_conversion(source, to), to)

    def _convert(self, operation: str, to: DType) -> Value:
        target = llvm_type(to, self.lanes)
        if target == self.type:
            return Value(self.code, self.text, to, self.lanes)
        text = f"{operation} {self.type} {self.text} to {target}"
        return self.code.emit(text, to, self.lanes)

    def bits(self) -> Value:
        """Return the bits of floats as signed integers, or the other way round."""
        kind = "i" if self.dtype.kind == "f" else "f"
        return self._convert("bitcast", np.dtype(f"{kind}{self.dtype.itemsize}"))

    def splat(self, lanes: int) -> Value:
        """Return a vector with this number in all lanes."""
        if self.lanes or not lanes:
            return self
        code, dtype, vector = self.code, self.dtype, llvm_type(self.dtype, lanes)
        if not self.text.startswith("%"):
            return Value(code, f"splat ({self.type} {self.text})", dtype, lanes)
        text = f"insertelement {vector} poison, {self.type} {self.text}, i32 0"
        first = code.emit(text, dtype, lanes)
        text = f"shufflevector {vector} {first.text}, {vector} poison, "
        return code.emit(f"{text}<{lanes} x i32> zeroinitializer", dtype, lanes)

    def part(self, begin: int, lanes: int) -> Value:
        """Return `lanes` lanes from `begin` on; no lanes: that one number."""
        if not lanes:
            text = f"extractelement {self.type} {self.text}, i32 {begin}"
            return self.code.emit(text, self.dtype, 0)
        chosen = ", ".join(f"i32 {lane}" for lane in range(begin, begin + lanes))
        text = f"shufflevector {self.type} {self.text}, {self.type} poison, "
        return self.code.emit(f"{text}<{lanes} x i32> <{chosen}>", self.dtype, lanes)


@lru_cache(maxsize=1024)
def _conversion(source: DType, to: DType) -> str:
    """Return the instruction that converts numbers of one dtype to another."""
    if source.kind == "f" and to.kind == "f":
        return "fpext" if to.itemsize > source.itemsize else "fptrunc"
    if source.kind == "f":
        return "fptosi" if to.kind == "i" else "fptoui"
    signed = source.kind == "i"
    if to.kind == "f":
        return "sitofp" if signed else "uitofp"
    if source != BOOL and to.itemsize <= source.itemsize:
        return "trunc"
    return "sext" if signed else "zext"


def where(condition: Value, x: Any, y: Any) -> Value:
    """Return x where the condition holds, elsewhere y; one of them may be a number."""
    if isinstance(x, Value):
        y = x.like(y)
    x = y.like(x)
    text = (
        f"select {condition.type} {condition.text}, "
        f"{x.type} {x.text}, {y.type} {y.text}"
    )
    return x.code.emit(text, x.dtype, x.lanes)


def fma(x: Value, y: Any, z: Any) -> Value:
    """Return x y + z, rounded once."""
    return x.intrinsic("fma", x.like(y), x.like(z))
