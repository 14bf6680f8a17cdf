"""What one check has learnt is known to the next, if nothing has changed that it depends on."""

from __future__ import annotations

import builtins
import functools
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from interleave import check
from interleave.checking import RunFacts
from interleave.checks import properties
from interleave.kept import cache_directory
from interleave.machine import Machine
from interleave.recorded import memory, store
from interleave.recorded.store import Store
from interleave.report.document import render_json
from interleave.result import Result

MODEL = """
import decimal, enum, os, re, threading
from dataclasses import dataclass
from pathlib import Path
import helper_of_memory as helper
from interleave import Model, invariant, param, postcondition, section, thread

STEP = 1
NAMES = ["a", "b"]
PATTERN = re.compile("a+")
SEEN = os.environ.get("INTERLEAVE_TEST", "1")
TEXT = Path(__file__).with_suffix(".txt").read_text()


class Colour(enum.Enum):
    RED = 1


@dataclass(frozen=True)
class Point:
    x: int = 1


POINT = Point()


def made(by):
    def add(value):
        return value + by
    return add


ADD = made(2)


def numbers(first):
    yield first
    yield first + 1


class Box:
    limit = 9

    def __init__(self):
        self.inside = 0
        self.lock = threading.Lock()

    def put(self, value):
        with self.lock:
            self.inside = helper.changed(value) % self.limit


class M(Model):
    N = param(1)
    x = 0
    y = 0
    log = ()

    def setup(self):
        self.box = Box()
        self.start = int(os.environ.get("INTERLEAVE_SETUP", "1"))

    @thread(2)
    def work(self, i, more=3):
        given = numbers(more)
        with section("critical"):
            t = self.x + next(given) - more
        self.x = t + STEP + more
        if PATTERN.match("aaa"):
            self.y = ADD(len(NAMES)) + int(SEEN) + POINT.x + Colour.RED.value
        self.box.put(self.y + self.start + len(TEXT) + self.N + next(given))
        self.log += (str(decimal.Decimal(1) / 3), helper.later())

    @invariant
    def small(self):
        return self.box.inside < 99

    @postcondition
    def end(self):
        assert self.x < 9, f"x is {self.x}"
"""

HELPER = """
import decimal
import other_of_memory
decimal.getcontext().prec = 6
TABLE = {1: 2}

def changed(value):
    return value + TABLE[1] + len([each for each in vars(other_of_memory) if each[0] == "z"])

def later():
    import later_of_memory
    return later_of_memory.VALUE
"""

FILES = {
    "model.py": MODEL,
    "model.txt": "abc",
    "helper_of_memory.py": HELPER,
    "later_of_memory.py": "VALUE = 1",
    "other_of_memory.py": "zz = 1",
}

CHANGES: dict[str, tuple[str, str, str]] = {
    "a constant": ("model.py", "STEP = 1", "STEP = 2"),
    "a list": ("model.py", '["a", "b"]', '["a", "b", "c"]'),
    "a pattern": ("model.py", '"a+"', '"b+"'),
    "a member": ("model.py", "RED = 1", "RED = 2"),
    "a field": ("model.py", "x: int = 1", "x: int = 4"),
    "a cell": ("model.py", "made(2)", "made(4)"),
    "a function within": ("model.py", "value + by", "value - by"),
    "a generator": ("model.py", "yield first + 1", "yield first + 2"),
    "a default": ("model.py", "more=3", "more=4"),
    "an initial value": ("model.py", "    x = 0", "    x = 1"),
    "a class attribute": ("model.py", "limit = 9", "limit = 8"),
    "a parameter": ("model.py", "param(1)", "param(2)"),
    "a number of threads": ("model.py", "@thread(2)", "@thread(3)"),
    "a condition": ("model.py", '"aaa"', '"bbb"'),
    "the name of a section": ("model.py", '"critical"', '"other"'),
    "an invariant": ("model.py", "inside < 99", "inside < 4"),
    "a message": ("model.py", "x is {", "now x is {"),
    "a line": ("model.py", "STEP = 1", "\nSTEP = 1"),
    "a comment in a line": ("model.py", "t = self.x", "t = self.x  # look"),
    "a file read at import": ("model.txt", "abc", "abcd"),
    "a followed function": ("helper_of_memory.py", "value + T", "1 + value + T"),
    "a followed table": ("helper_of_memory.py", "{1: 2}", "{1: 3}"),
    "a context": ("helper_of_memory.py", "= 6", "= 7"),
    "a name that no code has": ("other_of_memory.py", "zz = 1", "zz = 1\nzy = 1"),
    "what is imported late": ("later_of_memory.py", "1", "2"),
}

