"""A request with a timeout: when the time is up, nobody receives the answer any more.

The request runs in a goroutine, which sends its answer into an unbuffered channel. The caller waits
for the answer or for a timeout. After a timeout it returns, and the goroutine waits in its send for
ever: one goroutine more for each request that was too slow. (Kubernetes had this bug; it is Figure 1
of the ASPLOS 2019 study of concurrency bugs in Go.)

With room for one answer in the channel the send never waits. Nobody may ever take the answer, but the
goroutine comes to its end, and the channel goes with it.
"""

from interleave import Model, expect, go, goroutine, nothing


class Request(Model):
    """What both have in common: a request, and a timeout."""

    def finish(self, answers):
        def run():
            answers.send("answer")

        go.spawn(run)
        match go.select(go.recv(answers), go.recv(go.time.After(go.time.Second))):
            case 0, answer:
                return answer
            case _:
                return None


# 12 states, 13 transitions
@expect("stuck")
class Unbuffered(Request):
    """Wrong: after a timeout the goroutine waits for ever."""

    @goroutine
    def main(self):
        answers = go.Chan()
        self.finish(answers)


# 10 states, 12 transitions
@expect(nothing)
class Buffered(Request):
    """The fix: room for the one answer."""

    @goroutine
    def main(self):
        answers = go.Chan(1)
        self.finish(answers)
