"""Sessions: where variables have values and graphs are run."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from types import TracebackType
from typing import Any

import numpy as np

from minikeras.engine import devices
from minikeras.engine.compiler import CompiledPlan, is_on, prepared
from minikeras.engine.context import pop_session, push_session
from minikeras.engine.dtypes import dtype_of
from minikeras.engine.errors import (
    DTypeError,
    FeedError,
    GraphError,
    SessionError,
    ShapeError,
)
from minikeras.engine.executor import Run, execute
from minikeras.engine.graph import Graph, Node, Tensor, current_graph, is_symbolic
from minikeras.engine.op import as_array
from minikeras.engine.ops.state import Handle, check_storable
from minikeras.engine.plan import Feed, Fetch, Plan, read_only
from minikeras.engine.shapes import show
from minikeras.engine.spec import Array, Spec
from minikeras.engine.storage import Storage

__all__ = ["InteractiveSession", "Routine", "Session"]

# Plans that a routine keeps: one for each number of rows, if those are 32 at most.
PLANS = 32


class Routine:
    """Fetches and feeds of one session, ready to be called; its plans are kept.

    There is one for each set of shapes of the feeds, with memory of its own. When there
    are `PLANS`, a new one takes the place of that whose last run is longest ago, which
    a compiled plan knows of itself; of others, of that which was made first.

    Args:
        session: where the variables live.
        fetches: tensors, nodes and variables whose values a call returns.
        feeds: tensors and variables whose values a call is given, in order.
        once: whether it may be called once only: then its plans are compiled when they
            are run a second time.
    """

    def __init__(
        self,
        session: Session,
        fetches: Sequence[Fetch],
        feeds: Sequence[Feed],
        once: bool = False,
    ) -> None:
        self.session = session
        self.fetches = tuple(fetches)
        self.feeds = tuple(feeds)
        self.once = once
        self.plans: dict[tuple[Any, ...], Plan | CompiledPlan] = {}
        self._called: set[tuple[Any, ...]] = set()

    def __call__(self, *values: Any) -> list[Any]:
        """Return the fetches' values, given one value for each feed."""
        arrays = [_fitting(feed, x) for feed, x in zip(self.feeds, values, strict=True)]
        return self.run(arrays)

    def run(self, arrays: Sequence[Array]) -> list[Any]:
        """Return the fetches' values, given arrays that are known to fit the feeds."""
        key = tuple([(x.shape, x.dtype) for x in arrays])
        plan = self.plans.get(key) or self._plan(key, arrays)
        if isinstance(plan, CompiledPlan):
            return plan(arrays, self.session)
        return self._interpreted(plan, arrays)

    def _interpreted(self, plan: Plan, arrays: Sequence[Array]) -> list[Any]:
        storage = self.session.values
        compiled = partial(prepared, storage=storage)
        run = Run(storage, self.session.count_run(), compiled)
        values = [_own(x) for x in execute(plan, [*map(read_only, arrays)], run)]
        run.commit()
        return [
            _own(where.value_in(self.session.values))
            if isinstance(where, Handle)
            else x
            for where, x in zip(plan.fetches, values, strict=True)
        ]

    def _plan(
        self, key: tuple[Any, ...], arrays: Sequence[Array]
    ) -> Plan | CompiledPlan:
        """Return the plan for feeds of these shapes, made at their first use."""
        specs = {
            f: Spec(x.shape, f.dtype) for f, x in zip(self.feeds, arrays, strict=True)
        }
        plan = Plan(self.fetches, specs)
        if self.once and is_on("wait") and key not in self._called:
            self._called.add(key)
            return plan
        if len(self.plans) >= PLANS:
            oldest, _ = min([*self.plans.items()], key=_last_run)
            self.plans.pop(oldest, None)
        found = self.plans[key] = prepared(plan, self.session.values)
        return found


def _last_run(item: tuple[Any, Plan | CompiledPlan]) -> int:
    _, plan = item
    return plan.step if isinstance(plan, CompiledPlan) else -1


