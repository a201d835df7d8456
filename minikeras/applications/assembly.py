"""From an architecture's body to a model: input, body, classifier, weights.

All architectures share what is here. A family is a function from images to features,
written as a table of blocks, and gives that to `assemble`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from minikeras import activations
from minikeras import backend as K
from minikeras.applications.imagenet_utils import obtain_input_shape
from minikeras.applications.releases import Release
from minikeras.layers import Dense, GlobalAveragePooling2D, GlobalMaxPooling2D, Input
from minikeras.layers.history import get_source_inputs
from minikeras.models import Functional

__all__ = [
    "Application",
    "Request",
    "application",
    "assemble",
    "averaged",
    "chain",
    "channel_axis",
    "check_activation",
    "check_weights",
    "documented",
    "image_shape",
    "only_channels_last",
    "scores",
]

Shape = tuple[int | None, ...]
Body = Callable[[Any], Any]

ARGUMENTS = """
    Args:
        include_top: whether the classifier is part of the model.
        weights: `"imagenet"` for those trained there, which are fetched once; the path
            of a file with weights; None for random ones.
        input_tensor: a symbolic tensor to build upon, instead of a new input.
        input_shape: of one image, if it is not the default's; free without the
            classifier.
        pooling: without the classifier, `"avg"` or `"max"` for one vector an image;
            None for feature maps.
        classes: how many the classifier tells apart.
        classifier_activation: of the classifier; None for logits. Trained weights go
            with `"softmax"` and None.
        name: of the model.
