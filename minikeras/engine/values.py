"""`Value`: classes whose objects are their fields, and never change.

A frozen dataclass does the same, but writes and compiles Python code for every class:
half a millisecond each, and there are hundreds of ops to import. Here one `__init__`
serves them all.
"""

from __future__ import annotations

from inspect import get_annotations
from typing import Any, ClassVar, NoReturn, Self, dataclass_transform

__all__ = ["Value"]


@dataclass_transform(frozen_default=True, eq_default=True)
class Value:
    """Base of classes with fields: annotated names, a default after ``=``.

    Objects compare and hash by type and fields, or by identity if the class was made
    with ``eq=False``.

    Example:
        >>> class Window(Value):
        ...     size: int
        ...     stride: int = 1
        >>> Window(3), Window(3) == Window(3, stride=1)
        (Window(size=3, stride=1), True)
    """

    fields: ClassVar[tuple[str, ...]] = ()
    _by_identity: ClassVar[bool] = False

    def __init_subclass__(cls, eq: bool = True) -> None:
        own = get_annotations(cls)
        named = (n for n, kind in own.items() if not str(kind).startswith("ClassVar"))
        cls.fields = tuple(dict.fromkeys((*cls.fields, *named)))
        cls._by_identity = not eq

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        fields = self.fields
        if len(args) > len(fields):
            raise TypeError(
                f"{type(self).__name__} takes {len(fields)} values; got {len(args)}"
            )
        given = dict(zip(fields, args, strict=False))
        for name, value in kwargs.items():
            if name not in fields or name in given:
                raise TypeError(
                    f"{type(self).__name__}: {name!r} is unknown or given twice"
                )
            given[name] = value
        for name in fields[len(args) :]:
            if name not in given:
                if not hasattr(type(self), name):
                    raise TypeError(f"{type(self).__name__} needs a value for {name!r}")
                given[name] = getattr(type(self), name)
        self.__dict__.update(given)

    def replaced(self, **changes: Any) -> Self:
        """Return a value of the same class with some fields changed."""
        fields = {name: self.__dict__[name] for name in self.fields}
        return type(self)(**{**fields, **changes})

    def __setattr__(self, name: str, value: Any) -> NoReturn:
        raise AttributeError(f"{type(self).__name__} is frozen: cannot set {name!r}")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"{type(self).__name__} is frozen: cannot delete {name!r}")

    def _key(self) -> tuple[Any, ...]:
        return tuple(map(self.__dict__.__getitem__, self.fields))

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        if not isinstance(other, type(self)) or self._by_identity:
            return NotImplemented
        return type(self) is type(other) and self._key() == other._key()

    def __hash__(self) -> int:
        return id(self) >> 4 if self._by_identity else hash((type(self), self._key()))

    def __repr__(self) -> str:
        shown = (f"{name}={self.__dict__[name]!r}" for name in self.fields)
        return f"{type(self).__name__}({', '.join(shown)})"
