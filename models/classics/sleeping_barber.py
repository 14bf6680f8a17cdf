"""The sleeping barber: a wake-up call that comes too early is lost, unless somebody counts it.

A barber has a waiting room with a few chairs. When there is nobody in it, he goes to sleep. A
customer who comes in leaves again if all chairs are taken; if not, he sits down, wakes the barber
if he is asleep, and waits to be called.

The mistake: the barber looks into the room, sees nobody, and goes to sleep. Between the look and
the sleep a customer sits down, sees that the barber is not asleep, and does not wake him. Now the
barber sleeps, the customer waits, and each waits for the other: the wake-up call was not needed
when it would have been heard, and is not made when it is needed.

The fix is a semaphore: it counts the customers who have come. Its `release` is remembered, so that
it does not matter whether the barber is asleep already. Who wants to sleep takes one from the
count, and sleeps only if there is none: to look and to go to sleep are one step.

(E. W. Dijkstra, "Cooperating sequential processes", EWD 123, 1965, section 4.2.)
"""

import threading

from interleave import Model, expect, invariant, nothing, param, postcondition, thread


class Shop(Model):
    """What both versions have in common."""

    CUSTOMERS = param(2)
    CHAIRS = param(1)
    lock = threading.Lock()  # of the waiting room
    waiting = 0
    served = 0
    sent_away = 0

    @invariant
    def no_more_than_there_are_chairs(self):
        return self.waiting <= self.CHAIRS

    @postcondition
    def everybody_is_served_or_sent_away(self):
        return self.served + self.sent_away == self.CUSTOMERS


# 57 states, 73 transitions
@expect("deadlock")
class WakeUpCallIsLost(Shop):
    """Wrong: between his look at the room and his sleep, somebody may come in."""

    CUSTOMERS = param(1)
    asleep = False
    wake_up = threading.Semaphore(0)
    next_please = threading.Semaphore(0)

    @thread(daemon=True)
    def barber(self):
        while True:
            with self.lock:
                somebody = self.waiting > 0
                if somebody:
                    self.waiting -= 1
            if somebody:
                self.next_please.release()
            else:
                self.asleep = True
                self.wake_up.acquire()
                self.asleep = False

    @thread(CUSTOMERS)
    def customer(self):
        with self.lock:
            if self.waiting == self.CHAIRS:
                self.sent_away += 1
                return
            self.waiting += 1
            if self.asleep:
                self.wake_up.release()
        self.next_please.acquire()
        with self.lock:
            self.served += 1


# CUSTOMERS=2, CHAIRS=1: 206 states, 301 transitions
# CUSTOMERS=3, CHAIRS=2: 1,974 states, 3,922 transitions
@expect(nothing)
class CustomersAreCounted(Shop):
    """The fix: a semaphore remembers who has come, whether the barber is asleep or not."""

    customers = threading.Semaphore(0)
    next_please = threading.Semaphore(0)

    @thread(daemon=True)
    def barber(self):
        while True:
            self.customers.acquire()  # sleeps while there is none
            with self.lock:
                self.waiting -= 1
            self.next_please.release()

    @thread(Shop.CUSTOMERS)
    def customer(self):
        with self.lock:
            if self.waiting == self.CHAIRS:
                self.sent_away += 1
                return
            self.waiting += 1
        self.customers.release()
        self.next_please.acquire()
        with self.lock:
            self.served += 1
