"""OpenBLAS's threads: held back while a context is open, and as before after it."""

from __future__ import annotations

from threading import Barrier, Thread

import pytest

from minikeras.engine.blocked import blas


class Library:
    """Stands for OpenBLAS."""

    def __init__(self, threads: int) -> None:
        self.threads = threads

    def get(self) -> int:
        return self.threads

    def set(self, threads: int) -> None:
        self.threads = threads


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch) -> Library:
    made = Library(4)
    monkeypatch.setattr(blas, "_threads", lambda: made)
    return made


def test_threads_are_held_back_inside_and_free_after(library: Library) -> None:
    with blas.one_thread:
        with blas.one_thread:
            assert library.threads == 1
        assert library.threads == 1
    assert library.threads == 4


def test_they_are_free_after_an_error(library: Library) -> None:
    with pytest.raises(ZeroDivisionError), blas.one_thread:
        raise ZeroDivisionError
    assert library.threads == 4


def test_several_threads_may_hold_them_back_at_once(library: Library) -> None:
    inside = Barrier(3)
    seen: list[int] = []

    def hold() -> None:
        with blas.one_thread:
            inside.wait()
            seen.append(library.threads)

    holders = [Thread(target=hold) for _ in range(3)]
    for holder in holders:
        holder.start()
    for holder in holders:
        holder.join()
    assert seen == [1, 1, 1]
    assert library.threads == 4


def test_a_call_is_made_with_one_thread(library: Library) -> None:
    seen: list[int] = []

    def call() -> None:
        seen.append(library.threads)

    blas.in_one_thread(call)()
    assert seen == [1]
    library.threads = 1
    assert blas.in_one_thread(call) is call, "there is nothing to hold back"


def test_another_blas_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blas, "_threads", lambda: None)
    with blas.one_thread:
        assert blas.in_one_thread(int) is int


def test_numpys_library_answers() -> None:
    threads = blas._threads()
    if threads is None:
        pytest.skip("NumPy has another BLAS here")
    before = threads.get()
    assert before >= 1
    with blas.one_thread:
        assert threads.get() == 1
    assert threads.get() == before
