"""Is `counter += 1` atomic in Python? It depends on the interpreter, and on what is added to what.

`+=` reads the old number, adds, and writes the new one. Without a global interpreter lock (Python
3.13t and later), and in CPython up to 3.10, another thread can run between the read and the write,
and an update is lost. CPython from 3.11 on, with its global interpreter lock, does not let others
run in the middle of `+=` on a plain number. So the same line is wrong on one Python and right on
another:

    interleave check models/counter/plus_equals.py
    interleave check models/counter/plus_equals.py --runtime gil

Nothing promises that, and it takes little to lose it: a function that is called between the read
and the write, or a key of a dict that is compared by Python code, such as a member of an Enum.
There the update is lost with the global interpreter lock as well.

Right on every Python, for every counter: a lock (with_lock.py).
"""

from enum import Enum

from interleave import Model, expect, nothing, postcondition, thread


# 12 states, 14 transitions
@expect("lost-update", "postcondition")
@expect(nothing, runtime="gil")
class PlusEquals(Model):
    """`+=` on a number: two steps, or one with a global interpreter lock."""

    counter = 0

    @thread(2)
    def increment(self):
        self.counter += 1

    @postcondition
    def every_increment_counts(self):
        return self.counter == 2


# 12 states, 14 transitions
@expect("lost-update", "postcondition")
class PlusOneInAFunction(Model):
    """A call between the read and the write: others can run there, on every Python."""

    counter = 0

    def plus_one(self, number):
        return number + 1

    @thread(2)
    def increment(self):
        self.counter = self.plus_one(self.counter)

    @postcondition
    def every_increment_counts(self):
        return self.counter == 2


# 12 states, 14 transitions
@expect("lost-update", "postcondition")
@expect(nothing, runtime="gil")
class CountsByName(Model):
    """`+=` on an element of a dict: as on a number, as long as the key is a string."""

    visits = {"home": 0}

    @thread(2)
    def visit(self):
        self.visits["home"] += 1

    @postcondition
    def every_visit_counts(self):
        return self.visits["home"] == 2


class Page(Enum):
    """Pages of a website. An Enum has a `__hash__` that is written in Python."""

    HOME = "home"


# 12 states, 14 transitions
@expect("lost-update", "postcondition")
class CountsByPage(Model):
    """The same with a key that is hashed by Python code: others can run there, on every Python."""

    visits = {Page.HOME: 0}

    @thread(2)
    def visit(self):
        self.visits[Page.HOME] += 1

    @postcondition
    def every_visit_counts(self):
        return self.visits[Page.HOME] == 2
