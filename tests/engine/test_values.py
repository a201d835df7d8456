"""Classes whose objects are their fields."""

from __future__ import annotations

from functools import cached_property

import pytest

from minikeras.engine.values import Value


class Window(Value):
    size: int
    stride: int = 1

    @cached_property
    def reach(self) -> int:
        return self.size * self.stride


class Named(Window):
    label: str = ""


class Own(Value, eq=False):
    data: object = None


def test_fields_come_by_place_by_name_or_by_default() -> None:
    assert vars(Window(3)) == vars(Window(size=3, stride=1)) == {"size": 3, "stride": 1}
    assert repr(Named(3, label="a")) == "Named(size=3, stride=1, label='a')"
    assert Named.fields == ("size", "stride", "label")


def test_values_are_equal_by_type_and_fields() -> None:
    assert Window(3) == Window(3)
    assert hash(Window(3)) == hash(Window(3, 1))
    assert Window(3) != Window(4)
    assert Window(3) != Named(3)
    assert Named(3) != Window(3)
    assert Window(3) != 3
    assert len({Window(3), Window(3), Window(3, 2)}) == 2


def test_what_a_value_has_computed_does_not_change_what_it_equals() -> None:
    used = Window(3)
    assert used.reach == 3
    assert used == Window(3)


def test_some_classes_compare_by_identity() -> None:
    one = Own([1])
    assert one == one
    assert one != Own(one.data)
    assert len({one, Own(one.data)}) == 2


def test_a_value_can_be_replaced_and_not_changed() -> None:
    window = Window(3)
    assert window.replaced(stride=2) == Window(3, 2)
    with pytest.raises(AttributeError, match="frozen"):
        window.size = 4
    with pytest.raises(AttributeError, match="frozen"):
        del window.size
    assert window == Window(3)


def test_wrong_fields_are_refused() -> None:
    with pytest.raises(TypeError, match="needs a value for 'size'"):
        Window()
    with pytest.raises(TypeError, match="takes 2 values; got 3"):
        Window(1, 2, 3)
    with pytest.raises(TypeError, match="'size' is unknown or given twice"):
        Window(1, size=2)
    with pytest.raises(TypeError, match="'depth' is unknown"):
        Window(1, depth=2)
