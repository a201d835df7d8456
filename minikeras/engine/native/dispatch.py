"""Calls of machine code: cheap from Python, and shared among threads if that pays.

A call through ctypes costs 200 to 1000 ns. Here it becomes a built-in function of
CPython, which costs 20: a little machine code with the signature of a method in C,
which reads from memory what to do, does it, and returns None.

A *job* is several calls. The threads of a pool take the next call that nobody has
taken, as long as there is one; the thread that asked takes part. All of this happens
outside Python's lock and, for Python, within one instruction: an interrupt comes
before it or after it.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from minikeras.engine.native import jit
from minikeras.engine.native.pool import POOL, SHARING

__all__ = ["TYPES", "Call", "bind"]


class Call(NamedTuple):
    """One call of a module's function: ``function(operands, start, stop, case)``."""

    function: int
    operands: int
    start: int
    stop: int
    case: int


TYPES = """
; What to call, with which operands, start, stop and case.
%call = type { ptr, ptr, i64, i64, i64 }
; What to return; the pool; the next call to take; how many calls may be done in any
; order; how many there are, the rest of which must be done after those, in order.
%job = type { ptr, ptr, i64, i64, i64, [0 x %call] }

define internal void @do(ptr %job, i64 %i) {
  %call = getelementptr %job, ptr %job, i64 0, i32 5, i64 %i
  call void @make(ptr %call)
  ret void
}

define internal void @make(ptr %call) {
  %operands.at = getelementptr %call, ptr %call, i64 0, i32 1
  %start.at = getelementptr %call, ptr %call, i64 0, i32 2
  %stop.at = getelementptr %call, ptr %call, i64 0, i32 3
  %case.at = getelementptr %call, ptr %call, i64 0, i32 4
  %function = load ptr, ptr %call
  %operands = load ptr, ptr %operands.at
  %start = load i64, ptr %start.at
  %stop = load i64, ptr %stop.at
  %case = load i64, ptr %case.at
  call void %function(ptr %operands, i64 %start, i64 %stop, i64 %case)
  ret void
}
"""

# A method of Python whose `self` is the address of a job of one call.
ALONE = """
define ptr @call(ptr %self, ptr %unused) {
  %job = call ptr @PyLong_AsVoidPtr(ptr %self)
  call void @do(ptr %job, i64 0)
  %result = load ptr, ptr %job
  call void @Py_IncRef(ptr %result)
  ret ptr %result
}
declare ptr @PyLong_AsVoidPtr(ptr)
declare void @Py_IncRef(ptr)
"""

# The same for any job, while other threads of Python run.
RUN = """
define ptr @run(ptr %self, ptr %unused) {
entry:
  %job = call ptr @PyLong_AsVoidPtr(ptr %self)
  %pool.at = getelementptr %job, ptr %job, i64 0, i32 1
  %next.at = getelementptr %job, ptr %job, i64 0, i32 2
  %count.at = getelementptr %job, ptr %job, i64 0, i32 3
  %total.at = getelementptr %job, ptr %job, i64 0, i32 4
  %pool = load ptr, ptr %pool.at
  %count = load i64, ptr %count.at
  %total = load i64, ptr %total.at
  %taken.at = getelementptr %pool, ptr %pool, i64 0, i32 6
  store i64 0, ptr %next.at
  %state = call ptr @PyEval_SaveThread()
  %one = icmp eq i64 %count, 1
  br i1 %one, label %alone, label %ask
ask:
  %taken = atomicrmw xchg ptr %taken.at, i8 1 acquire
  %free = icmp eq i8 %taken, 0
  br i1 %free, label %together, label %alone
together:
  call void @share(ptr %pool, ptr %job)
  store atomic i8 0, ptr %taken.at release, align 1
  br label %rest
alone:
  call void @take(ptr %job)
  br label %rest
rest:
  %i = phi i64 [%count, %together], [%count, %alone], [%next, %another]
  %left = icmp slt i64 %i, %total
  br i1 %left, label %another, label %end
another:
  call void @do(ptr %job, i64 %i)
  %next = add i64 %i, 1
  br label %rest
end:
  call void @PyEval_RestoreThread(ptr %state)
  %result = load ptr, ptr %job
  call void @Py_IncRef(ptr %result)
  ret ptr %result
}
declare ptr @PyEval_SaveThread()
declare void @PyEval_RestoreThread(ptr)
"""


class _Method(ctypes.Structure):
    """CPython's PyMethodDef."""

    _fields_ = (
        ("name", ctypes.c_char_p),
        ("function", ctypes.c_void_p),
        ("flags", ctypes.c_int),
        ("doc", ctypes.c_char_p),
    )


NO_ARGUMENTS = 4  # METH_NOARGS
_new_builtin = ctypes.PYFUNCTYPE(
    ctypes.py_object, ctypes.c_void_p, ctypes.py_object, ctypes.py_object
)(("PyCFunction_NewEx", ctypes.pythonapi))


@cache
def _alone() -> _Method:
    (call,) = jit.compile_module(TYPES + ALONE, ["call"], level=0)
    return _Method(b"kernel", call, NO_ARGUMENTS, None)


@cache
def _together() -> tuple[_Method, Callable[[int], None]]:
    """Return the method for jobs, and what the pool's threads do."""
    text = TYPES + ALONE + SHARING + RUN
    run, work = jit.compile_module(text, ["run", "work"], level=0)
    method = _Method(b"kernel", run, NO_ARGUMENTS, None)
    return method, ctypes.CFUNCTYPE(None, ctypes.c_void_p)(work)


def bind(
    calls: Sequence[Call], after: Sequence[Call], owner: Any, long: bool
) -> Callable[[], None]:
    """Return a function without arguments that does `calls`, then those `after`.

    Args:
        calls: to be done in any order, by several threads.
        after: to be done after them, in their order.
        owner: what must live as long as the function.
        long: whether they take so long that other threads of Python should run.
    """
    if len(calls) > 1:
        POOL.start(_together()[1])
    everything = (*calls, *after)
    head = [id(None), POOL.address, 0, len(calls), len(everything)]
    rows = [value for call in everything for value in call]
    job = np.array(head + rows, np.int64)
    simple = len(everything) == 1 and not long
    method = _alone() if simple else _together()[0]
    # What CPython calls the module of a built-in function may be anything: here it
    # is what the machine code needs, kept as long as the function.
    return _new_builtin(ctypes.addressof(method), job.ctypes.data, (job, owner))
