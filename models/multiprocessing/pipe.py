"""Two processes talk through a pipe: ping-pong, and two that both speak first.

A pipe has two ends, and what is sent at one is received at the other. `recv` waits for a message.
Taking turns works. So do two processes that both send first and receive then, as long as the pipe
holds what they send: the operating system keeps some 64 KiB on the way. When it is full, `send`
waits, and two processes that both wait in `send` wait for ever. That shows only with large
messages, long after the tests: `PIPE_CAPACITY` says how many messages fit, so the model can ask.
"""

import multiprocessing

from interleave import Model, expect, nothing, param, postcondition, process


# ROUNDS=1: 5 states, 4 transitions
# ROUNDS=3: 13 states, 12 transitions
@expect(nothing)
class PingPong(Model):
    """One sends a number, the other sends it back, one higher."""

    ROUNDS = param(1)

    def setup(self):
        self.left, self.right = multiprocessing.Pipe()

    @process
    def ping(self):
        number = 0
        for _ in range(self.ROUNDS):
            self.left.send(number)
            number = self.left.recv()
        assert number == self.ROUNDS

    @process
    def pong(self):
        for _ in range(self.ROUNDS):
            self.right.send(self.right.recv() + 1)

    @postcondition
    def nothing_is_left_in_the_pipe(self):
        return not self.left.poll() and not self.right.poll()


# PIPE_CAPACITY=1: 4 states, 4 transitions
@expect("deadlock")
class BothSendFirst(Model):
    """Both send two messages and receive then, through a pipe that holds one each way."""

    PIPE_CAPACITY = param(1)

    def setup(self):
        self.left, self.right = multiprocessing.Pipe()

    @process
    def one(self):
        for number in range(2):
            self.left.send(number)
        for _ in range(2):
            self.left.recv()

    @process
    def other(self):
        for number in range(2):
            self.right.send(number)
        for _ in range(2):
            self.right.recv()
