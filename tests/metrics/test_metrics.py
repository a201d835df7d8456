"""All metrics against Keras's own, batch by batch, weighted, and their configs."""

import inspect

import numpy as np
import pytest

from minikeras import backend as K
from minikeras import metrics

RNG = np.random.default_rng(5)
BATCHES, BATCH, CLASSES = 3, 8, 6


def float32(x):
    return np.asarray(x, "float32")


def softmax(x):
    e = np.exp(x)
    return float32(e / e.sum(-1, keepdims=True))


SHAPE = (BATCHES, BATCH, CLASSES)
REAL, OTHER = float32(RNG.normal(size=(2, *SHAPE)))
BITS = float32(REAL > 0)
P = softmax(2 * OTHER)
UNIT = float32(RNG.uniform(size=SHAPE))
LABELS = RNG.integers(0, CLASSES, SHAPE[:2])
ONE_HOT = float32(np.eye(CLASSES)[LABELS])
COLUMN = (LABELS[..., None] > 2).astype("int32")

# Name of the class, its arguments, targets, predictions.
CASES = [
    ("Accuracy", {}, LABELS, np.roll(LABELS, 1, 1)),
    ("Accuracy", {}, LABELS, float32(LABELS)[..., None]),
    ("BinaryAccuracy", {}, BITS, UNIT),
    ("BinaryAccuracy", {"threshold": 0.8}, COLUMN[..., 0], UNIT[..., :1]),
    ("CategoricalAccuracy", {}, ONE_HOT, P),
    ("SparseCategoricalAccuracy", {}, LABELS, P),
    ("SparseCategoricalAccuracy", {}, LABELS[..., None], P),
    ("TopKCategoricalAccuracy", {"k": 2}, ONE_HOT, P),
    ("SparseTopKCategoricalAccuracy", {"k": 3}, LABELS, P),
    (
        "SparseTopKCategoricalAccuracy",
        {"k": 2, "from_sorted_ids": True},
        LABELS,
        np.argsort(-P, -1),
    ),
    ("MeanSquaredError", {}, REAL, OTHER),
    ("MeanAbsoluteError", {}, REAL, OTHER),
    ("MeanAbsolutePercentageError", {}, REAL, OTHER),
    ("MeanSquaredLogarithmicError", {}, abs(REAL), abs(OTHER)),
    ("RootMeanSquaredError", {}, REAL, OTHER),
    ("LogCoshError", {}, REAL, OTHER),
    ("CosineSimilarity", {}, REAL, OTHER),
    ("CosineSimilarity", {"axis": 1}, REAL, OTHER),
    ("R2Score", {}, REAL, REAL + 0.3 * OTHER),
    ("R2Score", {"class_aggregation": None}, REAL, OTHER),
    (
        "R2Score",
        {"class_aggregation": "variance_weighted_average", "num_regressors": 3},
        REAL,
        OTHER,
    ),
    ("BinaryCrossentropy", {}, BITS, UNIT),
    ("BinaryCrossentropy", {"from_logits": True, "label_smoothing": 0.1}, BITS, OTHER),
    ("CategoricalCrossentropy", {"label_smoothing": 0.1}, ONE_HOT, P),
    ("SparseCategoricalCrossentropy", {}, LABELS, P),
    ("SparseCategoricalCrossentropy", {"from_logits": True}, LABELS, OTHER),
    ("SparseCategoricalCrossentropy", {"ignore_class": 2}, LABELS, P),
    ("KLDivergence", {}, softmax(REAL), P),
    ("Poisson", {}, float32(RNG.poisson(2, SHAPE)), P),
    ("Hinge", {}, BITS, OTHER),
    ("SquaredHinge", {}, np.sign(REAL), OTHER),
    ("CategoricalHinge", {}, ONE_HOT, OTHER),
    *(
        (name, kwargs, BITS, UNIT)
        for name in ("TruePositives", "TrueNegatives", "FalsePositives")
        for kwargs in ({}, {"thresholds": [0.2, 0.9]})
    ),
    ("FalseNegatives", {"thresholds": 0.3}, COLUMN, UNIT[..., :1]),
    *(
        (name, kwargs, BITS, UNIT)
        for name in ("Precision", "Recall")
        for kwargs in (
            {},
            {"thresholds": 0.7},
            {"thresholds": [0.0, 0.25, 0.5, 1.0]},
            {"thresholds": [0.0, 0.5, 1.0]},
            {"class_id": 2},
            {"top_k": 2},
            {"top_k": 2, "class_id": 1},
        )
    ),
    ("Precision", {}, COLUMN[..., 0], UNIT[..., 0]),
    ("SensitivityAtSpecificity", {"specificity": 0.6}, BITS, UNIT),
    ("SpecificityAtSensitivity", {"sensitivity": 0.6}, BITS, UNIT),
    ("PrecisionAtRecall", {"recall": 0.5, "class_id": 3}, BITS, UNIT),
    ("RecallAtPrecision", {"precision": 0.5, "num_thresholds": 20}, BITS, UNIT),
    ("RecallAtPrecision", {"precision": 1.0}, BITS, UNIT),
    *(
        ("AUC", {"curve": curve, "summation_method": method}, BITS, UNIT)
        for curve in ("ROC", "PR", "PRGAIN")
        for method in ("interpolation", "minoring", "majoring")
    ),
    ("AUC", {"num_thresholds": 7}, COLUMN, UNIT[..., :1]),
    ("AUC", {"thresholds": [0.1, 0.7, 0.2]}, BITS, UNIT),
    ("AUC", {"from_logits": True}, BITS, OTHER),
    ("AUC", {"multi_label": True}, BITS, UNIT),
    ("AUC", {"multi_label": True, "num_labels": 6, "curve": "PR"}, BITS, UNIT),
    (
        "AUC",
        {"multi_label": True, "label_weights": [1.0, 2.0, 0.0, 1.0, 3.0, 1.0]},
        BITS,
        UNIT,
    ),
    ("AUC", {"label_weights": [1.0, 2.0, 0.0, 1.0, 3.0, 1.0]}, BITS, UNIT),
    *(
        ("FBetaScore", {"average": average, "beta": 2.0}, BITS, UNIT)
        for average in (None, "micro", "macro", "weighted")
    ),
    ("F1Score", {"threshold": 0.4}, BITS, UNIT),
    ("PearsonCorrelation", {}, REAL, REAL + OTHER),
    ("ConcordanceCorrelation", {}, REAL, REAL + OTHER),
    (
        "IoU",
        {"num_classes": CLASSES, "target_class_ids": [0, 3], "dtype": "float32"},
        LABELS,
        np.roll(LABELS, 1, 1),
    ),
    (
        "MeanIoU",
        {"num_classes": CLASSES, "dtype": "float32", "ignore_class": 1},
        LABELS,
        LABELS // 2,
    ),
    (
        "MeanIoU",
        {"num_classes": 4, "dtype": "float32", "sparse_y_pred": False},
        LABELS,
        P[..., :4],
    ),
    ("BinaryIoU", {"dtype": "float32"}, COLUMN[..., 0], UNIT[..., 0]),
    (
        "OneHotIoU",
        {"num_classes": CLASSES, "target_class_ids": [2], "dtype": "float32"},
        ONE_HOT,
        P,
    ),
    ("OneHotMeanIoU", {"num_classes": CLASSES, "dtype": "float32"}, ONE_HOT, P),
]
NAMES = sorted({name for name, *_ in CASES})
every_case = pytest.mark.parametrize(
    ("name", "kwargs", "y_true", "y_pred"),
    CASES,
    ids=[f"{i}-{name}" for i, (name, *_) in enumerate(CASES)],
)


