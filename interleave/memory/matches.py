"""What `re` gives for a match, as a value that a state can hold: nothing of it ever changes."""

from __future__ import annotations

import re
from typing import Any

from interleave.memory.values import AsAnother, Freezer, Key, Thawer, register_immutable


class Match(AsAnother):
    """Stands for a `re.Match`, from one step to the next. After Modules/_sre/sre.c of CPython."""

    __class__ = re.Match  # type: ignore[assignment]

    def __init__(
        self,
        pattern: re.Pattern[Any],
        string: Any,
        bounds: tuple[int, int],
        regs: tuple[tuple[int, int], ...],
        lastindex: int | None,
    ) -> None:
        self.re = pattern
        self.string = string
        self.pos, self.endpos = bounds
        self.regs = regs
        self.lastindex = lastindex

    @property
    def lastgroup(self) -> str | None:
        names = {place: name for name, place in self.re.groupindex.items()}
        return None if self.lastindex is None else names.get(self.lastindex)

    def _span(self, group: Any) -> tuple[int, int]:
        place: Any = self.re.groupindex.get(group, group) if isinstance(group, str) else group
        try:
            if place >= 0:
                return self.regs[place]
        except (IndexError, TypeError):
            pass
        raise IndexError("no such group")

    def _part(self, group: Any, default: Any = None) -> Any:
        start, end = self._span(group)
        return default if start < 0 else self.string[start:end]

    def group(self, *groups: Any) -> Any:
        found = tuple([self._part(each) for each in groups or (0,)])
        return found[0] if len(found) == 1 else found

    def __getitem__(self, group: Any) -> Any:
        return self._part(group)

    def groups(self, default: Any = None) -> tuple[Any, ...]:
        return tuple([self._part(each, default) for each in range(1, len(self.regs))])

    def groupdict(self, default: Any = None) -> dict[str, Any]:
        return {name: self._part(name, default) for name in self.re.groupindex}

    def start(self, group: Any = 0) -> int:
        return self._span(group)[0]

    def end(self, group: Any = 0) -> int:
        return self._span(group)[1]

    def span(self, group: Any = 0) -> tuple[int, int]:
        return self._span(group)

    def __copy__(self) -> Match:
        return self

    def __deepcopy__(self, _: object) -> Match:
        return self

    def __repr__(self) -> str:
        return f"<re.Match object; span={self.span()!r}, match={self.group()!r}>"


def _freeze(freezer: Freezer, value: Any) -> Key:
    bounds = (value.pos, value.endpos)
    return (Match, freezer.freeze((value.re, value.string, bounds, value.regs, value.lastindex)))


def _thaw(thawer: Thawer, key: Key) -> Match:
    return Match(*thawer.thaw(key[1]))


register_immutable(Match, _freeze, _thaw)
register_immutable(re.Match, _freeze, _thaw)
