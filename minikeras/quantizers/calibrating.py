"""Quantization that looks at data: what its algorithms share, and where data come from.

A model's blocks are quantized one after the other, each with the outputs of those
before as its inputs, so that it makes up for their errors too.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, ClassVar

import numpy as np

from minikeras import backend as K
from minikeras.quantizers.configs import is_chosen

__all__ = ["Calibrator", "calibrate_blocks", "check_structure", "get_dataloader"]


class Calibrator:
    """Base of algorithms that quantize one layer's kernel, as a matrix.

    A subclass has a method `see`, which is given inputs of the layer, and `finish`,
    which quantizes.

    Args:
        layer: a `Dense` or an `EinsumDense`.
        config: what to do.

    Raises:
        TypeError: if it is no such layer.
    """

    name: ClassVar[str]

    def __init__(self, layer: Any, config: Any) -> None:
        form = getattr(layer, "form", None)
        if form is None or self.name.lower() not in form.modes:
            raise TypeError(f"Unsupported layer type for {self.name}: {type(layer)}")
        self.original_layer = self.layer = layer
        self.kernel_shape = tuple(layer.kept_weight.shape)
        self.rows, self.columns = form.matrix(layer, self.kernel_shape)
        self.config = config
        self.num_samples = 0

    def matrix(self) -> Any:
        """Return the kernel as a matrix of the layer's inputs and outputs."""
        kernel = self.layer.kept_weight.numpy().astype("float32")
        return kernel.reshape(self.rows, self.columns)

    def samples(self, batch: Any) -> Any:
        """Return inputs as rows of a matrix.

        Raises:
            ValueError: if there are none.
        """
        if batch is None:
            raise ValueError("Input tensor cannot be None.")
        x = np.asarray(K.convert_to_numpy(batch), "float32")
        if x.ndim < 2:
            raise ValueError(f"Input tensor must have rank >= 2 (got rank {x.ndim}).")
        if x.size == 0:
            raise ValueError("Input tensor cannot be empty.")
        return x.reshape(-1, x.shape[-1])

    def free(self) -> None:
        """Forget the layer."""
        del self.layer


# -- data ------------------------------------------------------------------------------


def get_dataloader(
    tokenizer: Any,
    sequence_length: int,
    dataset: Any,
    num_samples: int = 128,
    *,
    strategy: str = "strided",
    seed: int = 42,
    stride: int | None = None,
    eos_id: int | None = None,
) -> Any:
    """Return windows of a text of numbers, which is repeated if it is too short.

    Args:
        tokenizer: has a method `tokenize`, from a text to its numbers.
        sequence_length: numbers in a window.
        dataset: texts, or arrays of numbers.
        num_samples: how many windows.
        strategy: where they begin: ``"strided"``, ``"linspace"`` or ``"random"``.
        seed: of the first one, or of all.
        stride: from one to the next; by default they cover all of the text.
        eos_id: a number to be put between texts.

    Shapes:
        returns: (windows, 1, sequence_length), integers

    Raises:
        TypeError: if `dataset` is no collection.
        ValueError: if it is empty, or there is no such strategy.
    """
    if not hasattr(dataset, "__iter__") or isinstance(dataset, (str, bytes)):
        raise TypeError(
            "The `dataset` argument must be an iterable (e.g., a list of strings, a "
            f"generator, or a NumPy array). Got type: {type(dataset).__name__}. Please "
            "pass the loaded dataset directly."
        )
    tokens = _tokens(tokenizer, list(dataset), eos_id)
    needed = num_samples * sequence_length
    if tokens.size < needed:
        tokens = np.tile(tokens, math.ceil(needed / max(1, tokens.size)))
    last = tokens.size - sequence_length
    if last < 0:
        raise ValueError(
            f"Not enough tokens to form one sample of length {sequence_length} (have "
            f"{tokens.size})."
        )
    starts = _starts(last, num_samples, strategy, seed, stride)
    windows = np.lib.stride_tricks.sliding_window_view(tokens, sequence_length)
    return windows[starts].astype("int32")[:, None, :]


def _tokens(tokenizer: Any, dataset: list[Any], eos_id: int | None) -> Any:
    if not dataset:
        raise ValueError("Provided dataset is empty.")
    texts = isinstance(dataset[0], str)
    numbers = map(tokenizer.tokenize, dataset) if texts else dataset
    pieces = [np.ravel(K.convert_to_numpy(x)) for x in numbers]
    if texts and eos_id is not None:
        end = np.array([eos_id])
        pieces = [part for piece in pieces for part in (end, piece)][1:]
    return np.concatenate(pieces).astype("int32")


