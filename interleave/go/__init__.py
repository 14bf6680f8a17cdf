"""Go in a model: `from interleave import go`. Each family of primitives has its file.

What belongs to the language, to `sync` and to `runtime` stands here: `go.Chan`, `go.select`,
`go.Mutex`. The other packages are `go.atomic`, `go.context`, `go.time`, `go.errgroup` and
`go.errors`; and `go.sync`, for those who write it out.
"""

from interleave.go import atomic, channels, context, errgroup, errors, sync, time
from interleave.go.base import Fatal, Panic, defer, new, panic, unmodelled
from interleave.go.channels import nil, recv, select, select_ok, send
from interleave.go.goroutines import Goexit, Gosched, spawn
from interleave.go.sync import Cond, Map, Mutex, NewCond, Once, RWMutex, WaitGroup

Chan = new(channels.Chan)

__all__ = [
    "Chan",
    "Cond",
    "Fatal",
    "Goexit",
    "Gosched",
    "Map",
    "Mutex",
    "NewCond",
    "Once",
    "Panic",
    "RWMutex",
    "WaitGroup",
    "atomic",
    "context",
    "defer",
    "errgroup",
    "errors",
    "nil",
    "panic",
    "recv",
    "select",
    "select_ok",
    "send",
    "spawn",
    "sync",
    "time",
]

__getattr__ = unmodelled("go")
