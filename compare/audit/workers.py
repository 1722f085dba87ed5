"""Sharing work among processes, which end with this one."""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from threading import current_thread, main_thread
from typing import TypeVar

from compare.base.errors import CannotCompare

T = TypeVar("T")
R = TypeVar("R")


def shared(work: Callable[[T], R], several: Sequence[T], processes: int) -> Iterator[tuple[T, R]]:
    """Do some work for each of several things; what is first in their order is begun first.

    Whatever ends the iteration, an interruption too, ends the processes at once.

    Args:
        work: a function that other processes can import.
        several: the things.
        processes: how many share the work.

    Yields:
        Each thing and what became of it, in any order.

    Raises:
        CannotCompare: one of the processes was killed.
    """
    context = multiprocessing.get_context("spawn")  # a fork would copy PyTorch's threads
    pool = ProcessPoolExecutor(processes, context, initializer=_alone)
    try:
        with _unheard():  # the processes, which start here, are as deaf; this one ends them
            waiting = {pool.submit(work, one): one for one in several}
        for done in as_completed(waiting):
            yield waiting[done], done.result()
    except BaseException as error:
        for process in list((pool._processes or {}).values()):
            process.terminate()
        pool.shutdown(cancel_futures=True)
        if isinstance(error, BrokenProcessPool):
            raise CannotCompare(
                "a process that shared the work was killed, perhaps for want of memory; "
                "give this one less to do, by --case, or free some memory"
            ) from error
        raise
    pool.shutdown()


@contextmanager
def _unheard() -> Iterator[None]:
    """Within the block an interruption waits; processes that are started in it never hear one.

    They inherit that this thread does not hear it. Another thread of this process may, and this one
    then has to handle it: what it does is to note it.
    """
    if not hasattr(signal, "pthread_sigmask") or current_thread() is not main_thread():
        yield
        return
    heard: list[int] = []
    handler = signal.signal(signal.SIGINT, lambda number, _: heard.append(number))
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        signal.signal(signal.SIGINT, signal.SIG_DFL if handler is None else handler)
    if heard:
        signal.raise_signal(signal.SIGINT)


def _alone() -> None:
    """Leave the other cores to the other processes, and interruptions to the one that began."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    import torch

    torch.set_num_threads(1)
