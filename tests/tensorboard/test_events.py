"""What we write, TensorBoard's own reader reads, and so do we."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minikeras.tensorboard import EventWriter, read_events, summaries, wire
from minikeras.tensorboard.png import png
from minikeras.tensorboard.records import crc32c, read_records, record

# The reader is TensorBoard's; protobuf decodes what is in the events.
loader = pytest.importorskip("tensorboard.backend.event_processing.event_file_loader")
tensor_util = pytest.importorskip("tensorboard.util.tensor_util")


def values_of(path):
    """Return step, tag, plugin, class of data and array of each summary in a file."""
    found = []
    for event in loader.EventFileLoader(path).Load():
        for value in event.summary.value:
            plugin = value.metadata.plugin_data.plugin_name
            kind = value.metadata.data_class
            array = tensor_util.make_ndarray(value.tensor)
            found.append((event.step, value.tag, plugin, kind, array))
    return found


@pytest.fixture
def written(tmp_path):
    """Return a function that writes by `write` and returns what can be read."""

    def through(write):
        with EventWriter(tmp_path / "run") as writer:
            write(writer)
        return values_of(writer.path)

    return through


def test_scalars(written):
    def write(writer):
        writer.scalar("loss", 0.5, 0)
        writer.scalar("loss", np.float64(-1e30), 3)
        writer.scalar("größe", float("nan"), 2**40)

    a, b, c = written(write)
    assert a[:4] == (0, "loss", "scalars", 1)
    assert a[4].dtype == np.float32
    assert a[4].shape == ()
    assert a[4] == 0.5
    assert b[0] == 3
    assert b[4] == np.float32(-1e30)
    assert c[:2] == (2**40, "größe")
    assert np.isnan(c[4])


def test_a_scalar_is_one_number(tmp_path):
    with (
        EventWriter(tmp_path) as writer,
        pytest.raises(ValueError, match=r"'loss' is a single number; got \(2,\)"),
    ):
        writer.scalar("loss", [1.0, 2.0], 0)


def test_histograms_count_each_value_once(written):
    values = np.random.default_rng(0).normal(size=(50, 4)).astype("float32")
    _, tag, plugin, kind, rows = written(lambda w: w.histogram("w", values, 1))[0]
    assert (tag, plugin, kind) == ("w", "histograms", 2)
    assert rows.shape == (30, 3)
    assert rows[:, 2].sum() == values.size
    for left, right, count in rows[:-1]:
        assert count == np.sum((values >= left) & (values < right))
    assert rows[0, 0] == values.min()
    assert rows[-1, 1] == values.max()


@pytest.mark.parametrize(
    "values, total", [([], 0), ([2.0, 2.0], 2), ([np.nan, 1.0, np.inf], 1)]
)
def test_histograms_of_few_values(written, values, total):
    rows = written(lambda w: w.histogram("w", values, 1))[0][-1]
    assert rows.shape == (30, 3)
    assert rows[:, 2].sum() == total


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_images_are_what_they_were(written, channels):
    image = pytest.importorskip("PIL.Image")
    shape = (5, 3, 4, channels)
    pixels = np.random.default_rng(0).integers(0, 256, shape).astype("uint8")
    _, _, plugin, kind, strings = written(lambda w: w.image("x", pixels, 1))[0]
    assert (plugin, kind) == ("images", 3)
    assert list(strings[:2]) == [b"4", b"3"]  # width, height
    assert len(strings) == 2 + 3  # the first three
    for string, want in zip(strings[2:], pixels, strict=False):
        got = np.asarray(image.open(io.BytesIO(string)))
        np.testing.assert_array_equal(got.reshape(want.shape), want)


def test_images_of_fractions_use_all_bytes(written):
    strings = written(lambda w: w.image("x", [[[[0.0], [0.5], [1.0], [7.0]]]], 1))[0][4]
    data = strings[2].split(b"IDAT")[1].split(b"IEND")[0]
    assert list(zlib.decompress(data[:-8])[1:]) == [0, 127, 255, 255]


def test_a_png_has_bytes_and_up_to_four_channels():
    with pytest.raises(ValueError, match="uint8 of shape"):
        png(np.zeros((2, 2, 5), "uint8"))
    with pytest.raises(ValueError, match="got float64"):
        png(np.zeros((2, 2, 1)))


def test_text(written):
    *_, plugin, _, string = written(lambda w: w.text("note", "*hello*", 1))[0]
    assert (plugin, string.item()) == ("text", b"*hello*")


def test_our_reader_reads_what_we_write(tmp_path):
    with EventWriter(tmp_path) as writer:
        writer.scalar("loss", 0.25, 7)
        writer.graph(b"graph")
    version, loss, graph = read_events(writer.path)
    assert (version.kind, version.content) == ("file_version", b"brain.Event:2")
    assert (loss.kind, loss.step) == ("summary", 7)
    assert loss.content == summaries.scalar("loss", 0.25)
    assert (graph.kind, graph.content) == ("graph_def", b"graph")


def test_two_writers_do_not_share_a_file(tmp_path):
    with EventWriter(tmp_path) as a, EventWriter(tmp_path) as b:
        assert a.path != b.path


# -- records and wire ------------------------------------------------------------------


# RFC 3720, section B.4.
CHECKSUMS = {
    bytes(32): 0x8A9136AA,
    b"\xff" * 32: 0x62A8AB43,
    bytes(range(32)): 0x46DD794E,
    bytes(range(31, -1, -1)): 0x113FDB5C,
}


@pytest.mark.parametrize("data", CHECKSUMS)
def test_checksums_are_those_of_the_standard(data):
    assert crc32c(data) == CHECKSUMS[data]


@given(st.lists(st.binary(max_size=50), max_size=5))
def test_records_come_back(contents):
    file = io.BytesIO(b"".join(map(record, contents)))
    assert list(read_records(file)) == contents


@given(st.binary(max_size=30), st.integers(0), st.integers(1, 255))
def test_damage_is_noticed(content, place, change):
    data = bytearray(record(content))
    data[place % len(data)] ^= change
    with pytest.raises(ValueError, match="checksum"):
        list(read_records(io.BytesIO(bytes(data))))


def test_a_record_that_is_being_written_is_left():
    data = record(b"first") + record(b"second")[:-3]
    assert list(read_records(io.BytesIO(data))) == [b"first"]


@given(st.integers(-(2**63), 2**63 - 1), st.integers(1, 2**29 - 1))
def test_integers_come_back(value, number):
    assert list(wire.fields(wire.integer(number, value))) == [(number, value)]


@given(st.floats(allow_nan=False), st.text(), st.binary())
def test_messages_come_back(number, text, content):
    inner = wire.double(1, number) + wire.data(2, text)
    message = wire.data(3, inner) + wire.data(16, content)
    (_, got), rest = wire.fields(message)
    assert list(wire.fields(got)) == [(1, number), (2, text.encode())]
    assert rest == (16, content)


@pytest.mark.parametrize(
    "message, error",
    [
        (wire.data(1, b"abc")[:-1], "2 of 3 bytes"),
        (wire.double(1, 1.0)[:-1], "7 of 8 bytes"),
        (b"\x80", "no end to the integer"),
        (struct.pack("B", 1 << 3 | 3), "unknown wire type 3"),
    ],
)
def test_broken_messages_are_refused(message, error):
    with pytest.raises(ValueError, match=error):
        list(wire.fields(message))