@pytest.fixture(scope="module")
def keras():
    return pytest.importorskip("keras")


def both(keras, name, kwargs):
    return getattr(metrics, name)(**kwargs), getattr(keras.metrics, name)(**kwargs)


@every_case
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.filterwarnings("ignore:Explicitly requested dtype int64")  # Keras's IoU
def test_values_are_those_of_keras(keras, name, kwargs, y_true, y_pred, weighted):
    ours, theirs = both(keras, name, kwargs)
    for i in range(BATCHES):
        weight = {"sample_weight": float32(range(BATCH)) / 4} if weighted else {}
        for metric in (ours, theirs):
            metric.update_state(y_true[i], y_pred[i], **weight)
        found = ours.result()
        assert found.dtype == np.float32
        np.testing.assert_allclose(found, theirs.result(), rtol=2e-5, atol=1e-6)
    for own, other in zip(ours.variables, theirs.variables, strict=True):
        assert own.path.split("/")[1:] == other.path.split("/")[1:]
        np.testing.assert_allclose(own.numpy(), other.numpy(), rtol=2e-5, atol=1e-5)
    ours.reset_state()
    assert not any(v.numpy().any() for v in ours.variables)


@every_case
def test_a_traced_step_updates_as_arrays_do(name, kwargs, y_true, y_pred):
    metric, other = (getattr(metrics, name)(**kwargs) for _ in range(2))

    @K.function
    def step(y_true, y_pred):
        metric.update_state(y_true, y_pred)
        return metric.result()

    for i in range(2):
        np.testing.assert_allclose(
            step(y_true[i], y_pred[i]),
            other(y_true[i], y_pred[i]),
            rtol=1e-5,
            atol=1e-6,
        )


