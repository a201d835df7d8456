"""Passes: where each begins and ends."""

import warnings

import pytest

from minikeras.data import Passes


def test_a_list_starts_anew_at_each_pass():
    passes = Passes([1, 2, 3])
    assert [list(passes), list(passes)] == [[1, 2, 3]] * 2
    assert passes.length == 3


def test_an_iterator_can_be_passed_over_once():
    passes = Passes(iter([1, 2, 3]))
    assert [list(passes), list(passes)] == [[1, 2, 3], []]
    assert passes.length is None


def test_with_steps_a_pass_begins_where_the_last_one_ended():
    passes = Passes(iter(range(100)), steps=3)
    assert [list(passes), list(passes)] == [[0, 1, 2], [3, 4, 5]]
    assert passes.length == 3


def test_a_source_that_ends_with_a_pass_starts_anew_in_silence():
    passes = Passes([1, 2, 3, 4], steps=2)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert [list(passes) for _ in range(3)] == [[1, 2], [3, 4], [1, 2]]


def test_a_source_that_ends_within_a_pass_says_so():
    passes = Passes([1, 2, 3, 4], steps=3)
    assert list(passes) == [1, 2, 3]
    with pytest.warns(UserWarning, match="ran out of data after 1 of 3 steps"):
        assert list(passes) == [4]
    assert list(passes) == [1, 2, 3]


def test_restart_goes_back_to_the_beginning():
    passes = Passes([1, 2, 3, 4], steps=3)
    assert list(passes) == [1, 2, 3]
    passes.restart()
    assert list(passes) == [1, 2, 3]


def test_restart_cannot_rewind_an_iterator():
    passes = Passes(iter([1, 2, 3, 4]), steps=2)
    assert list(passes) == [1, 2]
    passes.restart()
    assert list(passes) == [3, 4]


def test_a_look_ahead_takes_nothing():
    for source in ([1, 2], iter([1, 2])):
        passes = Passes(source)
        assert passes.peek() == passes.peek() == 1
        assert list(passes) == [1, 2]
    with pytest.raises(StopIteration):
        Passes([]).peek()


def test_a_look_ahead_at_an_iterator_survives_a_restart():
    passes = Passes(iter([1, 2]), steps=2)
    passes.peek()
    passes.restart()
    assert list(passes) == [1, 2]


def test_each_batch_is_prepared():
    passes = Passes([1, 2], steps=1, prepare=lambda batch: batch * 10)
    assert [list(passes), list(passes)] == [[10], [20]]
