"""A program: the small language into which a plan's nodes are lowered.

Whatever ops a graph is made of, here there are only five kinds of instruction, over
slots whose shapes and dtypes are all known: `Map` and `Total`, which can be fused,
`Fused`, which is several of them, `Call`, a kernel taken as a whole, and `Store`, what
becomes of a variable. A view, such as a transpose or a slice, is no instruction but a
slot that lies on another one's memory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from typing import Any, TypeAlias

import numpy as np

from minikeras.engine.graph import Node
from minikeras.engine.loops import Loop
from minikeras.engine.op import Op

__all__ = [
    "Call",
    "Fused",
    "Instruction",
    "Map",
    "Part",
    "Program",
    "Slot",
    "Store",
    "Total",
    "strides_within",
    "walk",
]

Array: TypeAlias = "np.ndarray[Any, Any]"
View: TypeAlias = Callable[[Array], Array]


class Slot:
    """A place for one array.

    Attributes:
        layout: an array of the slot's shape, dtype and strides, over no memory of its
            own: NumPy computes with it what views of the slot look like.
        shape: sizes of the axes.
        dtype: of the elements.
        source: what it holds from the start: a constant array, a variable's handle, a
            fed tensor; None if the program computes it.
    """

    __slots__ = "_function", "_parent", "_start", "dtype", "layout", "shape", "source"

    def __init__(self, layout: Array, source: Any = None) -> None:
        self.layout = layout
        self.shape: tuple[int, ...] = layout.shape
        self.dtype: np.dtype[Any] = layout.dtype
        self.source = source
        self._start: int | None = None
        self._parent: Slot = self
        self._function: View | None = None

    @classmethod
    def new(cls, shape: Sequence[int], dtype: Any, source: Any = None) -> Slot:
        """Return a slot of its own memory, in C order."""
        return cls(layout_of(tuple(shape), np.dtype(dtype)), source)

    @classmethod
    def constant(cls, array: Array) -> Slot:
        """Return the slot of a known array; one number repeated is kept as one."""
        if array.ndim and array.size and not any(array.strides):
            number = np.array(array[(0,) * array.ndim])
            shape = array.shape
            return cls.new((), array.dtype, number).view(
                lambda a: np.broadcast_to(a, shape)
            )
        whole = np.asarray(array, order="C")
        return cls.new(whole.shape, whole.dtype, whole)

    def view(self, function: View) -> Slot:
        """Return the slot that lies on this one as `function` lays it.

        Raises:
            ValueError: if there is no such view without a copy.
        """
        slot = Slot(function(self.layout))
        slot._parent, slot._function = self, function
        return slot

    def become(self, other: Slot) -> None:
        """Lie where another slot of the same shape does from now on."""
        self.layout, self._start = other.layout, None
        self._parent, self._function = other, lambda array: array

    @property
    def base(self) -> Slot:
        """The slot on whose memory it lies; itself unless it is a view."""
        slot = self
        while slot._parent is not slot:
            slot = slot._parent
        return slot

    @property
    def size(self) -> int:
        """Number of elements."""
        return self.layout.size

    @property
    def is_view(self) -> bool:
        """Whether it lies on another slot's memory."""
        return self._parent is not self

    @property
    def is_given(self) -> bool:
        """Whether it holds its value before the program runs."""
        return self.base.source is not None

    @property
    def place(self) -> Any:
        """Where its elements lie: views of equal places are equal."""
        return id(self.base), self.offset(), self.shape, self.layout.strides

    def is_whole(self, shape: Sequence[int]) -> bool:
        """Whether it has this shape, and lies in C order without gaps."""
        return self.layout.shape == shape and self.layout.flags.c_contiguous

    def offset(self) -> int:
        """Return how many elements after its base's start it starts."""
        if self._parent is self:
            return 0
        return (self.start - self.base.start) // self.dtype.itemsize

    @property
    def start(self) -> int:
        """Address at which the layout starts."""
        if self._start is None:
            self._start = int(self.layout.__array_interface__["data"][0])
        return self._start

    def on(self, array: Array) -> Array:
        """Return this slot's array, given that of its base."""
        if self._function is None:
            return array
        return self._function(self._parent.on(array))

    def __repr__(self) -> str:
        kind = "" if self.source is None else f" of {self.source!r:.40}"
        return f"<{self.dtype}{list(self.shape)}{kind}>"


