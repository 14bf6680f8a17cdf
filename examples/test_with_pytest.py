"""Models as tests: pytest fails if some interleaving breaks the model.

    pytest examples/test_with_pytest.py

The first test asserts that a model holds; the second that a known bug is still found, and what it
is; the third checks a whole folder of models, each against its own `@expect`.
"""

import threading
from pathlib import Path

import interleave
from interleave import Model, invariant, thread

MODELS = Path(__file__).parent.parent / "models"


class Shop(Model):
    """One article is left, and two customers want it."""

    stock = 1
    lock = threading.Lock()

    @thread(2)
    def customer(self):
        with self.lock:
            if self.stock > 0:
                self.stock -= 1

    @invariant
    def never_oversold(self):
        return self.stock >= 0


class ShopWithoutLock(Model):
    """The same without a lock."""

    stock = 1

    @thread(2)
    def customer(self):
        if self.stock > 0:
            self.stock -= 1

    @invariant
    def never_oversold(self):
        return self.stock >= 0


def test_the_shop_never_oversells():
    interleave.assert_verified(Shop)


def test_without_the_lock_it_does():
    interleave.assert_violates(ShopWithoutLock, "invariant")


def test_every_model_of_a_folder_is_as_it_expects():
    result = interleave.check(MODELS / "counter")
    assert result.passed, result
