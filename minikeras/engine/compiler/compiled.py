"""`CompiledPlan`: a plan as a flat list of calls on memory of its own."""

from __future__ import annotations

import gc
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from operator import call, length_hint
from threading import RLock
from time import perf_counter
from typing import Any

import numpy as np

from minikeras.engine import devices, native
from minikeras.engine.compiler.bound import Binder
from minikeras.engine.compiler.explain import Explanation, explained
from minikeras.engine.compiler.joining import Arena
from minikeras.engine.compiler.lowering import UncompilableError, lower
from minikeras.engine.compiler.passes import is_on
from minikeras.engine.compiler.program import Slot, Store
from minikeras.engine.compiler.schedule import Schedule
from minikeras.engine.compiler.spread import Spread
from minikeras.engine.errors import ExecutionError
from minikeras.engine.executor import Run, fail
from minikeras.engine.loops import Loop
from minikeras.engine.ops.state import Handle
from minikeras.engine.plan import Plan
from minikeras.engine.spec import Array
from minikeras.engine.storage import Storage, aligned

__all__ = ["CompiledPlan", "prepared"]


class CompiledPlan:
    """Runs a plan's calls; they are bound to memory once and allocate nothing.

    Args:
        plan: what to compute.
        storage: where the variables are.

    Raises:
        UncompilableError: if only a run decides what shapes its values have.
    """

    def __init__(self, plan: Plan, storage: Storage) -> None:
        start = perf_counter()
        self.plan = plan
        with _no_collection():
            self.schedule = Schedule(lower(plan), fits=storage.can_join)
            self.program = self.schedule.program
            self.kernels = made(self.schedule.loops())
        self.compile_seconds = perf_counter() - start
        self.lock = RLock()
        self.step = 0
        self._run: Run | None = None
        self.storage: Any = None
        self.generation = -1

    # -- binding -----------------------------------------------------------------------

    def bind(self, storage: Any) -> None:
        """Bind the calls to this plan's memory and to the variables' own."""
        self.arrays: dict[Slot, Array] = {}
        self.storage = storage
        self.arena = aligned(self.schedule.memory.size)
        self.fresh: list[Handle] = []
        self._claim_variables()
        self.feeds = [self.array(x) for x in self.program.feeds]
        pooled = any(isinstance(u, Spread) for u in self.schedule.body)
        binder = Binder(self.array, self.context, self.kernels, pooled=pooled)
        parts = self.schedule.body, self.schedule.commit
        self.bound = [[*binder.all(units)] for units in parts]
        self.calls = [[call for call, _ in pairs] for pairs in self.bound]
        self.fetches = [self._fetch(x) for x in self.program.fetches]
        self.generation = storage.generation

    def _claim_variables(self) -> None:
        """See that the variables read have values, and those set have memory."""
        fed = set(self.program.feeds)
        for slot in {slot for slot in self.schedule.given() if slot not in fed}:
            for handle in _handles(slot.source):
                handle.value_in(self.storage)
        for unit in self.schedule.commit:
            if isinstance(unit, Store):
                self._make_room(unit.handle, unit.inputs[0])
        for slot, handle in self.schedule.in_place.items():
            self._make_room(handle, slot)
        # All arenas, before anything is bound to where they lie.
        slots = (s for u in self.schedule.commit for s in (*u.inputs, *u.outputs))
        for arena in {s.source for s in slots if isinstance(s.source, Arena)}:
            arena.on(self.storage)

    def _make_room(self, handle: Handle, value: Slot) -> None:
        """Give a variable memory, if it has none of this form yet."""
        if handle not in self.storage or self.storage[handle].shape != value.shape:
            self.storage[handle] = np.zeros(value.shape, value.dtype)
            self.fresh.append(handle)

    def array(self, slot: Slot | Store) -> Array:
        """Return the array of a slot, or of the variable that a store sets."""
        if isinstance(slot, Store):
            return self.storage.memory(slot.handle)
        base = self.arrays.get(slot.base)
        if base is None:
            base = self.arrays[slot.base] = self._base(slot.base)
        return slot.on(base)

    def _base(self, slot: Slot) -> Array:
        source = self.schedule.in_place.get(slot, slot.source)
        if slot in self.schedule.memory.offset:
            return self.schedule.memory.array(self.arena, slot)
        if isinstance(source, np.ndarray):
            return source
        if isinstance(source, Arena):
            return source.on(self.storage)
        if isinstance(source, Handle) and slot not in self.program.feeds:
            return self.storage.memory(source)
        return np.empty(slot.shape, slot.dtype)

    def _fetch(self, where: Any) -> Callable[[], Any] | None:
        if where is None:
            return None
        if isinstance(where, Handle):
            storage = self.storage  # not self: a plan that is let go leaves at once
            return lambda: owned(where.value_in(storage))
        array = self.array(where)
        return array.copy if array.ndim else lambda: array[()]

    def context(self) -> Run:
        """Return the run that is under way, as effects see it."""
        if self._run is None:
            self._run = Run(self.storage, self.step, self._inner)
        return self._run

    def _inner(self, plan: Plan) -> Plan | CompiledPlan:
        return prepared(plan, self.storage)

    # -- running -----------------------------------------------------------------------

    def __call__(self, arrays: Sequence[Array], session: Any) -> list[Any]:
        """Return the values of the fetches, given those of the feeds.

        Raises:
            ExecutionError: if a kernel failed; it names the node and the user's line.
            EngineError: what an effect found.
        """
        with self.lock:
            self.step, self._run = session.count_run(), None
            return self._carried_out(arrays, session.values)

    def run_inside(self, arrays: Sequence[Array], run: Run) -> list[Any]:
        """Return the values of the fetches as a part of another run."""
        with self.lock:
            self._run = run
            return self._carried_out(arrays, run.storage)

    def _carried_out(self, arrays: Sequence[Array], storage: Any) -> list[Any]:
        if self.storage is not storage or self.generation != storage.generation:
            self.bind(storage)
        for own, given in zip(self.feeds, arrays, strict=True):
            own[...] = given
        body, commit = map(iter, self.calls)
        with np.errstate(all="ignore"):
            try:
                deque(map(call, body), maxlen=0)
            except BaseException as error:
                self._forget()
                if isinstance(error, Exception):
                    number = len(self.calls[0]) - length_hint(body) - 1
                    _, unit = self.bound[0][number]
                    fail(error, unit.node, unit.inputs)
                raise
            # In one call, which no interrupt parts.
            deque(map(call, commit), maxlen=0)
        self.fresh.clear()
        return [None if fetch is None else fetch() for fetch in self.fetches]

    def explain(self, repeats: int = 0) -> Explanation:
        """Return a table of the calls: what each does, for which layer, at what cost.

        Args:
            repeats: how often to run the plan, once it has run, to time each call; the
                variables are left as they were. With 0 nothing is timed.

        Raises:
            ExecutionError: if it has not run yet, and so has nothing to work on.
        """
        if self.storage is None:
            raise ExecutionError("explain: run the plan first, so that it has memory")
        with self.lock, np.errstate(all="ignore"):
            stored = [*self.schedule.in_place.values()]
            stored += [u.handle for u in self.schedule.commit if isinstance(u, Store)]
            before = {handle: self.storage[handle].copy() for handle in stored}
            bound = [*self.bound[0], *self.bound[1]]
            rows = explained(bound, self._place, self._runner, repeats)
            self.storage.update(before)
        memory = self.schedule.memory
        return Explanation(rows, memory.size, memory.least, self.compile_seconds)

    def _place(self, slot: Slot) -> str:
        """Return where a slot lies, in words."""
        handle = self.schedule.in_place.get(slot.base)
        if handle is not None:
            return handle.name
        offset = self.schedule.memory.offset.get(slot.base)
        return "" if offset is None else f"@{offset}"

    def _runner(self, loop: Loop) -> str:
        return "native" if loop in self.kernels else "blocks"

    def _forget(self) -> None:
        """Take back the memory of variables that were to get their first value."""
        for handle in self.fresh:
            del self.storage[handle]


def _handles(source: Any) -> Sequence[Handle]:
    """Return the variables that are the source of a slot."""
    if isinstance(source, Handle):
        return (source,)
    return source if isinstance(source, Arena) else ()


@contextmanager
def _no_collection() -> Iterator[None]:
    """Let Python's garbage collector wait: it would look again and again at what stays.

    That is a sixth of the time to compile a common network.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def prepared(plan: Plan, storage: Storage) -> Plan | CompiledPlan:
    """Return `plan` compiled; itself if it cannot be."""
    if devices.xp is not np or not is_on("compile"):
        return plan
    try:
        return CompiledPlan(plan, storage)
    except UncompilableError:
        return plan


def made(loops: Iterable[Loop]) -> dict[Loop, Any]:
    """Return machine code for loops; none where its maker is not installed."""
    if not is_on("native") or not native.available():
        return {}
    wanted = [loop for loop in dict.fromkeys(loops) if native.supports(loop)]
    return dict(zip(wanted, native.build(wanted), strict=True))


def owned(value: Array) -> Any:
    """Return a copy of a variable's value."""
    return value.copy() if value.ndim else value[()]
