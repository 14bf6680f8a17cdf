"""The package `sync`: `go.sync.Mutex()`, or `go.Mutex()` for short."""

from interleave.go import maps, mutexes, waiting
from interleave.go.base import new, unmodelled

Mutex = new(mutexes.Mutex)
RWMutex = new(mutexes.RWMutex)
WaitGroup = new(waiting.WaitGroup)
Once = new(waiting.Once)
Cond = NewCond = new(waiting.Cond)
Map = new(maps.Map)

__getattr__ = unmodelled("go.sync")
