"""`once.Do(f)`, where f comes to call `once.Do` again: it waits for itself.

`Do` returns when the function has been called, by whomever: others wait until then. If the function
itself gets there again, through a helper that makes sure that everything is set up, it waits for its
own end.

The fix is to have the helper used during the setup not ask for it. (A `Once` for each thing to be set
up does it, too, as long as they do not need each other in a circle.)
"""

from interleave import Model, expect, go, goroutine, nothing


# 3 states, 2 transitions
@expect("deadlock")
class CallsItself(Model):
    """Wrong: the setup uses a getter that makes sure that the setup is done."""

    once = go.Once()
    config = None

    def Get(self):
        self.once.Do(self.load)
        return self.config

    def load(self):
        self.config = "default"
        self.validate()

    def validate(self):
        assert self.Get() is not None

    @goroutine
    def main(self):
        self.Get()


# 61 states, 108 transitions
@expect(nothing)
class UsesWhatItHas(Model):
    """The fix: the setup works with what it has; and Get does it once, for whoever comes first."""

    once = go.Once()
    wg = go.WaitGroup()
    config = None
    loads = 0

    def Get(self):
        self.once.Do(self.load)
        return self.config

    def load(self):
        self.loads += 1
        config = "default"
        self.validate(config)
        self.config = config

    def validate(self, config):
        assert config is not None

    def user(self):
        go.defer(self.wg.Done)
        assert self.Get() == "default"

    @goroutine
    def main(self):
        self.wg.Add(2)
        go.spawn(self.user)
        go.spawn(self.user)
        self.wg.Wait()
        assert self.loads == 1
