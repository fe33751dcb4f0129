"""Daemon threads with a priority queue. The process can exit without waiting for them."""

from __future__ import annotations

import itertools
import queue
import threading
import time
from collections.abc import Callable

Task = Callable[[], None]


class Pool:
    """Threads, started when they are needed. A task must not raise."""

    def __init__(self, name: str, most: int) -> None:
        self._name = name
        self._most = most
        self._lock = threading.Lock()
        self._order = itertools.count()
        self._tasks: queue.PriorityQueue[tuple[int, int, Task | None]] = queue.PriorityQueue()
        self._threads: list[threading.Thread] = []
        self._idle = 0

    def submit(self, task: Task, urgency: int = 0) -> None:
        """Queue a task; higher urgency runs first."""
        with self._lock:
            self._tasks.put((-urgency, next(self._order), task))
            if self._tasks.qsize() > self._idle and len(self._threads) < self._most:
                name = f"{self._name}-{len(self._threads)}"
                self._threads.append(threading.Thread(target=self._work, name=name, daemon=True))
                self._threads[-1].start()

    def _work(self) -> None:
        while True:
            with self._lock:
                self._idle += 1
            _, _, task = self._tasks.get()
            with self._lock:
                self._idle -= 1
            if task is None:
                return
            task()

    def end(self, within_s: float) -> None:
        """Let the threads finish the queued tasks and exit; wait at most `within_s`."""
        with self._lock:
            threads = list(self._threads)
            for _ in threads:
                self._tasks.put((1_000_000, next(self._order), None))
        until_s = time.monotonic() + within_s
        for thread in threads:
            if thread is not threading.current_thread():
                thread.join(max(0.0, until_s - time.monotonic()))
