"""Names, arguments, defaults, configs and aliases, beside Keras's."""

import importlib
import inspect
import json

import pytest

import minikeras

ROOMS = [
    "activations",
    "constraints",
    "dtype_policies",
    "initializers",
    "losses",
    "metrics",
    "mixed_precision",
    "optimizers",
    "optimizers.schedules",
    "quantizers",
    "regularizers",
]
# Rooms whose configs are compared elsewhere.
LARGER = [
    "applications",
    "applications.convnext",
    "applications.densenet",
    "applications.efficientnet",
    "applications.efficientnet_v2",
    "applications.imagenet_utils",
    "applications.inception_resnet_v2",
    "applications.inception_v3",
    "applications.mobilenet",
    "applications.mobilenet_v2",
    "applications.mobilenet_v3",
    "applications.nasnet",
    "applications.resnet",
    "applications.resnet50",
    "applications.resnet_v2",
    "applications.vgg16",
    "applications.vgg19",
    "applications.xception",
    "backend",
    "callbacks",
    "config",
    "datasets.boston_housing",
    "datasets.california_housing",
    "datasets.cifar10",
    "datasets.cifar100",
    "datasets.fashion_mnist",
    "datasets.imdb",
    "datasets.mnist",
    "datasets.reuters",
    "distillation",
    "layers",
    "legacy.saving",
    "models",
    "ops",
    "ops.image",
    "ops.linalg",
    "ops.nn",
    "ops.numpy",
    "preprocessing",
    "preprocessing.image",
    "preprocessing.sequence",
    "random",
    "saving",
    "tree",
    "utils",
    "utils.bounding_boxes",
    "utils.legacy",
    "visualization",
    "wrappers",
]
# Those whose `get` takes any of Keras's names for an object.
NAMED = [
    "activations",
    "constraints",
    "initializers",
    "losses",
    "metrics",
    "optimizers",
    "regularizers",
]
# What Keras calls otherwise, by mistake: a loss's config "name", a quantizer
# "initializer".
MISNAMED = {("losses", "deserialize"), ("quantizers", "serialize")}
# Where Keras's signature shows a wrapper's, or is for what is not here.
WRAPPED = {
    ("layers", "Layer"),
    ("models", "Sequential"),
    ("models", "clone_model"),
}
# Arguments of constructors that need some.
ARGUMENTS = {
    "AWQDTypePolicy": ("awq/4/128", "float32"),
    "CosineDecay": (0.5, 10),
    "CosineDecayRestarts": (0.5, 10),
    "ExponentialDecay": (0.5, 10, 0.5),
    "GPTQDTypePolicy": ("gptq/4/128", "float32"),
    "Int4DTypePolicy": ("int4/128", "float32"),
    "InverseTimeDecay": (0.5, 10, 0.5),
    "IoU": (3, [0]),
    "L1": (0.5,),
    "MeanIoU": (3,),
    "MeanMetricWrapper": (None,),
    "OneHotIoU": (3, [0]),
    "OneHotMeanIoU": (3,),
    "Optimizer": (0.5,),
    "OrthogonalRegularizer": (0.5,),
    "PiecewiseConstantDecay": ([1, 2], [1.0, 0.5, 0.1]),
    "PolynomialDecay": (0.5, 10),
    "PrecisionAtRecall": (0.5,),
    "QuantizedDTypePolicy": ("int8", "float32"),
    "QuantizedFloat8DTypePolicy": ("float8", "float32"),
    "RecallAtPrecision": (0.5,),
    "SensitivityAtSpecificity": (0.5,),
    "SpecificityAtSensitivity": (0.5,),
}
# Arguments that Keras's configs leave out, so that they do not survive a round trip.
FORGOTTEN = {
    "CosineSimilarity": {"axis"},
    "Huber": {"delta"},
    "Identity": {"gain"},
    "SparseCategoricalCrossentropy": {"axis"},
    "SparseTopKCategoricalAccuracy": {"from_sorted_ids"},
}


@pytest.fixture(scope="module")
def keras():
    return pytest.importorskip("keras")


def both(keras, room):
    theirs = keras
    for part in room.split("."):
        theirs = getattr(theirs, part)
    ours = importlib.import_module(f"minikeras.{room}")
    names = [n for n in dir(theirs) if not n.startswith("_")]
    return ours, theirs, [n for n in names if not inspect.ismodule(getattr(theirs, n))]


def arguments(obj):
    parameters = inspect.signature(obj).parameters.values()
    return [
        (p.name, p.kind.name, "" if p.default is p.empty else repr(p.default))
        for p in parameters
    ]


@pytest.mark.parametrize("room", ROOMS)
def test_every_name_is_here(keras, room):
    ours, _, names = both(keras, room)
    assert set(names) <= set(dir(ours))


