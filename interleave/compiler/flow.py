"""Data-flow facts about blocks: live variables, and which branches a block depends on."""

from __future__ import annotations

from collections.abc import Iterable

from interleave.compiler.blocks import SUSPENDED, Block, BlockKind, decided_between, handled


def find_live(
    blocks: list[Block], always: frozenset[str], *, keeps_handled: bool, keeps_iterators: bool
) -> None:
    """Fill in `live` and `live_in_call`: what each block, or one after it, may use.

    The usual backward analysis (Aho, Lam, Sethi, Ullman: Compilers, 9.2.5). An exception may come
    before the block has bound anything. None goes on behind a `with` that is not known to swallow
    any (`Block.swallows`): else all that is used there would be live from its beginning. `always`
    are names that are live everywhere; with `keeps_handled`, an exception is live as long as it is
    being handled, and with `keeps_iterators`, an iterator in all of the loop.
    """
    live: list[frozenset[str]] = [frozenset()] * (len(blocks) + 1)
    after_call: list[frozenset[str]] = [frozenset()] * len(blocks)
    changed = True
    while changed:
        changed = False
        for block in reversed(blocks):
            held = frozenset({block.handles} if keeps_handled and block.handles else ())
            if keeps_iterators:
                held |= {*block.goes_through}
            thrown = frozenset[str]()
            if block.handler is not None:
                thrown = live[block.handler] - {block.handler_name}
            out = frozenset[str]()
            successors = block.successors()
            if block.swallows is not None:
                successors = [block.otherwise]
            if successors:
                defined = block.defines | ({block.target} if block.target else set())
                out = live[successors[0]] - defined
            if len(successors) > 1:
                out |= live[successors[1]] - block.always_defines
            if block.kind in SUSPENDED:
                # What the block itself has bound (by `:=`) is there when the call begins.
                after_call[block.number] = (live[successors[0]] - {block.target}) | thrown | held
            found = block.uses | out | thrown | held
            if found != live[block.number]:
                live[block.number] = found
                changed = True
    for block in blocks:
        block.live = tuple(sorted(live[block.number] | always))
        block.live_in_call = tuple(sorted(after_call[block.number] | always))


def find_dependences(blocks: list[Block], handlers: Iterable[tuple[int, int]]) -> frozenset[int]:
    """Fill in `depends` and `keeps`; gives what the function's end depends on.

    By post-dominance (Ferrante, Ottenstein, Warren: The program dependence graph, 1987), along ways
    on: an explicit `raise` goes to its handler, or out; an exception that comes without one is none
    (`Block.failing`). So what follows a loop does not depend on its condition, and what follows
    `if ...: return` does. Copies of one `finally` count as one: it runs whichever way one comes.

    An exception decides where it is met: what is in a handler, but not what follows its `try` as
    well (`handlers` gives the first block of both), depends on it; and what follows a call that may
    raise depends on how that went.
    """
    end, out = len(blocks), len(blocks) + 1
    successors = [_next_blocks(block, end, out) for block in blocks]
    _let_loops_end(successors, end)
    origins = [block.origin or block.number for block in blocks] + [end, out]
    post = _post_dominators(successors, origins)
    copies: dict[Origin, list[int]] = {}
    for number, origin in enumerate(origins[:out]):
        copies.setdefault(origin, []).append(number)

    def only(ways: Iterable[int], others: frozenset[Origin]) -> list[int]:
        """The blocks that must come after one of some ways, but for others."""
        reached = frozenset[Origin]().union(*[post[way] for way in ways]) - others
        return [number for origin in reached for number in copies.get(origin, ())]

    direct: list[set[int]] = [set() for _ in range(out)]
    local: list[set[int]] = [set() for _ in range(out)]
    for block in blocks:
        strictly = post[block.number] - {origins[block.number]}
        if block.kind is BlockKind.BRANCH:
            for number in only(block.successors(), strictly):
                direct[number].add(block.number)
        elif block.kind in SUSPENDED:
            for number in only([block.next], post[_raises_to(block, out)]):
                local[number].add(block.number)
    for handler, after in handlers:
        if handler >= 0:
            for number in only([handler], post[after]):
                local[number].add(handled(handler))
    passing = {block.number for block in blocks if not block.decides}
    depends: list[frozenset[int]] = []
    for number in range(out):
        branches = _closure(direct, number)
        met = frozenset[int]().union(*[local[each] for each in (number, *branches)])
        depends.append((branches - passing) | met)
    for block in blocks:
        block.depends = depends[block.number]
    _find_kept(blocks, depends)
    return depends[end]


Origin = int | tuple[int, int]
"""A block, or all copies of one: see `Block.origin`."""


def _find_kept(blocks: list[Block], depends: list[frozenset[int]]) -> None:
    """Fill in `keeps`, backwards, as for variables that are live.

    What was decided in one round of a loop is forgotten when the next one begins.
    """
    kept = list(depends)
    changed = True
    while changed:
        changed = False
        for block in reversed(blocks):
            found = depends[block.number]
            for following in block.successors() or [len(blocks)]:
                found |= kept[following] - decided_between(following, block.number)
            if block.handler is not None:
                found |= kept[block.handler]
            if found != kept[block.number]:
                kept[block.number] = found
                changed = True
    for block in blocks:
        block.keeps = kept[block.number]


def _next_blocks(block: Block, end: int, out: int) -> list[int]:
    if block.ways_on():
        return block.ways_on()
    return [end if block.kind is BlockKind.RETURN else _raises_to(block, out)]


def _raises_to(block: Block, out: int) -> int:
    """Where an exception goes."""
    return out if block.handler is None else block.handler


def _post_dominators(successors: list[list[int]], origins: list[Origin]) -> list[frozenset[Origin]]:
    """What comes after each block, and after the two ways out, whichever way control takes."""
    end, out = len(successors), len(successors) + 1
    everything = frozenset(origins)
    post = [everything] * end + [frozenset[Origin]({end}), frozenset[Origin]({out})]
    changed = True
    while changed:
        changed = False
        for number in range(end - 1, -1, -1):
            found = frozenset({origins[number]}) | frozenset.intersection(
                *[post[successor] for successor in successors[number]]
            )
            if found != post[number]:
                post[number] = found
                changed = True
    return post


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
