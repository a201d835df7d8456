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
import os
import threading
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from minikeras.engine.native import jit

__all__ = ["Call", "bind", "threads"]


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
; What to return; the pool, or null; the next call to take; how many calls may be done
; in any order; how many there are, the rest of which must be done after those.
%job = type { ptr, ptr, i64, i64, i64, [0 x %call] }

define internal void @do(ptr %job, i64 %i) {
  %call = getelementptr %job, ptr %job, i64 0, i32 5, i64 %i
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

# The same for any job, and what the threads of a pool do.
TOGETHER = """
; The job, or null; a number for each job; threads that are at it; whether it is taken.
%pool = type { [64 x i8], [64 x i8], [64 x i8], ptr, i64, i64, i8 }

define internal void @take(ptr %job) {
entry:
  %next.at = getelementptr %job, ptr %job, i64 0, i32 2
  %count.at = getelementptr %job, ptr %job, i64 0, i32 3
  %count = load i64, ptr %count.at
  br label %more
more:
  %i = atomicrmw add ptr %next.at, i64 1 monotonic
  %left = icmp slt i64 %i, %count
  br i1 %left, label %one, label %none
one:
  call void @do(ptr %job, i64 %i)
  br label %more
none:
  ret void
}

define void @work(ptr %pool) {
entry:
  %wake = getelementptr %pool, ptr %pool, i64 0, i32 1
  %done = getelementptr %pool, ptr %pool, i64 0, i32 2
  %job.at = getelementptr %pool, ptr %pool, i64 0, i32 3
  %number.at = getelementptr %pool, ptr %pool, i64 0, i32 4
  %busy.at = getelementptr %pool, ptr %pool, i64 0, i32 5
  call i32 @pthread_mutex_lock(ptr %pool)
  br label %look
look:
  %seen = phi i64 [0, %entry], [%seen, %sleep], [%number, %finish]
  %job = load ptr, ptr %job.at
  %number = load i64, ptr %number.at
  %any = icmp ne ptr %job, null
  %new = icmp ne i64 %number, %seen
  %go = and i1 %any, %new
  br i1 %go, label %begin, label %sleep
sleep:
  call i32 @pthread_cond_wait(ptr %wake, ptr %pool)
  br label %look
begin:
  %before = load i64, ptr %busy.at
  %more = add i64 %before, 1
  store i64 %more, ptr %busy.at
  call i32 @pthread_mutex_unlock(ptr %pool)
  call void @take(ptr %job)
  call i32 @pthread_mutex_lock(ptr %pool)
  %now = load i64, ptr %busy.at
  %fewer = sub i64 %now, 1
  store i64 %fewer, ptr %busy.at
  call i32 @pthread_cond_signal(ptr %done)
  br label %finish
finish:
  br label %look
}

define internal void @share(ptr %pool, ptr %job) {
entry:
  %wake = getelementptr %pool, ptr %pool, i64 0, i32 1
  %done = getelementptr %pool, ptr %pool, i64 0, i32 2
  %job.at = getelementptr %pool, ptr %pool, i64 0, i32 3
  %number.at = getelementptr %pool, ptr %pool, i64 0, i32 4
  %busy.at = getelementptr %pool, ptr %pool, i64 0, i32 5
  call i32 @pthread_mutex_lock(ptr %pool)
  %before = load i64, ptr %number.at
  %number = add i64 %before, 1
  store i64 %number, ptr %number.at
  store ptr %job, ptr %job.at
  call i32 @pthread_cond_broadcast(ptr %wake)
  call i32 @pthread_mutex_unlock(ptr %pool)
  call void @take(ptr %job)
  call i32 @pthread_mutex_lock(ptr %pool)
  store ptr null, ptr %job.at
  br label %look
look:
  %busy = load i64, ptr %busy.at
  %idle = icmp eq i64 %busy, 0
  br i1 %idle, label %finish, label %wait
wait:
  call i32 @pthread_cond_wait(ptr %done, ptr %pool)
  br label %look
finish:
  call i32 @pthread_mutex_unlock(ptr %pool)
  ret void
}

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
declare i32 @pthread_mutex_lock(ptr)
declare i32 @pthread_mutex_unlock(ptr)
declare i32 @pthread_cond_wait(ptr, ptr)
declare i32 @pthread_cond_signal(ptr)
declare i32 @pthread_cond_broadcast(ptr)
"""
POOL_BYTES = 256


# Where in a pool it says that it is taken; one without threads always is.
TAKEN, POOL_BYTES = 216, 256


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
    (call,) = jit.compile_module(TYPES + ALONE, ["call"])
    return _Method(b"kernel", call, NO_ARGUMENTS, None)


@cache
def _together() -> tuple[_Method, int]:
    """Return the method for jobs, and the address of what a thread does."""
    run, work = jit.compile_module(TYPES + ALONE + TOGETHER, ["run", "work"])
    return _Method(b"kernel", run, NO_ARGUMENTS, None), work


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
        _pool.start()
    everything = (*calls, *after)
    head = [id(None), _pool.address, 0, len(calls), len(everything)]
    rows = [value for call in everything for value in call]
    job = np.array(head + rows, np.int64)
    simple = len(everything) == 1 and not long
    method = _alone() if simple else _together()[0]
    # What CPython calls the module of a built-in function may be anything: here it
    # is what the machine code needs, kept as long as the function.
    return _new_builtin(ctypes.addressof(method), job.ctypes.data, (job, owner))


def threads() -> int:
    """Return how many threads share a job: all processors', unless told otherwise."""
    for name in ("MINIKERAS_THREADS", "OMP_NUM_THREADS"):
        number = os.environ.get(name, "").split(",")[0].strip()
        if number.isdigit() and int(number) > 0:
            return int(number)
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class _Pool:
    """Threads that wait for jobs; none before the first job that could use them.

    A process made by fork has a pool without threads, until it binds a job itself.
    """

    def __init__(self) -> None:
        self._memory = np.zeros(POOL_BYTES, np.uint8)
        # Threads wait in there, even when the interpreter has taken down everything.
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(self._memory))
        self.address = self._memory.ctypes.data
        self._lock = threading.Lock()
        self.reset()

    def reset(self) -> None:
        """Forget all threads."""
        self._lock = threading.Lock()
        self._size = 1
        self._memory[:] = 0
        self._memory[TAKEN] = 1

    def start(self) -> None:
        """Have as many threads as were asked for, if the system lends any."""
        with self._lock:
            missing = threads() - self._size
            if missing <= 0 or os.name != "posix":
                return
            work = ctypes.CFUNCTYPE(None, ctypes.c_void_p)(_together()[1])
            if self._size == 1:
                system = ctypes.CDLL(None)
                system.pthread_mutex_init(ctypes.c_void_p(self.address), None)
                for offset in (64, 128):
                    at = ctypes.c_void_p(self.address + offset)
                    system.pthread_cond_init(at, None)
            for _ in range(missing):
                threading.Thread(
                    target=work, args=(self.address,), name="kernel", daemon=True
                ).start()
            self._size += missing
            self._memory[TAKEN] = 0


_pool = _Pool()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_pool.reset)
