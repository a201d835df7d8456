"""How a model was compiled, as ``.h5`` files say it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from minikeras import backend as K
from minikeras import losses, metrics, optimizers
from minikeras.saving.layouts import legacy_config, modern_config

__all__ = ["compile_arguments", "training_config"]

# Names that a compiled model understands in its own way.
SPECIAL = ("accuracy", "acc", "crossentropy", "ce")


def training_config(model: Any) -> dict[str, Any]:
    """Return how a model was compiled: objects without their modules."""
    config = dict(model.get_compile_config())
    optimizer = legacy_config(config.pop("optimizer"))
    # By its long name: Keras 3 does not find a function that has a short one here.
    config["loss"] = _each(config["loss"], _long_name)
    return {**_without_modules(config), "optimizer_config": optimizer}


def _long_name(config: Any) -> Any:
    return losses.get(config).__name__ if isinstance(config, str) else config


def _without_modules(value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        return [_without_modules(part) for part in value]
    if not isinstance(value, dict):
        return value
    if value.get("class_name") == "function":
        return value["config"]
    if "class_name" in value and "config" in value:
        return legacy_config(value)
    return {key: _without_modules(part) for key, part in value.items()}


def compile_arguments(config: dict[str, Any]) -> dict[str, Any]:
    """Return arguments for `compile`, from a training config of any age.

    Raises:
        KeyError: if there is no optimizer in it.
    """
    return {
        "optimizer": _optimizer(config["optimizer_config"]),
        "loss": _each(config.get("loss"), _loss),
        "metrics": _each(config.get("metrics"), _metric),
        "weighted_metrics": _each(config.get("weighted_metrics"), _metric),
        "loss_weights": config.get("loss_weights"),
    }


def _each(config: Any, read: Callable[[Any], Any]) -> Any:
    """Return the objects of configs, in the nesting in which these are."""
    if config is None:
        return None
    if isinstance(config, str) or (isinstance(config, dict) and "class_name" in config):
        return read(config)
    if isinstance(config, dict):
        return {key: _each(value, read) for key, value in config.items()}
    return [_each(value, read) for value in config]


def _optimizer(config: dict[str, Any]) -> Any:
    """Return an optimizer; what older ones were told and new ones not is left out."""
    config = modern_config(config)
    kind = optimizers.deserialize({"class_name": config["class_name"], "config": {}})
    accepted = {*K.constructor_arguments(type(kind)), "name"}
    given = config["config"]
    if "lr" in given:
        given["learning_rate"] = given.pop("lr")
    known = {key: value for key, value in given.items() if key in accepted}
    return optimizers.deserialize({**config, "config": known})


def _loss(config: Any) -> Any:
    if isinstance(config, str):
        return losses.deserialize(config)
    config = modern_config(config)
    given = config["config"]
    if given.get("reduction") == "auto":
        given["reduction"] = "sum_over_batch_size"
    return losses.deserialize(config)


def _metric(config: Any) -> Any:
    if isinstance(config, str):
        return config if config in SPECIAL else metrics.deserialize(config)
    if config["class_name"] == "MeanMetricWrapper":  # a function, under its name
        return config["config"]["name"]
    return metrics.deserialize(modern_config(config))
