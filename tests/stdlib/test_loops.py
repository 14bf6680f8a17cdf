"""Event loops that threads make, in scripts that Python runs as well."""

from __future__ import annotations

import ast
import textwrap
from pathlib import Path

import pytest

from interleave import check
from interleave.result import ModelResult

LOOP = """
loop = asyncio.new_event_loop()
thread = threading.Thread(target=loop.run_forever, daemon=True)
thread.start()
"""

END = """
loop.call_soon_threadsafe(loop.stop)
thread.join()
loop.close()
print("end")
"""

IN_THREADS = """
threads = [threading.Thread(target=work) for _ in range(2)]
for each in threads: each.start()
for each in threads: each.join()
"""

LOCKED = """
lock, counter = threading.Lock(), 0
async def main():
    global counter
    await asyncio.sleep(0)
    with lock:
        counter += 1
def work():
    asyncio.run(main())
"""

DOUBLE = """
async def double(i):
    await asyncio.sleep(0)
    return 2 * i
"""

# Text, kinds, all that it may print.
SCRIPTS: dict[str, tuple[str, set[str], set[str]]] = {
    "a loop in each of two threads": (LOCKED + IN_THREADS + "print(counter)", set(), {"2"}),
    "a lost update between two loops": (
        LOCKED.replace("with lock", "if True") + IN_THREADS + "print(counter)",
        {"lost-update"},
        {"1", "2"},
    ),
    "one after the other": (
        DOUBLE
        + """
class Total:
    def add(self, i):
        return i + asyncio.run(double(i))
print(sum([Total().add(i) for i in range(3)]))
""",
        set(),
        {"9"},
    ),
    "a coroutine from another thread": (
        DOUBLE + LOOP + "print(asyncio.run_coroutine_threadsafe(double(21), loop).result())" + END,
        set(),
        {"42\nend"},
    ),
}


def found_in(folder: Path, text: str, engine: str = "auto") -> ModelResult:
    """The result of the check of a script."""
    file = folder / "script.py"
    file.write_text("import asyncio, threading\n" + textwrap.dedent(text))
    (found,) = check(file, engine=engine).models
    return found


def printed(found: ModelResult) -> set[str]:
    """What is printed in each outcome."""
    assert found.interleavings is not None
    texts = [str(dict(each.state)["print"]) for each in found.interleavings.outcomes]
    lines = [ast.literal_eval(f"({each},)") if each != "nothing" else () for each in texts]
    return {"\n".join(each).strip() for each in lines}


@pytest.mark.parametrize("case", SCRIPTS)
def test_what_is_found(tmp_path: Path, case: str) -> None:
    text, kinds, wanted = SCRIPTS[case]
    first, second = (found_in(tmp_path, text, each) for each in ("reference", "native"))
    assert {each.kind for each in first.violations} == kinds
    assert printed(first) == wanted
    assert (first.states, first.interleavings) == (second.states, second.interleavings)
