"""What all optimizers share: from gradients to updates, in one order.

`apply` takes gradients through loss scale, clipping and weight decay to `update_step`,
the formula that makes an optimizer what it is; then come averages and constraints. In
a traced training step all this becomes part of the graph; called on arrays it runs
compiled.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from minikeras import backend as K
from minikeras import initializers
from minikeras.optimizers.arguments import with_arguments_of
from minikeras.optimizers.clipping import clip_by_global_norm, clip_by_norm
from minikeras.optimizers.schedules import LearningRateSchedule
from minikeras.optimizers.state import State

__all__ = ["Optimizer", "Variable", "kept_only_if"]

Variable = K.Variable
Variables = Sequence[Variable]


class Optimizer(State):
    """Base of optimizers: a rule by which gradients change variables.

    A subclass says in `slots` what it keeps for each variable, and writes its formula
    in `update_step`, with `slot` and the ``assign`` methods.

    Args:
        learning_rate: step length, in units of weight per unit of gradient: a float, a
            schedule, or a function without arguments.
        weight_decay: share of a weight, times the learning rate, that it loses in each
            step; None for no decay.
        clipnorm: the largest norm of the gradient of one variable.
        clipvalue: the largest size of an element of a gradient.
        global_clipnorm: the largest norm of all gradients together.
        use_ema: whether to keep a moving average of the variables.
        ema_momentum: share of that average kept in each step, in [0, 1].
        ema_overwrite_frequency: after how many steps the variables become their
            average; None: only by `finalize_variable_values`.
        loss_scale_factor: what the loss was multiplied with, and gradients are divided
            by.
        gradient_accumulation_steps: over how many steps gradients are averaged before
            they are used.
        name: of the optimizer, and the first part of its variables' paths.

    Raises:
        ValueError: if an argument is out of range, or there is more than one clipping.
    """

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "__init__" in vars(cls):
            cls.__init__ = with_arguments_of(Optimizer, cls.__init__)

    def __init__(
        self,
        learning_rate: Any,
        weight_decay: float | None = None,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        use_ema: bool = False,
        ema_momentum: float = 0.99,
        ema_overwrite_frequency: int | None = None,
        loss_scale_factor: float | None = None,
        gradient_accumulation_steps: int | None = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        if kwargs.pop("decay", None) is not None:
            warnings.warn(
                "Argument `decay` is no longer supported and will be ignored.",
                stacklevel=3,
            )
        if kwargs:
            raise ValueError(f"Argument(s) not recognized: {kwargs}")
        super().__init__(name or K.auto_name(type(self).__name__))
        self.weight_decay = weight_decay
        self.clipnorm = clipnorm
        self.clipvalue = clipvalue
        self.global_clipnorm = global_clipnorm
        self.use_ema = use_ema
        self.ema_momentum = ema_momentum
        self.ema_overwrite_frequency = ema_overwrite_frequency
        self.loss_scale_factor = loss_scale_factor
        self.gradient_accumulation_steps = gradient_accumulation_steps
        self._check()
        self._not_decayed: tuple[set[Variable], str] = set(), ""
        self._iterations = self.add_variable((), dtype="int32", name="iteration")
        self._learning_rate = self._made_rate(learning_rate)

    def _check(self) -> None:
        clips = (self.clipnorm, self.clipvalue, self.global_clipnorm)
        if sum(clip is not None for clip in clips) > 1:
            raise ValueError(
                "Only one of `clipnorm`, `clipvalue` and `global_clipnorm` can be set. "
                f"Received: clipnorm={self.clipnorm}, clipvalue={self.clipvalue}, "
                f"global_clipnorm={self.global_clipnorm}"
            )
        if self.use_ema and not 0 <= self.ema_momentum <= 1:
            raise ValueError(
                "`ema_momentum` must be in the range [0, 1]. Received: "
                f"ema_momentum={self.ema_momentum}"
            )
        whole = {"gradient_accumulation_steps": 2}
        if self.use_ema:
            whole["ema_overwrite_frequency"] = 1
        for name, least in whole.items():
            value = getattr(self, name)
            if value and (not isinstance(value, int) or value < least):
                raise ValueError(
                    f"`{name}` must be an integer >= {least}"
                    f"{' or None' if least == 1 else ''}. Received: {name}={value}"
                )

    def slots(self) -> list[dict[str, Any]]:
        """Return what the formula keeps for each variable: names with initializers.

        Each dictionary is a group, all of which is kept for one variable before the
        next one's turn.
        """
        return []

    def build(self, variables: Iterable[Variable]) -> None:
        """Make what is kept for each of `variables`, once."""
        if self.built:
            return
        own = self._trainable_variables = list(variables)
        if self.use_ema:
            self._model_variables_moving_average = self.add_optimizer_variables(
                own, "average"
            )
        if self.gradient_accumulation_steps:
            self._accumulated_gradients = [
                self.add_variable_from_reference(v, "gradient_accumulator") for v in own
            ]
        self._common = len(self._variables)
        for group in self.slots():
            self.add_optimizer_variables(own, list(group), list(group.values()))
        self.built = True

    # -- learning rate and step count --------------------------------------------------

    @property
    def iterations(self) -> Any:
        """How many updates there have been."""
        if self.gradient_accumulation_steps:
            return self._iterations.value // self.gradient_accumulation_steps
        return self._iterations

    @property
    def learning_rate(self) -> Any:
        """The current step length: a variable, or what a schedule or function says."""
        rate = self._learning_rate
        if isinstance(rate, LearningRateSchedule):
            return rate(self._iterations.value)
        return rate() if callable(rate) else rate

    @learning_rate.setter
    def learning_rate(self, learning_rate: Any) -> None:
        current = self._learning_rate
        if callable(learning_rate):
            if isinstance(current, Variable):
                self._variables = [v for v in self._variables if v is not current]
            self._learning_rate = learning_rate
            vars(self).pop("_traced_methods", None)
            K.note_change()
        elif isinstance(current, Variable):
            current.assign(learning_rate)
        else:
            raise TypeError(
                "This optimizer was created with a `LearningRateSchedule` object as "
                "its `learning_rate` constructor argument, hence its learning rate is "
                "not settable. If you need the learning rate to be settable, you "
                "should instantiate the optimizer with a float `learning_rate`."
            )

    def learning_rates(self) -> list[Any]:
        """Return the step lengths as they were given: variables, schedules, functions.

        A traced step holds as long as these stay the same.
        """
        return [self._learning_rate]

    def _made_rate(self, learning_rate: Any) -> Any:
        if callable(learning_rate):
            return learning_rate
        if not isinstance(learning_rate, float):
            raise ValueError(
                "Argument `learning_rate` should be float, or an instance of "
                "LearningRateSchedule, or a callable (that takes in the current "
                "iteration value and returns the corresponding learning rate value). "
                f"Received instead: learning_rate={learning_rate}"
            )
        rate = initializers.Constant(learning_rate)
        return self.add_variable((), rate, K.floatx(), name="learning_rate")

    # -- one step ----------------------------------------------------------------------

    def update_step(
        self, gradient: Any, variable: Variable, learning_rate: Any
    ) -> None:
        """Change `variable`, given its gradient: the optimizer's formula.

        Gradient and learning rate have the dtype of the variable.
        """
        raise NotImplementedError(f"{type(self).__name__} has no `update_step`")

    def update_all(
        self, gradients: Sequence[Any], variables: Variables, learning_rate: Any
    ) -> None:
        """Change all variables: `update_step` for each.

        An optimizer with factors that are the same for all of them, and change from
        step to step, overrides this, computes them once and calls it with the learning
        rate so corrected.
        """
        for gradient, variable in zip(gradients, variables, strict=True):
            dtype = variable.dtype
            rate = K.cast(learning_rate, dtype)
            self.update_step(K.cast(gradient, dtype), variable, rate)

    def assign(self, variable: Variable, value: Any) -> Any:
        """Set `variable` to `value`; return its new value."""
        return variable.assign(value)

    def assign_add(self, variable: Variable, value: Any) -> Any:
        """Add `value` to `variable`; return its new value."""
        return variable.assign_add(value)

    def assign_sub(self, variable: Variable, value: Any) -> Any:
        """Subtract `value` from `variable`; return its new value."""
        return variable.assign_sub(value)

    def average(self, mean: Variable, x: Any, keep: Any) -> Any:
        """Move a running mean to `x`, all but the share `keep`; return its value."""
        return self.assign(mean, mean * keep + x * (1 - keep))

    def apply_gradients(self, grads_and_vars: Iterable[tuple[Any, Variable]]) -> Any:
        """Change variables, given pairs (gradient, variable); return the step count."""
        pairs = list(grads_and_vars)
        self.apply([g for g, _ in pairs], [v for _, v in pairs])
        return self._iterations

    def apply(
        self, grads: Iterable[Any], trainable_variables: Variables | None = None
    ) -> None:
        """Change variables, given their gradients: one step.

        Args:
            grads: one for each variable; None where the loss does not depend on it.
            trainable_variables: by default all that the optimizer was built with.

        Raises:
            ValueError: if the variables are not known, or no gradient is given.
        """
        grads = list(grads)
        if not grads:
            return
        variables = self._known(grads, trainable_variables)
        missing = [v.path for g, v in zip(grads, variables, strict=True) if g is None]
        if len(missing) == len(grads):
            raise ValueError("No gradients provided for any variable.")
        if missing:
            warnings.warn(
                f"Gradients do not exist for variables {missing} when minimizing the "
                "loss. If using `model.compile()`, did you forget to provide a `loss` "
                "argument?",
                stacklevel=2,
            )
        places = {v: i for i, v in enumerate(self._trainable_variables)}
        present = [
            (g, v) for g, v in zip(grads, variables, strict=True) if g is not None
        ]
        self._step(
            [K.convert_to_tensor(g) for g, _ in present],
            tuple(places[v] for _, v in present),
        )

    def _known(self, grads: Sequence[Any], variables: Variables | None) -> Variables:
        """Return the variables that `grads` belong to; build for them if need be."""
        if variables is None:
            if not self.built:
                raise ValueError(
                    "When passing `grads` without `variables`, the optimizer must "
                    "already be built on a list of variables. Call "
                    "`optimizer.build(trainable_variables)` first."
                )
            variables = self._trainable_variables
        elif not self.built:
            self.build(list(variables))
        for variable in set(variables).difference(self._trainable_variables):
            raise ValueError(
                f"Unknown variable: {variable}. This optimizer can only be called for "
                "the variables it was originally built with. When working with a new "
                "set of variables, you should recreate a new optimizer instance."
            )
        if len(grads) != len(variables):
            raise ValueError(
                "When passing `grads` as a list of gradient tensors, the gradients "
                "must match the variables one-to-one. Received a list of "
                f"{len(grads)} gradients for {len(variables)} variables."
            )
        return variables

    @K.compiled_method
    def _step(self, grads: list[Any], places: tuple[int, ...]) -> None:
        """Take one step of the trainable variables at these places."""
        changing = [self._trainable_variables[i] for i in places]
        with K.name_scope(self.name):
            gradients, variables = self._overwrite(grads, changing)
            if variables:
                if self.loss_scale_factor is not None:
                    gradients = [g / self.loss_scale_factor for g in gradients]
                self._accumulate(gradients, variables)
                if self.use_ema:
                    self._move_averages()
            for variable in variables:
                if variable.constraint is not None:
                    variable.assign(variable.constraint(variable))
            self._iterations.assign_add(1)

    def _update(self, gradients: Sequence[Any], variables: Variables) -> None:
        """Clip, decay, update."""
        gradients = self._clip_gradients(gradients)
        self._apply_weight_decay(variables)
        self.update_all(gradients, variables, K.convert_to_tensor(self.learning_rate))

    def _clip_gradients(self, gradients: Sequence[Any]) -> Sequence[Any]:
        if self.clipnorm and self.clipnorm > 0:
            return [clip_by_norm(g, self.clipnorm) for g in gradients]
        if self.global_clipnorm and self.global_clipnorm > 0:
            return clip_by_global_norm(gradients, self.global_clipnorm)
        if self.clipvalue and self.clipvalue > 0:
            return [K.clip(g, -self.clipvalue, self.clipvalue) for g in gradients]
        return gradients

    def _accumulate(self, gradients: Sequence[Any], variables: Variables) -> None:
        """Add up gradients; every so many steps, update by their mean."""
        steps = self.gradient_accumulation_steps
        if not steps:
            self._update(gradients, variables)
            return
        due = self._update_is_due()
        sums = [self.slot(v, "gradient_accumulator") for v in variables]
        totals = [g + s for g, s in zip(gradients, sums, strict=True)]
        with kept_only_if(due, (*variables, *self._variables[self._common :])):
            self._update([total / steps for total in totals], variables)
        for variable, total in zip(sums, totals, strict=True):
            variable.assign(K.where(due, K.zeros_like(total), total))

    def _update_is_due(self) -> Any:
        return K.equal((self._iterations + 1) % self.gradient_accumulation_steps, 0)

    def _overwrite(
        self, gradients: Sequence[Any], variables: Variables
    ) -> tuple[Sequence[Any], Variables]:
        """Let gradients take the place of variables made so; return what is left.

        Over several steps it is the largest gradient that does.
        """
        pairs = list(zip(gradients, variables, strict=True))
        for g, v in pairs:
            if not v.overwrite_with_gradient:
                continue
            if not self.gradient_accumulation_steps:
                v.assign(K.cast(g, v.dtype))
                continue
            due, largest = self._update_is_due(), self.slot(v, "gradient_accumulator")
            g = K.maximum(g, largest)
            v.assign(K.where(due, g, v))
            largest.assign(K.where(due, K.zeros_like(g), g))
        left = [(g, v) for g, v in pairs if not v.overwrite_with_gradient]
        return [g for g, _ in left], [v for _, v in left]

    # -- averages and decay ------------------------------------------------------------

    def _move_averages(self) -> None:
        """Move each variable's average towards it; at times, the other way around."""
        started = K.cast(K.not_equal(self.iterations, 0), K.floatx())
        momentum = self.ema_momentum * started
        every = self.ema_overwrite_frequency
        due = K.equal((self.iterations + 1) % every, 0) if every else None
        for variable in self._averaged(self._trainable_variables):
            average = self.slot(variable, "average")
            mean = self.average(average, variable, K.cast(momentum, variable.dtype))
            if due is not None:
                variable.assign(K.where(due, mean, variable))

    def _averaged(self, variables: Iterable[Variable]) -> Variables:
        return [v for v in variables if not v.overwrite_with_gradient]

    def finalize_variable_values(self, var_list: Variables) -> None:
        """Set variables to their moving averages, if these are kept.

        Raises:
            ValueError: if these are not all the variables that the optimizer knows.
        """
        if not self.use_ema:
            return
        if len(var_list) != len(self._trainable_variables):
            raise ValueError(
                f"The length of model variables ({len(var_list)}) to override does not "
                "match the length of model variables stored in the optimizer "
                f"({len(self._trainable_variables)}). Please check if the optimizer "
                "was called on your model."
            )
        for variable in self._averaged(var_list):
            variable.assign(self.slot(variable, "average").value)

    def exclude_from_weight_decay(
        self,
        var_list: Iterable[Variable] | None = None,
        var_names: Iterable[str] | None = None,
    ) -> None:
        """Let some variables not decay.

        Args:
            var_list: these.
            var_names: and those with one of these in their names.

        Raises:
            ValueError: if the optimizer is built already.
        """
        if self.built:
            raise ValueError(
                "`exclude_from_weight_decay()` can only be configured before the "
                "optimizer is built."
            )
        self._not_decayed = set(var_list or ()), "|".join(var_names or ())

    def _use_weight_decay(self, variable: Variable) -> bool:
        these, names = self._not_decayed
        named = names and re.search(names, variable.name)
        return variable not in these and not named

    def weight_decay_of(self, variable: Variable) -> float | None:
        """Return the share of `variable` that it loses in a step, before the rate."""
        return self.weight_decay

    def _apply_weight_decay(self, variables: Variables) -> None:
        rate = self.learning_rate
        for v in variables:
            share = self.weight_decay_of(v)
            if share is not None and self._use_weight_decay(v):
                v.assign(v - v * K.cast(rate * share, v.dtype))

    def stateless_apply(
        self,
        optimizer_variables: Sequence[Any],
        grads: Sequence[Any],
        trainable_variables: Sequence[Any],
    ) -> tuple[list[Any], list[Any]]:
        """Return what `apply` would make of the variables, and leave them as they are.

        Args:
            optimizer_variables: values to take for `variables`.
            grads: one gradient for each variable that the optimizer was built with.
            trainable_variables: values to take for these.

        Returns:
            The new values of the trainable variables, and those of the optimizer's.

        Raises:
            ValueError: if it is not built, or a number of values does not fit.
        """
        name, own = type(self).__name__, self._trainable_variables
        if not self.built:
            raise ValueError(
                f"To call `stateless_apply`, {name} must be built (i.e. its variables "
                "must have been created). You can build it via "
                "`optimizer.build(trainable_variables)`."
            )
        if len(optimizer_variables) != len(self.variables):
            raise ValueError(
                "Argument `optimizer_variables` must be a list of tensors "
                f"corresponding 1:1 to {name}().variables. Received list with length "
                f"{len(optimizer_variables)}, but expected {len(self.variables)} "
                "variables."
            )
        if len(trainable_variables) != len(own):
            raise ValueError(
                "Argument `optimizer_variables` must be a list of tensors "
                "corresponding 1:1 to the trainable variables list that the optimizer "
                "was built with. Received len(trainable_variables) == "
                f"{len(trainable_variables)} whereas the optimizer was built with "
                f"{len(own)} variables."
            )
        values = [*trainable_variables, *optimizer_variables]
        variables = (*own, *self.variables)
        _, after = K.statelessly(lambda: self.apply(grads), variables, values)
        return after[: len(own)], after[len(own) :]

    def scale_loss(self, loss: Any) -> Any:
        """Return `loss`, scaled so that small gradients do not vanish in 16 bits."""
        return loss if self.loss_scale_factor is None else loss * self.loss_scale_factor

    # -- configs -----------------------------------------------------------------------

    def __getstate__(self) -> dict[str, Any]:
        return {k: v for k, v in vars(self).items() if k != "_traced_methods"}

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make another one like it."""
        rate = self._learning_rate
        given = float(rate.numpy()) if isinstance(rate, Variable) else rate
        return {
            **super().get_config(),
            "learning_rate": K.serialize_keras_object(given),
        }

    @classmethod
    def from_config(
        cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None
    ) -> Any:
        """Return an optimizer made from what `get_config` returned."""
        with K.custom_object_scope(custom_objects):
            return super().from_config(config)


@contextmanager
def kept_only_if(condition: Any, variables: Iterable[Variable]) -> Iterator[None]:
    """Let changes of `variables` inside take effect only where `condition` holds.

    They are computed in any case, which costs less than a branch would.
    """
    before = [(v, v.value) for v in variables]
    yield
    for variable, value in before:
        variable.assign(K.where(condition, variable, value))
