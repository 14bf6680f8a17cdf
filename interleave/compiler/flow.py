"""Data-flow facts about blocks: live variables, and which branches a block depends on."""

from __future__ import annotations

from interleave.compiler.blocks import Block, BlockKind


def find_live(blocks: list[Block]) -> None:
    """Fill in `live` and `live_in_call`: what each block, or one after it, may use.

    The usual backward analysis (Aho, Lam, Sethi, Ullman: Compilers, 9.2.5). An exception may come
    before the block has bound anything.
    """
    live: list[frozenset[str]] = [frozenset()] * (len(blocks) + 1)
    after_call: list[frozenset[str]] = [frozenset()] * len(blocks)
    changed = True
    while changed:
        changed = False
        for block in reversed(blocks):
            thrown = frozenset[str]()
            if block.handler is not None:
                thrown = live[block.handler] - {block.handler_name}
            out = frozenset[str]()
            successors = block.successors()
            if successors:
                defined = block.defines | ({block.target} if block.target else set())
                out = live[successors[0]] - defined
            if len(successors) > 1:
                out |= live[successors[1]] - block.always_defines
            if block.kind in (BlockKind.CALL, BlockKind.AWAIT):
                # What the block itself has bound (by `:=`) is there when the call begins.
                after_call[block.number] = (live[successors[0]] - {block.target}) | thrown
            found = block.uses | out | thrown
            if found != live[block.number]:
                live[block.number] = found
                changed = True
    for block in blocks:
        block.live = tuple(sorted(live[block.number]))
        block.live_in_call = tuple(sorted(after_call[block.number]))


def find_dependences(blocks: list[Block]) -> None:
    """Fill in `depends`: the branches that decide whether a block runs, transitively.

    By post-dominance (Ferrante, Ottenstein, Warren: The program dependence graph, 1987), along
    edges without exceptions, except that an explicit `raise` goes to its handler. What follows a
    loop does not depend on its condition; what follows `if ...: return` does.
    """
    end = len(blocks)
    successors = [_next_blocks(block, end) for block in blocks]
    _let_loops_end(successors, end)
    everything = frozenset(range(end + 1))
    post: list[frozenset[int]] = [everything] * end + [frozenset({end})]
    changed = True
    while changed:
        changed = False
        for number in range(end - 1, -1, -1):
            found = frozenset({number}) | frozenset.intersection(
                *[post[successor] for successor in successors[number]]
            )
            if found != post[number]:
                post[number] = found
                changed = True
    direct: list[set[int]] = [set() for _ in blocks]
    for block in blocks:
        if block.kind is not BlockKind.BRANCH or not block.decides:
            continue
        reached = set().union(*[post[successor] for successor in successors[block.number]])
        for number in reached - (post[block.number] - {block.number}):
            if number < end:
                direct[number].add(block.number)
    for block in blocks:
        block.depends = _closure(direct, block.number)


def _next_blocks(block: Block, end: int) -> list[int]:
    if block.successors():
        return block.successors()
    raises = block.kind is not BlockKind.RETURN
    return [block.handler if raises and block.handler is not None else end]


def _let_loops_end(successors: list[list[int]], end: int) -> None:
    """Give each endless loop an edge to the end where it begins again.

    Else no path from it would reach the end, and every block would post-dominate every other.
    """
    endless = set(range(end))
    while True:
        ending = {n for n in endless if any(s not in endless for s in successors[n])}
        if ending:
            endless -= ending
            continue
        jumps_back = [n for n in sorted(endless) if any(s <= n for s in successors[n])]
        if not jumps_back:
            return
        successors[jumps_back[-1]].append(end)


def _closure(direct: list[set[int]], start: int) -> frozenset[int]:
    found: set[int] = set()
    waiting = list(direct[start])
    while waiting:
        number = waiting.pop()
        if number not in found:
            found.add(number)
            waiting.extend(direct[number])
    return frozenset(found)
