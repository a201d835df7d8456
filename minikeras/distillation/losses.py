"""How far a student's outputs, or its features, are from the teacher's."""

from __future__ import annotations

from typing import Any

from minikeras import losses, ops, tree
from minikeras.backend import deserialize_keras_object, serialize_keras_object

__all__ = [
    "DistillationLoss",
    "FeatureDistillation",
    "LogitsDistillation",
    "as_losses",
    "is_graph",
]


def as_losses(given: Any) -> Any:
    """Return losses by their names, in any nesting; None stays None."""
    return tree.map_structure(
        lambda one: losses.get(one) if isinstance(one, str) else one, given
    )


def is_graph(model: Any) -> bool:
    """Whether a model has symbolic inputs, so that its layers have outputs."""
    return getattr(model, "inputs", None) is not None


def _nesting(of: Any) -> Any:
    """Return a nesting with stars for its leaves."""
    return tree.map_structure(lambda _: "*", of)


def _sum_of_means(function: Any, given: Any, teacher: Any, student: Any) -> Any:
    """Return the sum over all outputs of a loss's mean; none where the loss is None."""

    def mean(loss: Any, of_teacher: Any, of_student: Any) -> Any:
        return 0.0 if loss is None else function(loss, of_teacher, of_student)

    parts = tree.map_structure(mean, given, teacher, student)
    return ops.sum(ops.stack(tree.flatten(parts)))


class DistillationLoss:
    """A distance between what a teacher and a student make of the same inputs.

    A subclass has `compute_loss`; `Distiller` calls `validate_model_compatibility` once
    and `validate_outputs` for each batch.
    """

    def compute_loss(
        self, teacher_outputs: Any, student_outputs: Any, **kwargs: Any
    ) -> Any:
        """Return the distance, a scalar.

        Args:
            teacher_outputs: one tensor or a nesting of them.
            student_outputs: the same of the student.
            kwargs: for subclasses.
        """
        raise NotImplementedError("Subclasses must implement compute_loss")

    def validate_outputs(self, teacher_outputs: Any, student_outputs: Any) -> None:
        """Refuse outputs in different nestings.

        Raises:
            ValueError: if they differ.
        """
        tree.assert_same_structure(teacher_outputs, student_outputs)

    def validate_model_compatibility(self, teacher: Any, student: Any) -> None:
        """Refuse models that this loss is not for; by default there are none."""


