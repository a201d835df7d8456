"""Steps per second of one Keras script through `fit`, here and on Keras's backends.

The script is the same for all: an MLP 784-512-512-10 in float32, Adam, batches of 128.
Each framework runs in a process of its own; the processes take turns, so that a change
of the machine's speed meets all of them; and everything is done twice, on one core with
one thread and on all cores. Frameworks that are not installed are left out.

    python benchmarks/bench_fit.py [--rounds 5] [--peer-python /path/to/python]
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import statistics
import subprocess
import sys
import time

FRAMEWORKS = ("minikeras", "keras-jax", "keras-tensorflow", "keras-torch")
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
SAMPLES, BATCH, EPOCHS = 12_800, 128, 3


def child(framework: str) -> None:
    """Train, and print the seconds a step of the best epoch takes."""
    import numpy as np

    if framework == "minikeras":
        import minikeras as keras
    else:
        os.environ["KERAS_BACKEND"] = framework.removeprefix("keras-")
        import keras

    rng = np.random.default_rng(0)
    x = rng.standard_normal((SAMPLES, 784)).astype("float32")
    y = rng.integers(0, 10, SAMPLES)
    model = keras.Sequential(
        [
            keras.layers.Input((784,)),
            keras.layers.Dense(512, activation="relu"),
            keras.layers.Dense(512, activation="relu"),
            keras.layers.Dense(10),
        ]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer="adam", loss=loss)
    model.fit(x, y, batch_size=BATCH, epochs=1, verbose=0)  # compiles
    times = []
    for _ in range(EPOCHS):
        start = time.perf_counter()
        history = model.fit(x, y, batch_size=BATCH, epochs=1, verbose=0)
        times.append(time.perf_counter() - start)
    loss_now = float(history.history["loss"][-1])
    print(json.dumps({"step": min(times) / (SAMPLES / BATCH), "loss": loss_now}))


def floor() -> None:
    """Print the seconds that the matrix products of a step take in NumPy alone."""
    import numpy as np

    sizes = [784, 512, 512, 10]
    rng = np.random.default_rng(0)
    acts = [rng.standard_normal((BATCH, n)).astype("float32") for n in sizes]
    shapes = itertools.pairwise(sizes)
    kernels = [rng.standard_normal(shape).astype("float32") for shape in shapes]
    best = float("inf")
    for _ in range(200):
        start = time.perf_counter()
        for i, kernel in enumerate(kernels):
            np.matmul(acts[i], kernel)
            np.matmul(acts[i].T, acts[i + 1])
            if i:
                np.matmul(acts[i + 1], kernel.T)
        best = min(best, time.perf_counter() - start)
    print(json.dumps({"step": best, "loss": 0.0}))


def run(name: str, python: str, cores: list[int]) -> dict[str, float] | None:
    """Run one child on these cores; None if its framework is missing."""
    limits = dict.fromkeys(THREADS, str(len(cores)))
    flags = {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": ""}
    done = subprocess.run(
        [python, __file__, "--child", name],
        env={**os.environ, **limits, **flags},
        capture_output=True,
        text=True,
        preexec_fn=lambda: os.sched_setaffinity(0, cores),
        check=False,
    )
    if done.returncode:
        print(f"  {name}: not run ({done.stderr.strip().splitlines()[-1:]})")
        return None
    return json.loads(done.stdout.strip().splitlines()[-1])


def main() -> None:
    """Compare, and print one row a framework."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--peer-python", default=sys.executable)
    parser.add_argument("--child", choices=(*FRAMEWORKS, "floor"))
    options = parser.parse_args()
    if options.child:
        floor() if options.child == "floor" else child(options.child)
        return
    cores = sorted(os.sched_getaffinity(0))
    for used in ([cores[0]], cores) if len(cores) > 1 else ([cores[0]],):
        results: dict[str, list[float]] = {}
        for _ in range(options.rounds):
            for name in ("floor", *FRAMEWORKS):
                own = name in ("minikeras", "floor")
                found = run(name, sys.executable if own else options.peer_python, used)
                if found:
                    results.setdefault(name, []).append(found["step"])
        report(results, len(used))


def report(results: dict[str, list[float]], cores: int) -> None:
    """Print the medians, and how each compares with minikeras's."""
    print(
        f"\nMLP 784-512-512-10, batch {BATCH}, Adam, float32, by fit; {cores} core(s)"
    )
    own = statistics.median(results["minikeras"])
    print(f"{'framework':18} {'us a step':>10} {'steps/s':>9} {'/ minikeras':>12}")
    for name, steps in results.items():
        step = statistics.median(steps)
        print(f"{name:18} {step * 1e6:10.0f} {1 / step:9.0f} {step / own:12.2f}")


if __name__ == "__main__":
    main()
