"""Several augmentations as one: chosen at random, mixed, or one after the other."""

from __future__ import annotations

from typing import Any

from minikeras import backend as K
from minikeras.layers.augmentation.base import RandomAugmentation
from minikeras.layers.augmentation.blurring import RandomSharpness
from minikeras.layers.augmentation.color import (
    RandomBrightness,
    RandomColorDegeneration,
    RandomContrast,
    RandomPosterization,
    Solarization,
)
from minikeras.layers.augmentation.factors import known
from minikeras.layers.augmentation.histograms import AutoContrast, Equalization
from minikeras.layers.augmentation.warping import (
    INTERPOLATIONS,
    RandomRotation,
    RandomShear,
    RandomTranslation,
)
from minikeras.layers.base import Layer

__all__ = ["AugMix", "Pipeline", "RandAugment"]


class _RandomChoice(RandomAugmentation):
    """Base of those that choose among other augmentations.

    Attributes:
        choices: among which to choose.
    """

    bounds = (0, 1)
    choices: list[Any]

    def __init__(
        self, value_range: Any, factor: Any, interpolation: str, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.value_range = value_range
        self._set_factor(factor)
        self.interpolation = known("interpolation", interpolation, INTERPOLATIONS)

    def repertoire(self, moderate: bool = False) -> list[Any]:
        """Return augmentations as strong as `factor` says.

        Args:
            moderate: whether to leave out those by which robustness is measured.
        """
        f, low_high = self.factor, {"value_range": self.value_range}
        same = {
            "data_format": self.data_format,
            "bounding_box_format": self.bounding_box_format,
            "dtype": self.dtype_policy,
        }
        drawn, warped = {"seed": self.seed}, {"interpolation": self.interpolation}
        kinds: list[tuple[Any, dict[str, Any]]] = [
            (RandomShear, {"x_factor": f, "y_factor": f, **warped, **drawn}),
            (
                RandomTranslation,
                {"height_factor": f, "width_factor": f} | warped | drawn,
            ),
            (RandomRotation, {"factor": f, **warped, **drawn}),
            (RandomBrightness, {"factor": f, **low_high, **drawn}),
            (RandomColorDegeneration, {"factor": f, **low_high, **drawn}),
            (RandomContrast, {"factor": f, **low_high, **drawn}),
            (RandomSharpness, {"factor": f, **low_high, **drawn}),
            (RandomPosterization, {"factor": max(1, int(8 * f[1]))} | low_high | drawn),
            (
                Solarization,
                {"addition_factor": f, "threshold_factor": f} | low_high | drawn,
            ),
            (AutoContrast, low_high),
            (Equalization, low_high),
        ]
        left_out = kinds[3:7] if moderate else []
        return [
            make(**args, **same) for make, args in kinds if (make, args) not in left_out
        ]

    def drawn(self, images: Any, seed: Any) -> list[Any]:
        """Return what each of the choices would do."""
        return [x.get_random_transformation(images, seed=seed) for x in self.choices]

    def chosen_one(self, part: str, x: Any, index: Any, drawn: list[Any]) -> Any:
        """Return a part of the inputs changed by the choice number `index` alone.

        Beyond the last nothing is done.
        """

        def from_choice(i: int) -> Any:
            if i == len(self.choices):
                return x
            change = getattr(self.choices[i], f"transform_{part}")
            return K.tree.map_structure(
                lambda new, old: K.cast(new, old.dtype), change(x, drawn[i]), x
            )

        def choose(i: int) -> Any:
            if i == len(self.choices):
                return x
            return K.cond(
                K.equal(index, i), lambda: from_choice(i), lambda: choose(i + 1)
            )

        return choose(0)


class RandAugment(_RandomChoice):
    """Some augmentations after each other, chosen at random for each batch.

    Args:
        value_range: the lowest and the highest value of a pixel.
        num_ops: how many to choose.
        factor: how strong they are, in [0, 1].
        interpolation: "bilinear" or "nearest".
        seed: from 0 to 2**32 - 1; one of the global sequence by default.
        data_format: where the channels are.

    Source: Cubuk et al. 2019, arXiv:1909.13719.
    """

    def __init__(
        self,
        value_range: Any = (0, 255),
        num_ops: int = 2,
        factor: Any = 0.5,
        interpolation: str = "bilinear",
        seed: int | None = None,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        same = {"seed": seed, "data_format": data_format, **kwargs}
        super().__init__(value_range, factor, interpolation, **same)
        self.num_ops = num_ops
        self.choices = self.repertoire()

    def draw(self, images: Any, seed: Any) -> Any:
        n = len(self.choices)
        return {
            "layer_idxes": K.random_integers((self.num_ops,), 0, n, seed=seed),
            "transforms": self.drawn(images, seed),
        }

    def _applied(self, part: str, x: Any, transformation: Any, training: bool) -> Any:
        if not training or transformation is None:
            return x
        for i in range(self.num_ops):
            index = transformation["layer_idxes"][i]
            x = self.chosen_one(part, x, index, transformation["transforms"])
        return x

    def change(self, images: Any, transformation: Any) -> Any:
        return self._applied("images", images, transformation, True)

    def transform_bounding_boxes(
        self, bounding_boxes: Any, transformation: Any, training: bool = True
    ) -> Any:
        return self._applied("bounding_boxes", bounding_boxes, transformation, training)

    def transform_segmentation_masks(  # pyright: ignore[reportIncompatibleMethodOverride] - as Keras
        self, segmentation_masks: Any, transformation: Any, training: bool = True
    ) -> Any:
        return self._applied(
            "segmentation_masks", segmentation_masks, transformation, training
        )


class AugMix(_RandomChoice):
    """A mean of images and of what several chains of augmentations make of them.

    Args:
        value_range: the lowest and the highest value of a pixel.
        num_chains: how many chains there are.
        chain_depth: how many augmentations each has at most.
        factor: how strong they are, in [0, 1].
        alpha: parameter of the distributions of the weights: the larger, the more even.
        all_ops: whether to choose among brightness, contrast, color and sharpness too.
        interpolation: "bilinear" or "nearest".
        seed: from 0 to 2**32 - 1; one of the global sequence by default.
        data_format: where the channels are.

    Source: Hendrycks et al. 2019, arXiv:1912.02781.
    """

    def __init__(
        self,
        value_range: Any = (0, 255),
        num_chains: int = 3,
        chain_depth: int = 3,
        factor: Any = 0.3,
        alpha: float = 1.0,
        all_ops: bool = True,
        interpolation: str = "bilinear",
        seed: int | None = None,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        same = {"seed": seed, "data_format": data_format, **kwargs}
        super().__init__(value_range, factor, interpolation, **same)
        self.num_chains, self.chain_depth = num_chains, chain_depth
        self.alpha = alpha
        self.all_ops = all_ops
        self.choices = self.repertoire(moderate=not all_ops)

    def draw(self, images: Any, seed: Any) -> Any:
        weights = K.random_gamma((self.num_chains,), self.alpha, seed=seed)
        steps = self.num_chains, self.chain_depth
        return {
            "chain_mixing_weights": weights / K.sum(weights),
            "weight_sample": K.random_beta((), self.alpha, self.alpha, seed=seed),
            # One more than there are: the chain is shorter then.
            "layer_idxes": K.random_integers(
                steps, 0, len(self.choices) + 1, seed=seed
            ),
            "transforms": [
                [self.drawn(images, seed) for _ in range(self.chain_depth)]
                for _ in range(self.num_chains)
            ],
        }

    def _mixed(self, part: str, x: Any, transformation: Any) -> Any:
        kind = K.result_type(x.dtype, float)
        weights = K.cast(transformation["chain_mixing_weights"], kind)
        kept = K.cast(transformation["weight_sample"], kind)
        mean: Any = 0.0
        for i, chain in enumerate(transformation["transforms"]):
            y = x
            for j, drawn in enumerate(chain):
                index = transformation["layer_idxes"][i, j]
                y = self.chosen_one(part, y, index, drawn)
            mean = mean + K.cast(y, kind) * weights[i]
        return kept * K.cast(x, kind) + (1.0 - kept) * mean

    def change(self, images: Any, transformation: Any) -> Any:
        mixed = self._mixed("images", images, transformation)
        return K.clip(mixed, *self.value_range)

    def transform_segmentation_masks(  # pyright: ignore[reportIncompatibleMethodOverride] - as Keras
        self, segmentation_masks: Any, transformation: Any, training: bool = True
    ) -> Any:
        if not training or transformation is None:
            return segmentation_masks
        return self._mixed("segmentation_masks", segmentation_masks, transformation)


class Pipeline(Layer):
    """Layers one after the other, as one layer.

    Args:
        layers: the layers.
        name: made unique.
    """

    def __init__(self, layers: list[Layer], name: str | None = None) -> None:
        super().__init__(name=name)
        self._pipeline_layers = layers

    @property
    def layers(self) -> list[Layer]:
        """The layers, in order."""
        return self._pipeline_layers

    def call(self, inputs: Any, training: bool = True, mask: Any = None) -> Any:
        for layer in self.layers:
            inputs = layer(inputs, training=training, mask=mask)
        return inputs

    def compute_output_shape(self, input_shape: Any) -> Any:
        for layer in self.layers:
            input_shape = layer.compute_output_shape(input_shape)
        return input_shape

    def get_config(self) -> dict[str, Any]:
        """Return the layers, described, and the name."""
        return {
            "layers": [K.serialize_keras_object(x) for x in self.layers],
            "name": self.name,
        }

    @classmethod
    def from_config(  # pyright: ignore[reportIncompatibleMethodOverride] - as Keras
        cls, config: dict[str, Any]
    ) -> Pipeline:
        """Return a pipeline made from the result of `get_config`.

        Raises:
            ValueError: if it holds no list of layers.
        """
        layers = config.get("layers")
        if not isinstance(layers, (list, tuple)):
            raise ValueError(
                "`Pipeline` config must contain a `layers` key mapping to a list of "
                f"serialized layers. Received config with layers={layers}."
            )
        made = [K.deserialize_keras_object(x) for x in layers]
        return cls(**{**config, "layers": made})
