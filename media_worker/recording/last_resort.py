"""Ends this process after a time, whatever it is at."""

import faulthandler


def end_in(seconds: int) -> None:
    """
    End this process in so many seconds, from a thread that waits for nothing; 0: never.

    It says on stderr where it stood.  No alarm would do: Linux keeps that from a
    container's first process.
    """
    faulthandler.cancel_dump_traceback_later()
    if seconds:
        faulthandler.dump_traceback_later(seconds, exit=True)
