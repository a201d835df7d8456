"""Estimators beside Keras's, and under scikit-learn's own checks."""

import pickle
import re
import subprocess
import sys
import unittest
import warnings

import numpy as np
import pytest

import minikeras
from minikeras.layers import Dense, Input
from minikeras.models import Model
from minikeras.wrappers import SKLearnClassifier, SKLearnRegressor, SKLearnTransformer

pytest.importorskip("sklearn")
from sklearn.base import clone
from sklearn.datasets import make_classification, make_regression
from sklearn.decomposition import PCA
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import parametrize_with_checks

RNG = np.random.default_rng(7)
KERNEL = RNG.normal(size=(4, 3)).astype("float32")


def dynamic(X, y, loss="mse", activation="linear", units=(10,), rate=0.01):
    """Return a model for samples and targets of these shapes, the same each time."""
    minikeras.utils.set_random_seed(0)
    x = inputs = Input((X.shape[1],))
    for size in units:
        x = Dense(size, activation="relu")(x)
    outputs = y.shape[1] if y.ndim > 1 else 1
    model = Model(inputs, Dense(outputs, activation=activation)(x))
    model.compile(minikeras.optimizers.Adam(rate), loss)
    return model


CLASSIFIER = {"loss": "categorical_crossentropy", "activation": "softmax"}

# What an estimator that trains anew, from random weights, cannot promise; the names and
# reasons are those of Keras's own tests.
EXPECTED = {
    "SKLearnClassifier": {
        "check_classifiers_classes": "not all classes may be predicted",
        "check_classifiers_train": "scores may be probabilities or logits",
    },
    "SKLearnRegressor": {},
    "SKLearnTransformer": {},
}


CHECKS = parametrize_with_checks(
    [
        SKLearnClassifier(dynamic, model_kwargs=CLASSIFIER, fit_kwargs={"epochs": 5}),
        SKLearnRegressor(dynamic),
        SKLearnTransformer(dynamic),
    ],
    expected_failed_checks=lambda estimator: EXPECTED[type(estimator).__name__],
)


def named(x):
    """Return scikit-learn's name, without addresses that differ in each process."""
    return re.sub(r"<function ?(\w+?) ?at ?0x\w+>", r"\1", CHECKS.kwargs["ids"](x))


@pytest.mark.slow
@pytest.mark.parametrize(*CHECKS.args, ids=named)
def test_scikit_learn_is_content(estimator, check):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            check(estimator)
        except unittest.SkipTest as error:
            pytest.skip(str(error))


def softmax_model(library):
    """Return a function that makes a model of one library with set weights."""

    def make(X, y):
        inputs = library.Input((4,))
        layer = library.layers.Dense(3, activation="softmax")
        model = library.Model(inputs, layer(inputs))
        model.set_weights([KERNEL, np.zeros(3)])
        model.compile(library.optimizers.SGD(0.1), "categorical_crossentropy")
        return model

    return make


def test_a_classifier_does_what_that_of_keras_does(keras):
    X, y = make_classification(60, 4, n_informative=3, n_redundant=0, n_classes=3)
    names = np.array(["ash", "elm", "oak"])[y]
    found = []
    for library in (minikeras, keras):
        fit = {"epochs": 4, "shuffle": False, "verbose": 0}
        estimator = library.wrappers.SKLearnClassifier(
            softmax_model(library), fit_kwargs=fit
        )
        estimator.fit(X, names)
        found.append(estimator)
    ours, theirs = found
    np.testing.assert_array_equal(ours.classes_, theirs.classes_)
    np.testing.assert_array_equal(ours.predict(X), theirs.predict(X))
    np.testing.assert_allclose(
        ours.decision_function(X), theirs.decision_function(X), atol=1e-5
    )
    np.testing.assert_allclose(
        ours.history_.history["loss"], theirs.history_.history["loss"], rtol=1e-5
    )
    assert ours.score(X, names) == theirs.score(X, names)
    assert ours.get_params().keys() == theirs.get_params().keys()


def test_a_regressor_learns_within_a_search():
    X, y = make_regression(200, 4, noise=0.1, random_state=0)
    y /= y.std()
    minikeras.utils.set_random_seed(0)
    estimator = SKLearnRegressor(
        dynamic, model_kwargs={"rate": 0.03}, fit_kwargs={"epochs": 1, "verbose": 0}
    )
    grid = {"fit_kwargs": [{"epochs": n, "verbose": 0} for n in (1, 30)]}
    search = GridSearchCV(estimator, grid, cv=2).fit(X, y)
    assert search.best_params_["fit_kwargs"]["epochs"] == 30
    assert search.best_estimator_.score(X, y) > 0.8
    assert search.best_estimator_.epoch_ == 30
    assert search.predict(X).shape == y.shape