def _own(value: Any) -> Any:
    """Return a fetched value as one the caller may keep and change."""
    if value is None or isinstance(value, np.generic):
        return value
    value = devices.to_host(value)
    if value.ndim == 0:
        return value[()]
    return value if value.flags.writeable else value.copy()


def _fitting(feed: Feed, value: Any) -> Array:
    """Return `value` as an array that `feed` admits.

    Raises:
        FeedError: if its shape does not fit, or its kind of number.
    """
    try:
        if is_symbolic(value) or isinstance(value, Node):
            raise DTypeError(f"{value!r} is not an array: run it first")
        array = as_array(value)
        if array.size and not (feed.dtype == "bool" and _is_truth(array)):
            check_storable(dtype_of(array), feed.dtype, f"'{feed.name}'")
        array = as_array(array, feed.dtype)
        if not feed.spec.admits(array.shape):
            raise ShapeError(f"its shape is {show(feed.spec.shape)}, not {array.shape}")
    except (DTypeError, ShapeError) as problem:
        error = FeedError(f"cannot feed '{feed.name}': {problem}")
        error.locate(feed.place)
        raise error from None
    return array


def _is_truth(array: Array) -> bool:
    """Whether integers, all 0 or 1, were fed for truth values."""
    return array.dtype.kind in "iu" and bool(((array == 0) | (array == 1)).all())


class Session:
    """Runs a graph and keeps the values of its variables.

    Args:
        target: must be empty; other machines are not reached from here.
        graph: the graph to run; the current default graph if None.
        config: accepted for the sake of TensorFlow 1 programs; nothing is read.

    Example:
        >>> x = constant(2.0)
        >>> with Session() as session:
        ...     session.run({"x": x, "square": x * x})
        {'x': np.float32(2.0), 'square': np.float32(4.0)}
    """

    def __init__(
        self, target: str = "", graph: Graph | None = None, config: Any = None
    ) -> None:
        if target:
            raise SessionError(
                f"Session({target!r}): only this process can be a target"
            )
        self.graph = graph or current_graph()
        self.values = Storage()
        self.closed = False
        self._steps = 0
        self._routines: dict[tuple[Any, ...], Routine] = {}
        self._contexts: list[Any] = []

    def run(self, fetches: Any, feed_dict: Mapping[Any, Any] | None = None) -> Any:
        """Compute `fetches` and return their values in the same structure.

        Args:
            fetches: a tensor, node, variable or name, or lists, tuples and dicts of
                them at any depth. A node yields None. A variable is read when all
                effects of the run have happened.
            feed_dict: values for placeholders, and in place of any other tensor.

        Raises:
            FeedError: a placeholder was not fed, or a value does not fit.
            GraphError: a fetch or feed belongs to another graph.
            SessionError: the session is closed.
            UninitializedError: a variable has no value yet.
        """
        leaves: list[Fetch] = []
        rebuild = _flatten(fetches, leaves, self._fetch)
        self._check_open(leaves)
        feeds = {self._feed(key): value for key, value in (feed_dict or {}).items()}
        return rebuild(iter(self.routine(leaves, [*feeds])(*feeds.values())))

    def routine(self, fetches: Sequence[Fetch], feeds: Sequence[Feed]) -> Routine:
        """Return the callable for these fetches and feeds, the same one each time."""
        key = (tuple(fetches), tuple(feeds))
        if key not in self._routines:
            self._routines[key] = Routine(self, fetches, feeds, once=True)
        return self._routines[key]

    def make_callable(
        self, fetches: Any, feed_list: Sequence[Any] = ()
    ) -> Callable[..., Any]:
        """Return a function of the values for `feed_list`, faster than `run`."""
        leaves: list[Fetch] = []
        rebuild = _flatten(fetches, leaves, self._fetch)
        routine = self.routine(leaves, [self._feed(key) for key in feed_list])
        return lambda *values: rebuild(iter(routine(*values)))

    def store(self, handle: Handle, value: Array) -> None:
        """Set a variable at once."""
        self.values[handle] = value

    def count_run(self) -> int:
        """Return how many runs there have been, and count one more.

        Raises:
            SessionError: if the session is closed.
        """
        self._check_open()
        self._steps += 1
        return self._steps - 1

    def _check_open(self, fetches: Sequence[Fetch] = ()) -> None:
        if self.closed:
            error = SessionError(
                "the session is closed: open a new one to run anything"
            )
            if fetches:
                error.locate(fetches[0].place)
            raise error

    def _fetch(self, value: Any) -> Fetch:
        element = self.graph.as_graph_element(value)
        handle = _handle_of(element)
        if handle is None and not isinstance(element, (Tensor, Node)):
            raise TypeError(
                f"cannot fetch {value!r} of type {type(value).__name__}: fetches are "
                "tensors, operations, variables, their names, lists or dicts of them"
            )
        self._same_graph(element, "fetch")
        return handle or element

    def _feed(self, key: Any) -> Feed:
        element = self.graph.as_graph_element(key)
        handle = _handle_of(element)
        if handle is None and not isinstance(element, Tensor):
            raise FeedError(
                f"feed_dict's key {key!r} is not a tensor, a variable or a name"
            )
        self._same_graph(element, "feed")
        return handle or element

    def _same_graph(self, element: Any, verb: str) -> None:
        if getattr(element, "graph", self.graph) is not self.graph:
            error = GraphError(
                f"cannot {verb} {element!r}: it belongs to another graph than this "
                "session's. Open the session inside `with graph.as_default():`, or "
                "pass Session(graph=...)"
            )
            error.locate(element.place)
            raise error

    # -- lifetime ------------------------------------------------------------------

    def close(self) -> None:
        """Forget all variables' values; the session can run nothing any more."""
        self.closed = True
        self.values.clear()
        self._routines.clear()

    @contextmanager
    def as_default(self) -> Iterator[Session]:
        """Make this the session of `Tensor.eval` and `Node.run` inside the block."""
        push_session(self)
        try:
            yield self
        finally:
            pop_session(self)

    def __enter__(self) -> Session:
        entered = self.graph.as_default(), self.as_default()
        for context in entered:
            context.__enter__()
        self._contexts.append(entered)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for context in reversed(self._contexts.pop()):
            context.__exit__(None, None, None)
        self.close()


