"""Functions of PyTorch's tensors, as the engine wants them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from minikeras import backend as K
from minikeras.utils.extras import required

__all__ = ["TorchFunction", "array_of", "library", "tensor_of"]


def library(purpose: str) -> Any:
    """Return PyTorch.

    Raises:
        ImportError: if it is not installed.
    """
    return required("torch", "torch", purpose)


def tensor_of(array: Any) -> Any:
    """Return a PyTorch tensor with the elements of an array, not shared."""
    torch = library("A PyTorch tensor")
    if str(array.dtype) == "bfloat16":  # which only PyTorch's own arrays have
        return torch.tensor(array.astype("float32")).to(torch.bfloat16)
    return torch.tensor(array)


def array_of(tensor: Any) -> Any:
    """Return a PyTorch tensor's elements as an array."""
    values = tensor.detach().cpu()
    if _name(values.dtype) == "bfloat16":
        return K.cast(values.float().numpy(), "bfloat16")
    return values.numpy()


def _name(dtype: Any) -> str:
    return str(dtype).removeprefix("torch.")


class TorchFunction:
    """A function of several PyTorch tensors, which autograd differentiates.

    Args:
        function: returns a list of tensors, and changes none of its arguments.
        known: shape and dtype of each result, where they are known beforehand.
    """

    def __init__(
        self, function: Callable[..., Sequence[Any]], known: Any = None
    ) -> None:
        self._torch = library("A function of PyTorch tensors")
        self._function = function
        self._known = known

    def __call__(self, *arrays: Any) -> Sequence[Any]:
        """Return the results."""
        with self._torch.no_grad():
            return [array_of(y) for y in self._function(*map(tensor_of, arrays))]

    def specs(self, inputs: Sequence[tuple[Any, str]]) -> Any:
        """Return shape and dtype of each result, given those of the arguments."""
        return self._known or K.specs_by_trial(self._evaluated, inputs)

    def _evaluated(self, inputs: Sequence[tuple[Any, str]]) -> Any:
        """Run the function on tensors that have shapes and dtypes alone."""
        stand_ins = [
            self._torch.empty(shape, dtype=getattr(self._torch, kind), device="meta")
            for shape, kind in inputs
        ]
        with self._torch.no_grad():
            found = self._function(*stand_ins)
        return [(tuple(y.shape), _name(y.dtype)) for y in found]

    def gradient(self, count: int) -> TorchFunction:
        """Return the function of the results' gradients, and of the arguments."""
        torch = self._torch

        def slopes(*tensors: Any) -> Sequence[Any]:
            again = torch.is_grad_enabled()  # by a gradient of this gradient
            gs, given = tensors[:count], tensors[count:]
            with torch.enable_grad():
                xs = [
                    x.requires_grad_() if _is_smooth(x) and not x.requires_grad else x
                    for x in given
                ]
                ys = self._function(*xs)
                pairs = [(y, g) for y, g in zip(ys, gs, strict=True) if y.requires_grad]
                found = torch.autograd.grad(
                    [y for y, _ in pairs],
                    [x for x in xs if _is_smooth(x)],
                    [g.to(y.dtype) for y, g in pairs],
                    create_graph=again,
                    materialize_grads=True,
                )
            return list(found)

        return TorchFunction(slopes)


def _is_smooth(x: Any) -> bool:
    return x.is_floating_point() or x.is_complex()
