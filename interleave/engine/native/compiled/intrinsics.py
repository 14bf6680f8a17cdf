"""How things are compiled, and machine instructions that numba has no name for.

What is compiled allocates nothing, so that it need not count references: with `_nrt`, each array
would have its count raised and lowered wherever it is used, which takes longer than the rest. It
raises nothing either, so that all that it needs is in its object file.
"""

from __future__ import annotations

import sys
from typing import Any

from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic

OPTIONS = {
    "_nrt": False,
    "error_model": "numpy",
    "no_cpython_wrapper": True,
    "no_cfunc_wrapper": True,
}

part = njit(**OPTIONS)
"""Compiles what others call."""

entry = part
"""Compiles what Python calls, by an `Entry`."""

inlined = njit(forceinline=True, **OPTIONS)
"""Compiles what becomes part of its callers."""


@intrinsic
def bare(_: Any, values: Any) -> Any:
    """A named tuple with the addresses of its arrays instead of them.

    An array counts a negative index from its end, and so has to look at each. There are none in
    the inner loops, where that takes longer than what is done with what is found.
    """
    kinds = [
        types.CPointer(kind.dtype) if isinstance(kind, types.Array) else kind for kind in values
    ]
    made = types.NamedTuple(kinds, values.instance_class)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        items = [
            context.make_array(kind)(context, builder, item).data
            if isinstance(kind, types.Array)
            else item
            for kind, item in zip(values, cgutils.unpack_tuple(builder, arguments[0]), strict=True)
        ]
        return context.make_tuple(builder, made, items)

    return made(values), generate


_BYTE = ir.IntType(8)
_INT32 = ir.IntType(32)
_IN_ORDER = "seq_cst"


@intrinsic
def prefetch(_: Any, array: Any, index: Any) -> Any:
    """Ask for the cache line of `array[index]`, which will be read soon."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        item = builder.gep(arguments[0], [arguments[1]])
        pointer = builder.bitcast(item, _BYTE.as_pointer())
        kind = ir.FunctionType(ir.VoidType(), [pointer.type, _INT32, _INT32, _INT32])
        instruction = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0")
        # For reading (0), to be kept close (3), data (1).
        builder.call(instruction, [pointer, *(ir.Constant(_INT32, each) for each in (0, 3, 1))])
        return context.get_dummy_value()

    return types.void(array, types.intp), generate


@intrinsic
def lowest_bit(_: Any, word: Any) -> Any:
    """The place of the lowest 1 bit of a uint64, which must not be 0."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.cttz(arguments[0], ir.Constant(ir.IntType(1), 1))

    return types.uint64(types.uint64), generate


@intrinsic
def now_in(_: Any, array: Any, index: Any) -> Any:
    """What is in `array[index]` now, whoever wrote it."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        place = builder.gep(arguments[0], [arguments[1]])
        return builder.load_atomic(place, _IN_ORDER, align=array.dtype.bitwidth // 8)

    return array.dtype(array, types.intp), generate


@intrinsic
def add_to(_: Any, array: Any, index: Any, value: Any) -> Any:
    """Add to `array[index]`, atomically: what was written before is seen by all."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        place = builder.gep(arguments[0], [arguments[1]])
        builder.atomic_rmw("add", place, arguments[2], _IN_ORDER)
        return context.get_dummy_value()

    return types.void(array, types.intp, array.dtype), generate


@intrinsic
def lower_to(_: Any, array: Any, index: Any, value: Any) -> Any:
    """Make `array[index]` no more than a value, atomically. Gives what it was."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        place = builder.gep(arguments[0], [arguments[1]])
        return builder.atomic_rmw("min", place, arguments[2], _IN_ORDER)

    return array.dtype(array, types.intp, array.dtype), generate


@intrinsic
def put_if_zero(_: Any, array: Any, index: Any, value: Any) -> Any:
    """Put a value into `array[index]` if that is 0, atomically. Gives what it was."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        place = builder.gep(arguments[0], [arguments[1]])
        zero = ir.Constant(arguments[2].type, 0)
        both = builder.cmpxchg(place, zero, arguments[2], _IN_ORDER)
        return builder.extract_value(both, 0)

    return array.dtype(array, types.intp, array.dtype), generate


@intrinsic
def let_others_run(_: Any) -> Any:
    """Have the operating system run another thread, if one waits for this processor."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        if sys.platform != "win32":
            kind = ir.FunctionType(_INT32, [])
            builder.call(cgutils.get_or_insert_function(builder.module, kind, "sched_yield"), [])
        return context.get_dummy_value()

    return types.void(), generate
