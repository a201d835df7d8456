"""From fetches to a flat list of calls: prune, fold, order, free early.

A plan is made for one set of fetches and one set of feeds with their shapes. Nodes
that no fetch needs are left out; those whose value the shapes decide are computed
now; the rest run in the order of their creation, and a value is let go after its last
use.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from functools import partial
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from minikeras.engine import devices
from minikeras.engine.errors import EngineError
from minikeras.engine.graph import Node, Tensor
from minikeras.engine.op import Op
from minikeras.engine.ops.state import Handle
from minikeras.engine.spec import Spec

__all__ = ["Plan", "Step", "read_only"]

# What a run can be asked for: a tensor's value, a node's effect, a variable's value
# when all effects have happened.
Fetch: TypeAlias = "Tensor | Node | Handle"
Feed: TypeAlias = "Tensor | Handle"


class Step(NamedTuple):
    """One call of a plan; numbers are slots of the run's list of values."""

    call: Callable[..., Any]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...] | int
    dead: tuple[int, ...]  # slots not needed after this step
    node: Node

    @property
    def numbers(self) -> tuple[int, ...]:
        """The slots of all outputs."""
        return (self.outputs,) if isinstance(self.outputs, int) else self.outputs


class Plan:
    """The calls that compute `fetches` from `feeds`.

    Args:
        fetches: tensors, nodes and variables to compute.
        feeds: what the caller supplies, with its shape and dtype.
    """

    def __init__(self, fetches: Sequence[Fetch], feeds: Mapping[Feed, Spec]) -> None:
        self._slots: dict[Any, int] = {}
        self.fed = dict(feeds)
        self.initial: list[Any] = []
        self.feeds = [self._slot(feed) for feed in feeds]
        self._specs = {x: spec for x, spec in feeds.items() if isinstance(x, Tensor)}
        candidates = _needed(fetches, feeds)
        settled = {node for node in candidates if self._settle(node)}
        live = [n for n in _needed(fetches, feeds, settled) if n not in settled]
        self.fetches = [self._fetch_slot(fetch) for fetch in fetches]
        self.steps = self._schedule(live)

    def _slot(self, key: Any) -> int:
        """Return the slot of a tensor or variable, a new one at first sight."""
        slot = self._slots.get(key)
        if slot is None:
            slot = self._slots[key] = len(self.initial)
            self.initial.append(None)
        return slot

    def _output_slot(self, y: Tensor) -> int:
        """Return where a node puts `y`: elsewhere if the run was fed another value."""
        return self._slot(("computed", y) if y in self.fed else y)

    def _fetch_slot(self, fetch: Fetch) -> int | Handle | None:
        """Return where the executor finds a fetch: a slot, a variable, or nothing."""
        if isinstance(fetch, Handle):
            return self._slots.get(fetch, fetch)
        return None if isinstance(fetch, Node) else self._slot(fetch)

    def spec(self, y: Tensor) -> Spec:
        """Return what is known of a tensor, given what is fed."""
        return self._specs.get(y, y.spec)

    def _settle(self, node: Node) -> bool:
        """Infer `node` from the shapes fed; return whether runs can do without it."""
        handle = getattr(node.op, "handle", None)
        if handle in self.fed and node.op.name == "read_variable":
            self._slots[node.outputs[0]] = self._slots[handle]
            return True
        inferred = _specialize(node, self._specs)
        if len(inferred) != 1 or node.op.stateful:
            return False
        value = _decided(node, inferred[0])
        if value is None:
            return False
        self.initial[self._slot(node.outputs[0])] = value
        return True

    def _schedule(self, nodes: Sequence[Node]) -> list[Step]:
        """Return the calls in order, each with the slots that die after it."""
        rows = []
        for node in nodes:
            inputs = tuple(self._slot(x) for x in node.inputs)
            outputs = tuple(self._output_slot(y) for y in node.outputs)
            rows.append((node, inputs, outputs))
        kept = {slot for slot in self.fetches if isinstance(slot, int)}
        kept |= {slot for slot, value in enumerate(self.initial) if value is not None}
        steps: list[Step] = []
        for node, inputs, outputs in reversed(rows):
            dead = tuple(slot for slot in {*inputs, *outputs} if slot not in kept)
            kept.update(dead)
            single = outputs if node.several else outputs[0]
            wanted = [slot not in dead for slot in outputs]
            steps.append(Step(_bind(node, wanted), inputs, single, dead, node))
        return steps[::-1]


