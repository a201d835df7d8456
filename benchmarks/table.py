"""Nine workloads, side by side: minikeras, Keras's backends, steps by hand, the floor.

The same Keras code runs on minikeras and on Keras 3 with each backend, through `fit`
and `predict`; PyTorch, torch.compile and jax.jit run steps written by hand; the floor
is the matrix products alone, in NumPy. Adam, float32. `minikeras-numpy` is minikeras
without its optional compiled kernels.

    python benchmarks/table.py --peer-python /path/to/python --markdown table.md
    taskset -c 1 python benchmarks/table.py --rows mlp cnn --cores 1 --rounds 5
"""

from __future__ import annotations

from processes import FRAMEWORKS, measure, parser
from report import UNKNOWN, Report, grid, publish
from workloads import TABLE


def times(report: Report, cores: int) -> str:
    """The medians, the best one marked, and how far minikeras is from the others."""
    rows = []
    for workload in report.distinct("workload"):
        # Of the row "start" the time until the first step is done counts.
        key = "ready" if TABLE[workload].task == "start" else "step"
        known = report.known(key, cores, workload)
        winner = min(known.keys() - {"floor"}, key=known.get, default="")
        texts = {name: shown(key, value) for name, value in known.items()}
        if winner:
            texts[winner] = f"**{texts[winner]}**"
        cells = report.cells(texts, cores, workload)
        rows.append([TABLE[workload].title, *cells, *ratios(known)])
    names = report.distinct("framework")
    return grid(["µs a step", *names, "minikeras / best peer", "/ floor"], rows)


def shown(key: str, value: float) -> str:
    """Microseconds of a step; seconds of a start."""
    return f"{value:.2f} s" if key == "ready" else f"{value * 1e6:.0f}"


def ratios(known: dict[str, float]) -> list[str]:
    """How minikeras's time compares with the best peer's, and with the floor."""
    own = known.get("minikeras")
    peers = [value for name, value in known.items() if FRAMEWORKS[name].peer]
    others = (min(peers, default=None), known.get("floor"))
    return [f"{own / other:.2f}" if own and other else UNKNOWN for other in others]


def losses(report: Report, cores: int) -> str:
    """The mean losses of the second epoch: signs that all do the same work."""
    rows = []
    for workload in report.distinct("workload"):
        if TABLE[workload].task == "train":
            known = report.known("loss", cores, workload)
            known.pop("floor", None)
            texts = {name: f"{loss:.3f}" for name, loss in known.items()}
            rows.append([workload, *report.cells(texts, cores, workload)])
    return grid(["loss of the second epoch", *report.distinct("framework")], rows)


def main() -> None:
    """Measure, and print the tables."""
    options = parser(__doc__, TABLE).parse_args()
    found = measure(options, options.rows)
    report = Report(found, options.clock)
    parts = ["\n".join(report.notes())]
    for cores in report.distinct("cores"):
        title = f"## {cores} core{'s' * (cores > 1)}"
        parts += [title, times(report, cores), losses(report, cores)]
    publish(options, found, parts)


if __name__ == "__main__":
    main()