@pytest.mark.parametrize("room", ROOMS)
def test_arguments_their_order_and_defaults(keras, room):
    ours, theirs, names = both(keras, room)
    compared = [n for n in names if (room, n) not in MISNAMED]
    found = {n: arguments(getattr(ours, n)) for n in compared}
    assert found == {n: arguments(getattr(theirs, n)) for n in compared}


def alike(ours, theirs):
    """Whether two lists of arguments are one; a size stands for one along each axis.

    Ours may have more arguments that are given by name, where Keras takes any.
    """
    if "VAR_KEYWORD" in {kind for _, kind, _ in theirs}:
        known = {name for name, _, _ in theirs}
        ours = [a for a in ours if a[1] != "KEYWORD_ONLY" or a[0] in known]
    return len(ours) == len(theirs) and all(
        a == b or (a[:2] == b[:2] and sizes(a[2]) & sizes(b[2]))
        for a, b in zip(ours, theirs, strict=True)
    )


def sizes(default):
    return {n for n in ("1", "2") if default and set(default) <= {*f"{n}(), "}}


@pytest.mark.parametrize("room", LARGER)
def test_arguments_of_larger_rooms(keras, room):
    ours, theirs, names = both(keras, room)
    here = [n for n in names if hasattr(ours, n) and (room, n) not in WRAPPED]
    pairs = {
        n: (arguments(getattr(ours, n)), arguments(getattr(theirs, n))) for n in here
    }
    assert {n: pair for n, pair in pairs.items() if not alike(*pair)} == {}


# Methods that Keras has for JAX alone, or under other names in one class than in the
# rest; and what can be seen of it in its signature is not what can be given.
OTHERWISE = {
    ("JAXTrainer", "compute_loss_and_updates"),
    ("JAXTrainer", "jax_state_sync"),
    ("JAXTrainer", "predict_step"),
    ("JAXTrainer", "test_step"),
    ("JAXTrainer", "train_step"),
    ("JAXTrainer", "make_predict_function"),
    ("JAXTrainer", "make_test_function"),
    ("JAXTrainer", "make_train_function"),
    ("Layer", "quantized_build"),
    ("Embedding", "quantized_build"),
    ("RandomGrayscale", "get_random_transformation"),
    ("RandomGrayscale", "transform_bounding_boxes"),
    ("RandomGrayscale", "transform_labels"),
    ("RandomGrayscale", "transform_segmentation_masks"),
    ("ReversibleEmbedding", "quantized_build"),
    ("SimpleRNNCell", "call"),
    ("Trainer", "stateless_compute_loss"),
}
# An argument that has two names in Keras, in a base class and those made of it.
SYNONYMS = {"var_list": "variables"}
# What Keras's classes have for their own use.
INNER = {
    "convert_weight",
    "convolution_op",
    "finalize_state",
    "get_clipped_bbox",
    "get_dropout_mask",
    "get_elastic_transform_params",
    "get_quantization_layer_structure",
    "get_recurrent_dropout_mask",
    "get_shifted_bbox",
    "get_transformed_x_y",
    "inner_loop",
    "interpolate_pr_auc",
    "quantized_call",
    "rematerialized_call",
    "reset_dropout_mask",
    "reset_recurrent_dropout_mask",
    "transform_single_bounding_box",
    "transform_single_image",
    "transform_single_label",
    "transform_single_segmentation_mask",
}


def methods(cls):
    """Yield the public methods of a class of Keras's, with the class that has each."""
    for name in dir(cls):
        public = name == "__call__" or not name.startswith("_")
        owner = next(c for c in cls.__mro__ if name in vars(c)) if public else object
        method = inspect.getattr_static(cls, name)
        if owner.__module__.startswith("keras") and not isinstance(method, property):
            yield owner.__name__, name


def refused(ours, theirs):
    """Return the arguments of a method of Keras's that ours does not take as it does.

    Those whose name begins with ``_`` are given by place alone.
    """
    mine = arguments(ours)
    kinds = {kind for _, kind, _ in mine}
    defaults = {name: default for name, _, default in mine}
    found = []
    for i, (theirs_name, kind, default) in enumerate(theirs):
        name = theirs_name if theirs_name in defaults else SYNONYMS.get(theirs_name)
        hidden = kind.startswith("VAR") or theirs_name.startswith("_")
        by_name = name in defaults or "VAR_KEYWORD" in kinds
        in_place = kind == "KEYWORD_ONLY" or "VAR_POSITIONAL" in kinds
        in_place = in_place or (mine[i : i + 1] and mine[i][0] == name)
        if not hidden and not (by_name and in_place):
            found.append(theirs_name)
        if default and name not in (None, "training") and name in defaults:
            same = defaults[name] == default or sizes(defaults[name]) & sizes(default)
            found.extend([] if same else [f"{name}={defaults[name]}"])
    needed = [name for name, kind, default in mine if not (default or "VAR" in kind)]
    known = {n for name, _, _ in theirs for n in (name, SYNONYMS.get(name))}
    free = any("VAR" in kind or name.startswith("_") for name, kind, _ in theirs)
    return found + [name for name in needed if not (free or name in known)]


