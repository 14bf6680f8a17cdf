"""How things are compiled, and machine instructions that numba has no name for.

What is compiled allocates nothing, so that it need not count references: with `_nrt`, each array
would have its count raised and lowered wherever it is used, which takes longer than the rest.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic


def entry(function: Callable[..., Any]) -> Any:
    """Compiles what Python calls, and keeps it. It does not hold the interpreter's lock."""
    try:
        return njit(nogil=True, cache=True, _nrt=False)(function)
    except RuntimeError:  # there is no place to keep it
        return njit(nogil=True, _nrt=False)(function)


part = njit(nogil=True, _nrt=False)
"""Compiles what entries call."""

inlined = njit(inline="always", _nrt=False)
"""Compiles what becomes part of its callers."""

_BYTE = ir.IntType(8)
_INT32 = ir.IntType(32)
_INT64 = ir.IntType(64)
_IN_ORDER = "seq_cst"


@intrinsic
def prefetch(_: Any, array: Any, index: Any) -> Any:
    """Ask for the cache line of `array[index]`, which will be read soon. `index` is a uint64."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        data = context.make_array(signature.args[0])(context, builder, arguments[0]).data
        pointer = builder.bitcast(builder.gep(data, [arguments[1]]), _BYTE.as_pointer())
        kind = ir.FunctionType(ir.VoidType(), [pointer.type, _INT32, _INT32, _INT32])
        instruction = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0")
        # For reading (0), to be kept close (3), data (1).
        builder.call(instruction, [pointer, *(ir.Constant(_INT32, each) for each in (0, 3, 1))])
        return context.get_dummy_value()

    return types.void(array, types.uint64), generate


@intrinsic
def lowest_bit(_: Any, word: Any) -> Any:
    """The place of the lowest 1 bit of a uint64, which must not be 0."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.cttz(arguments[0], ir.Constant(ir.IntType(1), 1))

    return types.uint64(types.uint64), generate


@intrinsic
def arrive(_: Any, counter: Any) -> Any:
    """Add 1 to `counter[0]`, an int64, atomically: what was written before is seen by all."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        data = context.make_array(signature.args[0])(context, builder, arguments[0]).data
        builder.atomic_rmw("add", data, ir.Constant(_INT64, 1), _IN_ORDER)
        return context.get_dummy_value()

    return types.void(counter), generate


@intrinsic
def arrivals(_: Any, counter: Any) -> Any:
    """What is in `counter[0]`, an int64, now."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        data = context.make_array(signature.args[0])(context, builder, arguments[0]).data
        return builder.load_atomic(data, _IN_ORDER, align=8)

    return types.int64(counter), generate


@intrinsic
def let_others_run(_: Any) -> Any:
    """Have the operating system run another thread, if one waits for this processor."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        if sys.platform != "win32":
            kind = ir.FunctionType(_INT32, [])
            builder.call(cgutils.get_or_insert_function(builder.module, kind, "sched_yield"), [])
        return context.get_dummy_value()

    return types.void(), generate