class FeatureDistillation(DistillationLoss):
    """A distance between features: of a layer of each model, or of their outputs.

    Args:
        loss: a loss or its name, or a nesting of them as the layer's outputs are; None
            for an output that does not count.
        teacher_layer_name: the teacher's layer, by default its last.
        student_layer_name: the student's.

    Raises:
        ValueError: if no output counts.

    Source: Romero et al. 2014, arXiv:1412.6550.
    """

    def __init__(
        self,
        loss: Any = "mse",
        teacher_layer_name: str | None = None,
        student_layer_name: str | None = None,
    ) -> None:
        self.teacher_layer_name = teacher_layer_name
        self.student_layer_name = student_layer_name
        self.loss = as_losses(loss)
        if all(one is None for one in tree.flatten(self.loss)):
            raise ValueError(
                "The `loss` argument in `FeatureDistillation` must contain at least "
                "one non-`None` value."
            )

    def validate_model_compatibility(self, teacher: Any, student: Any) -> None:
        """Refuse models without such layers, or without layers that are known.

        Raises:
            ValueError: if that is so.
        """
        names = {"teacher": self.teacher_layer_name, "student": self.student_layer_name}
        models = {"teacher": teacher, "student": student}
        unknown = [role for role, model in models.items() if not is_graph(model)]
        if unknown and any(name is not None for name in names.values()):
            raise ValueError(
                "FeatureDistillation with specific layer names requires Functional or "
                f"Sequential models. The {' and '.join(unknown)} model(s) appear to be "
                "subclassed (no symbolic inputs/outputs). Either use "
                "Functional/Sequential models, or use FeatureDistillation without "
                "layer names (to distill final outputs only), or use "
                "LogitsDistillation instead."
            )
        for role, name in names.items():
            try:
                if name is not None:
                    models[role].get_layer(name=name)
            except ValueError as error:
                raise ValueError(f"In {role} model: {error}") from error

    def validate_outputs(self, teacher_outputs: Any, student_outputs: Any) -> None:
        """Refuse features in other nestings than the losses.

        Raises:
            ValueError: if they differ.
        """
        super().validate_outputs(teacher_outputs, student_outputs)
        try:
            tree.assert_same_structure(self.loss, teacher_outputs)
        except ValueError as error:
            raise ValueError(
                f"Loss structure mismatch. Loss structure: {_nesting(self.loss)}, "
                f"Output structure: {_nesting(teacher_outputs)}. Error: {error}"
            ) from error

    def compute_loss(
        self, teacher_outputs: Any, student_outputs: Any, **kwargs: Any
    ) -> Any:
        """Return the sum of the losses of all outputs, each a mean over the batch."""

        def mean(loss: Any, teacher: Any, student: Any) -> Any:
            return ops.mean(loss(teacher, student))

        return _sum_of_means(mean, self.loss, teacher_outputs, student_outputs)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make another one like it."""
        return {
            "loss": serialize_keras_object(self.loss),
            "teacher_layer_name": self.teacher_layer_name,
            "student_layer_name": self.student_layer_name,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """Return a new one made from what `get_config` returned."""
        return cls(**{**config, "loss": deserialize_keras_object(config["loss"])})


class LogitsDistillation(DistillationLoss):
    """A distance between outputs that are first made softer: divided by a temperature.

    Args:
        temperature: above 1 classes beside the likeliest count for more; 3 to 5 is
            common.
        loss: a loss or its name, or a nesting of them as the models' outputs are; None
            for an output that does not count. A `KLDivergence` object is taken of the
            outputs' softmax, and multiplied by the temperature's square so that its
            gradients keep their size; all others, as in Keras the function that is
            meant by ``"kl_divergence"`` too, see the outputs themselves.

    Raises:
        ValueError: if no output counts, or the temperature is no number above zero.

    Source: Hinton et al. 2015, arXiv:1503.02531.
    """

    def __init__(self, temperature: float = 3.0, loss: Any = "kl_divergence") -> None:
        self.temperature = temperature
        self.loss = as_losses(loss)
        if all(one is None for one in tree.flatten(self.loss)):
            raise ValueError("At least one loss must be non-`None`.")
        if not isinstance(temperature, (int, float)):
            raise ValueError(f"temperature must be a number, got {type(temperature)}")
        if temperature <= 0.0:
            raise ValueError("temperature must be positive.")

    def compute_loss(
        self, teacher_outputs: Any, student_outputs: Any, **kwargs: Any
    ) -> Any:
        """Return the sum of the losses of all outputs, each a mean over the batch."""

        def softened(outputs: Any) -> Any:
            return tree.map_structure(
                lambda x: ops.divide(x, self.temperature), outputs
            )

        return _sum_of_means(
            self._mean, self.loss, softened(teacher_outputs), softened(student_outputs)
        )

    def _mean(self, loss: Any, teacher: Any, student: Any) -> Any:
        if not isinstance(loss, losses.KLDivergence):
            return ops.mean(loss(teacher, student))
        # It is one of probabilities.
        of_both = loss(ops.softmax(teacher), ops.softmax(student))
        return ops.mean(of_both) * self.temperature**2

    def get_config(self) -> dict[str, Any]:
        """Return the arguments that make another one like it."""
        return {
            "temperature": self.temperature,
            "loss": serialize_keras_object(self.loss),
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """Return a new one made from what `get_config` returned."""
        return cls(**{**config, "loss": deserialize_keras_object(config["loss"])})