@lru_cache(maxsize=1 << 10)
def layout_of(shape: tuple[int, ...], dtype: np.dtype[Any]) -> Array:
    """Return an array of this shape in C order, of which no element can be used."""
    strides, step = [], dtype.itemsize
    for n in reversed(shape):
        strides.append(step)
        step *= n
    strides.reverse()
    return np.lib.stride_tricks.as_strided(np.empty(1, dtype), shape, strides)


class Map:
    """output = f(inputs), element by element; inputs broadcast.

    Attributes:
        name: a NumPy ufunc's, whose inputs have the very dtypes of one of its loops;
            or ``cast``, or ``where``.
    """

    __slots__ = ("inputs", "name", "node", "output")

    def __init__(
        self, name: str, inputs: Sequence[Slot], output: Slot, node: Node
    ) -> None:
        self.name = name
        self.inputs = tuple(inputs)
        self.output = output
        self.node = node

    @property
    def outputs(self) -> tuple[Slot, ...]:
        """What it writes."""
        return (self.output,)

    @property
    def space(self) -> Slot:
        """A slot with one element for each that it visits."""
        return self.output

    @property
    def flops(self) -> int:
        """How many floating-point operations it takes."""
        return 0 if self.name == "cast" else self.output.size

    @property
    def key(self) -> Any:
        """What it computes: two with one key have equal outputs, but for axes of 1."""
        shape = self.output.shape
        walks = tuple((x.base, *walk(x, shape)) for x in self.inputs)
        return self.name, walks, tuple(n for n in shape if n != 1), self.output.dtype

    def __repr__(self) -> str:
        return f"{self.output} = {self.name}{self.inputs}"


def walk(x: Slot, shape: tuple[int, ...]) -> tuple[int, tuple[int, ...]]:
    """Return how the elements of `x`, broadcast to `shape`, lie on its base.

    That is, the place of the first one, and the strides but for axes of size 1.
    """
    return x.offset(), strides_within(x.layout.shape, x.layout.strides, shape)


@lru_cache(maxsize=1 << 12)
def strides_within(
    sizes: tuple[int, ...], strides: tuple[int, ...], shape: tuple[int, ...]
) -> tuple[int, ...]:
    """Return the strides of an array broadcast to `shape`, but for axes of size 1."""
    steps = [0 if n == 1 else step for step, n in zip(strides, sizes, strict=True)]
    steps = [0] * (len(shape) - len(steps)) + steps
    return tuple(step for step, n in zip(steps, shape, strict=True) if n != 1)


class Part(Map):
    """A copy of the input on a view of a slot, which is made of several such parts."""

    __slots__ = ()

    def __init__(self, x: Slot, output: Slot, node: Node) -> None:
        super().__init__("cast", [x], output, node)


class Total:
    """output = input totaled by a ufunc over `axes`, which stay with size 1."""

    __slots__ = ("axes", "inputs", "name", "node", "output")

    def __init__(
        self, name: str, x: Slot, axes: tuple[int, ...], output: Slot, node: Node
    ) -> None:
        self.name = name
        self.inputs: tuple[Slot, ...] = (x,)
        self.axes = axes
        self.output = output
        self.node = node

    outputs = Map.outputs

    @property
    def space(self) -> Slot:
        """A slot with one element for each that it visits."""
        return self.inputs[0]

    @property
    def flops(self) -> int:
        """How many floating-point operations it takes."""
        return self.inputs[0].size

    @property
    def key(self) -> Any:
        """What it computes: two with one key have equal outputs."""
        return self.name, self.inputs, self.axes

    def __repr__(self) -> str:
        return f"{self.output} = total({self.name}, {self.inputs[0]}, {self.axes})"


