"""What is printed: Keras's words, in every kind of stream."""

from __future__ import annotations

import contextlib
import io
import re
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

from minikeras import config
from minikeras.callbacks import CallbackList, ProgbarLogger
from minikeras.callbacks import progbar as module
from minikeras.layers import Dense
from minikeras.models import Sequential

X = np.random.default_rng(0).normal(size=(48, 4)).astype("float32")
Y = X[:, :1] - 2.0
TIMES = re.compile(r"\d+s \d+(ms|us|s)/step")
PACE = re.compile(r"\d+(ms|us|s)/step")


@pytest.fixture
def model() -> Sequential:
    made = Sequential([Dense(1)])
    made.compile("sgd", "mse", metrics=["mae"])
    return made


class Stream(io.TextIOWrapper):
    """Standard output with an encoding, and maybe a terminal behind it."""

    def __init__(self, encoding: str = "utf-8", tty: bool = False) -> None:
        super().__init__(io.BytesIO(), encoding=encoding, newline="")
        self.tty = tty

    def isatty(self) -> bool:
        return self.tty

    @property
    def text(self) -> str:
        self.flush()
        return self.buffer.getvalue().decode(self.encoding)  # type: ignore[attr-defined]


@pytest.fixture
def out(monkeypatch: pytest.MonkeyPatch) -> Any:
    def use(*args: Any, **kwargs: Any) -> Stream:
        stream = Stream(*args, **kwargs)
        monkeypatch.setattr(sys, "stdout", stream)
        return stream

    return use


def final_lines(text: str) -> list[str]:
    """Return the lines as they stand at the end, times left out."""
    shown = [line.split("\r")[-1].rstrip() for line in text.split("\n")[:-1]]
    return [PACE.sub("T/step", re.sub(r"\d+s ", "Ns ", line)) for line in shown]


BAR = "━" * 20


def test_a_bar_ends_in_keras_line(model: Sequential, out: Any) -> None:
    stream = out()
    history = model.fit(X, Y, epochs=2, verbose=1, validation_split=0.25).history
    lines = final_lines(stream.text)
    values = [
        " - ".join(f"{name}: {column[i]:.4f}" for name, column in history.items())
        for i in range(2)
    ]
    assert lines == [
        "Epoch 1/2",
        f"2/2 {BAR} Ns T/step - {values[0]}",
        "Epoch 2/2",
        f"2/2 {BAR} Ns T/step - {values[1]}",
    ]
    assert list(history) == ["loss", "mae", "val_loss", "val_mae"]


@pytest.mark.parametrize("verbose", [1, 2])
def test_the_words_are_those_of_keras(keras: Any, out: Any, verbose: int) -> None:
    texts = []
    for logger in (ProgbarLogger(), keras.callbacks.ProgbarLogger()):
        stream = out()
        logger.set_params({"verbose": verbose, "epochs": 2, "steps": 12})
        logger.on_train_begin()
        for epoch in range(2):
            logger.on_epoch_begin(epoch)
            for batch in range(12):
                if isinstance(logger, keras.callbacks.Callback) or logger.due(batch):
                    logger.on_train_batch_end(batch, {"loss": 12.0})
            logger.on_epoch_end(epoch, {"loss": 12.34567, "tiny": 1e-3, "none": 0.0})
        texts.append(re.sub("\x1b\\[[0-9]*m|\b", "", stream.text))
    assert final_lines(texts[0]) == final_lines(texts[1])
    assert len(final_lines(texts[0])) == 4


def test_one_epoch_has_no_heading(model: Sequential, out: Any) -> None:
    stream = out()
    model.fit(X, Y, verbose=1)
    assert len(final_lines(stream.text)) == 1


def test_a_line_an_epoch(model: Sequential, out: Any) -> None:
    stream = out()
    history = model.fit(X, Y, epochs=2, verbose=2).history
    lines = final_lines(stream.text)
    assert lines[0] == "Epoch 1/2"
    loss, mae = history["loss"][0], history["mae"][0]
    assert lines[1] == f"2/2 - Ns - T/step - loss: {loss:.4f} - mae: {mae:.4f}"
    assert "\r" not in stream.text


def test_silence(model: Sequential, out: Any) -> None:
    stream = out(tty=True)
    model.fit(X, Y, verbose=0)
    model.evaluate(X, Y, verbose=0)
    model.predict(X, verbose=0)
    assert stream.text == ""


@pytest.mark.parametrize("tty", [True, False])
def test_auto_is_a_bar_where_somebody_watches(
    model: Sequential, out: Any, tty: bool
) -> None:
    stream = out(tty=tty)
    model.fit(X, Y)
    assert (BAR in stream.text) == tty
    assert "2/2" in stream.text


def test_evaluation_and_prediction_show_progress_too(
    model: Sequential, out: Any
) -> None:
    stream = out()
    loss, mae = model.evaluate(X, Y, verbose=1)
    model.predict(X, verbose=1)
    model.predict(X, verbose=2)
    assert final_lines(stream.text) == [
        f"2/2 {BAR} Ns T/step - loss: {loss:.4f} - mae: {mae:.4f}",
        f"2/2 {BAR} Ns T/step",
        "2/2 - Ns - T/step",
    ]


def test_a_stream_that_cannot_encode_the_bar_gets_an_ascii_one(
    model: Sequential, out: Any
) -> None:
    stream = out("cp1252")
    model.fit(X, Y, verbose=1)
    assert f"2/2 {'=' * 20} " in stream.text


def test_names_that_cannot_be_encoded_do_not_end_the_training(out: Any) -> None:
    stream = out("ascii")
    hooks = CallbackList(ProgbarLogger(), verbose=1, epochs=1, steps=1)
    hooks.on_epoch_begin(0)
    hooks.on_train_batch_end(0, {"größe": 1.0})
    hooks.on_epoch_end(0, {"größe": 1.0})
    assert "gr??e: 1.0000" in stream.text


