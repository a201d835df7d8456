"""`EinsumDense`: an affine map along any axes, in Einstein's notation."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, NamedTuple

from minikeras import activations
from minikeras import backend as K
from minikeras.adapters import Adaptable, Einsum, Weight
from minikeras.layers.base import Layer
from minikeras.layers.input_spec import InputSpec

__all__ = ["EinsumDense"]

Shape = Sequence[int | None]


class EinsumDense(Adaptable, Layer):
    """Affine map along chosen axes: ``activation(einsum(equation, x, kernel) + bias)``.

    Args:
        equation: of the form ``"ab,bc->ac"``; ``...`` may stand for further axes before
            (``"...a,ab->...b"``) or after (``"ab...,bc->ac..."``).
        output_shape: sizes of the output without the batch and what ``...`` stands for;
            None where the input tells.
        activation: a name or a function; none by default, that is, linear.
        bias_axes: the letters of those axes of the output that the bias has; by default
            there is none.
        kernel_initializer: how the kernel starts.
        bias_initializer: how the bias starts.
        kernel_regularizer: a penalty on the kernel.
        bias_regularizer: a penalty on the bias.
        kernel_constraint: a projection of the kernel after each update.
        bias_constraint: a projection of the bias after each update.
        lora_rank: see `enable_lora`, which is called as soon as there is a kernel.
        lora_alpha: see `enable_lora`.
        gptq_unpacked_column_size: accepted, as in Keras.
        quantization_config: see `quantize`.

    Raises:
        ValueError: if the equation is not of that form, or does not fit the shapes.

    Example:
        >>> heads = EinsumDense("btd,dhc->bthc", (None, 4, 8), bias_axes="hc")
        >>> heads(Input((16, 32))).shape, heads.kernel.shape
        ((None, 16, 4, 8), (32, 4, 8))
    """

    form = Einsum()
    kernel = Weight()
    _shows_penalty = True
    kernel_initializer: Any
    kernel_regularizer: Any
    kernel_constraint: Any

    def __init__(
        self,
        equation: str,
        output_shape: int | Shape,
        activation: Any = None,
        bias_axes: str | None = None,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        lora_rank: int | None = None,
        lora_alpha: float | None = None,
        gptq_unpacked_column_size: int | None = None,
        quantization_config: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.adapt(lora_rank, lora_alpha, quantization_config)
        self.equation = equation
        one = isinstance(output_shape, int)
        self.partial_output_shape = (output_shape,) if one else tuple(output_shape)
        self.activation = activations.get(activation)
        self.bias_axes = bias_axes
        self.weight_rule(
            "kernel", kernel_initializer, kernel_regularizer, kernel_constraint
        )
        self.weight_rule("bias", bias_initializer, bias_regularizer, bias_constraint)

    def build(self, input_shape: Shape) -> None:
        form = _form(self.equation, input_shape, self.partial_output_shape)
        self.kernel = self.add_weight(
            name="kernel",
            shape=form.kernel_shape(),
            initializer=form.initializer(self.kernel_initializer),
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
        )
        self.bias = None
        if self.bias_axes is not None:
            self.bias = self.add_ruled_weight("bias", form.bias_shape(self.bias_axes))
        self.input_spec = InputSpec(ndim=len(input_shape))

    def call(self, inputs: K.Tensor, training: Any = None) -> K.Tensor:
        x = K.einsum(self.equation, inputs, self.kernel)
        y = x if self.bias is None else K.add(x, self.bias)
        return y if self.activation is None else self.activation(y)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "output_shape": self.partial_output_shape}


class _Form(NamedTuple):
    """An equation taken apart, for an input of a certain shape.

    Attributes:
        kernel: the letters of the kernel.
        output: the letters of the output.
        after: for how many axes ``...`` stands after them.
        sizes: of the axes with letters.
    """

    kernel: str
    output: str
    after: int
    sizes: dict[str, int | None]

    def kernel_shape(self) -> list[Any]:
        """Return the sizes of the kernel."""
        return [self.sizes[k] for k in self.kernel]

    def bias_shape(self, axes: str) -> list[Any]:
        """Return the bias's sizes: from the first of its `axes` on, 1 in between.

        Raises:
            ValueError: if the output has not all of these axes.
        """
        for k in axes:
            if k not in self.output:
                raise ValueError(
                    f"Bias dimension '{k}' was requested, but is not part of the "
                    f"output spec '{self.output}'"
                )
        own = self.output[min(map(self.output.index, axes)) :]
        return [self.sizes[k] if k in axes else 1 for k in own] + [1] * self.after

    def initializer(self, given: Any) -> Any:
        """Return `given`; one that counts inputs is told which axes they are."""
        named = (getattr(given, f"{side}_axes", ()) for side in ("input", "output"))
        if None not in named:
            return given
        axes: dict[str, list[int]] = {"input_axes": [], "output_axes": []}
        for i, k in enumerate(self.kernel):
            axes["output_axes" if k in self.output else "input_axes"].append(i)
        config = {**given.get_config(), "seed": given.seed, **axes}
        return type(given).from_config(config)


_EQUATION = re.compile(
    r"(?P<left>(\.\.\.)?)(?P<input>[a-zA-Z]+)(?P<right>(\.\.\.)?),"
    r"(?P<kernel>[a-zA-Z]+)->(?P=left)(?P<output>[a-zA-Z]+)(?P=right)"
)


def _form(equation: str, input_shape: Shape, output_shape: Shape) -> _Form:
    """Take an equation apart, and find the sizes; see `EinsumDense`."""
    found = _EQUATION.fullmatch(equation)
    if found is None or (found["left"] and found["right"]):
        raise ValueError(
            f"Invalid einsum equation '{equation}'. Equations must be in the form "
            "[X],[Y]->[Z], ...[X],[Y]->...[Z], or [X]...,[Y]->[Z]...."
        )
    given, kernel, output = found["input"], found["kernel"], found["output"]
    dotted = len(input_shape) - len(given)
    before, after = (dotted, 0) if found["left"] else (0, dotted)
    inside = dict(zip(given, input_shape[before:], strict=False))
    # Where the batch has a letter, `output_shape` begins after that.
    whole = output_shape if before else (input_shape[0], *output_shape)
    outside = dict(zip(output, whole, strict=False))
    for k in output + kernel:
        _check_letter(k, given, kernel, output)
    for k in inside.keys() & outside.keys():
        if outside[k] not in (None, inside[k]):
            raise ValueError(
                "Input shape and output shape do not match at shared dimension "
                f"'{k}'. Input shape is {inside[k]}, and output shape is {outside[k]}."
            )
    told = {k: n for k, n in outside.items() if n is not None}
    return _Form(kernel, output, after, {**outside, **inside, **told})


def _check_letter(k: str, given: str, kernel: str, output: str) -> None:
    """Demand that an axis of the output comes from somewhere, and one of the kernel."""
    if k in output and k not in given + kernel:
        raise ValueError(
            f"Dimension '{k}' was specified in the output '{output}' but has no "
            f"corresponding dim in the input spec '{given}' or weight spec '{kernel}'"
        )
    if k in kernel and k not in given + output:
        raise ValueError(
            f"Weight dimension '{k}' did not have a match in either the input spec "
            f"'{given}' or the output spec '{output}'. For this layer, the weight must "
            "be fully specified."
        )