class InteractiveSession(Session):
    """A session that is the default one from its creation until it is closed."""

    def __init__(
        self, target: str = "", graph: Graph | None = None, config: Any = None
    ) -> None:
        super().__init__(target, graph, config)
        self._default = ExitStack()
        self._default.enter_context(self.as_default())
        if graph is not None:
            self._default.enter_context(graph.as_default())

    def close(self) -> None:
        """Close, and stop being the default session."""
        self._default.close()
        super().close()


def _handle_of(element: Any) -> Handle | None:
    """Return the variable that is meant by a `Variable` or by its own tensor."""
    if isinstance(element, Tensor):
        handle = getattr(element.node.op, "handle", None)
        own = handle is not None and element.node.name == handle.name
        return handle if own and element.node.op.name == "read_variable" else None
    return getattr(element, "handle", None)


def _flatten(
    fetches: Any, leaves: list[Any], leaf: Callable[[Any], Any]
) -> Callable[[Iterator[Any]], Any]:
    """Collect the leaves of `fetches`; return the function that puts values back.

    Unlike `tree.flatten` it keeps a dict in order: what is fetched first fails first.
    """
    if isinstance(fetches, dict):
        parts = {k: _flatten(v, leaves, leaf) for k, v in fetches.items()}
        return lambda values: type(fetches)(
            (k, part(values)) for k, part in parts.items()
        )
    if isinstance(fetches, (list, tuple)):
        rows = [_flatten(v, leaves, leaf) for v in fetches]
        if hasattr(fetches, "_fields"):
            return lambda values: type(fetches)(*(part(values) for part in rows))
        return lambda values: type(fetches)(part(values) for part in rows)
    leaves.append(leaf(fetches))
    return next
