"""`Distiller` and its distances beside Keras's."""

import numpy as np
import pytest

import minikeras
from minikeras import distillation, saving
from minikeras.distillation import (
    DistillationLoss,
    Distiller,
    FeatureDistillation,
    LogitsDistillation,
)

SHAPES = {"teacher": 6, "student": 4}


def model(library, role, rng, name="out", units=3):
    """Return a model of one library with drawn weights."""
    inputs = library.Input((5,))
    x = library.layers.Dense(4, activation="tanh", name="features")(inputs)
    if role == "teacher":
        x = library.layers.Dense(6, activation="tanh", name="inner")(x)
    outputs = library.layers.Dense(units, activation="softmax", name=name)(x)
    made = library.Model(inputs, outputs, name=role)
    made.set_weights([rng.normal(size=w.shape) for w in made.get_weights()])
    return made


def distilled(library, losses, seed=0, **given):
    """Return a distiller of one library, trained for a few epochs, and its history."""
    rng = np.random.default_rng(seed)
    teacher, student = (model(library, role, rng) for role in ("teacher", "student"))
    distiller = library.distillation.Distiller(
        teacher, student, losses(library), **given
    )
    distiller.compile(
        library.optimizers.SGD(0.2), "sparse_categorical_crossentropy", ["accuracy"]
    )
    x = rng.normal(size=(24, 5)).astype("float32")
    y = rng.integers(0, 3, 24)
    history = distiller.fit(
        x, y, 8, 3, shuffle=False, verbose=0, validation_data=(x[:8], y[:8])
    )
    return distiller, history.history, x, y


CASES = {
    "by name": lambda k: k.distillation.LogitsDistillation(),
    "divergence": lambda k: k.distillation.LogitsDistillation(
        2.0, k.losses.KLDivergence()
    ),
    "crossentropy": lambda k: k.distillation.LogitsDistillation(
        4, "categorical_crossentropy"
    ),
    "outputs": lambda k: k.distillation.FeatureDistillation(),
    "features": lambda k: k.distillation.FeatureDistillation(
        "mae", "features", "features"
    ),
    "several": lambda k: [
        k.distillation.LogitsDistillation(3.0, k.losses.KLDivergence()),
        k.distillation.FeatureDistillation("mse", "features", "features"),
    ],
}


QUICK = ("by name", "several")


@pytest.mark.parametrize(
    "case",
    [c if c in QUICK else pytest.param(c, marks=pytest.mark.slow) for c in CASES],
)
def test_a_student_learns_what_that_of_keras_learns(keras, case):
    given = {"student_loss_weight": 0.3}
    if case == "several":
        given["distillation_loss_weights"] = [0.5, 2.0]
    ours, history, x, y = distilled(minikeras, CASES[case], **given)
    theirs, expected, _, _ = distilled(keras, CASES[case], **given)
    assert set(history) == set(expected)
    for key, values in expected.items():
        np.testing.assert_allclose(history[key], values, rtol=2e-4, err_msg=key)
    for mine, other in zip(
        ours.student.get_weights(), theirs.student.get_weights(), strict=True
    ):
        np.testing.assert_allclose(mine, other, rtol=1e-3, atol=1e-5)
    np.testing.assert_array_equal(
        ours.teacher.get_weights()[0], theirs.teacher.get_weights()[0]
    )
    np.testing.assert_allclose(
        ours.evaluate(x, y, verbose=0), theirs.evaluate(x, y, verbose=0), rtol=1e-3
    )
    np.testing.assert_allclose(
        ours.predict(x, verbose=0), theirs.predict(x, verbose=0), rtol=1e-3
    )


@pytest.mark.slow
@pytest.mark.parametrize("weight", [0.0, 1.0])
def test_one_side_may_count_alone(keras, weight):
    losses = CASES["divergence"]
    _, ours, *_ = distilled(minikeras, losses, student_loss_weight=weight)
    _, theirs, *_ = distilled(keras, losses, student_loss_weight=weight)
    for key, values in theirs.items():
        np.testing.assert_allclose(ours[key], values, rtol=2e-4, err_msg=key)
    silent = "student_loss" if weight == 0 else "distillation_loss"
    assert ours[silent] == [0.0] * 3


NESTED = [
    (["kl_divergence", None], list),
    ({"a": None, "b": "mse"}, dict),
]


@pytest.mark.parametrize("losses, kind", NESTED, ids=["list", "dict"])
@pytest.mark.parametrize("name", ["LogitsDistillation", "FeatureDistillation"])
def test_outputs_that_do_not_count(keras, rng, losses, kind, name):
    teacher, student = (
        [rng.uniform(size=(2, 3)).astype("float32") for _ in range(2)] for _ in "ts"
    )
    if kind is dict:
        teacher, student = (
            dict(zip("ab", both, strict=True)) for both in (teacher, student)
        )
    found, expected = (
        getattr(library.distillation, name)(loss=losses).compute_loss(teacher, student)
        for library in (minikeras, keras)
    )
    np.testing.assert_allclose(np.asarray(found), np.asarray(expected), rtol=1e-5)


CONFIGS = [
    ("LogitsDistillation", {}),
    ("LogitsDistillation", {"temperature": 5, "loss": ["mse", None]}),
    ("FeatureDistillation", {}),
    ("FeatureDistillation", {"loss": "mae", "teacher_layer_name": "a"}),
    ("FeatureDistillation", {"loss": {"a": "mse"}, "student_layer_name": "b"}),
]


