"""Tables, tensors and loaders of other libraries train as the arrays they hold.

The tests of a library run where it is installed; pandas, polars and SciPy always are.
"""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

import minikeras
from minikeras import layers
from minikeras.training.foreign import native

X = np.random.default_rng(0).normal(size=(20, 3)).astype("float32")
Y = X.sum(1, keepdims=True)
NAMES = ["a", "b", "c"]


def trained(*args, predict=X, **kwargs):
    """Return losses, the loss of an evaluation and predictions of a linear model."""
    model = minikeras.Sequential([layers.Input((3,)), layers.Dense(1)])
    model.set_weights([np.array([[1.0], [0.0], [-1.0]]), np.zeros(1)])
    model.compile("sgd", "mse")
    history = model.fit(*args, epochs=2, shuffle=False, verbose=0, **kwargs).history
    loss = model.evaluate(*args, verbose=0)
    return [*history["loss"], loss], model.predict(predict, verbose=0)


def assert_as_arrays(*args, predict=X, batch_size=5, x=X, **kwargs):
    want = trained(x, Y, batch_size=5, predict=x, **kwargs)
    if batch_size:
        kwargs["batch_size"] = batch_size
    got = trained(*args, predict=predict, **kwargs)
    np.testing.assert_allclose(got[0], want[0], rtol=1e-5)
    np.testing.assert_allclose(got[1], want[1], rtol=1e-5)


def mixed():
    """Return a column each of truth values, integers and floating-point numbers."""
    return X[:, 0] > 0, (X[:, 1] * 10).astype("int64"), X[:, 2].astype("float64")


# -- tables ----------------------------------------------------------------------------


@pytest.fixture
def pandas():
    return pytest.importorskip("pandas")


@pytest.fixture
def polars():
    return pytest.importorskip("polars")


def test_pandas(pandas):
    frame, series = pandas.DataFrame(X, columns=NAMES), pandas.Series(Y[:, 0])
    frame.index = series.index = range(5, 25)[::-1]  # rows go by their place
    assert_as_arrays(frame, series, predict=frame)
    assert_as_arrays(frame, series.to_frame(), validation_data=(frame, series))


def test_pandas_validation_split_and_weights(pandas):
    weights = np.linspace(0, 1, 20, dtype="float32")
    split = {"validation_split": 0.25, "batch_size": 5, "predict": X}
    want = trained(X, Y, sample_weight=weights, **split)
    frame = pandas.DataFrame(X)
    got = trained(frame, Y, sample_weight=pandas.Series(weights), **split)
    np.testing.assert_allclose(got[0], want[0], rtol=1e-6)


def test_columns_of_several_kinds_meet_in_one(pandas, polars):
    columns = mixed()
    x = np.column_stack([column.astype("float32") for column in columns])
    named = dict(zip(NAMES, columns, strict=True))
    for frame in (pandas.DataFrame(named), polars.DataFrame(named)):
        assert_as_arrays(frame, Y, predict=frame, x=x)


def test_what_a_table_lacks_is_nan(pandas, polars):
    integers = [1, None, 3]
    for column in (
        pandas.Series(integers, dtype="Int64"),
        pandas.Series(integers, dtype="Float32"),
        polars.Series(integers, dtype=polars.Int32),
    ):
        array = native(column)
        assert array.dtype.kind == "f"
        np.testing.assert_array_equal(array, [[1.0], [np.nan], [3.0]])
        frame = native(column.to_frame())
        np.testing.assert_array_equal(frame, array)
    assert native(pandas.Series([1, 2], dtype="Int64")).dtype == np.int64
    assert native(pandas.Series([True, False], dtype="boolean")).dtype == bool


def test_text_beside_numbers_is_refused_by_its_columns(pandas, polars):
    for library in (pandas, polars):
        frame = library.DataFrame({"a": [1.0, 2.0], "city": ["Ulm", "Bonn"]})
        with pytest.raises(ValueError, match=r"other columns too: 'city' \("):
            trained(frame, Y[:2])


def test_text_alone_goes_to_layers_that_take_it(pandas):
    model = minikeras.Sequential(
        [
            layers.Input((1,), dtype="string"),
            layers.StringLookup(vocabulary=["Bonn", "Ulm"], output_mode="one_hot"),
            layers.Dense(1),
        ]
    )
    cities = pandas.Series(["Ulm", "Bonn", "Rome"])
    want = model.predict(np.array([["Ulm"], ["Bonn"], ["Rome"]], object), verbose=0)
    np.testing.assert_array_equal(model.predict(cities, verbose=0), want)


def test_polars(polars):
    frame = polars.DataFrame(X, schema=NAMES)
    assert_as_arrays(frame, polars.Series(Y[:, 0]), predict=frame)
    assert_as_arrays(frame.lazy(), polars.DataFrame(Y), predict=frame.lazy())