class Call:
    """One op, run as a whole: a kernel, or an effect.

    Attributes:
        outputs: what it writes.
        wanted: which of the op's outputs these are.
        op: the node's own, or one that it asks for, such as a product.
    """

    __slots__ = ("inputs", "node", "op", "outputs", "wanted")

    def __init__(
        self,
        node: Node,
        inputs: Sequence[Slot],
        outputs: Sequence[Slot],
        wanted: Sequence[bool] = (),
        op: Op | None = None,
    ) -> None:
        self.node = node
        self.op = op or node.op
        self.inputs = tuple(inputs)
        self.outputs = tuple(outputs)
        self.wanted = tuple(wanted)

    @property
    def flops(self) -> int:
        """How many floating-point operations it takes."""
        return self.op.flops(
            [x.shape for x in self.inputs], [y.shape for y in self.outputs]
        )

    @property
    def key(self) -> Any:
        """What it computes; None if it may differ from time to time."""
        return None if self.op.stateful else (self.op, self.inputs)

    def __repr__(self) -> str:
        return f"{self.outputs} = {self.op}{self.inputs}"


class Store:
    """The variable `handle` becomes `inputs[0]` when everything else has happened."""

    __slots__ = ("handle", "inputs", "node")
    outputs: tuple[Slot, ...] = ()
    key = None
    flops = 0

    def __init__(self, handle: Any, x: Slot, node: Node) -> None:
        self.handle = handle
        self.inputs: tuple[Slot, ...] = (x,)
        self.node = node

    def __repr__(self) -> str:
        return f"{self.handle} <- {self.inputs[0]}"


class Fused:
    """Several maps and totals in one pass; `slots` are the loop's operands."""

    __slots__ = ("loop", "members", "slots", "written")

    def __init__(
        self,
        loop: Loop,
        slots: Sequence[Slot],
        written: int,
        members: Sequence[Map | Total],
    ) -> None:
        self.loop = loop
        self.slots = tuple(slots)
        self.written = written
        self.members = tuple(members)

    @property
    def node(self) -> Node:
        """The node of the last member, for which the others are done."""
        return self.members[-1].node

    @property
    def inputs(self) -> tuple[Slot, ...]:
        """What it reads."""
        return self.slots[: len(self.slots) - self.written]

    @property
    def outputs(self) -> tuple[Slot, ...]:
        """What it writes."""
        return self.slots[len(self.slots) - self.written :]

    @property
    def flops(self) -> int:
        """How many floating-point operations it takes."""
        return sum(member.flops for member in self.members)

    def accumulates(self, y: Slot) -> bool:
        """Whether the loop writes `y` again and again while it still reads."""
        return any(
            step.name == "accumulate" and self.slots[step.attribute[1]] is y
            for step in self.loop.instructions
        )

    def __repr__(self) -> str:
        names = " ".join(member.name for member in self.members)
        return f"{self.outputs} = fused[{names}]{self.inputs}"


Instruction: TypeAlias = Map | Total | Call | Store | Fused


class Program:
    """Instructions in order, what is fed and what is fetched.

    Attributes:
        feeds: the slots of what the run is given, in order.
        fetches: for each thing asked for its slot, a handle (a variable's value when
            all is done), or None (a node: done, but without a value).
    """

    def __init__(self) -> None:
        self.instructions: list[Instruction] = []
        self.feeds: list[Slot] = []
        self.fetches: list[Any] = []

    def copied(self, slot: Slot, node: Node) -> Slot:
        """Return a slot that is computed by copying another one."""
        output = Slot.new(slot.shape, slot.dtype)
        self.instructions.append(Map("cast", [slot], output, node))
        return output

    def drop_unused(self) -> None:
        """Drop instructions whose results nobody needs."""
        needed = {x.base for x in self.fetches if isinstance(x, Slot)}
        kept: list[Instruction] = []
        for instruction in reversed(self.instructions):
            used = any(y.base in needed for y in instruction.outputs)
            if used or (isinstance(instruction, (Call, Store)) and not instruction.key):
                kept.append(instruction)
                needed.update(x.base for x in instruction.inputs)
        self.instructions = kept[::-1]

    def __iter__(self) -> Iterator[Instruction]:
        return iter(self.instructions)

    def __repr__(self) -> str:
        return "\n".join(map(repr, self.instructions))