@pytest.mark.parametrize("name, given", CONFIGS, ids=str)
def test_configs_are_those_of_keras(keras, name, given):
    ours = getattr(distillation, name)(**given)
    theirs = getattr(keras.distillation, name)(**given)
    config = saving.serialize_keras_object(ours)
    assert config == keras.saving.serialize_keras_object(theirs)
    again = saving.deserialize_keras_object(config)
    assert type(again) is type(ours)
    assert again.get_config() == ours.get_config()


def test_a_distiller_goes_to_a_file_and_comes_back(keras, tmp_path):
    distiller, _, x, y = distilled(minikeras, CASES["several"])
    distiller.save(tmp_path / "ours.keras")
    again = saving.load_model(tmp_path / "ours.keras")
    np.testing.assert_array_equal(
        again.predict(x, verbose=0), distiller.predict(x, verbose=0)
    )
    assert again.compiled
    assert not again.teacher.trainable
    before, after = (d.evaluate(x, y, verbose=0) for d in (distiller, again))
    np.testing.assert_allclose(after, before, rtol=1e-6)


def test_distillers_go_between_keras_and_minikeras(keras, tmp_path):
    losses = CASES["divergence"]
    ours, _, x, _ = distilled(minikeras, losses)
    theirs, *_ = distilled(keras, losses, seed=1)
    ours.save(tmp_path / "ours.keras")
    theirs.save(tmp_path / "theirs.keras")
    with pytest.warns(UserWarning, match="`compile\\(\\)` was not called"):
        of_ours = keras.saving.load_model(tmp_path / "ours.keras")
    of_theirs = saving.load_model(tmp_path / "theirs.keras", compile=False)
    for one, other in ((of_ours, ours), (of_theirs, theirs)):
        np.testing.assert_allclose(
            one.predict(x, verbose=0), other.predict(x, verbose=0), rtol=1e-4
        )


class Rows(DistillationLoss):
    """A distance that is no scalar."""

    def compute_loss(self, teacher_outputs, student_outputs, **kwargs):
        return teacher_outputs[:, 0] - student_outputs[:, 0]


def test_a_distance_is_a_scalar():
    with pytest.raises(ValueError, match=r"Rows returned a non-scalar loss with shape"):
        distilled(minikeras, lambda k: Rows())
    with pytest.raises(NotImplementedError, match="must implement compute_loss"):
        DistillationLoss().compute_loss(0, 0)


class Subclassed(minikeras.Model):
    """A model without symbolic inputs."""

    def call(self, inputs):
        return inputs


LOSS = LogitsDistillation()
REFUSED = [
    ({"teacher": "none"}, "Teacher must be a keras.Model"),
    ({"student": "none"}, "Student must be a keras.Model"),
    ({"student_loss_weight": "half"}, "student_loss_weight must be a number"),
    ({"student_loss_weight": 1.5}, "between 0.0 and 1.0, got 1.5"),
    ({"distillation_losses": None}, "'distillation_losses' cannot be `None`"),
    (
        {"distillation_losses": [LOSS], "distillation_loss_weights": [1, 2]},
        r"weights \(2\) must match number of distillation_losses \(1\)",
    ),
    (
        {"distillation_losses": FeatureDistillation("mse", "no such", "features")},
        "In teacher model: No such layer: no such",
    ),
    (
        {"distillation_losses": FeatureDistillation("mse", "features", "no such")},
        "In student model: No such layer: no such",
    ),
    (
        {
            "student": Subclassed(),
            "distillation_losses": FeatureDistillation("mse", "features", "features"),
        },
        "The student model.s. appear to be subclassed",
    ),
]


@pytest.mark.parametrize("given, message", REFUSED, ids=[m for _, m in REFUSED])
def test_what_does_not_fit_is_refused(rng, given, message):
    arguments = {
        "teacher": model(minikeras, "teacher", rng),
        "student": model(minikeras, "student", rng),
        "distillation_losses": LOSS,
        **given,
    }
    with pytest.raises(ValueError, match=message):
        Distiller(**arguments)


def test_models_of_other_shapes_are_refused(rng):
    teacher = model(minikeras, "teacher", rng)
    with pytest.raises(ValueError, match="output shapes are incompatible"):
        Distiller(teacher, model(minikeras, "student", rng, units=2), LOSS)
    inputs = minikeras.Input((5, 1))
    deeper = minikeras.Model(inputs, minikeras.layers.Dense(3)(inputs))
    with pytest.raises(ValueError, match="input shapes have different dimensions"):
        Distiller(teacher, deeper, LOSS)
    inputs = minikeras.Input((5,), dtype="float16")
    half = minikeras.Model(inputs, minikeras.layers.Dense(3)(inputs))
    with pytest.raises(ValueError, match="input dtypes must match"):
        Distiller(teacher, half, LOSS)


def test_arguments_of_distances_and_of_compile_are_checked(rng):
    for cls in (LogitsDistillation, FeatureDistillation):
        with pytest.raises(ValueError, match=r"[Aa]t least one"):
            cls(loss=[None, None])
    with pytest.raises(ValueError, match="temperature must be a number"):
        LogitsDistillation("hot")
    with pytest.raises(ValueError, match="temperature must be positive"):
        LogitsDistillation(0)
    with pytest.raises(ValueError, match="Loss structure mismatch"):
        FeatureDistillation(["mse", "mse"]).validate_outputs(np.ones(2), np.ones(2))
    roles = [model(minikeras, role, rng) for role in ("teacher", "student")]
    distiller = Distiller(*roles, LOSS)
    with pytest.raises(ValueError, match="'loss' cannot be `None`"):
        distiller.compile()
    with pytest.raises(ValueError, match="metrics must be a list or tuple"):
        distiller.compile(loss="mse", metrics="accuracy")
