"""`Operation`: something that is called on tensors, and remembers that it was.

A layer is one with weights. An operation of a user's own needs `call` alone: on
symbolic tensors it extends their graph, and on arrays it computes at once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from minikeras import backend as K
from minikeras.layers.arguments import given_arguments
from minikeras.layers.context import call_depth
from minikeras.layers.history import CallNode, symbolic_leaves
from minikeras.layers.masks import mask_of, with_mask

__all__ = ["Operation", "apart", "shapes_of"]


class Operation:
    """A step of a computation, as an object.

    Args:
        name: by default the class's name in snake case, made unique.

    Raises:
        ValueError: if the name is no string, or has a ``/`` in it.

    Example:
        >>> class Square(Operation):
        ...     def call(self, x):
        ...         return x * x
        >>> Square()(np.array([2, 3])), Square()(K.KerasTensor((None, 3))).shape
        (array([4, 9]), (None, 3))
    """

    # Arguments that a model passes on without being told to.
    _call_context_args: frozenset[str] = frozenset()
    # What `plain` makes of functions between layers.
    joined: ClassVar[Callable[..., Any]]

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        self: Any = super().__new__(cls)
        self._init_arguments = (args, kwargs)
        return self

    def __init__(self, name: str | None = None) -> None:
        self.name = operation_name(self, name)
        self._inbound_nodes: list[CallNode] = []

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Compute the outputs: arrays from arrays, tensors from tensors."""
        symbolic = symbolic_leaves((args, kwargs))
        return (self.symbolic_call if symbolic else self.call)(*args, **kwargs)

    def call(self, *args: Any, **kwargs: Any) -> Any:
        """Compute the outputs, by functions that take tensors and arrays.

        Raises:
            NotImplementedError: if the subclass has none.
        """
        raise NotImplementedError(f"{type(self).__name__} has no `call`")

    def quantized_call(self, *args: Any, **kwargs: Any) -> Any:
        """Compute the outputs with quantized weights.

        Raises:
            NotImplementedError: if it cannot.
        """
        raise NotImplementedError(f"{type(self).__name__} has no `quantized_call`")

    def rematerialized_call(
        self, fn: Callable[..., Any], *args: Any, **kwargs: Any
    ) -> Callable[..., Any]:
        """Return `fn`: plans keep no value longer than it is needed."""
        return fn

    def symbolic_call(self, *args: Any, **kwargs: Any) -> Any:
        """Return the outputs for symbolic tensors, as tensors of their graph.

        A class with a `compute_output_spec` of its own is not called: what it returns
        stands for the outputs, in models that are made of them.
        """
        told = type(self).compute_output_spec is not Operation.compute_output_spec
        tensors = symbolic_leaves((args, kwargs))
        with K.symbolic_scope(tensors) as trace:
            made = (self.compute_output_spec if told else self.call)(*args, **kwargs)
            outputs = apart(made, tensors)
            if trace.is_symbolic and not call_depth():
                CallNode(self, args, kwargs, outputs)
        return outputs

    def compute_output_spec(self, *args: Any, **kwargs: Any) -> Any:
        """Return the shapes and dtypes of the outputs, as tensors not in the graph."""
        try:
            return K.compute_output_spec(self.call, *args, **kwargs)
        except (TypeError, ValueError, NotImplementedError) as error:
            cls = type(self).__name__
            raise type(error)(
                "Could not automatically infer the output shape / dtype of "
                f"'{self.name}' (of type {cls}). Either the `{cls}.call()` method is "
                f"incorrect, or you need to implement the `{cls}.compute_output_spec() "
                f"/ compute_output_shape()` method. Error encountered:\n\n{error}"
            ) from error

    # -- configuration -----------------------------------------------------------------

    def get_config(self) -> dict[str, Any]:
        """Return the arguments from which `from_config` makes the same one again.

        A class without a `get_config` of its own adds those of its constructor.

        Raises:
            NotImplementedError: if one of these cannot be written to a file.
        """
        if type(self).get_config is not Operation.get_config:
            return {"name": self.name}
        given = {**given_arguments(self), "name": self.name}
        accepted = K.constructor_arguments(type(self))
        return {k: v for k, v in given.items() if k in accepted}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """Return one made from the result of `get_config`.

        Raises:
            TypeError: if its constructor does not take what `config` has.
        """
        try:
            return cls(**config)
        except Exception as error:
            raise TypeError(
                f"Error when deserializing class '{cls.__name__}' using "
                f"config={config}.\n\nException encountered: {error}"
            ) from error

    # -- as a part of a model ----------------------------------------------------------

    @property
    def input(self) -> Any:
        """The symbolic input of its first call.

        Raises:
            AttributeError: if it has not been called on symbolic tensors.
        """
        return _single(self._first_call("input").input_tensors)

    @property
    def output(self) -> Any:
        """The symbolic output of its first call.

        Raises:
            AttributeError: if it has not been called on symbolic tensors.
        """
        return _single(self._first_call("output").output_tensors)

    def _first_call(self, wanted: str) -> CallNode:
        if not self._inbound_nodes:
            raise AttributeError(
                f"The layer {self.name} has never been called and thus has no defined "
                f"{wanted}."
            )
        return self._inbound_nodes[0]

    def __repr__(self) -> str:
        return f"<Operation name={self.name}>"


def operation_name(operation: Any, name: Any) -> str:
    """Return the name of an operation: what was given, or one made of its class's.

    Raises:
        ValueError: if what was given cannot be one.
    """
    if name is None:
        return K.auto_name(type(operation).__name__)
    if not isinstance(name, str) or "/" in name:
        raise ValueError(
            "Argument `name` must be a string and cannot contain character `/`. "
            f"Received: name={name} (of type {type(name)})"
        )
    return name


def apart(outputs: Any, inputs: Sequence[Any]) -> Any:
    """Return `outputs`; one that is an input itself as a tensor of its own."""

    def separate(y: Any) -> Any:
        taken = any(y is x for x in inputs)
        return with_mask(K.identity(y), mask_of(y)) if taken else y

    return K.tree.map_structure(separate, outputs)


def shapes_of(x: Any) -> Any:
    """Return the shape of a tensor, or the shapes of a nesting of tensors."""
    return K.tree.map_structure(
        lambda t: tuple(t.shape) if hasattr(t, "shape") else None, x
    )


def _single(items: Sequence[Any]) -> Any:
    return items[0] if len(items) == 1 else list(items)
