"""Go in a model: `from interleave import go`. Each family of primitives has its file.

What belongs to the language and to `sync` stands here: `go.Chan`, `go.select`, `go.Mutex`. The
other packages are `go.atomic`, `go.context`, `go.time`, `go.errgroup` and `go.errors`.
"""

from interleave.go import channels, mutexes, waiting
from interleave.go.base import Fatal, Panic, panic
from interleave.go.channels import nil, recv, select, select_ok, send
from interleave.go.goroutines import Goexit, Gosched, spawn

Chan = channels.FUNCTIONS["Chan"]
Mutex = mutexes.FUNCTIONS["Mutex"]
RWMutex = mutexes.FUNCTIONS["RWMutex"]
WaitGroup = waiting.FUNCTIONS["WaitGroup"]
