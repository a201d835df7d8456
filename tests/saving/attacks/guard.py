"""Reads files in processes of their own, which are watched, and may not take much.

    python -m tests.saving.attacks.guard < jobs.json > results.json

A job is a path and what to do with it; each has ten seconds and 4 GiB. The result says
how reading ended, what it asked of the system, and what it took.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import io
import json
import os
import pkgutil
import resource
import signal
import sys
import tempfile
import threading
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import minikeras
from minikeras import backend as K
from minikeras import layers, models, saving
from minikeras.engine.train import Saver
from minikeras.saving import files
from minikeras.saving.contents import contents_of
from tests.saving.attacks.kit import MODELS, SECRET, archive, honest, honest_h5, small

SECONDS, MEMORY = 10, 4 << 30
# Events of `sys.addaudithook` that reading a file must not cause.
FORBIDDEN = (
    "ctypes.",
    "ftplib.",
    "http.",
    "os.exec",
    "os.fork",
    "os.link",
    "os.posix_spawn",
    "os.spawn",
    "os.startfile",
    "os.symlink",
    "os.system",
    "pickle.",
    "pty.",
    "socket.",
    "subprocess.",
    "urllib.",
    "webbrowser.",
)
LIBRARY = tuple(
    {os.path.dirname(os.__file__), *filter(None, sys.path), sys.prefix, sys.base_prefix}
)


# -- what is done with a file ----------------------------------------------------------


def predicted(model: Any) -> Any:
    """Return what a model says of ones, or of a word."""
    given = [
        np.full([2, *(n or 1 for n in x.shape[1:])], "to")
        if str(x.dtype) == "string"
        else np.ones([2, *(n or 1 for n in x.shape[1:])], str(x.dtype))
        for x in model.inputs
    ]
    return model.predict(given[0] if len(given) == 1 else given, verbose=0)


def load(path: str, **how: Any) -> Any:
    model = saving.load_model(path, **how)
    return [*model.get_weights(), predicted(model)]


def load_few(path: str) -> Any:
    """Load where a model may have few nodes, so that the limit is reached sooner."""
    files.MOST_NODES = 20_000
    return load(path)


def load_unsafe(path: str) -> Any:
    return load(path, safe_mode=False)


def load_after_switch(path: str) -> Any:
    """Load although a program has asked for unsafe files."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        minikeras.config.enable_unsafe_deserialization()
    return load(path, safe_mode=False)


def load_twice(path: str) -> Any:
    """Load two files: what the first did must not help the second."""
    for first in sorted(Path(path).parent.glob("first*.keras")):
        try:
            load(str(first))
        except (ValueError, TypeError):
            continue
    return load(path)


def weights(path: str) -> Any:
    model = small()
    model.load_weights(path)
    return [*model.get_weights(), predicted(model)]


def again(path: str) -> Any:
    """Load, and save what was loaded."""
    model = saving.load_model(path)
    found = predicted(model)
    model.save(f"{path}.again.keras")
    model.save(f"{path}.again.h5")
    model.save(f"{path}.again.folder", zipped=False)
    return found


def edited(path: str) -> Any:
    """Look at a file without its model, in both ways there are."""
    say_nothing = contextlib.redirect_stdout(io.StringIO())
    with say_nothing:
        editor = saving.KerasFileEditor(path)
        editor.summary()
    contents_of(path)
    return [K.tree.flatten(editor.weights_dict)[0]]


def of_text(read: Callable[[Any], Any]) -> Callable[[str], Any]:
    """Return what reads a config alone, outside of any scope."""
    return lambda path: read(json.loads(Path(path).read_text()))


def clone(config: Any) -> Any:
    return models.clone_model(layers.deserialize(config))


def restore(path: str) -> Any:
    variable = minikeras.engine.Variable(np.zeros(3, "float32"), name="v")
    with minikeras.engine.Session() as session:
        Saver([variable]).restore(session, path)
        return session.run(variable)


