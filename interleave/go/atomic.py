"""The package `sync/atomic`: `go.atomic.Int32()`. See `interleave.go.atomics`."""

from interleave.go import atomics
from interleave.go.base import new, unmodelled

Int32 = new(atomics.Int32)
Int64 = new(atomics.Int64)
Uint32 = new(atomics.Uint32)
Uint64 = new(atomics.Uint64)
Bool = new(atomics.Bool)
Pointer = new(atomics.Pointer)
Value = new(atomics.Value)

__getattr__ = unmodelled("go.atomic")