def _starts(last: int, count: int, strategy: str, seed: int, stride: int | None) -> Any:
    """Return where windows start, from 0 to `last`."""
    random = np.random.default_rng(seed)
    if strategy == "random":
        return random.integers(0, last + 1, size=count)
    if strategy == "linspace":
        return np.linspace(0, last, count, dtype="int64")
    if strategy == "strided":
        step = stride or max(1, (last + 1) // count)
        return (random.integers(0, last + 1) + np.arange(count) * step) % (last + 1)
    raise ValueError(f"Unknown strategy: {strategy}")


# -- models ----------------------------------------------------------------------------


def calibrate_blocks(
    calibrator: type[Calibrator],
    config: Any,
    structure: Mapping[str, Any] | None,
    filters: Any = None,
) -> None:
    """Quantize the layers of a model's blocks by an algorithm that looks at data.

    Args:
        calibrator: the algorithm.
        config: its config.
        structure: ``"pre_block_layers"``, which come first, and
            ``"sequential_blocks"``, whose layers are quantized.
        filters: which of them; see `Model.quantize`.

    Raises:
        ValueError: if the config has no data, or there are no blocks.
    """
    name, mode = calibrator.name, config.mode
    if config.dataset is None or config.tokenizer is None:
        raise ValueError(
            f"{name} quantization requires a dataset and a tokenizer. Please provide "
            f"them in the `{name}Config`."
        )
    structure = check_structure(structure, f"'{mode}' mode")
    blocks = structure.get("sequential_blocks", [])
    if not blocks:
        raise ValueError(
            "No sequential blocks found in the provided structure to quantize."
        )
    inputs = get_dataloader(
        config.tokenizer, config.sequence_length, config.dataset, config.num_samples
    )
    for layer in structure.get("pre_block_layers", []):
        inputs = [layer(x) for x in inputs]
    for block in blocks:
        inputs = [x if len(x.shape) > 2 else x[None] for x in inputs]
        _calibrate_block(calibrator, config, block, inputs, filters)
        if block is not blocks[-1]:
            inputs = [block(x) for x in inputs]


def check_structure(structure: Any, when: str) -> Mapping[str, Any]:
    """Return which layers of a model are to be calibrated.

    Raises:
        ValueError: if it is not told.
    """
    if structure is None:
        raise ValueError(
            f"For {when}, a valid quantization structure must be provided either via "
            "`config.quantization_layer_structure` or by overriding "
            "`model.get_quantization_layer_structure(mode)`. The structure should be a "
            "dictionary with keys 'pre_block_layers' and 'sequential_blocks'."
        )
    return structure


def _calibrate_block(
    calibrator: type[Calibrator],
    config: Any,
    block: Any,
    inputs: Sequence[Any],
    filters: Any,
) -> None:
    """Quantize the layers of one block."""
    layers = [
        layer
        for layer in block._flatten_layers()
        if config.mode in getattr(getattr(layer, "form", None), "modes", ())
        and is_chosen(layer, filters)
    ]
    found: list[Any] = [calibrator(layer, config) for layer in layers]

    def run(x: Any) -> list[Any]:
        with _noted_inputs(layers) as noted:
            block(x)
        return noted

    seen = K.function(run)
    for x in inputs:
        for one, batches in zip(found, seen(x), strict=True):
            for batch in batches:
                one.see(np.reshape(K.convert_to_numpy(batch), (-1, one.rows)))
    for one in found:
        one.finish()
        one.free()


@contextmanager
def _noted_inputs(layers: Sequence[Any]) -> Iterator[list[Any]]:
    """Yield lists of the inputs that layers are called with inside."""
    noted: list[Any] = [[] for _ in layers]
    own = [vars(layer).get("call") for layer in layers]

    def noting(call: Any, notes: list[Any]) -> Any:
        def noted_call(inputs: Any, *args: Any, **kwargs: Any) -> Any:
            notes.append(inputs)
            return call(inputs, *args, **kwargs)

        return noted_call

    for layer, notes in zip(layers, noted, strict=True):
        layer.call = noting(layer.call, notes)
    try:
        yield noted
    finally:
        for layer, before in zip(layers, own, strict=True):
            del layer.call
            if before is not None:
                layer.call = before
