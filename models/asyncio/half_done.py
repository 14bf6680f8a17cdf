"""TaskGroup: a task that is cancelled because another one failed stops half-way.

A transfer takes money from one account, awaits, and adds it to the other. If a sibling in the same
group fails meanwhile, the group cancels the transfer at its await: the money has left the first
account and never arrives.

A transfer that has begun must be brought to an end or taken back: here `except CancelledError` puts
the money back, and raises again, as one that is cancelled should.
"""

import asyncio

from interleave import Model, expect, nothing, postcondition, task


class Bank(Model):
    """A transfer, and an audit that fails, in one group."""

    left = 10
    right = 0

    async def transfer(self):
        self.left -= 5
        await asyncio.sleep(0.1)
        self.right += 5

    async def audit(self):
        await asyncio.sleep(0.1)
        raise ValueError("no such account")

    @postcondition
    def no_money_is_lost(self):
        return self.left + self.right == 10


# 33 states, 44 transitions
@expect("postcondition")
class CancelledHalfWay(Bank):
    """The transfer is cancelled at its await."""

    @task
    async def main(self):
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self.transfer())
                group.create_task(self.audit())
        except ExceptionGroup:
            pass


# 28 states, 39 transitions
@expect(nothing)
class TakenBack(Bank):
    """What a cancelled transfer has done is undone."""

    async def transfer(self):
        self.left -= 5
        try:
            await asyncio.sleep(0.1)
        except asyncio.CancelledError:
            self.left += 5
            raise
        self.right += 5

    @task
    async def main(self):
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self.transfer())
                group.create_task(self.audit())
        except ExceptionGroup:
            pass
