"""Lets one step of a render work ahead of the next, on another core."""

import queue
import threading
from collections.abc import Iterable, Iterator
from typing import Final, TypeVar

T = TypeVar("T")

DEPTH: Final = 64  # items; frames of AAC are 4 KB
_WAIT_S: Final = 0.5


class _End(Exception):
    """Nothing follows; its cause, if any, is what ended it."""


def ahead(items: Iterable[T]) -> Iterator[T]:
    """
    Yield `items`, which a thread goes through ahead of whoever takes them.

    What the thread raises is raised here.  Closed early, it ends the thread.
    """
    line: queue.Queue[T | _End] = queue.Queue(DEPTH)
    stopped = threading.Event()

    def put(item: T | _End) -> None:
        while not stopped.is_set():
            try:
                line.put(item, timeout=_WAIT_S)
            except queue.Full:
                continue
            return

    def work() -> None:
        end = _End()
        try:
            for item in items:
                put(item)
                if stopped.is_set():
                    return
        except Exception as error:
            end.__cause__ = error
        put(end)

    thread = threading.Thread(target=work, name="render-ahead", daemon=True)
    thread.start()
    try:
        while not isinstance(item := line.get(), _End):
            yield item
        if item.__cause__ is not None:
            raise item.__cause__
    finally:
        stopped.set()
        thread.join()
