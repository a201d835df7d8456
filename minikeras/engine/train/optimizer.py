"""`Optimizer`: from a loss to the operation that makes one step downhill.

A subclass is a formula. Its `update` is given a variable's value, its gradient and its
slots (the state that the method keeps for each variable), and returns the new value of
each, in the same order. All the rest is here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, ClassVar

from minikeras.engine import ops
from minikeras.engine.autodiff import gradients, obstacles
from minikeras.engine.errors import GradientError
from minikeras.engine.graph import Graph, Node, Tensor
from minikeras.engine.op import as_tensor
from minikeras.engine.variables import Variable, trainable_variables

__all__ = ["Optimizer"]


class Optimizer:
    """Base of TensorFlow 1's optimizers.

    Args:
        learning_rate: step length: a number, a tensor, or a function that returns one.
        name: scope of the step's nodes, and last part of the slots' names.
        slots: for each slot its name and initial value.
    """

    GATE_NONE, GATE_OP, GATE_GRAPH = 0, 1, 2

    def __init__(
        self, learning_rate: Any, name: str, slots: dict[str, float] | None = None
    ) -> None:
        self.learning_rate = learning_rate
        self.name = name
        self._initial = slots or {}
        self._slots: dict[str, dict[Variable, Variable]] = {}
        self._shared: dict[tuple[str, Graph], Variable] = {}

    # -- the formula: what a subclass defines --------------------------------------

    def prepare(self, graph: Graph) -> None:
        """Make what one step shares among all variables."""
        rate = self.learning_rate
        self.rate = rate() if callable(rate) else rate

    # update(w, g, *slots): from a variable's value, the gradient of the loss by it and
    # the values of its slots to a tuple of the new values, the variable's first.
    update: ClassVar[Callable[..., tuple[Tensor, ...]]]

    def finish(self, graph: Graph) -> list[Tensor]:
        """Return the updates of what belongs to no single variable."""
        return []

    # -- one step ------------------------------------------------------------------

    def minimize(
        self,
        loss: Tensor,
        global_step: Variable | None = None,
        var_list: Iterable[Variable] | None = None,
        gate_gradients: int = GATE_OP,
        aggregation_method: Any = None,
        colocate_gradients_with_ops: bool = False,
        name: str | None = None,
        grad_loss: Any = None,
    ) -> Node:
        """Return an operation that makes one step towards a smaller `loss`.

        Args:
            loss: the tensor to minimize; of one that is not a scalar, the sum.
            global_step: a variable that the step increments.
            var_list: the variables to change, by default all trainable ones.
            gate_gradients: accepted; all gradients are computed before any update.
            aggregation_method: accepted.
            colocate_gradients_with_ops: accepted.
            name: of the operation.
            grad_loss: the gradient that `loss` starts with, ones by default.

        Raises:
            GradientError: (a ValueError) if the loss depends on no variable, or only
                through operations without gradient; it names the first such one.
        """
        pairs = self.compute_gradients(loss, var_list, grad_loss=grad_loss)
        if all(g is None for g, _ in pairs):
            raise _no_gradient(loss, [v for _, v in pairs])
        return self.apply_gradients(pairs, global_step, name)

    def compute_gradients(
        self,
        loss: Tensor,
        var_list: Iterable[Variable] | None = None,
        gate_gradients: int = GATE_OP,
        aggregation_method: Any = None,
        colocate_gradients_with_ops: bool = False,
        grad_loss: Any = None,
    ) -> list[tuple[Tensor | None, Variable]]:
        """Return pairs (gradient, variable); the gradient is None without a path.

        Raises:
            ValueError: if there is no variable.
        """
        loss = as_tensor(loss)
        with loss.graph.as_default():
            chosen = trainable_variables() if var_list is None else _listed(var_list)
            if not chosen:
                raise ValueError("minimize: there are no variables to optimize")
            grads = gradients(loss, chosen, grad_loss)
        return list(zip(grads, chosen, strict=True))

    def apply_gradients(
        self,
        grads_and_vars: Iterable[tuple[Any, Variable]],
        global_step: Variable | None = None,
        name: str | None = None,
    ) -> Node:
        """Return an operation that makes one step along these gradients.

        Args:
            grads_and_vars: as from `compute_gradients`, maybe clipped or averaged.
            global_step: a variable that the step increments.
            name: of the operation.

        Raises:
            ValueError: if no pair has a gradient.
        """
        pairs = [(g, v) for g, v in grads_and_vars if g is not None]
        if not pairs:
            raise ValueError("apply_gradients: no variable has a gradient")
        graph = pairs[0][1].graph
        with graph.as_default(), graph.name_scope(name or self.name) as scope:
            self.prepare(graph)
            updates = [y for g, v in pairs for y in self._assigned(v, as_tensor(g))]
            updates += self.finish(graph)
            if global_step is not None:
                with graph.control_dependencies(updates):
                    updates.append(global_step.assign_add(1))
            return ops.group(*updates, name=scope)

    def _assigned(self, variable: Variable, gradient: Tensor) -> list[Tensor]:
        """Return the assignments which one step makes for one variable."""
        slots = [self._slot(variable, name) for name in self._initial]
        with variable.graph.name_scope(f"update_{variable.op.name}"):
            values = [as_tensor(state) for state in (variable, *slots)]
            new = self.update(values[0], gradient, *values[1:])
            states = (variable, *slots)
            return [state.assign(y) for state, y in zip(states, new, strict=True)]

    # -- state ---------------------------------------------------------------------

    def _slot(self, variable: Variable, name: str) -> Variable:
        """Return a slot of `variable`, a new one at first sight."""
        slots = self._slots.setdefault(name, {})
        if variable not in slots:
            start = self._initial[name]
            slots[variable] = Variable(
                lambda: ops.full_like(variable.initial_value, start),
                trainable=False,
                name=f"{variable.op.name}/{self.name}/",
            )
        return slots[variable]

    def shared(self, graph: Graph, name: str, start: float) -> Variable:
        """Return a scalar that all variables of `graph` share."""
        key = name, graph
        if key not in self._shared:
            self._shared[key] = Variable(start, trainable=False, name=f"{name}/")
        return self._shared[key]

    def get_slot(self, var: Variable, name: str) -> Variable | None:
        """Return the slot called `name` of a variable, None if it has none."""
        return self._slots.get(name, {}).get(var)

    def get_slot_names(self) -> list[str]:
        """Return the names of the slots made so far, sorted."""
        return sorted(self._slots)

    def variables(self) -> list[Variable]:
        """Return the optimizer's own variables, sorted by name."""
        slots = [
            v for by_variable in self._slots.values() for v in by_variable.values()
        ]
        return sorted([*self._shared.values(), *slots], key=lambda v: v.name)


def _listed(variables: Iterable[Variable] | Variable) -> list[Variable]:
    return [variables] if isinstance(variables, Variable) else list(variables)


def _no_gradient(loss: Tensor, variables: Sequence[Variable]) -> GradientError:
    """Return the error that tells why no variable has a gradient."""
    names = ", ".join(repr(v.name) for v in variables)
    blocks = obstacles(loss, variables)
    where = "; ".join(node.place for node in blocks)
    reason = f"gradients stop at {where}" if blocks else "it does not depend on them"
    error = GradientError(
        f"minimize: the loss '{loss.name}' has no gradient with respect to any of the "
        f"variables {names}: {reason}"
    )
    error.locate(loss.place)
    return error
