"""The Treiber stack: a stack without a lock; and the ABA problem.

The stack is a linked list: `top` is the topmost node, and each node knows the one below it. Whoever
wants to change the stack reads `top`, works out what it should be afterwards, and sets it with
compare-and-set: "if `top` is still what I have read, set it, else tell me that it is not". If it is
not, somebody else was faster, and one begins again. Nobody ever waits for a lock.

"It is still the same" is not "nothing has happened". A slow thread reads that the top is node `a`,
and that `b` is below it. Meanwhile a quick one pops both, is done with them, and uses node `a` once
more to push something new. The slow one finds `a` on top, as before, and sets the top to `b`, which
is not in the stack any more. From a to b and back to a: the ABA problem.

It takes nodes that are used again. With a new node for each push there is no such problem where
garbage is collected, as in Python: no other node can be where the old one is as long as somebody
holds it. Where nodes are used again (a pool, an array of slots, C), the top gets a version number
that counts all changes, and both are compared.

(R. K. Treiber, "Systems programming: coping with parallelism", IBM Research Report RJ 5118, 1986;
the version number is in the IBM System/370 Principles of Operation.)
"""

from collections import deque

from interleave import Model, atomic, expect, nothing, postcondition, thread


class Node:
    """A node of a linked list."""

    def __init__(self, item, below):
        self.item = item
        self.below = below


class Stack(Model):
    """What all versions have in common: a stack with A on top of B, and what threads took out."""

    items = ("A", "B", "C")  # C is pushed by a thread
    taken = ()

    def setup(self):
        self.b = Node("B", None)
        self.a = Node("A", self.b)
        self.top = self.a

    def compare_and_set(self, expected, new):
        with atomic():  # one instruction of the processor
            if self.top is not expected:
                return False
            self.top = new
            return True

    def push(self, node):
        while True:
            top = self.top
            node.below = top
            if self.compare_and_set(top, node):
                return

    def pop(self):
        """The topmost node, or None if there is none."""
        while True:
            top = self.top
            if top is None:
                return None
            if self.compare_and_set(top, top.below):
                return top

    def take(self):
        """Pop a node, and use what is in it."""
        node = self.pop()
        if node is not None:
            with atomic():
                self.taken += (node.item,)
        return node

    @postcondition
    def every_item_is_in_one_place(self):
        found = list(self.taken)
        node = self.top
        while node is not None:
            found.append(node.item)
            node = node.below
        return sorted(found) == list(self.items)


# 28 states, 38 transitions
@expect("lost-update", "postcondition")
@expect(nothing, runtime="gil")
class ReadThenSet(Stack):
    """Wrong: another thread can pop between the look at the top and the setting of it."""

    items = ("A", "B")

    def pop(self):
        top = self.top
        self.top = top.below
        return top

    @thread(2)
    def worker(self):
        self.take()


# 88 states, 144 transitions
@expect(nothing)
class NewNodes(Stack):
    """Right: what is pushed is a new node. If the top is the same, nothing has happened."""

    @thread
    def slow(self):
        self.take()

    @thread
    def quick(self):
        self.take()
        self.take()
        self.push(Node("C", None))


# 191 states, 315 transitions
@expect("postcondition")
class NodesUsedAgain(Stack):
    """Wrong: with nodes from a pool, the top can be the same node and not the same stack."""

    def setup(self):
        super().setup()
        self.pool = deque()

    def take(self):
        node = super().take()
        if node is not None:
            self.pool.append(node)

    @thread
    def slow(self):
        self.take()

    @thread
    def quick(self):
        self.take()
        self.take()
        node = self.pool.popleft()
        node.item = "C"
        self.push(node)


# 190 states, 315 transitions
@expect(nothing)
class NodesUsedAgainWithVersion(NodesUsedAgain):
    """The fix: a version number is compared as well, and it never comes back."""

    version = 0

    def look(self):
        with atomic():  # one instruction reads two words
            return self.top, self.version

    def compare_and_set(self, expected, version, new):
        with atomic():  # one instruction compares two words
            if self.top is not expected or self.version != version:
                return False
            self.top = new
            self.version += 1
            return True

    def push(self, node):
        while True:
            top, version = self.look()
            node.below = top
            if self.compare_and_set(top, version, node):
                return

    def pop(self):
        while True:
            top, version = self.look()
            if top is None:
                return None
            if self.compare_and_set(top, version, top.below):
                return top
