"""Writing LLVM's intermediate representation: values that are added, compared, chosen.

A `Value` stands for an SSA value: a number, or a vector of `lanes` numbers which go
through an instruction together. Its operators write one line of text each into the
`Function` that it belongs to, so that formulas read as formulas:

    p = fma(p, r, c)        %7 = call <16 x float> @llvm.fma.v16f32(...)
    y = where(x < 0.0, p, x)

No pass of LLVM's optimizer runs on the text: it is written as it should be, and what
is left to LLVM is the choice of machine instructions, their order and registers.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from minikeras.engine.native.jit import Host

__all__ = ["BOOL", "Function", "State", "Value", "fma", "llvm_type", "where"]

BOOL = np.dtype(bool)

# By kind and size in bytes. Signs belong to instructions, not to types.
SCALARS = {"b1": "i1", "f2": "half", "f4": "float", "f8": "double"} | {
    f"{kind}{size}": f"i{8 * size}" for kind in "iu" for size in (1, 2, 4, 8)
}
SUFFIXES = {
    "half": "f16",
    "float": "f32",
    "double": "f64",
}  # in the names of intrinsics

# C leaves open what a float out of an integer's range becomes. NumPy's compilers go
# through a wider integer and cut it off.
_THROUGH: dict[np.dtype[Any], np.dtype[Any]] = {
    np.dtype(narrow): np.dtype(wide)
    for wide, several in (("i4", ("i1", "u1", "i2", "u2")), ("i8", ("u4",)))
    for narrow in several
}

# What is carried from one iteration to the next; some totals need two values.
State = tuple["Value", ...]


@lru_cache(maxsize=1024)
def llvm_type(dtype: np.dtype[Any], lanes: int = 0, memory: bool = False) -> str:
    """Return the type of a number (no lanes) or vector; in memory a bool is a byte."""
    scalar = SCALARS[dtype.str[1:]]
    if memory and dtype == BOOL:
        scalar = "i8"
    return f"<{lanes} x {scalar}>" if lanes else scalar


@lru_cache(maxsize=1024)
def _suffix(dtype: np.dtype[Any], lanes: int, memory: bool = False) -> str:
    scalar = llvm_type(dtype, 0, memory)
    return f"{f'v{lanes}' if lanes else ''}{SUFFIXES.get(scalar, scalar)}"


def _literal(number: Any, dtype: np.dtype[Any]) -> str:
    """Return a number's text, exact: floats by the bits of the double they equal."""
    if dtype.kind == "f":
        exact = struct.pack(">d", float(dtype.type(number)))
        return f"0x{exact.hex().upper()}"
    if dtype == BOOL:
        return "true" if number else "false"
    return str(int(number))


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

    def __init__(
        self, code: Function, text: str, dtype: np.dtype[Any], lanes: int
    ) -> None:
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
        """Return what `quotient`, or for floats C's fmod, leaves."""
        kinds = {"f": "frem", "i": "srem"}
        return self._binary(kinds.get(self.dtype.kind, "urem"), y)

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
        full = f"@llvm.{name}.{_suffix(self.dtype, self.lanes)}"
        values = (self, *others)
        return self.code.call(full, values, self.dtype, self.lanes)

    def scaled(self, n: Value) -> Value:
        """Return ``x * 2**n``, rounded once."""
        name = f"@llvm.ldexp.{_suffix(self.dtype, self.lanes)}"
        full = f"{name}.{_suffix(n.dtype, n.lanes)}"
        return self.code.call(full, (self, n), self.dtype, self.lanes)

    def cast(self, dtype: np.dtype[Any]) -> Value:
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

    def _convert(self, operation: str, to: np.dtype[Any]) -> Value:
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
        code, vector = self.code, llvm_type(self.dtype, lanes)
        if not self.text.startswith("%"):
            text = f"splat ({self.type} {self.text})"
            return Value(code, text, self.dtype, lanes)
        first = code.emit(
            f"insertelement {vector} poison, {self.type} {self.text}, i32 0",
            self.dtype,
            lanes,
        )
        text = f"shufflevector {vector} {first.text}, {vector} poison, "
        return code.emit(f"{text}<{lanes} x i32> zeroinitializer", self.dtype, lanes)

    def part(self, begin: int, lanes: int) -> Value:
        """Return `lanes` lanes from `begin` on; no lanes: that one number."""
        if not lanes:
            text = f"extractelement {self.type} {self.text}, i32 {begin}"
            return self.code.emit(text, self.dtype, 0)
        chosen = ", ".join(f"i32 {lane}" for lane in range(begin, begin + lanes))
        text = f"shufflevector {self.type} {self.text}, {self.type} poison, "
        return self.code.emit(f"{text}<{lanes} x i32> <{chosen}>", self.dtype, lanes)


