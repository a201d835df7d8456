"""Beam search for the labels that a sequence of classes most probably spells.

A beam is labels, with the probabilities of all the ways to spell them so far that end
with a blank, and of those that end with their last label. In each step, a beam

    stays      by a blank, or by its last label again;
    grows      by any label, which is the last one again only behind a blank,

and where it grows to be another beam, it adds to that. This is work for a CPU: on a GPU
arrays come from there and go back.

Source: Hannun et al. 2014, arXiv:1408.2873, algorithm 1.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np

from minikeras.engine.spec import Array

__all__ = ["search"]

Labels: TypeAlias = tuple[int, ...]


class Beams:
    """The best labels so far, and their probabilities, as logarithms.

    Attributes:
        labels: of each beam.
        blank: the logarithm of the probability of ways that end with a blank.
        label: of those that end with the last label.
    """

    def __init__(self, dtype: Any) -> None:
        """Begin with no labels, which are certain."""
        self.labels: list[Labels] = [()]
        self.blank = np.zeros(1, dtype)
        self.label = np.full(1, -np.inf, dtype)

    @property
    def total(self) -> Array:
        """The logarithm of the probability of each beam."""
        return np.logaddexp(self.blank, self.label)

    def step(self, chances: Array, blank: int, width: int) -> None:
        """Go on by a step in which classes have these `chances` (logarithms)."""
        total = self.total
        grown = total[:, None] + chances
        grown[:, blank] = -np.inf
        stay = self.label.copy()
        for i, labels in enumerate(self.labels):
            if labels:
                grown[i, labels[-1]] = self.blank[i] + chances[labels[-1]]
                stay[i] += chances[labels[-1]]
        place = {labels: i for i, labels in enumerate(self.labels)}
        for i, labels in enumerate(self.labels):
            parent = place.get(labels[:-1]) if labels else None
            if parent is not None:
                stay[i] = np.logaddexp(stay[i], grown[parent, labels[-1]])
                grown[parent, labels[-1]] = -np.inf
        self._keep(total + chances[blank], stay, grown, width)

    def _keep(self, blank: Array, stay: Array, grown: Array, width: int) -> None:
        """Keep the best of the beams that stay and of those that have grown."""
        n, classes = grown.shape
        never = np.full(grown.size, -np.inf, grown.dtype)
        blank, label = np.append(blank, never), np.append(stay, grown)
        total = np.logaddexp(blank, label)
        least = np.sort(total)[-min(width, len(total))]
        hopeful = np.flatnonzero((total >= least) & (total > -np.inf)).tolist()

        def labels_of(i: int) -> Labels:
            if i < n:
                return self.labels[i]
            parent, last = divmod(i - n, classes)
            return (*self.labels[parent], last)

        found = {i: labels_of(i) for i in hopeful}
        best = _ranked(found, total, classes)[:width]
        self.labels = [found[i] for i in best]
        self.blank, self.label = blank[best], label[best]


def _ranked(found: dict[int, Labels], total: Array, classes: int) -> list[int]:
    """Return beams by falling probability, equal ones in the order of a dictionary.

    There, unlike in others, a word comes after those that begin with it.
    """
    return sorted(found, key=lambda i: (-total[i], (*found[i], classes)))


def search(
    chances: Array, lengths: Array, width: int, paths: int, blank: int
) -> tuple[Array, Array]:
    """Return the most probable labels, -1 behind the last, and ``log p`` of them."""
    batch, steps, classes = chances.shape
    labels = np.full((paths, batch, steps), -1, "int32")
    scores = np.full((batch, paths), -np.inf, chances.dtype)
    for row, (example, length) in enumerate(zip(chances, lengths, strict=True)):
        beams = Beams(chances.dtype)
        for step in example[:length]:
            beams.step(step, blank % classes, width)
        total = beams.total
        order = _ranked(dict(enumerate(beams.labels)), total, classes)[:paths]
        for rank, i in enumerate(order):
            labels[rank, row, : len(beams.labels[i])] = beams.labels[i]
            scores[row, rank] = total[i]
    return labels, scores
