"""Connectionist temporal classification: sequences of labels without their times.

A network says at each step which class it sees, one of which is the *blank*, nothing.
Repetitions merged and blanks removed, its classes spell labels: with blank 0, 0110122
spells 1 1 2. The probability of labels is that of all the ways to spell them.

Source: Graves et al. 2006, doi:10.1145/1143844.1143891.
"""

from __future__ import annotations

from typing import Any

from minikeras.backend.introspection import convert_to_tensor, int_shape, result_type
from minikeras.engine import ops as engine
from minikeras.engine.graph import Tensor

__all__ = ["ctc_decode", "ctc_loss"]

# The logarithm of what is impossible: finite, so that it has a gradient.
NEVER = -1e5

# -- the probability of labels ---------------------------------------------------------


def ctc_loss(
    target: Any,
    output: Any,
    target_length: Any,
    output_length: Any,
    mask_index: int = 0,
) -> Tensor:
    """Return ``-log p`` of labels, in nats; about 1e5 if they cannot be spelled.

    Args:
        target: the labels.
        output: logits of the classes at each step.
        target_length: how many of the labels count.
        output_length: how many of the steps count.
        mask_index: the class that is the blank.

    Shapes:
        target: (batch, labels)
        output: (batch, steps, classes)
        target_length: (batch)
        output_length: (batch)
        returns: (batch)

    Raises:
        ValueError: if the sizes of the batch differ.
    """
    target, lengths, steps = (
        engine.cast(convert_to_tensor(x), "int32")
        for x in (target, target_length, output_length)
    )
    logits = _floating(output)
    _check_batch("target", target, "output", logits)
    _check_batch("target_length", lengths, "target", target)
    _check_batch("output_length", steps, "output", logits)
    letters = _with_blanks(target, mask_index)
    chances = engine.swapaxes(engine.log_softmax(logits), 0, 1)
    count, (batch, width) = (
        engine.shape(chances)[0],
        (engine.shape(letters)[i] for i in (0, 1)),
    )
    places = engine.broadcast_to(letters, [count, batch, width])
    emitted = engine.take_along_axis(chances, engine.maximum(places, 0), -1)
    new = engine.not_equal(letters, _moved(letters, 2, mask_index))

    def step(so_far: Any, row: Any) -> tuple[Any, None]:
        number, here = row
        jumped = engine.where(new, _moved(so_far, 2, NEVER), NEVER)
        ways = engine.stack([so_far, _moved(so_far, 1, NEVER), jumped])
        after = engine.logsumexp(ways, 0) + here
        counts = engine.expand_dims(number < steps, 1)
        return engine.where(counts, after, so_far), None

    # Before the first step one stands before the first letter, a blank.
    place = engine.expand_dims(engine.arange(width), 0)
    start = engine.where(place < 1, 0.0, NEVER) + engine.zeros_like(emitted[0])
    last, _ = engine.scan(step, start, (engine.arange(count), emitted))
    end = engine.expand_dims(2 * lengths, 1)
    is_end = engine.logical_or(engine.equal(place, end), engine.equal(place, end - 1))
    return -engine.logsumexp(engine.where(is_end, last, NEVER), -1)


def _with_blanks(labels: Any, blank: int) -> Any:
    """Return labels with a blank before, between and after them."""
    batch = engine.shape(labels)[0]
    pairs = engine.stack([engine.full_like(labels, blank), labels], -1)
    letters = engine.reshape(pairs, [batch, -1])
    return engine.pad(letters, ((0, 0), (0, 1)), "constant", blank)


def _moved(x: Any, places: int, value: float) -> Any:
    """Return rows moved to the right; what enters is `value`."""
    return engine.pad(x, ((0, 0), (places, 0)), "constant", value)[:, :-places]


def _floating(x: Any) -> Any:
    x = convert_to_tensor(x)
    return engine.cast(x, result_type(x.dtype, "float32"))


def _check_batch(name: str, x: Any, other_name: str, other: Any) -> None:
    here, there = int_shape(x), int_shape(other)
    if here and there and None not in (here[0], there[0]) and here[0] != there[0]:
        raise ValueError(
            f"Arguments `{name}` and `{other_name}` must have the same first "
            f"dimension. Received shapes: `{here}` and `{there}`."
        )


# -- the most probable labels ----------------------------------------------------------


def ctc_decode(
    inputs: Any,
    sequence_lengths: Any,
    strategy: str = "greedy",
    beam_width: int = 100,
    top_paths: int = 1,
    merge_repeated: bool = True,
    mask_index: int | None = 0,
) -> tuple[Tensor, Tensor]:
    """Return the labels that are most probably spelled, -1 behind the last.

    Args:
        inputs: logits of the classes at each step.
        sequence_lengths: how many of the steps count.
        strategy: "greedy": of each step the best class; the score is minus the sum of
            their logits. "beam_search": of all ways to spell labels, as far as they
            are among the best at each step; the scores are ``log p``.
        beam_width: how many labels a search follows.
        top_paths: how many labels a search returns, the best first.
        merge_repeated: whether repetitions are merged; a search always does.
        mask_index: the class that is the blank, None for the last one.

    Shapes:
        inputs: (batch, steps, classes)
        sequence_lengths: (batch)
        returns: (paths, batch, steps), integers, and (batch, paths); 1 path if greedy

    Raises:
        ValueError: if there is no such strategy.

    Source: the search is that of Hannun et al. 2014, arXiv:1408.2873, algorithm 1,
    without a model of language.
    """
    inputs = _floating(inputs)
    lengths = engine.cast(convert_to_tensor(sequence_lengths), "int32")
    if strategy == "greedy":
        return _greedy(inputs, lengths, merge_repeated, mask_index)
    if strategy == "beam_search":
        chances = engine.log_softmax(inputs)
        blank = -1 if mask_index is None else mask_index
        return engine.ctc_beam_search(chances, lengths, beam_width, top_paths, blank)
    raise ValueError(
        f"Invalid strategy {strategy}. Supported values are 'greedy' and 'beam_search'."
    )


def _greedy(
    x: Any, lengths: Any, merge_repeated: bool, blank: int | None
) -> tuple[Any, Any]:
    count = engine.shape(x)[1]
    blank = engine.shape(x)[2] - 1 if blank is None else blank
    place = engine.expand_dims(engine.arange(count), 0)
    outside = place >= engine.expand_dims(lengths, 1)
    best = engine.where(outside, blank, engine.argmax(x, -1))
    score = -engine.sum(engine.where(outside, 0.0, engine.max(x, -1)), 1, keepdims=True)
    nothing = engine.equal(best, blank)
    if merge_repeated:
        again = engine.equal(best, _moved(best, 1, -1))
        nothing = engine.logical_or(nothing, again)
    labels = engine.where(nothing, -1, best)
    order = engine.argsort(engine.where(nothing, count, place), -1)
    labels = engine.take_along_axis(labels, order, -1)
    return engine.expand_dims(labels, 0), score