"""


class Application(Protocol):
    """An architecture: called, it returns a model."""

    __name__: str

    def __call__(
        self,
        include_top: bool = True,
        weights: str | Path | None = "imagenet",
        input_tensor: Any = None,
        input_shape: Shape | None = None,
        pooling: str | None = None,
        classes: int = 1000,
        classifier_activation: Any = "softmax",
        name: str = ...,
    ) -> Functional:
        """Return a model of this architecture."""
        ...


@dataclass(frozen=True)
class Request:
    """What a caller asks of an architecture."""

    include_top: bool = True
    weights: str | Path | None = "imagenet"
    input_tensor: Any = None
    input_shape: Shape | None = None
    pooling: str | None = None
    classes: int = 1000
    classifier_activation: Any = "softmax"
    name: str | None = None

    @property
    def pretrained(self) -> bool:
        """Whether the weights are those trained on ImageNet."""
        return self.weights == "imagenet"

    def named(self, name: str) -> Request:
        """Return the same request for a model with a name."""
        return replace(self, name=name)


def application(
    title: str,
    build: Callable[[Request], Functional],
    summary: str,
    source: str,
    default_name: str | None = None,
) -> Application:
    """Return the public function of an architecture.

    Args:
        title: its name.
        build: returns a model for a request.
        summary: what the architecture is.
        source: who describes it, when and where.
        default_name: of its models; the title in lower case if None.
    """

    def make(
        include_top: bool = True,
        weights: str | Path | None = "imagenet",
        input_tensor: Any = None,
        input_shape: Shape | None = None,
        pooling: str | None = None,
        classes: int = 1000,
        classifier_activation: Any = "softmax",
        name: str = default_name or title.lower(),
    ) -> Functional:
        return build(
            Request(
                include_top,
                weights,
                input_tensor,
                input_shape,
                pooling,
                classes,
                classifier_activation,
                name,
            )
        )

    return documented(make, title, build.__module__, summary, source)


def documented(
    make: Any, title: str, module: str, summary: str, source: str, more: str = ""
) -> Any:
    """Return the function `make` of an architecture, named and explained.

    Args:
        make: the function.
        title: its name.
        module: where it is to be found.
        summary: what the architecture is.
        source: who describes it, when and where.
        more: on arguments that this family alone has.
    """
    make.__name__ = make.__qualname__ = title
    make.__module__ = module
    arguments = f"{ARGUMENTS.rstrip()}{more.rstrip()}"
    make.__doc__ = f"""Build {title}: {summary}.
{arguments}

    Source: {source}.
    """
    return make


def chain(x: Any, *layers: Callable[[Any], Any]) -> Any:
    """Return what layers make of a tensor, one after the other."""
    for layer in layers:
        x = layer(x)
    return x


def channel_axis(last: int = 3) -> int:
    """Return the axis of channels in a batch of images; `last` if it is the last."""
    return 1 if K.image_data_format() == "channels_first" else last


def only_channels_last(family: str) -> None:
    """Refuse images whose channels come first.

    Raises:
        ValueError: if that is the setting.
    """
    if K.image_data_format() == "channels_first":
        raise ValueError(
            f"{family} does not support the `channels_first` image data format. Switch "
            "to `channels_last` by editing your local config file at "
            "~/.keras/keras.json"
        )


def check_weights(request: Request) -> None:
    """Refuse weights that are not there or do not fit the number of classes.

    Raises:
        ValueError: if they do not.
    """
    weights = request.weights
    if not (weights in ("imagenet", None) or Path(weights).exists()):
        raise ValueError(
            "The `weights` argument should be either `None` (random initialization), "
            "'imagenet' (pre-training on ImageNet), or the path to the weights file to "
            f"be loaded.  Received: weights={weights}"
        )
    if request.pretrained and request.include_top and request.classes != 1000:
        raise ValueError(
            "If using `weights='imagenet'` with `include_top=True`, `classes` should "
            f"be 1000.  Received classes={request.classes}"
        )


def image_shape(request: Request, size: int, least: int = 32) -> Shape:
    """Return the shape of one image, after checking the request.

    Args:
        request: what is asked.
        size: height and width of the architecture's images, in pixels.
        least: the smallest that it can take.

    Raises:
        ValueError: if the request does not suit.
    """
    check_weights(request)
    return obtain_input_shape(
        request.input_shape,
        default_size=size,
        min_size=least,
        data_format=K.image_data_format(),
        require_flatten=request.include_top,
        weights="imagenet" if request.pretrained else None,
    )


def check_activation(request: Request) -> None:
    """Refuse a classifier that trained weights were not trained for.

    Raises:
        ValueError: if its activation is not softmax or none.
    """
    activation = activations.get(request.classifier_activation)
    allowed = (activations.get("softmax"), activations.get(None))
    if request.weights is not None and activation not in allowed:
        raise ValueError(
            "Only `None` and `softmax` activations are allowed for the "
            "`classifier_activation` argument when using pretrained weights, with "
            "`include_top=True`; Received: "
            f"classifier_activation={activation}"
        )


def scores(x: Any, request: Request, **config: Any) -> Any:
    """Return what the last layer, ``predictions``, makes of features."""
    check_activation(request)
    activation = request.classifier_activation
    return Dense(request.classes, activation, name="predictions", **config)(x)


def averaged(name: str | None) -> Callable[[Any, Request], Any]:
    """Return a classifier: the mean of each channel, then one dense layer."""

    def top(x: Any, request: Request) -> Any:
        return scores(GlobalAveragePooling2D(name=name)(x), request)

    return top


def _pooled(x: Any, request: Request, named: bool) -> Any:
    """Return features of the whole image, if they are asked for."""
    if request.pooling == "avg":
        return GlobalAveragePooling2D(name="avg_pool" if named else None)(x)
    if request.pooling == "max":
        return GlobalMaxPooling2D(name="max_pool" if named else None)(x)
    return x


def assemble(
    request: Request,
    shape: Shape,
    body: Body,
    release: Release | None = None,
    *,
    top: Callable[[Any, Request], Any] | None = None,
    named: bool = True,
    end: Body | None = None,
) -> Functional:
    """Return a model: input, body and classifier or pooling, with its weights.

    Args:
        request: what is asked.
        shape: of one image.
        body: from images to features.
        release: the weights trained on ImageNet.
        top: from features to scores; pooling and one dense layer if None.
        named: whether the layer of pooling has a name of its own.
        end: what follows features without a classifier.
    """
    given = request.input_tensor
    inputs = x = given if K.is_keras_tensor(given) else Input(shape, tensor=given)
    x = body(x)
    if request.include_top:
        x = (top or averaged("avg_pool" if named else None))(x, request)
    else:
        x = chain(_pooled(x, request, named), *([end] if end else []))
    if given is not None:
        inputs = get_source_inputs(inputs)
    model = Functional(inputs, x, name=request.name)
    if release and request.pretrained:
        model.load_weights(release.fetch(request.include_top))
    elif request.weights is not None:
        model.load_weights(request.weights)
    return model
