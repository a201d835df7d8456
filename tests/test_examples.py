"""The examples, run as their readers run them, print what they should."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parent.parent / "examples"


@pytest.fixture
def run(tmp_path):
    """Run an example in an empty folder; return what it prints."""

    def run(name):
        process = subprocess.run(
            [sys.executable, "-W", "error", str(EXAMPLES / name)],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert process.returncode == 0, process.stderr
        assert process.stderr == ""
        return process.stdout

    return run


def numbers(text):
    """The numbers in a text, in order."""
    return [float(x) for x in re.findall(r"-?\d+(?:\.\d*)?(?:e-?\d+)?", text)]


def test_every_example_has_a_test():
    named = Path(__file__).read_text(encoding="utf-8")
    scripts = [path.name for path in EXAMPLES.glob("*.py")]
    assert len(scripts) > 5
    assert [name for name in scripts if f'run("{name}")' not in named] == []


def test_a_session_computes_what_a_graph_only_describes(run):
    lines = run("01_session.py").splitlines()
    assert lines == [
        "<tf.Variable 'y:0' shape=() dtype=int32_ref>",
        "150",
        '1 Tensor("add:0", shape=(), dtype=int32)',
        '2 Tensor("add_1:0", shape=(), dtype=int32)',
        '3 Tensor("add_2:0", shape=(), dtype=int32)',
        '4 Tensor("add_3:0", shape=(), dtype=int32)',
        '5 Tensor("add_4:0", shape=(), dtype=int32)',
    ]


def test_gradient_descent_finds_the_line(run):
    assert run("02_gradients.py") == "y = 2.000 x + 6.000\n"


def test_a_dense_layer_is_the_same_on_every_floor(run):
    lines = run("03_dense_by_hand.py").splitlines()
    assert [line.split()[0] for line in lines] == ["Keras", "K", "engine"]
    assert all(line.endswith("equal to NumPy's: True") for line in lines)
    assert len({re.search(r"\[.*\]", line)[0] for line in lines}) == 1


def test_a_sequential_model_learns_a_circle(run):
    *_, last = run("04_sequential.py").splitlines()
    accuracy, loss = numbers(last)
    assert accuracy > 0.95
    assert loss < 0.2


def test_a_layer_of_ones_own_learns_a_sine(run):
    loss, coefficients = run("05_custom_layer.py").splitlines()
    first, last = numbers(loss)
    assert last < first / 50
    # Taylor's series of sin 3x is 3x - 4.5x^3 + ...: odd, and rising at 0.
    even, odd = numbers(coefficients)[::2], numbers(coefficients)[1::2]
    assert max(map(abs, even)) < 0.01
    assert odd[0] > 2
    assert odd[1] < 0


@pytest.mark.slow
def test_the_demo_learns_from_real_data_and_draws_it(run, tmp_path):
    text = run("demo.py")
    (r_squared,) = re.findall(r"R² = ([\d.]+) on 92 unseen cars", text)
    (right,) = re.findall(r"([\d.]+)% of 1,000 unseen digits right", text)
    assert float(r_squared) > 0.8
    assert float(right) > 91
    picture = (tmp_path / "build" / "demo.png").read_bytes()
    assert picture.startswith(b"\x89PNG")
    assert len(picture) > 20_000


@pytest.mark.slow
def test_an_mlp_tells_clothes_apart(run):
    if not Path("/usr/share/datasets/fashion-mnist").exists():
        pytest.skip("Fashion-MNIST is not installed")
    (right,) = re.findall(r"([\d.]+)% of 10,000", run("fashion_mnist.py"))
    assert float(right) > 86