@lru_cache(maxsize=1024)
def _conversion(source: np.dtype[Any], to: np.dtype[Any]) -> str:
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


class Function:
    """The text of a module with one function, which can do several things.

    Its passes over a function cost LLVM more than the instructions in it, so a dozen
    loops are a dozen cases of one function.

    Args:
        header: how the function is defined, up to the brace; ``i64 %case`` chooses.
        host: the machine it is for.
    """

    def __init__(self, header: str, host: Host) -> None:
        self.host = host
        self._header = header
        self._declared: dict[str, str] = {}
        self._lines: list[str] = []
        self._names = 0
        self._cases = 0
        self._block = ""
        self._used = 0  # bytes of the buffer, of this case
        self._room = 0  # bytes of the buffer, of all cases

    def begin_case(self) -> None:
        """Begin the next case, which ends with `end_case`."""
        self._used = 0
        self._start(f"case{self._cases}")
        self._cases += 1

    def end_case(self) -> None:
        """Leave the function."""
        self.do("ret void")

    def text(self) -> str:
        """Return the whole module."""
        cases = " ".join(f"i64 {i}, label %case{i}" for i in range(self._cases))
        return "\n".join(
            [
                f"{self._header} {{",
                "entry:",
                f"  %buffer = alloca [{self._room} x i8], align 64",
                f"  switch i64 %case, label %none [{cases}]",
                "none:",
                "  ret void",
                *self._lines,
                "}",
                *self._declared.values(),
            ]
        )

    def name(self) -> str:
        """Return a new name."""
        self._names += 1
        return f"%v{self._names}"

    def do(self, text: str) -> None:
        """Write an instruction that yields nothing."""
        self._lines.append(f"  {text}")

    def emit(self, text: str, dtype: np.dtype[Any], lanes: int = 0) -> Value:
        """Write an instruction; return what it yields."""
        name = self.name()
        self._lines.append(f"  {name} = {text}")
        return Value(self, name, dtype, lanes)

    def constant(self, number: Any, dtype: np.dtype[Any], lanes: int = 0) -> Value:
        """Return a number, in all lanes if there are any."""
        text = _literal(number, dtype)
        if lanes:
            text = f"splat ({llvm_type(dtype)} {text})"
        return Value(self, text, dtype, lanes)

    def sequence(self, step: int, dtype: np.dtype[Any], lanes: int) -> Value:
        """Return the constant vector 0, step, 2 step ..."""
        scalar = llvm_type(dtype)
        items = ", ".join(f"{scalar} {step * lane}" for lane in range(lanes))
        return Value(self, f"<{items}>", dtype, lanes)

    def first_lanes(self, count: int, lanes: int) -> Value:
        """Return a constant mask of the first `count` lanes."""
        items = ["i1 true"] * count + ["i1 false"] * (lanes - count)
        return Value(self, f"<{', '.join(items)}>", BOOL, lanes)

    def call(
        self, name: str, values: Sequence[Value], dtype: np.dtype[Any], lanes: int
    ) -> Value:
        """Call a function, by its name or address; return what it returns."""
        result = llvm_type(dtype, lanes)
        types = ", ".join(value.type for value in values)
        if name.startswith("@"):
            self._declared[name] = f"declare {result} {name}({types})"
        given = ", ".join(f"{value.type} {value.text}" for value in values)
        return self.emit(f"call {result} {name}({given})", dtype, lanes)

    # ---------------------------------------------------------------- memory

    def pointer(self, text: str) -> str:
        """Write an instruction that yields a pointer; return its name."""
        name = self.name()
        self._lines.append(f"  {name} = {text}")
        return name

    def buffer(self, dtype: np.dtype[Any], size: int) -> str:
        """Return a pointer to room for `size` numbers on the stack."""
        begin = self._used
        self._used += -(-size * dtype.itemsize // 64) * 64
        self._room = max(self._room, self._used)
        return self.pointer(f"getelementptr i8, ptr %buffer, i64 {begin}")

    def argument(self, number: int) -> str:
        """Return a pointer that the caller gave among ``%operands``."""
        at = self.pointer(f"getelementptr ptr, ptr %operands, i64 {number}")
        return self.pointer(f"load ptr, ptr {at}, align 8")

    def advance(self, pointer: str, dtype: np.dtype[Any], offset: Value) -> str:
        """Return the pointer to the number `offset` numbers after `pointer`."""
        if offset.text == "0":
            return pointer
        scalar = llvm_type(dtype, 0, memory=True)
        return self.pointer(
            f"getelementptr {scalar}, ptr {pointer}, {offset.type} {offset.text}"
        )

    def load(
        self, pointer: str, dtype: np.dtype[Any], lanes: int, mask: Value | None
    ) -> Value:
        """Read numbers that follow each other; those outside the mask are 0."""
        memory = _in_memory(dtype)
        kind = llvm_type(memory, lanes)
        if mask is None or not lanes:
            text = f"load {kind}, ptr {pointer}, align {dtype.itemsize}"
        else:
            suffix = _suffix(memory, lanes)
            name = f"@llvm.masked.load.{suffix}.p0"
            signature = f"(ptr, i32, {mask.type}, {kind})"
            self._declared[name] = f"declare {kind} {name}{signature}"
            text = (
                f"call {kind} {name}(ptr {pointer}, i32 {dtype.itemsize}, "
                f"{mask.type} {mask.text}, {kind} zeroinitializer)"
            )
        return self.emit(text, memory, lanes).cast(dtype)

    def store(self, value: Value, pointer: str, mask: Value | None) -> None:
        """Write numbers one after another, those inside the mask."""
        dtype, lanes = value.dtype, value.lanes
        value = value.cast(_in_memory(dtype))
        if mask is None or not lanes:
            what = f"{value.type} {value.text}, ptr {pointer}"
            self.do(f"store {what}, align {dtype.itemsize}")
            return
        name = f"@llvm.masked.store.{_suffix(value.dtype, lanes)}.p0"
        signature = f"({value.type}, ptr, i32, {mask.type})"
        self._declared[name] = f"declare void {name}{signature}"
        self.do(
            f"call void {name}({value.type} {value.text}, ptr {pointer}, "
            f"i32 {dtype.itemsize}, {mask.type} {mask.text})"
        )

    def _spread(
        self, pointer: str, dtype: np.dtype[Any], stride: int, lanes: int
    ) -> tuple[str, str]:
        """Return type and name of a vector of pointers, `stride` numbers apart."""
        offsets = self.sequence(stride, np.dtype(np.int64), lanes)
        scalar = llvm_type(dtype, 0, memory=True)
        text = f"getelementptr {scalar}, ptr {pointer}, {offsets.type} {offsets.text}"
        return f"<{lanes} x ptr>", self.pointer(text)

    def gather(
        self,
        pointer: str,
        dtype: np.dtype[Any],
        stride: int,
        lanes: int,
        mask: Value | None,
    ) -> Value:
        """Read numbers that lie `stride` apart; those outside the mask are 0."""
        memory = _in_memory(dtype)
        kind, pointers = self._spread(pointer, dtype, stride, lanes)
        chosen = mask or self.constant(True, BOOL, lanes)
        result = llvm_type(memory, lanes)
        name = f"@llvm.masked.gather.{_suffix(memory, lanes)}.v{lanes}p0"
        signature = f"({kind}, i32, {chosen.type}, {result})"
        self._declared[name] = f"declare {result} {name}{signature}"
        text = (
            f"call {result} {name}({kind} {pointers}, i32 {dtype.itemsize}, "
            f"{chosen.type} {chosen.text}, {result} zeroinitializer)"
        )
        return self.emit(text, memory, lanes).cast(dtype)

    def scatter(
        self, value: Value, pointer: str, stride: int, mask: Value | None
    ) -> None:
        """Write numbers `stride` apart, those inside the mask."""
        dtype, lanes = value.dtype, value.lanes
        value = value.cast(_in_memory(dtype))
        kind, pointers = self._spread(pointer, dtype, stride, lanes)
        chosen = mask or self.constant(True, BOOL, lanes)
        name = f"@llvm.masked.scatter.{_suffix(value.dtype, lanes)}.v{lanes}p0"
        signature = f"({value.type}, {kind}, i32, {chosen.type})"
        self._declared[name] = f"declare void {name}{signature}"
        self.do(
            f"call void {name}({value.type} {value.text}, {kind} {pointers}, "
            f"i32 {dtype.itemsize}, {chosen.type} {chosen.text})"
        )

    # ----------------------------------------------------------------- loops

    def loop(
        self,
        begin: Value,
        end: Value,
        step: int,
        carried: Mapping[int, State],
        body: Callable[[Value, dict[int, State]], Mapping[int, State]],
    ) -> dict[int, State]:
        """Write ``for index in range(begin, end, step)``.

        Args:
            begin: where the range begins.
            end: before what it ends; it may be empty.
            step: of the range.
            carried: what an iteration takes over from the one before it, under
                numbers of the caller's choice.
            body: given the index and what is carried, writes an iteration and returns
                what it hands on, under the same numbers.

        Returns:
            What the last iteration handed on.
        """
        number = self.name()[2:]
        head, inside, after = f"head{number}", f"body{number}", f"after{number}"
        came_from = self._block
        self.do(f"br label %{head}")
        self._start(head)
        index = self.emit("", begin.dtype)
        index_line = len(self._lines) - 1
        first = [value for state in carried.values() for value in state]
        phis = [self.emit("", value.dtype, value.lanes) for value in first]
        inner = _regroup(phis, carried)
        going = index < end
        self.do(f"br i1 {going.text}, label %{inside}, label %{after}")
        self._start(inside)
        result = body(index, dict(inner))
        handed = [value for number in carried for value in result[number]]
        # An empty piece of assembly, through which loop strength reduction cannot see:
        # that would take a third of the compiler's time, and has nothing to gain here.
        following = self.emit(
            f'call {index.type} asm "", "=r,0"({index.type} {(index + step).text})',
            index.dtype,
        )
        self.do(f"br label %{head}")
        pairs = zip([index, *phis], [begin, *first], [following, *handed], strict=True)
        for line, (phi, start, last) in enumerate(pairs, index_line):
            self._lines[line] = (
                f"  {phi.text} = phi {phi.type} [{start.text}, %{came_from}], "
                f"[{last.text}, %{self._block}]"
            )
        self._start(after)
        return inner

    def _start(self, block: str) -> None:
        self._lines.append(f"{block}:")
        self._block = block


def _in_memory(dtype: np.dtype[Any]) -> np.dtype[Any]:
    return np.dtype(np.uint8) if dtype == BOOL else dtype


def _regroup(values: Sequence[Value], like: Mapping[int, State]) -> dict[int, State]:
    """Return `values` in groups of the sizes of those in `like`."""
    rest = iter(values)
    return {i: tuple(next(rest) for _ in state) for i, state in like.items()}
