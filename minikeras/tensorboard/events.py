"""`EventWriter`, which appends to an event file, and `read_events`, which reads one."""

from __future__ import annotations

import itertools
import os
import platform
import time
from collections.abc import Iterator
from typing import Any, NamedTuple

from minikeras.tensorboard import summaries, wire
from minikeras.tensorboard.records import read_records, record

__all__ = ["Event", "EventWriter", "read_events"]

VERSION = "brain.Event:2"
_numbers = itertools.count()


class Event(NamedTuple):
    """What `read_events` yields.

    Args:
        wall_time: when it happened, in seconds since 1970.
        step: of training.
        kind: ``"file_version"``, ``"graph_def"``, ``"summary"`` or another field.
        content: of that field, as bytes.
    """

    wall_time: float
    step: int
    kind: str
    content: bytes


class EventWriter:
    """Appends events to a new file in a folder, which is made if it is not there.

    What is written reaches the file at `flush` and at `close`.

    Args:
        folder: in which TensorBoard looks for files.

    Example:
        >>> import tempfile
        >>> folder = tempfile.mkdtemp()
        >>> with EventWriter(folder) as writer:
        ...     writer.scalar("loss", 0.5, step=1)
        >>> [event.kind for event in read_events(writer.path)]
        ['file_version', 'summary']
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        os.makedirs(folder, exist_ok=True)
        # The form that TensorBoard looks for; the rest makes it unlike any other.
        made = f"{int(time.time())}.{platform.node()}.{os.getpid()}.{next(_numbers)}"
        self.path = os.path.join(folder, f"events.out.tfevents.{made}.v2")
        self._file = open(self.path, "ab")  # noqa: SIM115 - closed by `close`
        self._write(wire.data(3, VERSION))

    def _write(self, *content: bytes) -> None:
        time_of_it = wire.double(1, time.time())
        self._file.write(record(b"".join((time_of_it, *content))))

    def summary(self, summary: bytes, step: int) -> None:
        """Append what a function of `summaries` returned.

        Args:
            summary: the encoded summary.
            step: of training, to which it belongs.
        """
        self._write(wire.integer(2, int(step)), wire.data(5, summary))

    def scalar(self, tag: str, value: Any, step: int) -> None:
        """Append a number."""
        self.summary(summaries.scalar(tag, value), step)

    def histogram(self, tag: str, values: Any, step: int) -> None:
        """Append the distribution of an array's values."""
        self.summary(summaries.histogram(tag, values), step)

    def image(self, tag: str, images: Any, step: int) -> None:
        """Append images of shape ``(batch, height, width, channels)``."""
        self.summary(summaries.image(tag, images), step)

    def text(self, tag: str, value: str, step: int) -> None:
        """Append a text, in Markdown."""
        self.summary(summaries.text(tag, value), step)

    def graph(self, definition: bytes) -> None:
        """Append a graph, encoded as a GraphDef."""
        self._write(wire.data(4, definition))

    def flush(self) -> None:
        """Bring everything to the file."""
        self._file.flush()

    def close(self) -> None:
        """Bring everything to the file, and close it."""
        self._file.close()

    def __enter__(self) -> EventWriter:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


_KINDS = {3: "file_version", 4: "graph_def", 5: "summary", 6: "log_message"}


def read_events(path: str | os.PathLike[str]) -> Iterator[Event]:
    """Yield the events of a file.

    Raises:
        ValueError: if the file is damaged.
    """
    with open(path, "rb") as file:
        for message in read_records(file):
            found: dict[int, Any] = dict(wire.fields(message))
            what = max(found.keys() - {1, 2}, default=0)
            yield Event(
                found.get(1, 0.0),
                found.get(2, 0),
                _KINDS.get(what, f"field_{what}"),
                found.get(what, b""),
            )
