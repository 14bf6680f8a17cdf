"""`wg.Wait()` inside the loop that starts the goroutines: the first round waits for all of them.

The count is raised for all goroutines before the loop. `Wait` was meant to stand behind the loop and
slipped into it. In the first round it waits for goroutines that later rounds would start, and there
are no later rounds. (Docker had this bug; it is Figure 5 of the ASPLOS 2019 study of concurrency bugs
in Go.)

The goroutine that was started comes to its end as it should. It is main that hangs, and the runtime
only notices if nothing else runs in the program.
"""

from interleave import Model, expect, go, goroutine, nothing, param


# 6 states, 6 transitions
@expect("deadlock")
class InsideTheLoop(Model):
    """Wrong: the first round waits for the second one."""

    PLUGINS = param(2)
    group = go.WaitGroup()

    @goroutine
    def main(self):
        self.group.Add(self.PLUGINS)
        for _ in range(self.PLUGINS):
            go.spawn(self.group.Done)
            self.group.Wait()


# 14 states, 19 transitions
@expect(nothing)
class BehindTheLoop(Model):
    """The fix: wait when all have been started."""

    PLUGINS = param(2)
    group = go.WaitGroup()

    @goroutine
    def main(self):
        self.group.Add(self.PLUGINS)
        for _ in range(self.PLUGINS):
            go.spawn(self.group.Done)
        self.group.Wait()
