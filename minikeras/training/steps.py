"""One step of a model as a compiled function of a batch's arrays."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

from minikeras import backend as K
from minikeras.training.inputs import filled, leaves_of

__all__ = ["Step"]

Arrays = Sequence[Any]


class Step:
    """A step, written in K, that is traced once for each form of batch.

    Only the number of rows is left open, so that the last batch of an epoch, which may
    be smaller, needs no trace of its own. A step that fails or is interrupted leaves
    all variables as they were.

    Args:
        model: whose penalties are cleared before and after a trace.
        function: from a batch's tensors, in their nesting, to what a call returns.
        eager: whether to trace anew at each call, so that Python code in it runs.
    """

    def __init__(
        self, model: Any, function: Callable[[Any], Any], eager: bool = False
    ) -> None:
        self.model = model
        self.function = function
        self.eager = eager
        self.traces: dict[Any, _Traced] = {}

    def bound(self, data: Any) -> Callable[[Arrays], Any]:
        """Return the step as a function of the arrays of a batch with `data`'s nesting.

        It is traced for arrays like those in `data`.

        Raises:
            ValueError: whatever does not fit, found in the trace.
        """
        form = str(K.tree.map_structure(lambda x: x is None, data))
        self._traced(form, data, leaves_of(data))
        return functools.partial(self._run, form, data)

    def _run(self, form: str, data: Any, arrays: Arrays) -> Any:
        return self._traced(form, data, arrays)(arrays)

    def _traced(self, form: str, data: Any, arrays: Arrays) -> _Traced:
        key = (form, *[(a.dtype, a.shape[1:]) for a in arrays])
        if key not in self.traces or self.eager:
            self.traces[key] = self._trace(data, arrays)
        return self.traces[key]

    def _trace(self, data: Any, arrays: Arrays) -> _Traced:
        with K.tracing() as trace:
            inputs = [
                K.placeholder((None, *a.shape[1:]), dtype=str(a.dtype), name="data")
                for a in arrays
            ]
            self.model._clear_losses()
            try:
                outputs = K.tree.map_structure(
                    _value, self.function(filled(data, inputs))
                )
            finally:
                self.model._clear_losses()
        return _Traced(inputs, outputs, trace)


def _value(x: Any) -> Any:
    """Return a variable's value as of this point of the trace, all else as it is."""
    return K.convert_to_tensor(x) if K.is_symbolic(x) else x


class _Traced:
    """One trace, compiled."""

    def __init__(self, inputs: Any, outputs: Any, trace: K.Trace) -> None:
        self.outputs = outputs
        fetched = [x for x in K.tree.flatten(outputs) if K.is_symbolic(x)]
        self.function = K.Function(inputs, fetched, trace.updates)
        self.handles = trace.handles

    def __call__(self, arrays: Arrays) -> Any:
        values = K.get_session().values
        before = [values[handle] for handle in self.handles]
        try:
            results = iter(self.function.run(arrays))
        except BaseException:
            values.update(zip(self.handles, before, strict=True))
            raise
        return K.tree.map_structure(
            lambda x: next(results) if K.is_symbolic(x) else x, self.outputs
        )
