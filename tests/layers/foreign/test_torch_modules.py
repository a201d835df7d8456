"""PyTorch's modules as layers, against PyTorch itself."""

import numpy as np
import pytest

import minikeras
from minikeras import layers

torch = pytest.importorskip("torch")
nn = torch.nn


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(0)
    minikeras.utils.set_random_seed(0)


@pytest.fixture
def x():
    return np.random.default_rng(0).standard_normal((8, 3)).astype("float32")


def mixed():
    return nn.Sequential(
        nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Dropout(0.4), nn.Tanh(), nn.Linear(4, 2)
    )


def test_values_and_shapes_are_those_of_the_module(x):
    module = mixed()
    layer = layers.TorchModuleWrapper(module)
    want = module.eval()(torch.tensor(x)).detach().numpy()
    np.testing.assert_allclose(layer(x, training=False), want, rtol=1e-6)
    assert layer(minikeras.Input((3,))).shape == (None, 2)
    conv = layers.TorchModuleWrapper(nn.Conv2d(1, 4, 3))
    assert conv.compute_output_shape((None, 1, None, 8)) == (None, 4, None, 6)


def test_weights_are_its_parameters():
    layer = layers.TorchModuleWrapper(mixed())
    assert [w.shape for w in layer.trainable_weights] == [
        tuple(p.shape) for p in layer.parameters()
    ]
    assert len(layer.weights) == 6
    frozen = nn.Linear(3, 4)
    frozen.bias.requires_grad = False
    assert len(layers.TorchModuleWrapper(frozen).non_trainable_weights) == 1


def test_training_is_gradient_descent_in_torch(x):
    y = x[:, :2] ** 2
    layer = layers.TorchModuleWrapper(nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4)))
    twin = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4))
    twin.load_state_dict(layer.module.state_dict())
    head = nn.Linear(4, 2)
    model = minikeras.Sequential([layer, layers.TorchModuleWrapper(head)])
    head_twin = nn.Linear(4, 2)
    head_twin.load_state_dict(head.state_dict())
    model.compile(minikeras.optimizers.SGD(0.1), "mse")
    model.fit(x, y, batch_size=8, epochs=3, verbose=0)
    whole = nn.Sequential(twin, head_twin)
    descent = torch.optim.SGD(whole.parameters(), 0.1)
    for _ in range(3):
        descent.zero_grad()
        ((whole(torch.tensor(x)) - torch.tensor(y)) ** 2).mean().backward()
        descent.step()
    found = {**layer.module.state_dict()}
    for name, value in twin.state_dict().items():
        np.testing.assert_allclose(found[name], value, rtol=1e-4, atol=1e-6)


def test_second_derivatives_are_torchs(x):
    module = nn.Sequential(nn.Linear(3, 4), nn.Tanh())
    layer = layers.TorchModuleWrapper(module)

    def loss(x):
        return minikeras.ops.sum(layer(x) ** 2)

    again = minikeras.grad(lambda x: minikeras.ops.sum(minikeras.grad(loss)(x) ** 2))(x)
    point = torch.tensor(x, requires_grad=True)
    (slope,) = torch.autograd.grad((module(point) ** 2).sum(), point, create_graph=True)
    (want,) = torch.autograd.grad((slope**2).sum(), point)
    np.testing.assert_allclose(again, want, rtol=1e-4, atol=1e-5)


def test_random_numbers_are_new_in_training_alone():
    layer = layers.TorchModuleWrapper(nn.Dropout(0.5))
    x = np.ones((20, 20), "float32")
    np.testing.assert_array_equal(layer(x, training=False), x)
    before = torch.random.get_rng_state()
    one, other = layer(x, training=True), layer(x, training=True)
    assert (one != other).any()
    assert torch.equal(before, torch.random.get_rng_state())


def test_gradients_see_the_same_random_numbers_as_values():
    layer = layers.TorchModuleWrapper(nn.Dropout(0.5))
    x = np.ones((20, 20), "float32")

    def total(x):
        y = layer(x, training=True)
        return minikeras.ops.sum(y), y

    (_, y), slope = minikeras.value_and_grad(total, has_aux=True)(x)
    np.testing.assert_array_equal(y, slope)  # either 0 or 2


def test_nested_arguments(x):
    class Two(nn.Module):
        def forward(self, pair, scale=1.0):
            a, b = pair
            return {"sum": (a + b) * scale, "product": a * b}

    layer = layers.TorchModuleWrapper(Two())
    found = layer((x, 2 * x), scale=3.0)
    np.testing.assert_allclose(found["sum"], 9 * x, rtol=1e-6)
    np.testing.assert_allclose(found["product"], 2 * x * x, rtol=1e-6)


def test_a_given_shape_is_believed():
    class Odd(nn.Module):
        def forward(self, x):
            return x[:, : int(x.numpy().shape[1]) // 2]  # needs numbers

    layer = layers.TorchModuleWrapper(Odd(), output_shape=(None, 2))
    model = minikeras.Sequential([minikeras.Input((4,)), layer])
    assert model.output_shape == (None, 2)
    assert model.predict(np.ones((3, 4)), verbose=0).shape == (3, 2)
    assert layer.compute_output_shape((None, 4)) == (None, 2)


def test_files_hold_its_parameters_and_buffers(tmp_path, x):
    model = minikeras.Sequential([minikeras.Input((3,))])
    model.add(layers.TorchModuleWrapper(mixed()))
    model.compile("adam", "mse")
    model.fit(x, x[:, :2], verbose=0)
    model.save(tmp_path / "model.keras")
    with pytest.raises(ValueError, match="arbitrary code execution"):
        minikeras.saving.load_model(tmp_path / "model.keras")
    again = minikeras.saving.load_model(tmp_path / "model.keras", safe_mode=False)
    np.testing.assert_array_equal(again.predict(x), model.predict(x))
    model.save_weights(tmp_path / "model.weights.h5")
    other = minikeras.Sequential([minikeras.Input((3,))])
    other.add(layers.TorchModuleWrapper(mixed()))
    other.load_weights(tmp_path / "model.weights.h5")
    np.testing.assert_array_equal(other.predict(x), model.predict(x))


def test_a_pickle_is_refused_unless_it_is_trusted():
    config = layers.TorchModuleWrapper(nn.Linear(2, 3)).get_config()
    with pytest.raises(ValueError, match=r"torch\.load"):
        layers.TorchModuleWrapper.from_config(config)
    again = layers.TorchModuleWrapper.from_config(config, safe_mode=False)
    assert again.compute_output_shape((None, 2)) == (None, 3)


def test_lazy_modules_need_parameters():
    with pytest.raises(ValueError, match="LazyModules are not supported"):
        layers.TorchModuleWrapper(nn.LazyLinear(3))


def test_numbers_of_16_bits(x):
    layer = layers.TorchModuleWrapper(nn.Linear(3, 2), dtype="mixed_bfloat16")
    assert layer(x).dtype == "bfloat16"
    assert layer.weights[0].dtype == "float32"