def test_a_transformer_is_a_step_of_a_pipeline():
    X, y = make_regression(50, 4, random_state=0)
    given = PCA(3).fit_transform(X)
    inputs = Input((3,))
    model = Model(inputs, Dense(1)(inputs))
    model.compile("sgd", "mse")
    fit = {"epochs": 1, "verbose": 0, "steps_per_epoch": 1}
    step = SKLearnTransformer(model, fit_kwargs=fit)
    pipe = make_pipeline(PCA(3), step, LinearRegression())
    pipe.fit(X, y)
    assert pipe.predict(X).shape == (50,)
    kernel, bias = step.model_.get_weights()
    np.testing.assert_allclose(step.transform(given), given @ kernel + bias, rtol=1e-3)


def compiled():
    inputs = Input((4,))
    model = Model(inputs, Dense(1)(inputs))
    model.compile("sgd", "mse")
    return model


def test_a_model_is_copied_for_each_fit_but_for_a_warm_start():
    X, y = make_regression(20, 4, random_state=0)
    model = compiled()
    before = model.get_weights()
    cold = SKLearnRegressor(model).fit(X, y, verbose=0)
    assert cold.model_ is not model
    np.testing.assert_array_equal(model.get_weights()[0], before[0])
    warm = SKLearnRegressor(model, warm_start=True).fit(X, y, verbose=0)
    assert warm.model_ is model
    assert warm.fit(X, y, verbose=0).model_ is model
    steps = int(np.asarray(model.optimizer.iterations))
    assert steps == 2
    made = SKLearnRegressor(dynamic, warm_start=True).fit(X, y, verbose=0)
    first = made.model_
    assert made.fit(X, y, verbose=0).model_ is first


def test_arguments_of_fit_come_before_those_of_the_estimator():
    X, y = make_regression(20, 4, random_state=0)
    estimator = SKLearnRegressor(dynamic, fit_kwargs={"epochs": 3, "verbose": 0})
    assert estimator.epoch_ == 0
    assert estimator.fit(X, y, epochs=2).epoch_ == 2
    assert estimator.fit_kwargs == {"epochs": 3, "verbose": 0}
    assert clone(estimator).fit_kwargs == estimator.fit_kwargs


def test_clones_and_pickles():
    X, y = make_regression(20, 4, random_state=0)
    estimator = SKLearnRegressor(compiled(), fit_kwargs={"verbose": 0}).fit(X, y)
    again = pickle.loads(pickle.dumps(estimator))
    np.testing.assert_array_equal(again.predict(X), estimator.predict(X))
    assert not hasattr(clone(estimator), "model_")
    assert clone(estimator).model is not estimator.model


def test_what_cannot_be_fitted_is_refused():
    X, y = make_regression(20, 4, random_state=0)
    inputs = Input((4,))
    with pytest.raises(RuntimeError, match="needs to be compiled"):
        SKLearnRegressor(Model(inputs, Dense(1)(inputs))).fit(X, y)
    with pytest.raises(ValueError, match="Only binary and multiclass target types"):
        SKLearnClassifier(dynamic, model_kwargs=CLASSIFIER).fit(X, y)
    with pytest.raises(ValueError, match="only one class is present"):
        SKLearnClassifier(dynamic, model_kwargs=CLASSIFIER).fit(X, np.ones(20, int))
    with pytest.raises(ValueError, match="Unknown label type"):
        SKLearnRegressor(dynamic).fit(X, np.array([object()] * 20))


def test_further_arguments_of_fit_can_be_routed():
    import sklearn

    estimator = SKLearnRegressor(dynamic)
    with pytest.raises(RuntimeError, match="metadata routing is enabled"):
        estimator.set_fit_request(sample_weight=True)
    with sklearn.config_context(enable_metadata_routing=True):
        estimator.set_fit_request(sample_weight=True)
        routing = estimator.get_metadata_routing()
        assert routing.fit.requests == {"sample_weight": True}


def test_without_scikit_learn_the_message_says_what_to_install():
    program = """
import sys
sys.modules["sklearn"] = None
import minikeras
try:
    minikeras.wrappers.SKLearnRegressor
except ImportError as error:
    print(error)
"""
    result = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert "pip install 'minikeras[sklearn]'" in result.stdout
