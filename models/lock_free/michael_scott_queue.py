"""The Michael-Scott queue: a first-in, first-out queue without a lock.

The queue is a linked list with two ends: `head`, where nodes are taken out, and `tail`, where they
are added. The node at the head is a dummy, whose item has been taken already; so both ends always
have a node, and an empty queue is one in which the dummy has no next one.

To add a node takes two changes: link it behind the last node, then move the tail to it. They cannot
be made in one step. So the first is a compare-and-set on the link: "if there is still nothing
behind this node". Whoever succeeds has added its node, there and then. The second may lag behind,
and whoever finds that it does moves the tail on instead of waiting for the one who should have:
nobody ever has to wait for a slow thread.

The mistake: to link and to move the tail without looking whether another one has done so meanwhile.
Both link their nodes behind the same one, the second overwrites the first, and an item is lost.

(M. M. Michael and M. L. Scott, "Simple, fast, and practical non-blocking and blocking concurrent
queue algorithms", PODC 1996. It is what `ConcurrentLinkedQueue` of Java is built on.)
"""

from interleave import Model, atomic, expect, nothing, param, postcondition, thread


class Node:
    """A node of a linked list."""

    def __init__(self, item):
        self.item = item
        self.next = None


class Queue(Model):
    """What both versions have in common. Producer i puts the item i."""

    PRODUCERS = param(2)

    def setup(self):
        self.dummy = Node(None)
        self.head = self.dummy
        self.tail = self.dummy
        self.taken = ()

    def set_head(self, expected, new):
        with atomic():  # compare-and-set, one instruction
            if self.head is not expected:
                return False
            self.head = new
            return True

    def set_tail(self, expected, new):
        with atomic():
            if self.tail is not expected:
                return False
            self.tail = new
            return True

    def take(self):
        """The first item, or None if there is none."""
        while True:
            head = self.head
            tail = self.tail
            first = head.next
            if first is None:
                return None
            if head is tail:
                self.set_tail(tail, first)  # it lags behind
            elif self.set_head(head, first):
                return first.item

    @postcondition
    def every_item_is_in_one_place(self):
        items = [each for each in self.taken if each is not None]
        node = self.head.next
        while node is not None:
            items.append(node.item)
            node = node.next
        return sorted(items) == list(range(self.PRODUCERS))


# 28 states, 32 transitions
@expect("lost-update", "postcondition")
@expect(nothing, runtime="gil")
class LinkWithoutLooking(Queue):
    """Wrong: two producers link their nodes behind the same one."""

    def put(self, item):
        node = Node(item)
        tail = self.tail
        tail.next = node
        self.tail = node

    @thread(Queue.PRODUCERS)
    def producer(self, i):
        self.put(i)


# PRODUCERS=2: 468 states, 1,083 transitions
# PRODUCERS=3: 6,483 states, 19,776 transitions
@expect(nothing)
class MichaelScott(Queue):
    """Link if there is nothing behind the last node; and move a tail that lags behind."""

    def set_next(self, node, new):
        with atomic():
            if node.next is not None:
                return False
            node.next = new
            return True

    def put(self, item):
        node = Node(item)
        while True:
            tail = self.tail
            after = tail.next
            if after is not None:
                self.set_tail(tail, after)  # it lags behind
            elif self.set_next(tail, node):
                self.set_tail(tail, node)
                return

    @thread(Queue.PRODUCERS)
    def producer(self, i):
        self.put(i)

    @thread
    def consumer(self):
        self.taken += (self.take(),)
