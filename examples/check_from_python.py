"""Check a model from Python, and use what was found as data.

    python examples/check_from_python.py

`interleave.check` takes a model class, the path of a model file or folder, or several of these. It
returns the facts that the command line's reports are written from.
"""

import threading

import interleave
from interleave import Model, param, postcondition, thread


class Tickets(Model):
    """Sellers who count the tickets they sell. The lock is optional, to compare."""

    SELLERS = param(2)
    LOCKED = param(False)
    sold = 0
    lock = threading.Lock()

    @thread(SELLERS)
    def seller(self):
        if self.LOCKED:
            with self.lock:
                self.sold += 1
        else:
            self.sold += 1

    @postcondition
    def every_sale_counts(self):
        return self.sold == self.SELLERS


def main() -> None:
    for locked in (False, True):
        for sellers in (1, 2, 3):
            result = interleave.check(Tickets, parameters={"SELLERS": sellers, "LOCKED": locked})
            (tickets,) = result.models
            kinds = ", ".join(violation.kind for violation in tickets.violations) or "nothing"
            print(f"sellers={sellers}, locked={locked}: {tickets.verdict}, found {kinds}, "
                  f"{tickets.states} states")  # fmt: skip

    (tickets,) = interleave.check(Tickets).models
    first = tickets.violations[0]
    print(f"\n{first.kind}: {first.message}")
    for step in first.trace.steps:
        changes = [f"{c.location} {c.before} -> {c.after}" for c in step.changes]
        print(f"  {step.number} {step.thread:10} {step.source.text:15}", *changes or [step.outcome])


if __name__ == "__main__":
    main()
