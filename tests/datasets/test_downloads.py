"""`get_file`, from a server on this machine and from files, beside Keras's."""

import hashlib
import importlib
import io
import tarfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from minikeras import utils
from minikeras.datasets import downloads

TEXT = b"It was the best of times. " * 5000
SHA256 = hashlib.sha256(TEXT).hexdigest()
MD5 = hashlib.md5(TEXT).hexdigest()


class Handler(BaseHTTPRequestHandler):
    """Serves one text, whole, cut short, or not at all."""

    def do_GET(self):
        self.server.asked += 1
        if self.path == "/missing.txt":
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(TEXT)))
        self.end_headers()
        self.wfile.write(TEXT[: 1000 if self.path == "/short.txt" else None])

    def log_message(self, *_):
        pass


@pytest.fixture
def server():
    """A server on this machine; its address is `url`."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.url = f"http://127.0.0.1:{server.server_port}"
        server.asked = 0
        threading.Thread(target=server.serve_forever).start()
        yield server
        server.shutdown()


@pytest.fixture
def home(tmp_path, monkeypatch):
    """An empty cache."""
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "home"))
    return tmp_path / "home" / "datasets"


@pytest.mark.parametrize("file_hash", [None, SHA256, MD5, SHA256.upper()])
def test_a_file_is_downloaded_once(server, home, file_hash, capsys):
    for _ in range(2):
        path = utils.get_file("a.txt", f"{server.url}/a.txt", file_hash=file_hash)
        assert path == str(home / "a.txt")
    assert server.asked == 1
    assert (home / "a.txt").read_bytes() == TEXT
    assert f"Downloading data from {server.url}/a.txt" in capsys.readouterr().out


def test_the_name_is_that_of_the_url(server, home):
    assert utils.get_file(origin=f"{server.url}/b.txt?x=1") == str(home / "b.txt")


def test_a_file_with_another_hash_is_downloaded_again(server, home, capsys):
    home.mkdir(parents=True)
    (home / "a.txt").write_bytes(b"old")
    assert utils.get_file("a.txt", f"{server.url}/a.txt")
    assert server.asked == 0
    assert utils.get_file("a.txt", f"{server.url}/a.txt", md5_hash=MD5)
    assert server.asked == 1
    assert "A local file was found, but" in capsys.readouterr().out
    assert utils.get_file("a.txt", f"{server.url}/a.txt", force_download=True)
    assert server.asked == 2


@pytest.mark.parametrize(
    "page, kwargs, error, message",
    [
        ("a.txt", {"file_hash": "0" * 64}, ValueError, "Incomplete or corrupted file"),
        ("a.txt", {"file_hash": "0" * 32}, ValueError, "Incomplete or corrupted file"),
        ("missing.txt", {}, downloads.DownloadError, "404 -- Not Found"),
        ("short.txt", {}, downloads.DownloadError, "1,000 bytes came of 130,000"),
    ],
)
def test_what_does_not_arrive_whole_is_not_kept(
    server, home, page, kwargs, error, message
):
    home.mkdir(parents=True)
    (home / "a.txt").write_bytes(b"old")
    with pytest.raises(error, match=message):
        utils.get_file("a.txt", f"{server.url}/{page}", force_download=True, **kwargs)
    assert [p.name for p in home.iterdir()] == ["a.txt"]
    assert (home / "a.txt").read_bytes() == b"old"


def test_where_no_server_is_the_url_is_named(home):
    url = "http://127.0.0.1:9/a.txt"
    with pytest.raises(downloads.DownloadError, match=f"URL fetch failure on {url}"):
        utils.get_file("a.txt", url)


@pytest.mark.parametrize(
    "fname, origin, message",
    [
        (None, None, 'specify the "origin"'),
        (None, "http://localhost/", "Can't parse the file name"),
        ("a/b.txt", "http://localhost/a.txt", "Paths are no longer accepted"),
        ("..", "http://localhost/a.txt", "Paths are no longer accepted"),
        (None, "http://localhost/..", "Paths are no longer accepted"),
    ],
)
def test_a_file_must_have_a_name(home, fname, origin, message):
    with pytest.raises(ValueError, match=message):
        utils.get_file(fname, origin)


@pytest.mark.parametrize("fname", [None, "a", "a.tar.gz"])
def test_archives_go_where_keras_puts_them(tmp_path, keras, fname):
    archive = tmp_path / "source.tar.gz"
    with tarfile.open(archive, "w:gz") as file:
        info = tarfile.TarInfo("inner/a.txt")
        info.size = len(TEXT)
        file.addfile(info, io.BytesIO(TEXT))
    found = {}
    for library in (keras, importlib.import_module("minikeras")):
        cache = tmp_path / library.__name__
        cache.mkdir()
        path = library.utils.get_file(
            fname, archive.as_uri(), extract=True, cache_dir=str(cache)
        )
        names = {str(p.relative_to(cache)) for p in cache.rglob("*")}
        found[library.__name__] = path.removeprefix(str(cache)), names
    assert found["minikeras"] == found["keras"]


def test_what_is_no_archive_is_said_to_be_none(tmp_path):
    (tmp_path / "a").write_bytes(TEXT)
    with pytest.warns(UserWarning, match="Could not extract"):
        utils.get_file(
            "b", (tmp_path / "a").as_uri(), untar=True, cache_dir=tmp_path / "c"
        )


def test_without_a_home_that_can_be_written_files_are_temporary(tmp_path, monkeypatch):
    (tmp_path / "file").write_bytes(b"")
    monkeypatch.setattr(downloads.tempfile, "gettempdir", lambda: str(tmp_path / "t"))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "file" / "home"))
    assert downloads.cache_folder() == tmp_path / "t" / ".keras"


def test_hashes_are_those_of_hashlib(tmp_path):
    file = tmp_path / "a"
    file.write_bytes(TEXT)
    assert downloads.hash_file(file) == SHA256
    assert downloads.hash_file(file, "md5") == MD5
    assert downloads.hash_file(file, hashlib.sha1()) == hashlib.sha1(TEXT).hexdigest()
    for given, algorithm in ((SHA256, "auto"), (MD5, "auto"), (MD5, "md5")):
        assert downloads.validate_file(file, given, algorithm)
    assert not downloads.validate_file(file, MD5, "sha256")
    assert not downloads.validate_file(file, SHA256[::-1])
