"""Family D09: configs of which building would take time or memory without end."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import minikeras
from minikeras import backend as K
from minikeras import layers
from minikeras.models import Model
from tests.saving.attacks.kit import Attack, archive, dumped, honest

__all__ = ["ATTACKS"]

WHY = "Not allowed: to build what the config describes: .*(would take|nodes)"
STEPS, IMAGE, SIGNAL = (4, 3), (8, 8, 3), (90,)


def model_of(made: Any, shape: tuple[int, ...]) -> Any:
    x = layers.Input(shape, name="x")
    return Model(x, made(x), name="m")


def with_metric(metric: Any) -> Any:
    model = model_of(layers.Dense(1, name="it"), (3,))
    model.compile("sgd", "mse", metrics=[metric])
    return model


def inputs_of(parts: Any, steps: int) -> None:
    """Let the first layer say that there are so many steps."""
    first = parts["config"]["layers"][0]["config"]
    first["batch_shape"] = [None, steps, *first["batch_shape"][2:]]


def changed(make: Any, change: Any) -> Any:
    """Return what writes a model, whose config is changed if there is a value."""

    def build(folder: Path, value: Any) -> Path:
        model = make()
        model.save(folder / "honest.keras")
        config = json.loads(json.dumps(K.serialize_keras_object(model)))
        if value is None:
            return (folder / "honest.keras").rename(folder / "m.keras")
        change(config, value)
        for each in config["config"]["layers"]:
            each.pop("build_config", None)
        (folder / "honest.keras").unlink()
        parts = {"config.json": dumped(config), "model.weights.h5": b""}
        return archive(folder / "m.keras", weighed(parts))

    return build


def weighed(parts: dict[str, bytes]) -> dict[str, bytes]:
    """Return parts with a file of weights: what is in it does not come into play."""
    return {**honest(), **{k: v for k, v in parts.items() if v}}


def setting(key: str) -> Any:
    """Return what sets an argument of the layer that is called ``it``."""

    def change(config: Any, value: Any) -> None:
        parts = config["config"]["layers"]
        next(p for p in parts if p["name"] == "it")["config"][key] = value

    return change


def metric_setting(key: str) -> Any:
    def change(config: Any, value: Any) -> None:
        config["compile_config"]["metrics"][0]["config"][key] = value

    return change


def unrolled(kind: str) -> Attack:
    def make() -> Any:
        return model_of(getattr(layers, kind)(2, unroll=True, name="it"), STEPS)

    return Attack(
        "D09",
        f"{kind} unrolled",
        changed(make, inputs_of),
        10**6,
        None,
        WHY,
        heavy=True,
    )


def grown(name: str, make: Any, shape: Any, key: str, value: Any, **how: Any) -> Attack:
    build = changed(lambda: model_of(make(), shape), setting(key))
    return Attack("D09", f"{name}.{key}", build, value, None, WHY, **how)


def of_metric(make: Any, key: str) -> Attack:
    build = changed(lambda: with_metric(make()), metric_setting(key))
    name = type(make()).__name__
    return Attack("D09", f"{name}.{key}", build, 10**9, None, WHY)


def sounds() -> Any:
    return layers.MelSpectrogram(
        fft_length=32, sequence_stride=8, num_mel_bins=5, name="it"
    )


metrics = minikeras.metrics
FEW = {"how": "few"}
ATTACKS: list[Attack] = [
    *map(unrolled, ("SimpleRNN", "LSTM", "GRU")),
    grown(
        "RandAugment",
        lambda: layers.RandAugment(name="it"),
        IMAGE,
        "num_ops",
        10**6,
        **FEW,
    ),
    grown(
        "AugMix",
        lambda: layers.AugMix(name="it"),
        IMAGE,
        "chain_depth",
        10**6,
        **FEW,
    ),
    *(
        grown(
            kind,
            lambda kind=kind: getattr(layers, kind)(2, name="it"),
            IMAGE[: rank + 1] if rank < 3 else (*IMAGE, 2),
            "output_size",
            [10**9] * rank,
        )
        for rank in (1, 2, 3)
        for kind in (f"AdaptiveMaxPooling{rank}D", f"AdaptiveAveragePooling{rank}D")
    ),
    grown("MelSpectrogram", sounds, SIGNAL, "fft_length", 10**9),
    grown("MelSpectrogram", sounds, SIGNAL, "num_mel_bins", 10**9),
    of_metric(metrics.AUC, "num_thresholds"),
    of_metric(lambda: metrics.PrecisionAtRecall(0.5), "num_thresholds"),
    of_metric(lambda: metrics.MeanIoU(3), "num_classes"),
]
