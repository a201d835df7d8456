"""Feature spaces: against Keras on TensorFlow, in models, with mistakes."""

import json
from pathlib import Path

import numpy as np
import pytest

from minikeras import backend as K
from minikeras import layers, models, saving
from minikeras.utils import FeatureSpace

FIXTURES = Path(__file__).parents[1] / "fixtures" / "preprocessing.json"
RECORDED = json.loads(FIXTURES.read_text())["feature_space"]
TABLE, FEATURES = RECORDED["table"], RECORDED["features"]
SIZES = {"crossing_dim": 11, "hashing_dim": 6, "num_discretization_bins": 3}
ROWS = [{name: column[i] for name, column in TABLE.items()} for i in range(7)]


def adapted(data=TABLE, **kwargs):
    crosses = [("rooms", "job"), ("town", "zip")]
    space = FeatureSpace(FEATURES, crosses=crosses, **SIZES, **kwargs)
    space.adapt(data)
    return space


def test_features_are_those_of_keras():
    found, wanted = adapted()(TABLE), np.array(RECORDED["output"])
    assert found.dtype == "float32"
    np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    "data",
    [ROWS, [{k: np.array(v) for k, v in TABLE.items()}]],
    ids=["samples", "a batch"],
)
def test_datasets_are_learned_from_as_tables_are(data):
    np.testing.assert_allclose(adapted(data)(TABLE), adapted()(TABLE), rtol=1e-5)


def test_a_single_row_has_no_axis_of_rows():
    space, named = adapted(), adapted(output_mode="dict")
    np.testing.assert_allclose(space(ROWS[2]), space(TABLE)[2], rtol=1e-6)
    assert {name: x.shape for name, x in named(ROWS[2]).items()} == {
        name: x.shape[1:] for name, x in named(TABLE).items()
    }


def test_what_is_made_of_symbolic_inputs_makes_a_model():
    space = adapted()
    model = models.Model(space.get_inputs(), space.get_encoded_features())
    arrays = {name: np.array(column)[:, None] for name, column in TABLE.items()}
    np.testing.assert_allclose(model.predict(arrays, verbose=0), space(TABLE))


def test_a_table_with_text_trains_a_model():
    space = adapted()
    outputs = layers.Dense(1)(space.get_encoded_features())
    model = models.Model(space.get_inputs(), outputs)
    model.compile("adam", "mse")
    x = {name: np.array(column)[:, None] for name, column in TABLE.items()}
    y = np.arange(7.0)[:, None]
    losses = model.fit(x, y, epochs=30, verbose=0).history["loss"]
    assert losses[-1] < losses[0]


def test_a_config_makes_the_same_space():
    space = adapted()
    config = json.loads(json.dumps(K.serialize_keras_object(space.get_config())))
    again = FeatureSpace.from_config(config)
    again.adapt(TABLE)
    np.testing.assert_array_equal(again(TABLE), space(TABLE))


def test_a_config_is_that_of_keras():
    found = K.serialize_keras_object(adapted().get_config())
    wanted = RECORDED["config"]
    for config in (found, wanted):
        for cross in config["crosses"]:
            del cross["registered_name"]  # nobody registered the class
    features = found.pop("features")
    assert json.loads(json.dumps(found)) == wanted
    assert {name: x["class_name"] for name, x in features.items()} == dict.fromkeys(
        FEATURES, "Feature"
    )


def test_layers_of_ones_own_prepare_columns():
    lookup = layers.StringLookup(vocabulary=["smith", "baker"])
    space = FeatureSpace(
        {
            "job": FeatureSpace.feature("string", lookup, "one_hot"),
            "town": FeatureSpace.string_hashed(5, output_mode="int"),
            "age": FeatureSpace.float_rescaled(0.5, 1.0),
        },
        crosses=[FeatureSpace.cross(("job", "town"), 7, "int")],
        output_mode="dict",
    )
    found = space({name: TABLE[name][:2] for name in ("job", "town", "age")})
    assert found["job"].tolist() == [[0, 1, 0], [0, 0, 1]]
    assert found["age"].tolist() == [[16.5], [23.75]]
    assert found["town"].dtype == found["job_X_town"].dtype == "int64"


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: FeatureSpace({}), "cannot be None or empty"),
        (lambda: FeatureSpace({"a": "floats"}), "Invalid feature type: floats"),
        (lambda: FeatureSpace({"a": "float"}, "list"), "argument `output_mode`"),
        (
            lambda: FeatureSpace({"a": "float"}, crosses=[("a", "b")]),
            "unknown features",
        ),
        (
            lambda: FeatureSpace({"a": "float_normalized"})({"a": 1.0}),
            "You need to call `.adapt",
        ),
        (lambda: FeatureSpace({"a": "float"})([1.0]), "only be called with a dict"),
        (lambda: FeatureSpace({"a": "float"}).adapt(np.ones(3)), "dict of"),
        (
            lambda: FeatureSpace({"a": FeatureSpace.integer_hashed(3, "int")})(
                {"a": 1}
            ),
            "has not been encoded",
        ),
        (
            lambda: FeatureSpace(
                {"a": FeatureSpace.feature("float32", layers.Rescaling(2), "one_hot")}
            )({"a": 1.0}),
            "should return an integer dtype",
        ),
    ],
)
def test_mistakes_are_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_a_file_keeps_what_was_learned(tmp_path):
    space = adapted()
    space.save(tmp_path / "space.keras")
    again = saving.load_model(tmp_path / "space.keras")
    np.testing.assert_array_equal(again(TABLE), space(TABLE))
