"""The estimators: a model, and what scikit-learn asks of one."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any, Self

import numpy as np

from minikeras.models import Model, clone_model
from minikeras.utils.extras import required

__all__ = ["SKLearnClassifier", "SKLearnRegressor", "SKLearnTransformer"]

sklearn = required("sklearn", "sklearn", "minikeras.wrappers")
base, metadata, multiclass, pipeline, preprocessing, validation = (
    required(f"sklearn.{module}", "sklearn", "minikeras.wrappers")
    for module in (
        "base",
        "utils.metadata_routing",
        "utils.multiclass",
        "pipeline",
        "preprocessing",
        "utils.validation",
    )
)


class TargetReshaper(base.TransformerMixin, base.BaseEstimator):
    """Targets as a column, and what a model says of them in the form they had."""

    def fit(self, y: np.ndarray) -> Self:
        """Note the number of axes of the targets."""
        self.ndim_ = y.ndim
        return self

    def transform(self, y: np.ndarray) -> np.ndarray:
        """Return targets with at least two axes."""
        return y.reshape(-1, 1) if y.ndim == 1 else y

    def inverse_transform(self, y: np.ndarray) -> np.ndarray:
        """Return targets with the axes that they had."""
        validation.check_is_fitted(self)
        return np.squeeze(y, axis=1) if self.ndim_ == 1 and y.ndim == 2 else y


def _target_type(y: Any) -> str:
    """Return what kind of targets they are, as scikit-learn calls it.

    Raises:
        ValueError: if it knows no name for them.
    """
    found = multiclass.type_of_target(y)
    if found == "unknown":
        raise ValueError(f"Unknown label type for data: {y!r}")
    return found


def _check_compiled(model: Model) -> None:
    if not (model.compiled and model.loss and model.optimizer):
        raise RuntimeError(
            "Given model needs to be compiled, and have a loss and an optimizer."
        )


class SKLBase(base.BaseEstimator):
    """A model as an estimator.

    Args:
        model: a compiled model, copied for each fit; or a function of `X`, `y` and
            `model_kwargs` that returns one.
        warm_start: whether a fit goes on where the one before it ended.
        model_kwargs: arguments of the function.
        fit_kwargs: arguments of the model's `fit`, such as `epochs`.
    """

    def __init__(
        self,
        model: Model | Callable[..., Model],
        warm_start: bool = False,
        model_kwargs: dict[str, Any] | None = None,
        fit_kwargs: dict[str, Any] | None = None,
    ) -> None:
        self.model = model
        self.warm_start = warm_start
        self.model_kwargs = model_kwargs
        self.fit_kwargs = fit_kwargs

    def __sklearn_tags__(self) -> Any:
        """Return what scikit-learn may expect: other weights on each fit."""
        tags = super().__sklearn_tags__()
        tags.non_deterministic = True
        return tags

    def __sklearn_clone__(self) -> Self:
        """Return an unfitted estimator like this one."""
        given = self.get_params(deep=False)
        if isinstance(self.model, Model):
            given["model"] = copy.deepcopy(self.model)
        return type(self)(**given)

    @property
    def epoch_(self) -> int:
        """Number of epochs of the last fit, 0 before the first."""
        return len(self.history_.epoch) if hasattr(self, "history_") else 0

    def set_fit_request(self, **kwargs: bool | str | None) -> Self:
        """Say which further arguments of `fit` other estimators may pass on to it.

        Args:
            kwargs: True, False, None or another name, for each argument.

        Raises:
            RuntimeError: if scikit-learn's metadata routing is not enabled.
        """
        if not sklearn.get_config()["enable_metadata_routing"]:
            raise RuntimeError(
                "This method is only available when metadata routing is enabled. You "
                "can enable it using sklearn.set_config(enable_metadata_routing=True)."
            )
        self._metadata_request = metadata.MetadataRequest(owner=type(self).__name__)
        for param, alias in kwargs.items():
            self._metadata_request.fit.add_request(param=param, alias=alias)
        return self

    def _new_model(self, X: Any, y: Any) -> Model:
        if self.warm_start and hasattr(self, "model_"):
            return self.model_
        if not isinstance(self.model, Model):
            return self.model(X=X, y=y, **(self.model_kwargs or {}))
        return self.model if self.warm_start else clone_model(self.model)

    def fit(self, X: Any, y: Any, **kwargs: Any) -> Self:
        """Train a model.

        Args:
            X: the samples.
            y: a target for each.
            kwargs: arguments of the model's `fit`, before `fit_kwargs`.

        Raises:
            RuntimeError: if the model is not compiled.
        """
        X, y = validation.validate_data(self, X, y)
        y = self._process_target(y, reset=True)
        model = self._new_model(X, y)
        _check_compiled(model)
        self.history_ = model.fit(X, y, **{**(self.fit_kwargs or {}), **kwargs})
        self.model_ = model
        return self

    def _outputs(self, X: Any) -> np.ndarray:
        """Return the model's outputs, if it was fitted on samples like these."""
        validation.check_is_fitted(self)
        return self.model_.predict(validation.validate_data(self, X, reset=False))

    def predict(self, X: Any) -> np.ndarray:
        """Return predictions, in the form that the targets had.

        Args:
            X: samples.
        """
        return self._reverse_process_target(self._outputs(X))

    def _process_target(self, y: np.ndarray, reset: bool = False) -> np.ndarray:
        _target_type(y)
        if reset:
            self._target_encoder = TargetReshaper().fit(y)
        return self._target_encoder.transform(y)

    def _reverse_process_target(self, y: np.ndarray) -> np.ndarray:
        return self._target_encoder.inverse_transform(y)


