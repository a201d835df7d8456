"""The text of a function in LLVM's language, written from top to bottom.

No pass of LLVM's optimizer runs on the text: it is written as it should be, and what
is left to LLVM is the choice of machine instructions, their order and registers.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from minikeras.engine.native.jit import Host
from minikeras.engine.native.values import BOOL, DType, Value, llvm_type

__all__ = ["Function", "State"]

# Any dtype as wide as an address.
POINTER = np.dtype(np.intp)

# Instructions that may yield something else when their text is the same.
_VARYING = "load", "call", "phi"

# What is carried from one iteration to the next; some totals need two values.
State = tuple[Value, ...]


class Function:
    """The text of a module with one function, which can do several things.

    Its passes over a function cost LLVM more than the instructions in it, so a dozen
    loops are a dozen cases of one function.

    Args:
        header: how the function is defined, up to the brace; ``i64 %case`` chooses.
        host: the machine it is for.
        quick: whether LLVM leaves the instructions that it chooses as they are, but for
            giving them registers. The rest takes two fifths of its time, and makes
            loops faster by one or two per cent. But then LLVM fails where it has to
            take apart vectors for which the processor has no instructions.
    """

    def __init__(self, header: str, host: Host, quick: bool) -> None:
        self.host = host
        self._quick = quick
        self._header = f"{header} nounwind{' noinline optnone' * quick}"
        self._declared: dict[str, str] = {}
        self._lines: list[str] = []
        self._names = 0
        self._cases = 0
        self._block = ""
        self._known: dict[tuple[str, int], Value] = {}  # what the block has computed
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

    def emit(self, text: str, dtype: DType, lanes: int = 0) -> Value:
        """Write an instruction; return what it yields.

        A single number that the block has computed already is not computed again.
        """
        key = text, dtype.num  # a text does not tell signed integers from others
        if not lanes and key in self._known:
            return self._known[key]
        name = self.name()
        self._lines.append(f"  {name} = {text}")
        value = Value(self, name, dtype, lanes)
        # Of memory, only the list of operands does not change.
        if not lanes and (text.startswith("load ptr") or not text.startswith(_VARYING)):
            self._known[key] = value
        return value

    def constant(self, number: Any, dtype: DType, lanes: int = 0) -> Value:
        """Return a number, in all lanes if there are any."""
        text = _literal(number, dtype)
        if lanes:
            text = f"splat ({llvm_type(dtype)} {text})"
        return Value(self, text, dtype, lanes)

    def sequence(self, step: int, dtype: DType, lanes: int) -> Value:
        """Return the constant vector 0, step, 2 step ..."""
        scalar = llvm_type(dtype)
        items = ", ".join(f"{scalar} {step * lane}" for lane in range(lanes))
        return Value(self, f"<{items}>", dtype, lanes)

    def first_lanes(self, count: int, lanes: int) -> Value:
        """Return a constant mask of the first `count` lanes."""
        items = ["i1 true"] * count + ["i1 false"] * (lanes - count)
        return Value(self, f"<{', '.join(items)}>", BOOL, lanes)

    def call(self, name: str, values: Sequence[Value], like: Value) -> Value:
        """Call a function by its name or address; it returns what `like` is like."""
        given = [(value.type, value.text) for value in values]
        text = self.invocation(name, like.type, given)
        return self.emit(text, like.dtype, like.lanes)

    def invocation(
        self, name: str, result: str, given: Sequence[tuple[str, str]]
    ) -> str:
        """Return the instruction that calls a function, given types and texts."""
        if name.startswith("@"):
            types = ", ".join(kind for kind, _ in given)
            self._declared[name] = f"declare {result} {name}({types})"
        return f"call {result} {name}({', '.join(map(' '.join, given))})"

    def pointer(self, text: str) -> str:
        """Write an instruction that yields a pointer; return its name."""
        return self.emit(text, POINTER).text

    def argument(self, number: int) -> str:
        """Return a pointer that the caller gave among ``%operands``."""
        at = self.pointer(f"getelementptr ptr, ptr %operands, i64 {number}")
        return self.pointer(f"load ptr, ptr {at}, align 8")

    def buffer(self, size: int) -> str:
        """Return a pointer to so many bytes on the stack."""
        begin = self._used
        self._used += -(-size // 64) * 64
        self._room = max(self._room, self._used)
        return self.pointer(f"getelementptr i8, ptr %buffer, i64 {begin}")

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
        index = self.emit("phi", begin.dtype)
        index_line = len(self._lines) - 1
        first = [value for state in carried.values() for value in state]
        phis = [self.emit("phi", value.dtype, value.lanes) for value in first]
        inner = _regroup(phis, carried)
        going = index < end
        self.do(f"br i1 {going.text}, label %{inside}, label %{after}")
        self._start(inside)
        result = body(index, dict(inner))
        handed = [value for number in carried for value in result[number]]
        following = index + step
        if not self._quick:
            # An empty piece of assembly: loop strength reduction cannot see through it.
            # That takes a third of the compiler's time, and has nothing to gain here.
            following = self.call('asm "", "=r,0"', (following,), index)
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
        self._known = {}


def _regroup(values: Sequence[Value], like: Mapping[int, State]) -> dict[int, State]:
    """Return `values` in groups of the sizes of those in `like`."""
    rest = iter(values)
    return {i: tuple(next(rest) for _ in state) for i, state in like.items()}


def _literal(number: Any, dtype: DType) -> str:
    """Return a number's text, exact: floats by the bits of the double they equal."""
    if dtype.kind == "f":
        exact = struct.pack(">d", float(dtype.type(number)))
        return f"0x{exact.hex().upper()}"
    if dtype == BOOL:
        return "true" if number else "false"
    return str(int(number))
