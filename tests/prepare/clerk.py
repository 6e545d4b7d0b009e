"""Work for the tests of the pool; in a file of its own, so that other processes can import it."""

import os
import signal
import time
from pathlib import Path

from instructavatar.errors import BadMedia
from instructavatar.pool import ONE_THREAD


class Clerk:
    """Counts what it did in this process, like a maker that loads its nets when it first needs them."""

    def __init__(self, folder=None):
        self.folder, self.done = folder, 0

    def square(self, number):
        self.done += 1
        return number * number

    def count(self, _):
        self.done += 1
        return os.getpid(), self.done

    def nap(self, number):
        time.sleep(0.02)
        return os.getpid()

    def odd_last(self, number):
        time.sleep(0.2 * (number == 0))
        return number

    def refuse(self, number):
        if number == 3:
            raise BadMedia("expected sound, got noise; record it again")
        return number

    def die(self, number):
        if number == 3:
            os.kill(os.getpid(), signal.SIGKILL)
        return number

    def die_once(self, number):
        mark = Path(self.folder) / "died"
        if number == 3 and not mark.exists():
            mark.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return number

    def die_at(self, number):
        os.kill(os.getpid(), signal.SIGKILL)

    def sleep(self, number):
        (Path(self.folder) / f"at-{number}-{os.getpid()}").touch()
        time.sleep(60 * (number > 0))
        return number

    def see(self, _):
        return {**{name: os.environ.get(name) for name in ONE_THREAD}, "folder": os.getcwd(), "signal": signal.getsignal(signal.SIGINT)}


def plus_one(number):
    return number + 1


def elsewhere(ticket, task, part):
    """Stands for the function that a cluster's processes run; they do not look into this folder by themselves, so they cannot import it."""
    raise AssertionError("it was found")


class Slow(Clerk):
    """Its state is told when it is copied, so that copies can be counted."""

    def __getstate__(self):
        with (Path(self.folder) / "copies").open("a") as file:
            file.write("x")
        return self.__dict__
