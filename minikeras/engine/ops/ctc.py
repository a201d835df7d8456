"""Search for labels that classes spell; for their probability see `backend.ctc`."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from minikeras.engine import devices, dtypes, shapes
from minikeras.engine.errors import ShapeError
from minikeras.engine.graph import Tensor
from minikeras.engine.kernels import beams
from minikeras.engine.op import Op, no_gradient
from minikeras.engine.spec import Array, Spec

__all__ = ["ctc_beam_search"]


class CTCBeamSearch(Op, name="ctc_beam_search"):
    """The labels that chances (logarithms of probabilities) most probably spell."""

    width: int
    paths: int
    blank: int
    vjp = no_gradient

    def infer(self, chances: Spec, lengths: Spec) -> tuple[Spec, Spec]:
        if len(chances.known) != 3:
            raise ShapeError(
                "ctc_beam_search: (batch, steps, classes) are wanted; got shape "
                f"{shapes.show(chances.shape)}"
            )
        batch, steps, _ = chances.known
        labels = Spec((self.paths, batch, steps), dtypes.as_dtype("int32"))
        return labels, Spec((batch, self.paths), chances.dtype)

    def infer_any_rank(self, chances: Spec, lengths: Spec) -> tuple[Spec, Spec]:
        labels = Spec((self.paths, None, None), dtypes.as_dtype("int32"))
        return labels, Spec((None, self.paths), chances.dtype)

    def kernel(
        self, xp: ModuleType, chances: Array, lengths: Array
    ) -> tuple[Array, Array]:
        chances, lengths = devices.to_host(chances), devices.to_host(lengths)
        found = beams.search(chances, lengths, self.width, self.paths, self.blank)
        labels, scores = map(devices.to_device, found)
        return labels, scores


def ctc_beam_search(
    chances: Any, lengths: Any, width: int, paths: int, blank: int = -1
) -> tuple[Tensor, Tensor]:
    """Return the labels that steps most probably spell, and ``log p`` of them.

    Args:
        chances: logarithms of the probabilities of classes.
        lengths: how many of the steps count.
        width: how many beams are followed.
        paths: how many labels are returned, the best first.
        blank: the class that is nothing.

    Shapes:
        chances: (batch, steps, classes)
        lengths: (batch)
        returns: (paths, batch, steps), -1 behind the last label, and (batch, paths)
    """
    return CTCBeamSearch(width, paths, blank)(chances, lengths)