@pytest.mark.parametrize("name", NAMES)
def test_arguments_and_defaults_are_those_of_keras(keras, name):
    def arguments(cls):
        found = inspect.signature(cls).parameters.values()
        return {p.name: p.default for p in found if p.kind != p.VAR_KEYWORD}

    ours, theirs = getattr(metrics, name), getattr(keras.metrics, name)
    own, other = arguments(ours), arguments(theirs)
    if own["name"] is None and other["name"]:
        own["name"] = ours().name
    assert list(own.items()) == list(other.items())


@every_case
def test_configs_go_both_ways(keras, name, kwargs, y_true, y_pred):
    ours, theirs = both(keras, name, {**kwargs, "name": "mine"})
    config = metrics.serialize(ours)
    wanted = keras.metrics.serialize(theirs)
    if name == "AUC":
        wanted["config"].pop("label_weights")
    assert {**config, "config": None} == {**wanted, "config": None}
    missing = {
        k: v
        for k, v in wanted["config"].items()
        if not np.array_equal(np.asarray(config["config"].get(k)), np.asarray(v))
    }
    assert missing == {}
    again = metrics.deserialize(config)
    assert type(again) is type(ours)
    assert again.get_config() == ours.get_config()
    assert type(keras.metrics.deserialize(config)).__name__ == name


def test_every_metric_of_keras_is_here(keras):
    theirs = {name for name in dir(keras.metrics) if not name.startswith("_")}
    assert theirs <= set(metrics.__all__)


class TestGet:
    @pytest.mark.parametrize(
        ("name", "cls"),
        [
            ("mse", "MeanSquaredError"),
            ("accuracy", "Accuracy"),
            ("binary_accuracy", "BinaryAccuracy"),
            ("AUC", "AUC"),
            ("auc", "AUC"),
            ("RootMeanSquaredError", "RootMeanSquaredError"),
            ("sparse_categorical_accuracy", "SparseCategoricalAccuracy"),
        ],
    )
    def test_by_name_an_object(self, keras, name, cls):
        assert type(metrics.get(name)).__name__ == cls
        assert type(keras.metrics.get(name)).__name__ == cls

    def test_by_config_or_itself(self):
        config = {"class_name": "Precision", "config": {"thresholds": 0.7}}
        assert metrics.get(config).thresholds == [0.7]
        metric = metrics.Mean()
        assert metrics.get(metric) is metric
        assert metrics.get(None) is None

    def test_a_wrong_name_gets_a_hint(self):
        with pytest.raises(ValueError, match=r"metric identifier: 'acuracy'\. Did you"):
            metrics.get("acuracy")
