"""One framework at one workload: the process that is timed.

    python child.py SIDE FRAMEWORK WORKLOAD THREADS BUDGET SPAWNED

Prints one line of JSON. In seconds, on the wall's clock and of the processor's time in
this process: `ready`, from `SPAWNED` on the monotonic clock (the processor's: from the
start of the process) to the end of the first step; `build`, to make the model; `first`,
the first step; `step`, a step of the best epoch. In KiB: `memory`, by how much the
greatest resident size grew after the imports. And the mean `loss` of the second epoch,
by when all have done the same number of steps.
"""

from __future__ import annotations

import importlib
import json
import resource
import sys
import time
from collections.abc import Sequence

from workloads import WORKLOADS

Clocks = dict[str, float]
LEAST = 1.0  # seconds to measure for, however fast the epochs are


def clocks() -> Clocks:
    """Return the wall's seconds, and the processor's seconds in this process."""
    return {"wall": time.monotonic(), "cpu": time.process_time()}


def since(start: Clocks) -> Clocks:
    """Return the seconds that passed on each clock."""
    now = clocks()
    return {clock: now[clock] - start[clock] for clock in start}


class Watch:
    """Time epochs, and say when it is enough: a warm-up, then at least one more."""

    def __init__(self, epochs: int, budget: float) -> None:
        self.epochs, self.budget = epochs, budget
        self.times: list[Clocks] = []
        self.losses: list[float] = []
        self.began = self.start = clocks()

    def __call__(self, losses: Sequence) -> bool:
        """Note the end of an epoch with these losses; return whether to go on."""
        self.times.append(since(self.start))
        self.losses.append(sum(map(float, losses)) / len(losses))
        self.start = clocks()
        spent = since(self.began)["wall"]
        enough = len(self.times) > self.epochs and spent > LEAST
        return len(self.times) < 2 or not (enough or spent > self.budget)

    def step(self, steps: int) -> Clocks:
        """Return the seconds of a step in the best epoch after the first."""
        epochs = self.times[1:]
        return {clock: min(e[clock] for e in epochs) / steps for clock in epochs[0]}


def peak() -> int:
    """Return the greatest resident size until now, in KiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def measure(
    side: str, framework: str, name: str, threads: int, budget: float, spawned: float
) -> dict:
    """Build the workload's model, take a first step, then watch some epochs."""
    workload = WORKLOADS[name]
    x, y = workload.data()
    try:
        prepare, version = importlib.import_module(side).load(framework, threads)
    except ImportError as error:
        return {"missing": str(error)}
    found: dict = {"version": version}
    imported = peak()
    start = clocks()
    work = prepare(workload, x, y)
    found["build"] = since(start)
    start = clocks()
    work(1, only_once)
    found["first"] = since(start)
    found["ready"] = since({"wall": spawned, "cpu": 0.0})
    if workload.task != "start":
        watch = Watch(workload.epochs, budget)
        work(workload.steps, watch)
        found["step"] = watch.step(workload.steps)
        found["loss"] = watch.losses[1]
    return found | {"memory": peak() - imported}


def only_once(losses: Sequence) -> bool:
    """Wait for the end of an epoch, and let it be the last."""
    float(losses[-1])
    return False


def main() -> None:
    """Measure as the arguments say; an exception is a finding, too."""
    side, framework, name, threads, budget, spawned = sys.argv[1:]
    try:
        found = measure(
            side, framework, name, int(threads), float(budget), float(spawned)
        )
    except Exception as error:  # the table shows it
        lines = str(error).strip().splitlines() or [""]
        found = {"failed": f"{type(error).__name__}: {lines[0]}"}
    print(json.dumps(found))


if __name__ == "__main__":
    main()