def test_a_column_for_each_input(pandas):
    inputs = {name: layers.Input((1,), name=name) for name in NAMES}
    joined = layers.Concatenate()([inputs[name] for name in NAMES])
    model = minikeras.Model(inputs, layers.Dense(1)(joined))
    frame = pandas.DataFrame(X, columns=NAMES)
    arrays = {name: X[:, [i]] for i, name in enumerate(NAMES)}
    got = model.predict(dict(frame), verbose=0)
    np.testing.assert_allclose(got, model.predict(arrays, verbose=0))


# -- sparse matrices -------------------------------------------------------------------


@pytest.mark.parametrize(
    "kind", ["csr_array", "csc_array", "coo_array", "csr_matrix", "coo_matrix"]
)
def test_scipy(kind):
    sparse = pytest.importorskip("scipy.sparse")
    x = np.where(X > 0.5, X, 0)
    matrix = getattr(sparse, kind)(x)
    assert_as_arrays(matrix, Y, predict=matrix, x=x)
    model = minikeras.Sequential([layers.Input((3,)), layers.Dense(1)])
    model.compile("sgd", "mse")
    model.fit(matrix, Y, batch_size=3, validation_split=0.2, verbose=0)
    on_batch = model.predict_on_batch(matrix)
    np.testing.assert_allclose(on_batch, model.predict_on_batch(x), rtol=1e-6)


def test_jax():
    jax = pytest.importorskip("jax")
    sparse = pytest.importorskip("jax.experimental.sparse")
    assert_as_arrays(jax.numpy.asarray(X), jax.numpy.asarray(Y))
    assert_as_arrays(sparse.BCOO.fromdense(jax.numpy.asarray(X)), Y)


# -- torch, TensorFlow, Grain ----------------------------------------------------------


def test_torch_tensors():
    torch = pytest.importorskip("torch")
    x, y = torch.tensor(X), torch.tensor(Y)
    assert_as_arrays(x, y, predict=x)
    assert_as_arrays(x.clone().requires_grad_(), y)
    assert_as_arrays(x.to_sparse(), y)
    assert native(x.bfloat16()).dtype == np.float32


def test_torch_loaders_and_data_sets():
    data = pytest.importorskip("torch.utils.data")
    torch = sys.modules["torch"]

    class Rows(data.Dataset):
        def __len__(self):
            return len(X)

        def __getitem__(self, i):
            return X[i], Y[i]

    class Stream(data.IterableDataset):
        def __iter__(self):
            return iter(zip(X, Y, strict=True))

    tensors = data.TensorDataset(torch.tensor(X), torch.tensor(Y))
    for source in (tensors, Rows(), Stream()):
        loader = data.DataLoader(source, batch_size=5)
        assert_as_arrays(loader, batch_size=None, predict=loader)
        assert_as_arrays(source)


def test_tensorflow_tensors():
    tf = pytest.importorskip("tensorflow")
    assert_as_arrays(tf.constant(X), tf.Variable(Y), predict=tf.constant(X))
    assert_as_arrays(tf.sparse.from_dense(X), Y)
    assert_as_arrays(tf.RaggedTensor.from_tensor(X), Y)


def test_tensorflow_data_sets():
    tf = pytest.importorskip("tensorflow")
    batches = tf.data.Dataset.from_tensor_slices((X, Y)).batch(5)
    assert_as_arrays(batches, batch_size=None, predict=batches)

    def rows():
        yield from zip(X, Y, strict=True)

    shapes = tf.TensorSpec((3,)), tf.TensorSpec((1,))
    unknown = tf.data.Dataset.from_generator(rows, output_signature=shapes).batch(5)
    assert_as_arrays(unknown, batch_size=None)
    model = minikeras.Sequential([layers.Dense(1)])
    model.compile("sgd", "mse")
    model.fit(batches.repeat(), steps_per_epoch=3, epochs=2, verbose=0)
    assert model.predict(batches.repeat(), steps=2, verbose=0).shape == (10, 1)


def test_grain():
    grain = pytest.importorskip("grain")
    rows = list(zip(X, Y, strict=True))
    batches = grain.MapDataset.source(rows).batch(5)
    assert_as_arrays(batches, batch_size=None, predict=batches)
    assert_as_arrays(batches.to_iter_dataset(), batch_size=None)


def test_no_other_library_is_imported():
    program = (
        "import sys, numpy as np, minikeras\n"
        "model = minikeras.Sequential([minikeras.layers.Dense(1)])\n"
        "model.compile('sgd', 'mse')\n"
        "model.fit(np.ones((4, 2)), np.ones((4, 1)), verbose=0)\n"
        "others = 'pandas polars torch tensorflow scipy jax grain'.split()\n"
        "assert not set(others) & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