OPENINGS: dict[str, Callable[[str], Any]] = {
    "again": again,
    "clone": of_text(clone),
    "edited": edited,
    "deserialize": of_text(K.deserialize_keras_object),
    "from_config": of_text(layers.Lambda.from_config),
    "json": lambda path: models.model_from_json(Path(path).read_text()),
    "few": load_few,
    "layer": of_text(layers.deserialize),
    "legacy": of_text(minikeras.legacy.saving.deserialize_keras_object),
    "load": load,
    "restore": restore,
    "switched": load_after_switch,
    "twice": load_twice,
    "unsafe": load_unsafe,
    "weights": weights,
}


# -- watching --------------------------------------------------------------------------

_events: list[str] = []
_armed: list[bool] = []


def hook(event: str, args: tuple[Any, ...]) -> None:
    """Note what a reader asks of the system, if it must not."""
    if not _armed:
        return
    if event.startswith(FORBIDDEN):
        _events.append(f"{event} {args!r:.200}")
    elif event == "exec":
        made_from = getattr(args[0], "co_filename", "<code>")
        if not made_from.startswith((*LIBRARY, "<frozen", "<__array_function__")):
            _events.append(f"exec of {made_from}")


def settings() -> Any:
    """Return what a file must not change."""
    return (
        minikeras.config.floatx(),
        minikeras.config.image_data_format(),
        str(minikeras.config.dtype_policy()),
        K.in_safe_mode(),
        K.global_seed_generator().state.numpy().tolist(),
        sorted(saving.get_custom_objects()),
        np.random.get_state()[1].tolist(),  # noqa: NPY002
        os.getcwd(),
        threading.active_count(),
    )


def outcome(how: str, path: str) -> dict[str, Any]:
    """Open a file, and say what came of it."""
    found: dict[str, Any] = {"error": None, "message": ""}
    value: Any = None
    before, start = settings(), time.perf_counter()
    took = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    _armed.append(True)
    try:
        value = OPENINGS[how](path)
    except Exception as error:
        found |= {"error": type(error).__name__, "message": f"{error}"}
        found["kinds"] = [kind.__name__ for kind in type(error).__mro__]
    _armed.clear()
    now = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    shown = (
        str(np.concatenate([np.ravel(x).astype(str) for x in value]))
        if isinstance(value, list)
        else str(value)
    )
    return found | {
        "seconds": time.perf_counter() - start,
        "memory": (now - took) * 1024,
        "events": _events,
        "same settings": settings()[:-1] == before[:-1],
        "secret": str(SECRET) in shown + found["message"],
    }


def in_a_process(how: str, path: str) -> dict[str, Any]:
    """Open a file in a process that has limits."""
    out, into = os.pipe()
    child = os.fork()
    if not child:
        os.close(out)
        signal.alarm(SECONDS)
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        with os.fdopen(into, "w") as file:
            json.dump(outcome(how, path), file)
            file.flush()
            os._exit(0)
    os.close(into)
    with os.fdopen(out) as file:
        said = file.read()
    _, status = os.waitpid(child, 0)
    return json.loads(said) if said else {"killed": os.waitstatus_to_exitcode(status)}


def warm_up() -> None:
    """Read honest files, so that not every process has to fill the same caches."""
    with tempfile.TemporaryDirectory() as folder:
        for kind in MODELS:
            path = archive(Path(folder, f"{kind}.keras"), honest(kind))
            load(str(path))
        edited(f"{folder}/small.keras")
        path = Path(folder, "m.h5")
        path.write_bytes(honest_h5())
        load(str(path))
        small().save_weights(f"{folder}/m.weights.h5")
        weights(f"{folder}/m.weights.h5")


def main() -> None:
    """Do all jobs; everything that honest files need is imported before."""
    for module in pkgutil.walk_packages(minikeras.__path__, "minikeras."):
        if not module.name.startswith("minikeras.wrappers"):  # of a large library
            with contextlib.suppress(ImportError):
                importlib.import_module(module.name)
    for name in ("h5py", "llvmlite.binding", "ml_dtypes"):
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    sys.addaudithook(hook)
    jobs = json.load(sys.stdin)
    results = []
    warm_up()
    gc.freeze()
    with contextlib.suppress(OSError), open("watched from here"):
        pass  # there is no such file, but a tracer of system calls sees the name
    for how, path in jobs:
        results.append(in_a_process(how, path))
    json.dump(results, sys.stdout)


if __name__ == "__main__":
    main()