@pytest.mark.parametrize("room", [*ROOMS, *LARGER, ""])
def test_methods_take_what_those_of_keras_take(keras, room):
    """By place and by name; `training` may be None, for what is so around a layer."""
    here, there, names = both(keras, room) if room else (minikeras, keras, dir(keras))
    differing = {}
    for name in names:
        theirs, ours = getattr(there, name), getattr(here, name, None)
        if not inspect.isclass(theirs) or ours is None:
            continue
        for owner, method in methods(theirs):
            if (owner, method) in OTHERWISE or method in INNER:
                continue
            if not callable(getattr(theirs, method)):
                continue
            if not hasattr(ours, method):
                differing[name, method] = "missing"
                continue
            lacking = refused(getattr(ours, method), arguments(getattr(theirs, method)))
            if lacking:
                differing[name, method] = lacking
    assert differing == {}


def test_refused_sees_what_is_refused():
    theirs = arguments(lambda self, x, mask=None, training=False: None)
    taking = (
        lambda self, x, mask=None, training=None, more=1: None,
        lambda *args, **kwargs: None,
    )
    refusing = (
        lambda self, mask, x=None, training=None: None,
        lambda self, y, mask=None, training=None: None,
        lambda self, x, mask=1, training=None: None,
        lambda self, x, mask=None, training=None, *, more: None,
    )
    assert not any(refused(ours, theirs) for ours in taking)
    assert all(refused(ours, theirs) for ours in refusing)


def test_alike_is_not_the_same_for_everything():
    size, other = (
        ("n", "POSITIONAL_OR_KEYWORD", "1"),
        ("n", "POSITIONAL_OR_KEYWORD", "2"),
    )
    pair = ("n", "POSITIONAL_OR_KEYWORD", "(1, 1)")
    more, rest = ("m", "KEYWORD_ONLY", "None"), ("kwargs", "VAR_KEYWORD", "")
    assert alike([size], [pair])
    assert alike([size, more, rest], [size, rest])
    assert not alike([other], [pair])
    assert not alike([size, more], [size])


def test_a_layer_takes_by_place_what_it_passes_on(keras):
    from minikeras import layers

    given = (4, 3, 1, "same", None, 1, 1, "relu", False, "ones", "zeros", "l2")
    for room in (keras.layers, layers):
        config = room.Conv1D(*given).get_config()
        assert config["kernel_initializer"]["class_name"] == "Ones"
        assert config["kernel_regularizer"]["class_name"] == "L2"
        with pytest.raises(TypeError, match="multiple values"):
            room.Conv1D(*given, activation="tanh")
        with pytest.raises(ValueError, match="Unrecognized keyword arguments"):
            room.LSTM(3, nonsense=1)


def described(cls, serialize):
    """Return what an object with default arguments says of itself."""
    obj = cls(*ARGUMENTS.get(cls.__name__, ()))
    written = json.loads(json.dumps(serialize(obj), default=str))
    for key in FORGOTTEN.get(cls.__name__, ()):
        written["config"].pop(key, None)
    if written["config"].get("name", "").rstrip("_0123456789") == cls.__name__.lower():
        del written["config"]["name"]  # numbered automatically
    return written


def configured(theirs, names):
    """Return the classes of a room whose objects can be made, and say what they are."""
    for name in names:
        cls = getattr(theirs, name)
        if not inspect.isclass(cls) or inspect.isabstract(cls):
            continue
        needed = [p for p in arguments(cls) if not p[2] and "VAR" not in p[1]]
        if (cls.__name__ in ARGUMENTS or not needed) and "get_config" in dir(cls):
            yield name, cls


@pytest.mark.parametrize("room", ROOMS)
def test_configs(keras, room):
    from minikeras import utils

    ours, theirs, names = both(keras, room)
    for name, cls in configured(theirs, names):
        try:
            wanted = described(cls, keras.saving.serialize_keras_object)
        except (NotImplementedError, TypeError):  # a base class
            continue
        found = described(getattr(ours, name), utils.serialize_keras_object)
        assert found == wanted, name


@pytest.mark.parametrize("room", NAMED)
def test_aliases(keras, room):
    ours, theirs, _ = both(keras, room)
    known = importlib.import_module(f"keras.src.{room}").ALL_OBJECTS_DICT
    for name in filter(None, known):
        try:
            wanted = theirs.get(name)
        except (KeyError, TypeError, ValueError):  # needs arguments
            continue
        found = ours.get(name)
        kinds = [getattr(x, "__name__", type(x).__name__) for x in (found, wanted)]
        assert kinds[0] == kinds[1], name
