"""What can go wrong in the engine, as one tree of exceptions.

    EngineError
    ├── InvalidArgumentError  what an operation or a run was given does not fit
    │   ├── ShapeError        sizes or ranks do not fit             (also ValueError)
    │   ├── FeedError         a placeholder unfed or wrongly fed    (also ValueError)
    │   └── ExecutionError    a kernel or an assertion failed       (also RuntimeError)
    ├── DTypeError            kinds of number do not fit            (also TypeError)
    ├── GraphError            a tensor of another graph, a name     (also ValueError)
    ├── GradientError         no derivative where one is needed     (also LookupError,
    │                                                                    ValueError)
    ├── UninitializedError    a variable read before it has a value (also RuntimeError)
    ├── NotFoundError         a checkpoint without what is sought   (also LookupError)
    └── SessionError          a closed session, or none at all      (also RuntimeError)

Each is also the built-in exception that a Python user would expect, so that
``except ValueError`` works. An error that belongs to a node ends with the node's
name and the line of the user's program that made it. TensorFlow 1's names for some of
them are below as well.
"""

from __future__ import annotations

__all__ = [
    "DTypeError",
    "EngineError",
    "ExecutionError",
    "FailedPreconditionError",
    "FeedError",
    "GradientError",
    "GraphError",
    "InvalidArgumentError",
    "NotFoundError",
    "OpError",
    "SessionError",
    "ShapeError",
    "UninitializedError",
]


class EngineError(Exception):
    """Base of all errors raised by the engine."""

    def locate(self, place: str) -> None:
        """Append `place` (node and user's line) to the message, once."""
        message = str(self)
        if "\n  at " not in message:
            self.args = (f"{message}\n  at {place}",)

    def __str__(self) -> str:
        # KeyError and LookupError would otherwise print the repr of the message.
        return str(self.args[0]) if self.args else ""


class InvalidArgumentError(EngineError):
    """What an operation or a run was given does not fit."""


class ShapeError(InvalidArgumentError, ValueError):
    """Sizes or ranks do not fit the operation."""


class DTypeError(EngineError, TypeError):
    """The kind of number does not fit the operation."""


class GraphError(EngineError, ValueError):
    """A tensor or name does not belong to the graph."""


class GradientError(EngineError, LookupError, ValueError):
    """A derivative was asked for where none exists."""


class FeedError(InvalidArgumentError, ValueError):
    """A placeholder was not fed, or fed something that does not fit."""


class ExecutionError(InvalidArgumentError, RuntimeError):
    """A kernel failed while a plan was running, or an assertion did not hold."""


class UninitializedError(EngineError, RuntimeError):
    """A variable was read before it was given a value in this session."""


class NotFoundError(EngineError, LookupError):
    """There is no checkpoint, or it lacks a variable."""


class SessionError(EngineError, RuntimeError):
    """The session is closed, or there is none."""


OpError = EngineError
FailedPreconditionError = UninitializedError
