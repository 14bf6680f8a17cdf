"""A task in a thread pool waits for a task that is queued behind it.

A pool has so many workers, and a queue for the tasks that none of them has time for yet. A task
that submits another one to the same pool and waits for its result keeps its worker while it waits.
If all workers are kept by tasks that wait, nobody is left for those in the queue, and all wait for
ever. It works in tests, where the pool is larger than the number of requests, and stops under load.

More workers only put it off: with W workers it takes W requests at once. Two ways out: a pool of
its own for the tasks that are waited for; or not to wait inside a task at all: it ends by saying
what is to be done next, and whoever submitted it submits that.
"""

from concurrent.futures import ThreadPoolExecutor

from interleave import Model, expect, nothing, param, postcondition, thread


class Site(Model):
    """What all versions have in common: pages are asked for, and each needs something looked up."""

    WORKERS = param(2)
    REQUESTS = param(2)
    served = 0

    def setup(self):
        self.pool = ThreadPoolExecutor(self.WORKERS)

    def look_up(self, number):
        return 10 * number

    def serve(self):
        """Ask for all pages, and wait for them."""
        pages = []
        for number in range(self.REQUESTS):
            page = self.pool.submit(self.page, number)
            pages.append(page)
        for page in pages:
            page.result()
            self.served += 1

    @postcondition
    def every_request_is_served(self):
        return self.served == self.REQUESTS


# 76 states, 119 transitions
@expect("deadlock")
class OnePool(Site):
    """Wrong: the pages keep all workers, and what they wait for has none."""

    def page(self, number):
        found = self.pool.submit(self.look_up, number)
        return found.result()

    @thread
    def main(self):
        self.serve()


# 95 states, 160 transitions
@expect(nothing)
class TwoPools(Site):
    """A fix: what is waited for has workers of its own, which wait for nothing."""

    def setup(self):
        super().setup()
        self.lookups = ThreadPoolExecutor(1)

    def page(self, number):
        found = self.lookups.submit(self.look_up, number)
        return found.result()

    @thread
    def main(self):
        self.serve()


# 34 states, 47 transitions
@expect(nothing)
class NobodyWaitsInATask(Site):
    """Another fix: a task ends, and says what is to be done next."""

    def page(self, number):
        return number  # what is to be looked up

    @thread
    def main(self):
        pages = []
        for number in range(self.REQUESTS):
            page = self.pool.submit(self.page, number)
            pages.append(page)
        for page in pages:
            wanted = page.result()
            found = self.pool.submit(self.look_up, wanted)
            found.result()
            self.served += 1
