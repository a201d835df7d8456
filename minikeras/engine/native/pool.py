"""A pool of threads that share a job's calls, without Python taking part.

The threads wait in machine code, where Python's lock does not reach. Whoever brings a
job wakes them, does calls itself, and waits until none is at it any more; if the pool
is taken, it does all of them.
"""

from __future__ import annotations

import ctypes
import os
import threading
from collections.abc import Callable
from string import Template

import numpy as np

from minikeras.engine.loops import processors

__all__ = ["POOL", "SHARING"]

# How a function on a pool begins: it has the places of the fields, and the lock.
_LOCKED = """entry:
  %wake = getelementptr %pool, ptr %pool, i64 0, i32 1
  %done = getelementptr %pool, ptr %pool, i64 0, i32 2
  %job.at = getelementptr %pool, ptr %pool, i64 0, i32 3
  %number.at = getelementptr %pool, ptr %pool, i64 0, i32 4
  %busy.at = getelementptr %pool, ptr %pool, i64 0, i32 5
  call i32 @pthread_mutex_lock(ptr %pool)"""
# Goes with what `dispatch` says of jobs: the type %job, and @do, which does one call.
SHARING = Template("""
; Locked by who reads or writes it; awaited by threads; awaited by who brought a job.
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
$locked
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
$locked
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
declare i32 @pthread_mutex_lock(ptr)
declare i32 @pthread_mutex_unlock(ptr)
declare i32 @pthread_cond_wait(ptr, ptr)
declare i32 @pthread_cond_signal(ptr)
declare i32 @pthread_cond_broadcast(ptr)
""").substitute(locked=_LOCKED)
# Where in a pool it says that it is taken; one without threads always is.
TAKEN, POOL_BYTES = 216, 256


class Pool:
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

    def start(self, work: Callable[[int], None]) -> None:
        """Have as many threads as were asked for; each does `work` on the pool."""
        with self._lock:
            missing = processors() - self._size
            if missing <= 0:
                return
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


POOL = Pool()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=POOL.reset)
