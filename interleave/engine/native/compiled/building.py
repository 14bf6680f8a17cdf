"""Compiling an entry into an object file, by numba.

It becomes a function of one argument, the address of a block of 64-bit words. There it finds what
`entries.Entry` has put there, and there it leaves its results, from the beginning.
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from typing import Any

import numpy as np
from llvmlite import binding as llvm
from numba import types
from numba.core import cgutils, compiler, registry
from numba.extending import intrinsic
from numba.np.arrayobj import populate_array
from numba.np.numpy_support import from_dtype

from interleave.engine.native.compiled.intrinsics import OPTIONS
from interleave.engine.native.objects import Object

BLOCK = types.CPointer(types.int64)


def build(name: str, arguments: Sequence[Any]) -> Object:
    """The object file of an entry for arguments like these."""
    module, _, function = name.partition(".")
    compiled = importlib.import_module(f"interleave.engine.native.compiled.{module}")
    call = _on_block(getattr(compiled, function), [_type_of(each) for each in arguments])
    flags = compiler.Flags()
    flags.nrt = OPTIONS["_nrt"]
    flags.error_model = OPTIONS["error_model"]
    flags.no_cpython_wrapper = True
    flags.no_cfunc_wrapper = True
    target = registry.cpu_target
    made = compiler.compile_extra(
        target.typing_context, target.target_context, call, (BLOCK,), types.int64, flags, {}
    )
    text = llvm.parse_assembly(made.library.get_llvm_str())
    symbols = [
        each.name
        for each in (*text.functions, *text.global_variables)
        if each.is_declaration and not each.name.startswith("llvm.")
    ]
    return Object(
        symbol=made.fndesc.llvm_func_name,
        needs=tuple(symbols),
        code=made.library.codegen._tm.emit_object(text),
    )


def _type_of(argument: Any) -> Any:
    """What an argument is to numba."""
    if isinstance(argument, np.ndarray):
        return types.Array(from_dtype(argument.dtype), 1, "C")
    if isinstance(argument, tuple):
        return types.NamedTuple([_type_of(each) for each in argument], type(argument))
    return types.int64


def _on_block(function: Any, kinds: Sequence[Any]) -> Any:
    """A function that calls another one with what is in a block. Gives the number of results."""

    @intrinsic
    def given(_: Any, block: Any) -> Any:
        made = types.Tuple(kinds)

        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            words = _Words(context, builder, arguments[0])
            return context.make_tuple(builder, made, [words.take(kind) for kind in kinds])

        return made(block), generate

    @intrinsic
    def put(_: Any, block: Any, results: Any) -> Any:
        kinds = [] if results == types.none else list(getattr(results, "types", [results]))

        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            items = arguments[1:]
            if isinstance(results, types.BaseTuple):
                items = cgutils.unpack_tuple(builder, arguments[1])
            for place, kind in enumerate(kinds):
                value = context.cast(builder, items[place], kind, types.int64)
                builder.store(value, cgutils.gep_inbounds(builder, arguments[0], place))
            return context.get_constant(types.int64, len(kinds))

        return types.int64(block, results), generate

    def call(block):  # type: ignore[no-untyped-def]
        return put(block, function(*given(block)))

    return call


class _Words:
    """The words of a block, which are taken one after the other."""

    def __init__(self, context: Any, builder: Any, block: Any) -> None:
        self._context, self._builder, self._block = context, builder, block
        self._place = 0

    def _next(self) -> Any:
        place, self._place = self._place, self._place + 1
        return self._builder.load(cgutils.gep_inbounds(self._builder, self._block, place))

    def take(self, kind: Any) -> Any:
        """The next words, as a value of some type."""
        context, builder = self._context, self._builder
        if isinstance(kind, types.BaseTuple):
            return context.make_tuple(builder, kind, [self.take(each) for each in kind])
        if not isinstance(kind, types.Array):
            return self._next()
        array = context.make_array(kind)(context, builder)
        size = context.get_abi_sizeof(context.get_data_type(kind.dtype))
        item = context.get_constant(types.intp, size)
        data, length = self._next(), self._next()
        populate_array(
            array,
            data=builder.inttoptr(data, context.get_data_type(kind.dtype).as_pointer()),
            shape=[length],
            strides=[item],
            itemsize=item,
            meminfo=None,
        )
        return array._getvalue()
