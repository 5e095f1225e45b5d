"""Being asked to stop."""

import signal
import threading


def interrupted() -> threading.Event:
    """Set by Ctrl-C, by the signal to stop, and by the end of the terminal unless that is to be outlived (`nohup`)."""
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if number != signal.SIGHUP or signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, lambda *_: stop.set())
    return stop
