"""`Function`: a part of a graph as something to call, without weights of its own."""

from __future__ import annotations

from collections.abc import Container, Iterator
from typing import Any

from minikeras import backend as K
from minikeras import tree
from minikeras.layers.history import CallNode, history_of
from minikeras.layers.operation import Operation
from minikeras.models.functional import GraphOperation, repeated

__all__ = ["Function"]


class Function(Operation):
    """The computation that leads from `inputs` to `outputs`, on other inputs.

    Args:
        inputs: symbolic tensors, one or any nesting.
        outputs: symbolic tensors computed from them, one or any nesting.
        name: made up by default.

    Raises:
        ValueError: if there are no inputs or outputs, or an output does not depend on
            the inputs alone.

    Example:
        >>> x = K.KerasTensor((None, 3))
        >>> double = Function(x, x + x)
        >>> double(np.float32([[1, 2, 3]]))
        array([[2., 4., 6.]], dtype=float32)
    """

    def __init__(self, inputs: Any, outputs: Any, name: str | None = None) -> None:
        super().__init__(name=name)
        self._inputs_struct, self._outputs_struct = inputs, outputs
        for role, found in (("inputs", self.inputs), ("outputs", self.outputs)):
            if not found:
                raise ValueError(
                    f"`{role}` argument cannot be empty. Received:\n"
                    f"inputs={inputs}\noutputs={outputs}"
                )
        self._calls: dict[CallNode, None] = {}
        for path, y in tree.flatten_with_path(outputs):
            try:
                self._calls.update(dict.fromkeys(_calls(y, set(self.inputs))))
            except LookupError:
                shown = ".".join(map(str, path))
                raise ValueError(
                    f"Output with path `{shown}` is not connected to `inputs`"
                ) from None

    @property
    def inputs(self) -> list[K.Tensor]:
        """The symbolic inputs, as a list."""
        return K.tree.flatten(self._inputs_struct)

    @property
    def outputs(self) -> list[K.Tensor]:
        """The symbolic outputs, as a list."""
        return K.tree.flatten(self._outputs_struct)

    @property
    def operations(self) -> list[Any]:
        """What is called between inputs and outputs, in order, each once."""
        return list(dict.fromkeys(node.operation for node in self._calls))

    @K.compiled_method
    def call(self, inputs: Any) -> Any:
        """Return the outputs for other inputs, in their nesting.

        Raises:
            ValueError: if the inputs have another nesting or do not fit in shape.
        """
        self._check(inputs)
        pairs = zip(self.inputs, K.tree.flatten(inputs), strict=True)
        return repeated(self._calls, self._outputs_struct, dict(pairs))

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return the shapes of the outputs for given shapes of the inputs."""
        dtypes = iter([x.dtype for x in self.inputs])
        inputs = tree.map_shape_structure(
            lambda shape: K.KerasTensor(shape, next(dtypes)), input_shape
        )
        spec = self.compute_output_spec(inputs)
        return K.tree.map_structure(lambda y: tuple(y.shape), spec)

    def get_config(self) -> dict[str, Any]:
        """Refuse: a graph of plain operations cannot be written to a file.

        Raises:
            NotImplementedError: always.
        """
        raise NotImplementedError(
            f"function '{self.name}' cannot be written to a file: make a model of it"
        )

    def _check(self, inputs: Any) -> None:
        try:
            tree.assert_same_structure(inputs, self._inputs_struct)
        except ValueError:
            raise ValueError(
                "Function was called with an invalid input structure. Expected input "
                f"structure: {self._inputs_struct}\nReceived input structure: {inputs}"
            ) from None
        for x, own in zip(K.tree.flatten(inputs), self.inputs, strict=True):
            if own.shape is not None and not K.shape_equal(x.shape, own.shape):
                raise ValueError(
                    f"{type(self).__name__} was passed incompatible inputs. For input "
                    f"'{own.name}', expected shape {own.shape}, but received instead a "
                    f"tensor with shape {tuple(x.shape)}."
                )


def _calls(output: K.Tensor, inputs: Container[K.Tensor]) -> Iterator[CallNode]:
    """Yield the calls that lead to a tensor, each after those it depends on.

    Raises:
        LookupError: if there is a beginning that is not among `inputs`.
    """
    done: set[CallNode] = set()
    stack = [(output, False)]
    while stack:
        tensor, ready = stack.pop()
        if tensor in inputs:
            continue
        node = _made_by(tensor, inputs)
        if node in done:
            continue
        if ready:
            done.add(node)
            yield node
        else:
            stack.append((tensor, True))
            stack.extend((x, False) for x in reversed(node.input_tensors))


def _made_by(tensor: K.Tensor, inputs: Container[K.Tensor]) -> CallNode:
    """Return the call that made `tensor`; plain operations become one."""
    if history_of(tensor) is None:
        starts = K.ancestors(
            tensor,
            lambda t: t in inputs or history_of(t) is not None or K.is_placeholder(t),
        )
        if starts:
            GraphOperation(starts, tensor)
    history = history_of(tensor)
    node = history and history.operation._inbound_nodes[history.node_index]
    if node is None or not node.input_tensors:
        raise LookupError(f"{tensor} is not among the inputs")
    return node
