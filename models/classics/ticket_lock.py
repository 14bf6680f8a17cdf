"""The ticket lock: draw a ticket, and wait until its number is up.

There is a machine that hands out tickets, and a sign with the number that is served. A thread draws
a ticket, waits until the sign shows its number, and on the way out turns the sign on by one. First
come, first served: nobody can be overtaken, which a plain lock does not promise.

Drawing a ticket must be one atomic operation (fetch-and-add): the machine cannot hand out a number
twice. Turning on the sign need not be, for only the thread whose turn it is does that.

The second model draws its ticket by reading and writing. Two threads draw the same number, and both
go in when it is up; a lost update breaks mutual exclusion.

(D. P. Reed and R. K. Kanodia, "Synchronization with eventcounts and sequencers", Communications of
the ACM, 1979; as a lock: J. M. Mellor-Crummey and M. L. Scott, "Algorithms for scalable
synchronization on shared-memory multiprocessors", ACM TOCS, 1991.)
"""

from interleave import (
    Model,
    atomic,
    expect,
    invariant,
    nothing,
    param,
    postcondition,
    section,
    thread,
)


class Tickets(Model):
    """What both versions have in common."""

    N = param(2)
    next_ticket = 0  # that the machine hands out
    now_serving = 0  # what the sign shows

    def wait_and_work(self, ticket):
        while self.now_serving != ticket:
            pass  # wait
        with section("critical"):
            pass  # work
        self.now_serving += 1

    @invariant
    def mutual_exclusion(self):
        return self.inside("critical") <= 1


# N=2: 34 states, 54 transitions
# N=3: 158 states, 372 transitions
@expect(nothing)
class TicketLock(Tickets):
    """Tickets from a machine that reads and counts on in one step."""

    @thread(Tickets.N)
    def customer(self):
        with atomic():
            ticket = self.next_ticket
            self.next_ticket += 1
        self.wait_and_work(ticket)

    @postcondition
    def everybody_was_served(self):
        return self.next_ticket == self.now_serving == self.N


# N=2: 100 states, 166 transitions
# N=3: 1,508 states, 3,681 transitions
@expect("lost-update", "livelock", "invariant")
@expect(nothing, runtime="gil")
class TwoWithOneTicket(Tickets):
    """Wrong: between reading the number and counting on, another one draws the same.

    And when one number is served twice, the count goes past another, who then waits for ever.
    """

    @thread(Tickets.N)
    def customer(self):
        ticket = self.next_ticket
        self.next_ticket = ticket + 1
        self.wait_and_work(ticket)