def _bind(node: Node, wanted: Sequence[bool]) -> Callable[..., Any]:
    op: Any = node.op
    if op.selective:
        return lambda run, *arrays: op.run(run, node, wanted, *arrays)
    if op.stateful:
        return lambda run, *arrays: op.run(run, node, *arrays)
    kernel = partial(op.kernel, devices.xp)
    narrow = any(y.dtype == "bfloat16" for y in node.outputs)
    return _typed(kernel, node) if narrow else kernel


def _typed(kernel: Callable[..., Any], node: Node) -> Callable[..., Any]:
    """Return a kernel whose outputs have the dtypes that the node's have.

    NumPy has no loops of its own for bfloat16, and answers in a wider type at times.
    """
    kinds = [y.dtype.as_numpy_dtype for y in node.outputs]

    def call(*arrays: Any) -> Any:
        found = kernel(*arrays)
        each = found if node.several else (found,)
        cast = tuple(map(devices.xp.asarray, each, kinds))
        return cast if node.several else cast[0]

    return call


def _needed(
    fetches: Iterable[Fetch],
    feeds: Mapping[Feed, Spec],
    settled: Set[Node] = frozenset(),
) -> list[Node]:
    """Return the nodes that `fetches` need, in the order of creation.

    Nodes that are `settled`, whose value is known, need no inputs.
    """
    frontier: list[Node] = []
    for fetch in fetches:
        if isinstance(fetch, Node):
            frontier.append(fetch)
        elif isinstance(fetch, Tensor) and fetch not in feeds:
            frontier.append(fetch.node)
    needed: set[Node] = set()
    while frontier:
        node = frontier.pop()
        fed = node.op.name == "placeholder" and node.outputs[0] in feeds
        if node not in needed and not fed:
            needed.add(node)
            frontier.extend(node.control_inputs)
            if node not in settled:
                frontier.extend(x.node for x in node.inputs if x not in feeds)
    return sorted(needed, key=lambda node: node.index)


def _specialize(node: Node, specs: dict[Tensor, Spec]) -> Sequence[Spec]:
    """Return the specs of a node's outputs, given those that the feeds decide.

    Only a node below something fed is inferred again; it may now find an error that
    unknown sizes had hidden.
    """
    if not any(x in specs for x in node.inputs):
        return [y.spec for y in node.outputs]
    given = [specs.get(x, x.spec) for x in node.inputs]
    op: Op = node.op
    try:
        found = op.rule_for(given)(*given)
    except EngineError as error:
        error.locate(node.place)
        raise
    inferred = found if isinstance(found, tuple) else (found,)
    for y, spec in zip(node.outputs, inferred, strict=True):
        if spec != y.spec:
            specs.setdefault(y, spec)
    return [specs.get(y, y.spec) for y in node.outputs]


def _decided(node: Node, spec: Spec) -> Any:
    """Return the array that a node must yield, or None if only a run can tell."""
    if node.op.name == "constant":
        return read_only(node.op.kernel(devices.xp))
    if spec.value is None or None in spec.value or spec.shape is None:
        return None
    array = np.array(spec.value, spec.dtype.as_numpy_dtype)
    return read_only(array.reshape(-1 if spec.shape else ()))


def read_only(array: Any) -> Any:
    """Return a view of an array on which no kernel can write."""
    if isinstance(array, np.ndarray):
        array = array.view()
        array.flags.writeable = False
    return array
