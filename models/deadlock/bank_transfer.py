"""Two transfers between two accounts, in opposite directions, wait for each other for ever.

A transfer locks the account it takes from, then the account it gives to, so that nobody sees money
that is on the way. Alice pays Bob while Bob pays Alice. If each transfer gets its first lock before
either gets its second, each waits for a lock that the other one holds: a deadlock.

The fix is to lock the accounts in an order that does not depend on the direction of the transfer,
here by account number. Then nobody can hold the second lock while he waits for the first.
"""

import threading

from interleave import Model, expect, nothing, postcondition, thread


class Account:
    """An account, and the lock that guards its balance."""

    def __init__(self, number, balance):
        self.number = number
        self.balance = balance
        self.lock = threading.Lock()


# 35 states, 38 transitions
@expect("deadlock")
class LockInOrderOfTransfer(Model):
    """Wrong: first the account that pays, then the one that is paid."""

    alice = Account(1, 100)
    bob = Account(2, 100)

    def transfer(self, source, target, amount):
        with source.lock:
            with target.lock:
                source.balance -= amount
                target.balance += amount

    @thread
    def alice_pays_bob(self):
        self.transfer(self.alice, self.bob, 30)

    @thread
    def bob_pays_alice(self):
        self.transfer(self.bob, self.alice, 20)

    @postcondition
    def no_money_is_lost(self):
        return self.alice.balance + self.bob.balance == 200

    SCENARIO = "two locks in opposite orders"


# 32 states, 32 transitions
@expect(nothing)
class LockInOrderOfNumber(Model):
    """The fix: the account with the lower number first, whichever of them pays."""

    alice = Account(1, 100)
    bob = Account(2, 100)

    def transfer(self, source, target, amount):
        first, second = source, target
        if first.number > second.number:
            first, second = second, first
        with first.lock, second.lock:
            source.balance -= amount
            target.balance += amount

    @thread
    def alice_pays_bob(self):
        self.transfer(self.alice, self.bob, 30)

    @thread
    def bob_pays_alice(self):
        self.transfer(self.bob, self.alice, 20)

    @postcondition
    def the_balances_are_right(self):
        return self.alice.balance == 90 and self.bob.balance == 110

    SCENARIO = "two locks in one order"
