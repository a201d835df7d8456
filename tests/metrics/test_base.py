"""What all metrics share: variables, reset, names, users' own metrics."""

import numpy as np
import pytest

from minikeras import backend as K
from minikeras import losses, metrics


@pytest.fixture(scope="module")
def keras():
    return pytest.importorskip("keras")


class Largest(metrics.Metric):
    """The largest value so far, and how many there were."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.best = self.add_weight(name="best")
        self.seen = self.add_variable((2,), name="seen", dtype="int32")

    def update_state(self, values, sample_weight=None):
        self.best.assign(K.maximum(self.best, K.max(values)))
        self.seen.assign_add([1, 2])

    def result(self):
        return {"best": self.best + 0.0, "seen": self.seen * 1}


def test_a_users_metric_takes_arrays_lists_and_numbers():
    metric = Largest()
    metric.update_state(np.array([1.0, 4.0, 2.0], "float32"))
    metric.update_state([3.0, 3.0])
    metric.update_state(2.5)
    found = metric.result()
    assert found["best"] == 4.0
    np.testing.assert_array_equal(found["seen"], [3, 6])
    metric.reset_state()
    assert metric.result()["best"] == 0.0


def test_names_paths_and_dtypes():
    K.clear_session()
    metric, other = Largest(), Largest(name="a/b")
    assert metric.name == "largest"
    assert [v.path for v in metric.variables] == ["largest/best", "largest/seen"]
    assert [v.path for v in other.variables] == ["a>b/best", "a>b/seen"]
    assert not any(v.trainable for v in metric.variables)
    assert metrics.Mean(dtype="float64").variables[0].dtype == "float64"
    assert repr(metric) == "<Largest name=largest>"
    assert (metrics.Precision().name, metrics.Precision().name) == (
        "precision",
        "precision_1",
    )


def test_metrics_inside_a_metric_count_as_its_own():
    class Both(metrics.Metric):
        def __init__(self):
            super().__init__(name="both")
            self.mean = metrics.Mean()
            self.sum = metrics.Sum()

        def update_state(self, values):
            self.mean.update_state(values)
            self.sum.update_state(values)

        def result(self):
            return self.sum.result() / self.mean.result()

    metric = Both()
    assert len(metric.variables) == 3
    assert metric([2.0, 4.0, 6.0]) == 3.0
    metric.reset_state()
    assert metric.sum.result() == 0.0


def test_no_new_trace_for_new_values():
    traces = []

    def count(y_true, y_pred):
        traces.append(1)
        return y_true - y_pred

    metric = metrics.MeanMetricWrapper(count, name="count")
    for i in range(4):
        metric.update_state([float(i), 1.0], [1.0, 0.0])
    assert traces == [1]
    metric.update_state([1.0, 2.0, 3.0], [0.0, 0.0, 0.0])
    assert traces == [1, 1]


class TestMean:
    @pytest.mark.parametrize(
        ("values", "weight"),
        [
            (3.0, None),
            ([1, 3, 5, 7], None),
            ([1, 3, 5, 7], [1, 1, 0, 0]),
            ([1, 3, 5, 7], 0.5),
            ([[1, 3], [5, 7]], [1, 2]),
            ([[1, 3], [5, 7]], [[1, 2], [0, 4]]),
            (np.arange(12.0).reshape(2, 3, 2), [1, 2]),
            (np.arange(12.0).reshape(2, 3, 2), [[1, 2, 3], [4, 5, 6]]),
            ([[1], [3]], [1, 0]),
        ],
    )
    @pytest.mark.parametrize("name", ["Mean", "Sum"])
    def test_weights_broadcast_as_in_keras(self, keras, name, values, weight):
        ours, theirs = (getattr(room, name)() for room in (metrics, keras.metrics))
        for metric in (ours, theirs):
            metric.update_state(values, sample_weight=weight)
            metric.update_state(values, sample_weight=weight)
        assert float(ours.result()) == pytest.approx(float(theirs.result()))

    def test_of_nothing_is_zero(self):
        assert metrics.Mean().result() == 0.0

    def test_of_a_variable(self):
        variable = K.Variable(np.array([1.0, 2.0], "float32"))
        assert metrics.Mean()(variable) == 1.5


class TestMeanMetricWrapper:
    def test_of_a_loss_comes_back_from_its_config(self, keras):
        ours = metrics.MeanMetricWrapper(losses.huber, name="h", delta=0.5)
        theirs = keras.metrics.MeanMetricWrapper(
            keras.losses.huber, name="h", delta=0.5
        )
        config = metrics.serialize(ours)
        assert config == keras.metrics.serialize(theirs)
        again = metrics.deserialize(config)
        assert again([[1.0]], [[3.0]]) == ours([[1.0]], [[3.0]]) == 0.875

    def test_of_a_loss_object(self):
        each = losses.MeanSquaredError(reduction=None)
        metric = metrics.MeanMetricWrapper(each, name="mse")
        assert metric([[0.0], [1.0]], [[1.0], [3.0]]) == 2.5

    def test_a_mask_leaves_samples_out(self, keras):
        mask = np.array([True, False, True])

        def run(room, backend, make):
            metric = room.MeanSquaredError()
            y_pred = make(np.array([[1.0], [9.0], [3.0]], "float32"))
            y_pred._keras_mask = make(mask)
            metric.update_state(np.zeros((3, 1), "float32"), y_pred)
            return float(metric.result())

        make = keras.ops.convert_to_tensor
        assert run(metrics, K, K.constant) == run(keras.metrics, keras, make) == 5.0


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: metrics.Precision(thresholds=1.5), r"in \[0, 1\]\. Received: \[1\.5"),
        (lambda: metrics.AUC(curve="xyz"), "Invalid AUC curve value"),
        (lambda: metrics.AUC(num_thresholds=1), "integer > 1"),
        (lambda: metrics.AUC(num_labels=3), "only when `multi_label`"),
        (lambda: metrics.AUC(summation_method="x"), "Invalid AUC summation method"),
        (lambda: metrics.PrecisionAtRecall(1.5), r"`recall` must be in the range"),
        (lambda: metrics.IoU(3, [1, 3]), "Target class id 3 is out of range"),
        (lambda: metrics.R2Score("mean"), "class_aggregation=mean"),
        (lambda: metrics.R2Score(num_regressors=-1), "num_regressors=-1"),
        (lambda: metrics.F1Score(average="mean"), "average=mean"),
        (lambda: metrics.FBetaScore(beta=0.0), "beta=0.0"),
        (lambda: metrics.F1Score(threshold=2.0), "threshold=2.0"),
    ],
)
def test_nonsense_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_a_base_class_says_what_is_missing():
    with pytest.raises(NotImplementedError, match="`update_state`"):
        metrics.Metric().update_state([1.0])
    with pytest.raises(NotImplementedError, match="`result`"):
        metrics.Metric().result()


def test_variables_are_those_of_all_parts_also_of_later_ones():
    class Several(metrics.Metric):
        def __init__(self):
            super().__init__()
            self.parts = [metrics.Mean()]
            self.own = self.add_variable()

    metric = Several()
    assert len(metric.variables) == 3
    metric.parts.append(metrics.Mean())
    assert len(metric.variables) == 5
    metric.other = metrics.Precision()
    assert set(metric.variables) > set(metric.other.variables)


def test_lists_of_any_length_are_each_an_array():
    metric = metrics.MeanSquaredError()
    metric.update_state([[1.0, 2.0], [3.0, 4.0]], [[1.0, 0.0], [3.0, 0.0]], [1.0, 0.5])
    assert metric.result() == pytest.approx((2.0 * 1.0 + 8.0 * 0.5) / 1.5)