class SKLearnClassifier(base.ClassifierMixin, SKLBase):
    """A model as a classifier: it sees classes as vectors with a single one.

    Args:
        model: a compiled model, copied for each fit; or a function of `X`, `y` and
            `model_kwargs` that returns one.
        warm_start: whether a fit goes on where the one before it ended.
        model_kwargs: arguments of the function.
        fit_kwargs: arguments of the model's `fit`, such as `epochs`.
    """

    def decision_function(self, X: Any) -> np.ndarray:
        """Return the model's outputs, a score for each class.

        Args:
            X: samples.
        """
        return self._outputs(X)

    def _process_target(self, y: np.ndarray, reset: bool = False) -> np.ndarray:
        target_type = _target_type(y)
        if target_type not in ("binary", "multiclass"):
            raise ValueError(
                "Only binary and multiclass target types are supported. Target type: "
                f"{target_type}"
            )
        if reset:
            encoder = preprocessing.OneHotEncoder(sparse_output=False)
            self._target_encoder = pipeline.make_pipeline(TargetReshaper(), encoder)
            self._target_encoder.fit(y)
            self.classes_ = np.unique(y)
            if len(self.classes_) == 1:
                raise ValueError(
                    "Classifier can't train when only one class is present."
                )
        return self._target_encoder.transform(y)

    def __sklearn_tags__(self) -> Any:
        """Return what scikit-learn may expect: no good score after a few epochs."""
        tags = super().__sklearn_tags__()
        tags.classifier_tags.poor_score = True
        return tags


class SKLearnRegressor(base.RegressorMixin, SKLBase):
    """A model as a regressor.

    Args:
        model: a compiled model, copied for each fit; or a function of `X`, `y` and
            `model_kwargs` that returns one.
        warm_start: whether a fit goes on where the one before it ended.
        model_kwargs: arguments of the function.
        fit_kwargs: arguments of the model's `fit`, such as `epochs`.
    """

    def __sklearn_tags__(self) -> Any:
        """Return what scikit-learn may expect: no good score after a few epochs."""
        tags = super().__sklearn_tags__()
        tags.regressor_tags.poor_score = True
        return tags


class SKLearnTransformer(base.TransformerMixin, SKLBase):
    """A model as a transformer, in scikit-learn's sense: its outputs are features.

    Args:
        model: a compiled model, copied for each fit; or a function of `X`, `y` and
            `model_kwargs` that returns one.
        warm_start: whether a fit goes on where the one before it ended.
        model_kwargs: arguments of the function.
        fit_kwargs: arguments of the model's `fit`, such as `epochs`.
    """

    def transform(self, X: Any) -> np.ndarray:
        """Return the model's outputs.

        Args:
            X: samples.
        """
        return self._outputs(X)

    def __sklearn_tags__(self) -> Any:
        """Return what scikit-learn may expect: features of the model's own dtype."""
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = []
        return tags
