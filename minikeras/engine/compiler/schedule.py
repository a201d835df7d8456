"""`Schedule`: a program fused and put in order, with a place for each of its values."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence

from minikeras.engine.compiler.commits import Commits
from minikeras.engine.compiler.fusion import fuse
from minikeras.engine.compiler.joining import Handles, joined
from minikeras.engine.compiler.memory import Memory
from minikeras.engine.compiler.passes import is_on
from minikeras.engine.compiler.program import Fused, Instruction, Program, Slot
from minikeras.engine.compiler.repeat import Repeat
from minikeras.engine.compiler.spread import Spread
from minikeras.engine.loops import Loop

__all__ = ["Schedule"]


class Schedule:
    """How a program is run.

    Args:
        program: what is to be done.
        elsewhere: computed slots that are not to lie in the schedule's own memory.
        fits: whether variables can lie one after the other; if None, none can.

    Attributes:
        body: instructions in order that change no variable.
        commit: then those that do.
        in_place: the variable on whose memory each of these slots lies.
        memory: where the others lie.
    """

    def __init__(
        self,
        program: Program,
        elsewhere: Collection[Slot] = (),
        fits: Callable[[Handles], bool] | None = None,
    ) -> None:
        self.program = program
        if is_on("fuse"):
            fuse(program)
        order = Commits(program.instructions)
        self.body, self.commit = order.body, order.commit
        self.in_place = order.in_place
        if fits is not None and is_on("join"):
            self.commit = joined(self.commit, self.in_place, fits)
        kept = [x for x in program.fetches if isinstance(x, Slot)]
        placed = {**self.in_place, **dict.fromkeys(elsewhere)}
        self.memory = Memory(self.instructions, kept, placed)

    @property
    def instructions(self) -> Sequence[Instruction]:
        """All instructions in order."""
        return [*self.body, *self.commit]

    def loops(self) -> Iterator[Loop]:
        """Yield the loops that need a kernel, those of repeated bodies too."""
        for unit in self.instructions:
            if isinstance(unit, Fused):
                yield unit.loop
            elif isinstance(unit, Repeat):
                yield from unit.schedule.loops()
            elif isinstance(unit, Spread):
                for part in unit.parts:
                    yield from part.schedule.loops()

    def given(self) -> Iterator[Slot]:
        """Yield what is read, by an instruction or at the end."""
        for unit in self.instructions:
            yield from (x.base for x in unit.inputs)
        yield from (x.base for x in self.program.fetches if isinstance(x, Slot))
