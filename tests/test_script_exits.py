"""What scripts register with `atexit`, which is called when the main thread is through."""

from __future__ import annotations

import ast
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from interleave import InterleaveError, check

SCRIPTS: dict[str, tuple[str, set[str], set[str]]] = {
    "before and after threads": (
        """
        import atexit, threading
        n = 0
        def bump():
            global n
            n += 1
        @atexit.register
        def last():
            print("last", n)
        def first(x, *, y):
            print("first", x, y, n)
        atexit.register(first, 3, y=4)
        threading.Thread(target=bump).start()
        print("main")
        """,
        set(),
        {"main\nfirst 3 4 1\nlast 1"},
    ),
    "under another name, and taken back": (
        """
        from atexit import register as at_end, unregister
        import threading
        def show(x):
            print(x)
        def main():
            at_end(show, 1)
            at_end(lambda: print(2))
            threading.Thread(target=print, args=(0,)).start()
            unregister(show)
        main()
        """,
        set(),
        {"0\n2"},
    ),
    "what a thread still has in its hands": (
        """
        import atexit, threading
        items = []
        def work():
            items.append(1)
        def flush():
            print(items)
        def main():
            atexit.register(flush)
            threading.Thread(target=work, daemon=True).start()
        main()
        """,
        set(),
        {"[]", "[1]"},
    ),
    "however it ends": (
        """
        import atexit as ends, sys, threading
        def work():
            print("work")
        def end():
            print("end")
        ends.register(end)
        threading.Thread(target=work).start()
        sys.exit(3)
        """,
        set(),
        {"work\nend"},
    ),
    "a lock that nobody gives back": (
        """
        import atexit, threading
        lock = threading.Lock()
        def close():
            with lock:
                print("closed")
        atexit.register(close)
        lock.acquire()
        threading.Thread(target=print).start()
        """,
        {"deadlock"},
        {""},
    ),
    "threads that threads start": (
        """
        import atexit, threading
        def inner():
            print("inner")
        def outer():
            threading.Thread(target=inner).start()
        def end():
            print("end")
        atexit.register(end)
        threading.Thread(target=outer).start()
        """,
        set(),
        {"inner\nend"},
    ),
    "processes are not waited for": (
        """
        import atexit, multiprocessing
        def work(v):
            v.value = 1
        def show(v):
            print(v.value)
        if __name__ == "__main__":
            v = multiprocessing.RawValue("i", 0)
            atexit.register(show, v)
            multiprocessing.Process(target=work, args=(v,)).start()
        """,
        set(),
        {"0", "1"},
    ),
    "a loop": (
        """
        import atexit, asyncio
        async def main():
            print("loop")
        def end():
            print("end")
        atexit.register(end)
        asyncio.run(main())
        print("after")
        """,
        set(),
        {"loop\nafter\nend"},
    ),
    "a signal that ends the main thread": (
        """
        import atexit, signal, sys
        def end():
            print("end")
        def last():
            print("last")
        atexit.register(last)
        atexit.register(end)
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(3))
        """,
        set(),
        {"end\nlast", "last", "end"},  # it may come as one of them is entered
    ),
    "a signal that ends the wait": (
        """
        import atexit, os, signal, threading
        def work():
            os.kill(os.getpid(), signal.SIGINT)
            print("work")
        def last():
            print("last")
        atexit.register(last)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        threading.Thread(target=work).start()
        """,
        set(),
        {"work\nlast", "last\nwork", "work", "last"},
    ),
    "a function that ends itself": (
        """
        import atexit, sys, threading
        def last():
            print("last")
        atexit.register(last)
        atexit.register(sys.exit, 1)
        threading.Thread(target=last).start()
        """,
        set(),
        {"last\nlast"},
    ),
}
"""Each with what is found in it, and all that it may print."""


@pytest.fixture
def script(tmp_path: Path):
    def write(text: str) -> Path:
        file = tmp_path / "script.py"
        file.write_text(textwrap.dedent(text))
        return file

    return write


@pytest.mark.parametrize("name", SCRIPTS)
def test_what_is_found(script, name: str) -> None:
    text, kinds, outcomes = SCRIPTS[name]
    results = [check(script(text), engine=each).models[0] for each in ("reference", "native")]
    first, second = results
    assert (first.states, first.transitions) == (second.states, second.transitions)
    assert first.interleavings == second.interleavings
    assert {each.kind for each in first.violations} == kinds
    found = [str(dict(each.state)["print"]) for each in first.interleavings.outcomes]
    lines = [ast.literal_eval(f"({each},)") if each != "nothing" else () for each in found]
    assert {"\n".join(each).strip() for each in lines} == outcomes


@pytest.mark.parametrize("name", [each for each in SCRIPTS if not SCRIPTS[each][1]])
def test_what_is_printed_by_python(script, name: str) -> None:
    text, _, outcomes = SCRIPTS[name]
    done = subprocess.run(
        [sys.executable, script(text)], capture_output=True, text=True, timeout=20
    )
    assert done.stdout.strip() in outcomes, done.stderr


def test_other_files_are_refused(script) -> None:
    file = script("import other\nimport threading\nthreading.Thread(target=other.go).start()")
    file.with_name("other.py").write_text("import atexit\ndef go():\n    atexit.register(print)\n")
    with pytest.raises(InterleaveError, match=r"atexit.register has no modelled counterpart"):
        check(file)