HIDDEN = {
    "a built-in name": """
import builtins
builtins.HIDDEN = BY
def hidden():
    return HIDDEN
""",
    "a registered class": """
import abc
class A(abc.ABC):
    pass
if BY > 1:
    A.register(int)
def hidden():
    return isinstance(1, A)
""",
}
"""What differs by the environment, and is in no variable."""

ENVIRONMENT = ("INTERLEAVE_TEST", "INTERLEAVE_SETUP")


@pytest.fixture(autouse=True)
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What is learnt is kept, all of it, in a folder of its own. Gives that of the files."""
    monkeypatch.setattr(memory, "FEWEST", 0)
    monkeypatch.setattr(store, "cache_directory", lambda: tmp_path / "cache")
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)
    return tmp_path


def report(folder: Path, **options: Any) -> tuple[str, RunFacts]:
    """The report of a check in which everything is imported anew, and how it went."""
    for name in ("helper_of_memory", "later_of_memory", "other_of_memory"):
        sys.modules.pop(name, None)
    facts: list[RunFacts] = []
    result = check(folder / "model.py", on_result=lambda _, each: facts.append(each), **options)
    return render_json(Result(result.models), version=""), facts[0]


def files_in(folder: Path) -> list[Path]:
    return sorted((folder / "cache" / "cases").glob("*.cases"))


def test_a_second_check_runs_no_code(kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, facts = report(kept)
    assert (facts.known, facts.learnt > 20) == (0, True)

    def refuse(*_: object, **__: object) -> Any:
        raise AssertionError("code of the model runs")

    with monkeypatch.context() as patch:
        patch.setattr(Machine, "step", refuse)
        patch.setattr(Machine, "_begin", refuse)
        patch.setattr(properties, "evaluate", refuse)
        again, facts = report(kept)
    assert again == first == report(kept, cache=False)[0]
    assert facts.known >= facts.learnt


@pytest.mark.parametrize("change", CHANGES)
def test_what_has_changed_is_learnt_anew(kept: Path, change: str) -> None:
    file, old, new = CHANGES[change]
    report(kept)
    text = FILES[file]
    assert old in text
    (kept / file).write_text(text.replace(old, new, 1))
    assert report(kept)[0] == report(kept, cache=False)[0]


@pytest.mark.slow
@pytest.mark.parametrize("name", ENVIRONMENT)
def test_the_environment_is_what_was_made_of_it(
    kept: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, _ = report(kept)
    monkeypatch.setenv(name, "5")
    found, facts = report(kept)
    assert found == report(kept, cache=False)[0] != before
    assert facts.known == 0


def with_hidden(text: str) -> str:
    """The helper, in which what a text defines has a say."""
    by = "import os\nBY = int(os.environ.get('INTERLEAVE_HIDDEN', '1'))\n"
    return by + text + HELPER.replace("value + T", "value + hidden() + T")


@pytest.mark.slow
@pytest.mark.parametrize("hidden", HIDDEN)
def test_what_no_variable_has_is_seen(
    kept: Path, hidden: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(builtins, "HIDDEN", 0, raising=False)
    (kept / "helper_of_memory.py").write_text(with_hidden(HIDDEN[hidden] + "del BY\n"))
    before, _ = report(kept)
    assert report(kept)[1].known > 0
    monkeypatch.setenv("INTERLEAVE_HIDDEN", "2")
    found, facts = report(kept)
    assert found == report(kept, cache=False)[0] != before
    assert facts.known == 0


@pytest.mark.slow
def test_a_number_with_too_many_digits_is_learnt_each_time(kept: Path) -> None:
    text = "LARGE = 10**5000\ndef hidden():\n    return LARGE % 7\n"
    (kept / "helper_of_memory.py").write_text(with_hidden(text))
    for _ in range(2):
        found, facts = report(kept)
        assert (found, facts.known) == (report(kept, cache=False)[0], 0)


@pytest.mark.slow
@pytest.mark.parametrize(
    "options",
    [{"parameters": {"N": 2}}, {"runtime": "gil"}, {"races": True}, {"max_states": 9}],
    ids=str,
)
def test_what_is_asked_for_otherwise_is_learnt_anew(kept: Path, options: dict[str, Any]) -> None:
    report(kept)
    found, facts = report(kept, **options)
    assert found == report(kept, cache=False, **options)[0]
    assert facts.known == 0


@pytest.mark.parametrize("options", [{"cache": False}, {"engine": "reference"}, {"max_states": 9}])
def test_nothing_is_kept(kept: Path, options: dict[str, Any]) -> None:
    """Not where that is not wanted, of what learns nothing, and of what was cut short."""
    report(kept, **options)
    assert not files_in(kept)


@pytest.mark.slow
@pytest.mark.parametrize("how", ["cut", "empty", "other bytes", "another digest", "writable"])
def test_a_file_that_cannot_be_believed_is_written_anew(kept: Path, how: str) -> None:
    wanted, _ = report(kept)
    (file,) = files_in(kept)
    content = file.read_bytes()
    if how == "writable":
        if not hasattr(os, "getuid"):
            pytest.skip("this system has no such permissions")
        file.chmod(0o666)
    else:
        broken = {
            "cut": content[:-9],
            "empty": b"",
            "other bytes": content.replace(b"[", b"\xff", 1),
            "another digest": bytes([content[0] ^ 1]) + content[1:],
        }
        file.write_bytes(broken[how])
    found, facts = report(kept)
    assert (found, facts.known) == (wanted, 0)
    assert files_in(kept) == [file]
    assert report(kept)[1].known > 0


def test_processes_that_write_at_once(tmp_path: Path) -> None:
    """Whoever reads has what one of them wrote, all of it."""
    shared = Store(tmp_path / "store")
    texts = [[str(number)] * 1000 for number in range(8)]
    with ThreadPoolExecutor(8) as pool:
        for _ in pool.map(lambda lines: shared.write("name", lines), texts * 4):
            assert shared.read("name") in [None, *texts]
    assert shared.read("name") in texts
    assert len([*(tmp_path / "store").iterdir()]) == 1


def test_what_was_not_used_for_longest_goes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "MOST_BYTES", 350)
    small = Store(tmp_path / "store")
    for number in range(3):
        small.write(str(number), ["x" * 20])
        os.utime(tmp_path / "store" / f"{number}.cases", (number, number))
    assert small.read("0") is not None  # now 1 is the oldest
    small.write("3", ["x" * 100])
    assert small.read("1") is None
    assert small.read("0") is not None
    assert small.read("3") is not None


def test_where_nobody_has_a_home_nothing_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    def home() -> Path:
        raise RuntimeError("Could not determine home directory.")

    for name in ("XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(Path, "home", home)
    monkeypatch.setattr(store, "cache_directory", cache_directory)
    Store().write("name", ["text"])
    assert Store().read("name") is None


def test_a_folder_that_cannot_be_written_is_none(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    hindered = Store(tmp_path / "file" / "store")
    hindered.write("name", ["text"])
    assert hindered.read("name") is None


def test_a_model_with_lru_cache_in_python_is_kept(tmp_path: Path) -> None:
    """Its cells hold methods of slots (`cache.__len__`), which say no module."""
    source = Path(functools.__file__).read_text(encoding="utf-8")
    in_c = "    from _functools import _lru_cache_wrapper\n"
    assert in_c in source
    (tmp_path / "functools_in_python.py").write_text(source.replace(in_c, "    pass\n"))
    (tmp_path / "model.py").write_text(
        "from functools_in_python import _CacheInfo, _lru_cache_wrapper\n"
        "from interleave import Model, thread\n"
        "def square(n):\n"
        "    return n * n\n"
        "cached = _lru_cache_wrapper(square, 1, False, _CacheInfo)\n"
        "class Lru(Model):\n"
        "    @thread(2)\n"
        "    def worker(self, i):\n"
        "        assert cached(i) == i * i\n"
    )
    command = [sys.executable, "-m", "interleave", "check", "model.py", "--quiet"]
    environment = {**os.environ, "XDG_CACHE_HOME": str(tmp_path)}
    for _ in range(2):
        done = subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )
        assert (done.stdout, done.returncode) == ("Lru: verified\n", 0), done.stderr


def test_attributes_that_run_block_by_block_are_known(kept: Path) -> None:
    (kept / "model.py").write_text(
        "from interleave import Model, thread\n"
        "class Lazy(Model):\n"
        "    kept = None\n"
        "    @property\n"
        "    def items(self):\n"
        "        if self.kept is None:\n"
        "            self.kept = []\n"
        "        return self.kept\n"
        "    @thread(2)\n"
        "    def add(self, i):\n"
        "        self.items.append(i)\n"
    )
    first, facts = report(kept)
    assert (facts.known, facts.learnt > 9) == (0, True)
    again, facts = report(kept)
    assert again == first
    assert facts.known >= facts.learnt
