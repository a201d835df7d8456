"""`Distiller`: a model that trains a student beside its teacher."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Self

from minikeras import ops, tree
from minikeras.backend import (
    custom_object_scope,
    deserialize_keras_object,
    serialize_keras_object,
)
from minikeras.distillation.losses import DistillationLoss, as_losses, is_graph
from minikeras.metrics import Mean
from minikeras.models import Model, Sequential

__all__ = ["Distiller"]

FINAL = "final_output"  # what the outputs are called among the features


class Distiller(Model):
    """Train a student on targets and on a teacher's outputs: a weighted sum of losses.

    ``w * loss(y, s(x)) + (1 - w) * sum(w_i * distance_i(t(x), s(x)))``, with the
    student's outputs s and the teacher's t.

    Args:
        teacher: a trained model; it is frozen.
        student: the model to train, with inputs and outputs of the same shapes.
        distillation_losses: a distance, or several, such as `LogitsDistillation`.
        distillation_loss_weights: of several distances; all 1 if None.
        student_loss_weight: of the loss on targets, in [0, 1]; the distances have the
            rest.
        name: of the model.
        kwargs: of `Model`.

    Attributes:
        student: the model that was trained, to be used by itself.

    Raises:
        ValueError: if the models do not fit together, or not with the distances.

    Source: Hinton et al. 2015, arXiv:1503.02531.
    """

    def __init__(
        self,
        teacher: Model,
        student: Model,
        distillation_losses: DistillationLoss | Sequence[DistillationLoss],
        distillation_loss_weights: Sequence[float] | None = None,
        student_loss_weight: float = 0.5,
        name: str = "distiller",
        **kwargs: Any,
    ) -> None:
        super().__init__(name=name, **kwargs)
        _check_models(teacher, student)
        _check_weight(student_loss_weight)
        self.teacher = teacher
        self.student = student
        self.student_loss_weight = student_loss_weight
        self.distillation_losses, self.distillation_loss_weights = _weighted(
            distillation_losses, distillation_loss_weights
        )
        for distance in self.distillation_losses:
            distance.validate_model_compatibility(teacher, student)
        self._teacher_feature_extractor = self._extractor(teacher, "teacher_layer_name")
        self._student_feature_extractor = self._extractor(student, "student_layer_name")
        self.teacher.trainable = False
        self.student_loss_tracker = Mean(name="student_loss")
        self.distillation_loss_tracker = Mean(name="distillation_loss")
        self.total_loss_tracker = Mean(name="total_loss")

    def _extractor(self, model: Any, attribute: str) -> Model | None:
        """Return a model with the outputs of all layers that distances look at.

        It shares all layers with `model`, and is None if the outputs are enough.
        """
        wanted = [getattr(d, attribute, None) for d in self.distillation_losses]
        names = [name for name in dict.fromkeys(wanted) if name]
        if not names:
            return None
        if not is_graph(model):
            raise ValueError(
                f"Cannot create feature extractor for {model.name}. The model has no "
                "symbolic inputs attribute."
            )
        last = model.layers[-1] if isinstance(model, Sequential) else model
        outputs = {FINAL: last.output}
        outputs.update((name, model.get_layer(name=name).output) for name in names)
        name = f"{model.name}_multi_feature_extractor"
        return Model(model.inputs, outputs, name=name)

    def compile(
        self,
        optimizer: Any = "adam",
        loss: Any = None,
        metrics: Any = None,
        **kwargs: Any,
    ) -> None:
        """Say how to train.

        Args:
            optimizer: of the student.
            loss: of the student's outputs on the targets.
            metrics: a list of further ones.
            kwargs: further arguments of `Model.compile`.

        Raises:
            ValueError: if there is no loss, or `metrics` is no list.
        """
        if loss is None:
            raise ValueError("'loss' cannot be `None`.")
        if metrics is not None and not isinstance(metrics, (list, tuple)):
            raise ValueError(f"metrics must be a list or tuple, got {type(metrics)}")
        self._student_loss = as_losses(loss)
        self._compile_config = {"loss": loss}
        super().compile(optimizer=optimizer, loss=None, metrics=metrics, **kwargs)

    def get_compile_config(self) -> dict[str, Any] | None:
        given = super().get_compile_config()
        own = serialize_keras_object(self._compile_config) if given else {}
        return given and {**given, **own}

    def compile_from_config(self, config: dict[str, Any]) -> None:
        self._trainer.compile_from_config(config)

    def call(self, inputs: Any, training: bool | None = None, **kwargs: Any) -> Any:
        return self.student(inputs, training=training, **kwargs)

    def compute_loss(
        self,
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> Any:
        """Return the weighted sum of the loss on targets and of the distances.

        Args:
            x: inputs.
            y: targets; None for the distances alone.
            y_pred: the student's outputs, computed from `x` if None.
            sample_weight: accepted; samples count alike.
            training: whether this is training.
        """
        if y_pred is None:
            y_pred = self(x, training=training)
        share = self.student_loss_weight
        of_student = self._on_targets(y, y_pred) if share > 0 and y is not None else 0.0
        of_teacher = self._on_teacher(x, y_pred) if share < 1 else 0.0
        total = ops.add(
            ops.multiply(share, of_student), ops.multiply(1.0 - share, of_teacher)
        )
        self.student_loss_tracker.update_state(of_student)
        self.distillation_loss_tracker.update_state(of_teacher)
        self.total_loss_tracker.update_state(total)
        return total

    def _on_targets(self, y: Any, y_pred: Any) -> Any:
        losses = tree.map_structure(
            lambda loss, *both: loss(*both), self._student_loss, y, y_pred
        )
        first, *others = tree.flatten(losses)
        return ops.mean(ops.sum(ops.stack([first, *others])) if others else first)

    def _on_teacher(self, x: Any, y_pred: Any) -> Any:
        of_teacher = _features(self._teacher_feature_extractor, self.teacher, x)
        of_student: dict[str, Any] = {FINAL: y_pred}
        if self._student_feature_extractor is not None:
            of_student = self._student_feature_extractor(x, training=True)
        total: Any = 0.0
        for distance, weight in zip(
            self.distillation_losses, self.distillation_loss_weights, strict=True
        ):
            outputs = of_teacher[FINAL], y_pred
            if getattr(distance, "teacher_layer_name", None) is not None:
                outputs = _of_layers(distance, of_teacher, of_student)
            distance.validate_outputs(*outputs)
            found = distance.compute_loss(*outputs)
            if len(getattr(found, "shape", ())) > 0:
                raise ValueError(
                    f"Distillation loss {type(distance).__name__} returned a "
                    f"non-scalar loss with shape {found.shape}. The compute_loss "
                    "method must return a scalar tensor."
                )
            total = ops.add(total, ops.multiply(weight, found))
        return total

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "teacher": serialize_keras_object(self.teacher),
            "student": serialize_keras_object(self.student),
            "distillation_losses": [
                serialize_keras_object(distance)
                for distance in self.distillation_losses
            ],
            "distillation_loss_weights": self.distillation_loss_weights,
            "student_loss_weight": self.student_loss_weight,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Self:
        parts = ("teacher", "student", "distillation_losses")
        with custom_object_scope(custom_objects):
            made = {key: deserialize_keras_object(config[key]) for key in parts}
        return cls(**{**config, **made})


def _features(extractor: Model | None, model: Model, x: Any) -> Any:
    if extractor is None:
        return {FINAL: model(x, training=False)}
    return extractor(x, training=False)


def _of_layers(
    distance: Any, teacher: Mapping[str, Any], student: Mapping[str, Any]
) -> tuple[Any, Any]:
    """Return the features of both models that a distance is of.

    Raises:
        RuntimeError: if they are not there.
    """
    names = distance.teacher_layer_name, distance.student_layer_name
    found = []
    for name, features in zip(names, (teacher, student), strict=True):
        if (name or FINAL) not in features:
            raise RuntimeError(
                f"Failed to extract features for {type(distance).__name__} targeting "
                f"teacher layer '{names[0]}' and student layer '{names[1]}'. Original "
                f"error: Layer '{name}' not found in extracted features. Available: "
                f"{list(features)}"
            )
        found.append(features[name or FINAL])
    return found[0], found[1]


def _weighted(given: Any, weights: Any) -> tuple[Any, Any]:
    """Return distances and their weights, as many of each."""
    if given is None:
        raise ValueError(
            "'distillation_losses' cannot be `None`. Provide a distillation loss "
            "(e.g., LogitsDistillation or FeatureDistillation) or a list of "
            "distillation losses."
        )
    if not isinstance(given, (list, tuple)):
        return [given], [1.0]
    if weights is None:
        return given, [1.0] * len(given)
    if len(weights) != len(given):
        raise ValueError(
            f"Number of distillation_loss_weights ({len(weights)}) must match number "
            f"of distillation_losses ({len(given)})"
        )
    return given, weights


def _check_weight(weight: Any) -> None:
    if not isinstance(weight, (int, float)):
        raise ValueError(f"student_loss_weight must be a number, got {type(weight)}")
    if not 0.0 <= weight <= 1.0:
        raise ValueError(
            f"student_loss_weight must be between 0.0 and 1.0, got {weight}"
        )


def _check_models(teacher: Any, student: Any) -> None:
    """Refuse models whose inputs or outputs differ in shape or dtype."""
    for role, model in (("Teacher", teacher), ("Student", student)):
        if not isinstance(model, Model):
            raise ValueError(f"{role} must be a keras.Model, got {type(model)}")
    if not (is_graph(teacher) and is_graph(student)):
        return
    for check in (_check_shapes, _check_dtypes):
        for kind in ("input", "output"):
            theirs, ours = getattr(teacher, f"{kind}s"), getattr(student, f"{kind}s")
            for one, other in zip(theirs, ours, strict=True):
                check(one, other, kind)


def _check_shapes(teacher: Any, student: Any, kind: str) -> None:
    theirs, ours = tuple(teacher.shape), tuple(student.shape)
    if len(theirs) != len(ours):
        raise ValueError(
            f"Teacher and student {kind} shapes have different dimensions. Teacher: "
            f"{theirs}, Student: {ours}."
        )
    both = zip(theirs, ours, strict=True)
    if any(None not in pair and pair[0] != pair[1] for pair in both):
        raise ValueError(
            f"Teacher and student {kind} shapes are incompatible. Teacher: {theirs}, "
            f"Student: {ours}. All dimensions must match."
        )


def _check_dtypes(teacher: Any, student: Any, kind: str) -> None:
    if teacher.dtype != student.dtype:
        raise ValueError(
            f"Teacher and student {kind} dtypes must match. Teacher: {teacher.dtype}, "
            f"Student: {student.dtype}."
        )
