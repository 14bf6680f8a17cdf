"""The receiver closes the channel while a sender still sends: the send panics.

Closing says that nothing more will be sent. So only who sends can say it. Here main has heard enough,
and closes the channel to make the sender stop. If the sender is about to send, or waits in its send,
it panics, and a panic that nobody recovers from ends the whole program, main included.

The receiver needs a channel of its own to say "stop" on: `done`, which nobody sends on and main may
close. The sender selects between the two. (A `recover` in the sender would hide the panic, and is not
the fix.)
"""

from interleave import Model, expect, go, goroutine, nothing


# 16 states, 19 transitions
@expect("exception")
class ReceiverCloses(Model):
    """Wrong: main closes what somebody else sends on."""

    events = go.Chan()

    def sender(self):
        for n in range(2):
            self.events.send(n)

    @goroutine
    def main(self):
        go.spawn(self.sender)
        self.events.recv()
        self.events.close()


# 22 states, 29 transitions
@expect(nothing)
class ReceiverSaysStop(Model):
    """The fix: main closes a channel that nobody sends on, and waits for the sender."""

    events = go.Chan()
    done = go.Chan()
    wg = go.WaitGroup()

    def sender(self):
        go.defer(self.wg.Done)
        for n in range(2):
            match go.select(go.send(self.events, n), go.recv(self.done)):
                case 1, _:
                    return

    @goroutine
    def main(self):
        self.wg.Add(1)
        go.spawn(self.sender)
        self.events.recv()
        self.done.close()
        self.wg.Wait()
