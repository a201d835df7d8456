"""Nested structures, against those of Keras: results, and what is refused."""

from __future__ import annotations

from collections import OrderedDict, defaultdict, deque, namedtuple

import pytest

from minikeras import tree

Point = namedtuple("Point", ["x", "y"])
Pair = namedtuple("Pair", ["x", "y"])

STRUCTURES = [
    1,
    None,
    [],
    (),
    {},
    [1, None],
    (2, [3]),
    {"b": 1, "a": (2, 3)},
    OrderedDict([("b", 1), ("a", (2, 3))]),
    defaultdict(list, {"b": 4, "a": [5]}),
    deque([1, (2,)], maxlen=3),
    Point(1, [2]),
    Pair(1, [2]),
    [{"z": [1, {"y": 2}]}, Point(None, ())],
]


@pytest.fixture(scope="module")
def theirs():
    import keras

    return keras.tree


def outcome(function, *args):
    """What a call returns, or how it is refused."""
    try:
        return repr(function(*args))
    except (TypeError, ValueError) as error:
        return type(error).__name__


def both(theirs, name, *args):
    ours = outcome(getattr(tree, name), *args)
    assert ours == outcome(getattr(theirs, name), *args)
    return ours


def counted(x):
    return ("leaf", x)


@pytest.mark.parametrize("structure", STRUCTURES, ids=repr)
def test_one_structure(theirs, structure):
    for name in ("is_nested", "flatten", "flatten_with_path", "lists_to_tuples"):
        both(theirs, name, structure)
    for name in ("map_structure", "map_shape_structure"):
        both(theirs, name, counted, structure)
    for n in range(5):
        both(theirs, "pack_sequence_as", structure, range(n))
    for none_is_leaf in (True, False):
        mine, other = (
            t.map_structure(counted, structure, none_is_leaf=none_is_leaf)
            for t in (tree, theirs)
        )
        assert repr(mine) == repr(other)


@pytest.mark.parametrize("top_down", [True, False])
@pytest.mark.parametrize("structure", STRUCTURES, ids=repr)
def test_a_traversal_visits_the_same_parts_in_the_same_order(
    theirs, structure, top_down
):
    def traversed(module):
        seen = []

        def visit(part):
            seen.append(repr(part))
            if part == 2:
                return module.MAP_TO_NONE
            return "pair" if part == (2, 3) else None

        return repr(module.traverse(visit, structure, top_down=top_down)), seen

    assert traversed(tree) == traversed(theirs)


@pytest.mark.parametrize("a", STRUCTURES, ids=repr)
@pytest.mark.parametrize("b", STRUCTURES, ids=repr)
def test_two_structures(theirs, a, b):
    for name in ("assert_same_structure", "assert_same_paths"):
        both(theirs, name, a, b)
    both(theirs, "map_structure", lambda x, y: (x, y), a, b)
    if None not in tree.flatten(a):  # Keras 3.15 refuses its own example of that
        both(theirs, "map_structure_up_to", a, lambda y: ("up to", y), b)


def test_messages_say_what_was_expected():
    with pytest.raises(ValueError, match=r"Expected an instance of list, got \(1,\)"):
        tree.assert_same_structure([1], (1,))
    with pytest.raises(ValueError, match="tuple arity mismatch; expected: 2, got: 1"):
        tree.assert_same_structure((1, 2), (1,))
    with pytest.raises(ValueError, match="dictionary key mismatch"):
        tree.map_structure(counted, {"a": 1}, {"b": 1})
    with pytest.raises(ValueError, match=r"missing in `b`:\n{\(1,\)}"):
        tree.assert_same_paths([1, 2], [1])
    with pytest.raises(ValueError, match="at least one structure"):
        tree.map_structure(counted)
    with pytest.warns(DeprecationWarning, match="check_types"):
        tree.assert_same_structure([1], [2], check_types=True)
