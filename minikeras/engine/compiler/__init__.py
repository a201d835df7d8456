"""From a plan to a flat list of calls on memory that stays where it is.

In order: `lowering` traces the kernels of a plan's nodes into a program of a few kinds
of instruction, folds what is known and shares what is equal; `fusion` makes loops of
its elementwise parts; `commits` puts last what changes variables; `memory` gives each
value a place; `bound` makes calls of it all.
"""

from minikeras.engine.compiler.compiled import CompiledPlan, prepared
from minikeras.engine.compiler.passes import PASSES, is_on, without

__all__ = ["PASSES", "CompiledPlan", "is_on", "prepared", "without"]