class Clock:
    """Time that passes when it is told to."""

    def __init__(self) -> None:
        self.now = 100.0

    def perf_counter(self) -> float:
        return self.now


def test_redrawn_at_most_every_twentieth_of_a_second(
    out: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream, clock = out(), Clock()
    monkeypatch.setattr(module, "time", clock)
    hooks = CallbackList(ProgbarLogger(), verbose=1, epochs=1, steps=100)
    hooks.on_epoch_begin(0)
    for batch in range(100):
        clock.now += 0.01
        hooks.on_train_batch_end(batch, {"loss": 1.0})
    hooks.on_epoch_end(0, {"loss": 0.5})
    drawn = stream.text.count("\r")
    assert 15 <= drawn <= 25


def test_the_last_step_is_drawn_once_with_the_epochs_values(out: Any) -> None:
    stream = out()
    hooks = CallbackList(ProgbarLogger(), verbose=1, epochs=1, steps=1)
    hooks.on_epoch_begin(0)
    hooks.on_train_batch_end(0, {"loss": 1.0})
    hooks.on_epoch_end(0, {"loss": 0.5})
    assert stream.text.count("\r") == 1
    assert final_lines(stream.text) == [f"1/1 {BAR} Ns T/step - loss: 0.5000"]


def test_the_first_step_does_not_count_in_the_pace(
    out: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream, clock = out(), Clock()
    monkeypatch.setattr(module, "time", clock)
    hooks = CallbackList(ProgbarLogger(), verbose=2, epochs=1, steps=5)
    hooks.on_epoch_begin(0)
    for batch, seconds in enumerate([7.0, 0.25, 0.25, 0.25, 0.25]):
        clock.now += seconds
        hooks.on_train_batch_end(batch)
    hooks.on_epoch_end(0, {"loss": 0.5, "small": 0.001, "negative": -0.25})
    expected = "5/5 - 8s - 250ms/step - loss: 0.5000 - small: 1.0000e-03"
    assert stream.text == f"{expected} - negative: -0.2500\n"


def test_the_time_left_is_shown_in_the_middle(
    out: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream, clock = out(), Clock()
    monkeypatch.setattr(module, "time", clock)
    hooks = CallbackList(ProgbarLogger(), verbose=1, epochs=1, steps=100)
    hooks.on_epoch_begin(0)
    for batch in range(2):
        clock.now += 1.0
        hooks.on_train_batch_end(batch, {"loss": 1.0})
    dark, light = "━" * 0, "─" * 20
    assert f"\r  2/100 {dark}{light} 1:38 1s/step - loss: 1.0000" in stream.text
    hooks.on_exit()
    assert stream.text.endswith("\n")


def test_an_unknown_number_of_steps_is_learned(model: Sequential, out: Any) -> None:
    stream = out()
    model.fit(iter([(X, Y)] * 3), verbose=1)
    assert "1/Unknown" in stream.text
    assert final_lines(stream.text)[-1].startswith(f"3/3 {BAR} Ns T/step - loss: ")
    assert stream.text.count("\n") == 1


def test_tqdm_is_imported_when_a_bar_is_shown() -> None:
    program = (
        "import sys, minikeras; assert 'tqdm' not in sys.modules\n"
        "from minikeras.callbacks import *\n"
        "hooks = CallbackList(ProgbarLogger(), verbose=1, epochs=1, steps=2)\n"
        "hooks.on_epoch_begin(0); hooks.on_train_batch_end(0, {})\n"
        "assert 'tqdm' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True, capture_output=True)


def progbar_output(out: Any, module: Any, **options: Any) -> str:
    """What a bar prints of three steps with the values 0, 2 and 7."""
    stream = out()
    bar = module.Progbar(3, interval=0.0, **options)
    bar.update(1, [("value", 0.0)])
    bar.add(1, [("value", np.array([1.0, 3.0]))])
    bar.update(3, [("value", 7.0)])
    return stream.text


@pytest.mark.parametrize(
    "options, second",
    [
        ({}, "1.0000"),
        ({"stateful_metrics": ["value"]}, "2.0000"),
        ({"stateless_metrics": ["value"]}, "1.0000"),
        ({"stateless_metrics": []}, "2.0000"),
    ],
)
def test_a_bar_by_itself_averages_values_as_keras_does(
    out: Any, options: Any, second: str
) -> None:
    printed = progbar_output(out, module, **options)
    assert f"value: {second}" in printed
    assert "3/3" in printed
    assert "value: 7.0000" in printed  # the last one is said to be of the whole epoch


def test_a_bar_cannot_be_told_both_kinds_of_values() -> None:
    with pytest.raises(ValueError, match="Only one of"):
        module.Progbar(1, stateful_metrics=[], stateless_metrics=[])


def test_without_interactive_logging_lines_go_to_the_logger(
    out: Any, caplog: pytest.LogCaptureFixture
) -> None:
    config.disable_interactive_logging()
    try:
        with caplog.at_level("INFO", logger="minikeras"):
            assert progbar_output(out, module) == ""
    finally:
        config.enable_interactive_logging()
    assert "3/3 - 0s" in caplog.text


def test_the_bar_follows_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    bar = module.Progbar(3, interval=0.0, stateful_metrics=["value"])
    bar.update(1, [("value", 0.0)])
    later = io.StringIO()
    with contextlib.redirect_stdout(later):
        bar.update(2, [("value", 2.0)])
    bar.close()
    assert "value: 2.0000" in later.getvalue()
    assert "value: 0.0000" in capsys.readouterr().out
