"""Machine code of the kernel: compiled, kept, found again, and loaded without numba."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from interleave import Model, kept, thread
from interleave.checking import Options, checked_model
from interleave.engine.native import entries, objects
from interleave.engine.native.entries import Entry
from interleave.engine.native.objects import Object
from interleave.report.stats import render_stats


class Once(Model):
    done = False

    @thread
    def finish(self):
        self.done = True


MADE = Object("call", ("memcpy", "sched_yield"), b"\x7fELF\n\n" + bytes(range(256)))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where object files are kept, and nowhere else."""
    monkeypatch.setattr(objects, "_folders", lambda: iter([tmp_path / "kept"]))
    return tmp_path / "kept"


def put(entry: Entry) -> list[int]:
    """What a table has after two numbers were put into it, by an entry for `walking.put_all`."""
    keys, values = np.zeros(4, np.uint64), np.zeros(4, np.int32)
    entry(keys, values, np.array([1, 2], np.uint64), np.array([5, 7], np.int32))
    return sorted(values.tolist())


def damages() -> dict[str, Callable[[bytes], bytes]]:
    return {
        "empty": lambda said: b"",
        "cut": lambda said: said[:-1],
        "without its beginning": lambda said: said[1:],
        "one bit": lambda said: said[:-9] + bytes([said[-9] ^ 1]) + said[-8:],
        "another symbol": lambda said: said.replace(b"call", b"fall"),
        "foreign": lambda said: b"\x7fELF" + said,
        "text": lambda said: b"nothing to see here\n" * 40,
    }


def test_what_is_kept_is_found(folder: Path) -> None:
    assert objects.find("one") is None
    assert objects.keep("one", MADE)
    assert objects.keep("one", MADE)
    assert objects.find("one") == MADE
    assert objects.find("two") is None
    assert [file.name for file in folder.iterdir()] == ["one.kernel"]


@pytest.mark.parametrize("damage", damages())
def test_what_is_not_whole_is_not_found(folder: Path, damage: str) -> None:
    objects.keep("one", MADE)
    (file,) = folder.iterdir()
    file.write_bytes(damages()[damage](file.read_bytes()))
    assert objects.find("one") is None


def test_of_two_places_the_first_that_can_be_written_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setattr(objects.sys, "platform", "linux")
    monkeypatch.setattr(objects.importlib.util, "cache_from_source", lambda _: f"{tmp_path}/file/x")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "users"))
    assert objects.keep("one", MADE)
    assert objects.find("one") == MADE
    assert (tmp_path / "users" / "interleave" / "one.kernel").exists()


@pytest.mark.parametrize(
    ("platform", "names", "there"),
    [
        ("win32", {"LOCALAPPDATA": "{home}/Local"}, "Local"),
        ("win32", {}, "AppData/Local"),
        ("darwin", {}, "Library/Caches"),
        ("linux", {}, ".cache"),
    ],
)
def test_the_place_of_the_user(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    platform: str,
    names: dict[str, str],
    there: str,
) -> None:
    for name in ("LOCALAPPDATA", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in names.items():
        monkeypatch.setenv(name, value.format(home=tmp_path))
    monkeypatch.setattr(objects.sys, "platform", platform)
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    assert list(objects._folders())[1] == tmp_path / there / "interleave"


def test_a_place_of_the_user_that_depends_on_where_one_is_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(objects.sys, "platform", "linux")
    monkeypatch.setenv("XDG_CACHE_HOME", "here")
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    assert list(objects._folders())[1] == tmp_path / ".cache" / "interleave"


@pytest.mark.skipif(not hasattr(os, "getuid"), reason="there are no owners")
@pytest.mark.parametrize("what", ["file", "folder"])
@pytest.mark.parametrize("mode", [0o020, 0o002])
def test_code_that_others_could_have_written_is_not_run(folder: Path, what: str, mode: int) -> None:
    assert objects.keep("one", MADE)
    (file,) = folder.iterdir()
    changed = file if what == "file" else folder
    changed.chmod(changed.stat().st_mode | mode)
    assert objects.find("one") is None
    assert objects.keep("one", MADE) == (what == "file")


def test_what_was_not_used_for_longest_goes(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And nothing else of what is in the folder: it may be the one that Python's own files are in."""
    monkeypatch.setattr(objects, "MOST_BYTES", 900)
    folder.mkdir(mode=0o700)
    beside = [folder / name for name in ("blocks.cpython-311.pyc", "cases")]
    for each in beside:
        each.write_bytes(bytes(5_000))
    (folder / "half.kernel.12.34").write_bytes(bytes(400))
    os.utime(folder / "half.kernel.12.34", (1, 1))
    for number, name in enumerate(("first", "second")):
        assert objects.keep(name, MADE)
        os.utime(folder / f"{name}.kernel", (number + 2, number + 2))
    assert objects.find("first") is not None  # now the second is the oldest
    assert objects.keep("third", MADE)
    assert {each.name for each in folder.iterdir()} == {
        "first.kernel", "third.kernel", *(each.name for each in beside)
    }  # fmt: skip


def test_what_another_process_uses_meanwhile_stays(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the look at the folder and the end of the file: each of them, at each moment."""
    for name in ("first", "second"):
        assert objects.keep(name, MADE)
        os.utime(folder / f"{name}.kernel", (2, 2))
    monkeypatch.setattr(objects, "MOST_BYTES", 500)
    unlinked: list[str] = []
    stat = os.stat

    def used_after_the_first_look(path: str, **options: bool) -> os.stat_result:
        facts = stat(path, **options)
        if str(path).endswith("first.kernel"):
            os.utime(path, (9, 9))
        return facts

    monkeypatch.setattr(kept.os, "stat", used_after_the_first_look)
    monkeypatch.setattr(kept.os, "unlink", lambda path: unlinked.append(Path(path).name))
    assert objects.keep("third", MADE)
    assert unlinked == ["second.kernel"]


def test_two_processes_that_keep_at_once(tmp_path: Path) -> None:
    """Whoever reads meanwhile finds all of what one of them wrote."""
    environment = {**os.environ, "PYTHONPYCACHEPREFIX": str(tmp_path)}
    code = (
        "from interleave.engine.native import objects as o\n"
        "for _ in range(60): o.keep('one', o.Object('call', (), b'{0}' * 100_000)); "
        "found = o.find('one'); assert found and len({{*found.code}}) == 1"
    )
    running = [
        subprocess.Popen([sys.executable, "-c", code.format(each)], env=environment)
        for each in "ab"
    ]
    assert [each.wait() for each in running] == [0, 0]
    assert [file.name for file in tmp_path.rglob("one*")] == ["one.kernel"]


def test_what_is_kept_is_not_taken_for_what_another_version_kept(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(objects, "__file__", str(tmp_path / "objects.py"))
    (tmp_path / "compiled").mkdir()
    versions = []
    for text in ("BLOCK = 1", "BLOCK = 2", "BLOCK = 1"):
        (tmp_path / "compiled" / "blocks.py").write_text(text)
        versions.append(objects._version())
    assert versions[0] == versions[2] != versions[1]
    monkeypatch.setattr(objects, "_version_of_numba", lambda: b"another")
    assert objects._version() != versions[0]
    assert objects.name_for("L.") != objects.name_for("I.")


def test_it_is_compiled_once_and_for_each_type_of_array(folder: Path) -> None:
    assert put(Entry("walking.put_all")) == [0, 0, 5, 7]
    (file,) = folder.iterdir()
    file.write_bytes(file.read_bytes()[:1000])  # as after a crash of the machine
    assert put(Entry("walking.put_all")) == [0, 0, 5, 7]
    assert objects.find(file.stem) is not None
    os.utime(file, (1, 1))
    assert put(Entry("walking.put_all")) == [0, 0, 5, 7]
    assert file.stat().st_mtime == 1
    wide = Entry("walking.put_all")
    values = np.zeros(2, np.int64)
    wide(np.zeros(2, np.uint64), values, np.array([1], np.uint64), np.array([2**40]))
    assert values.max() == 2**40
    assert len([*folder.iterdir()]) == 2


def test_what_cannot_be_kept_is_compiled_each_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    request.addfinalizer(entries.unkept.clear)
    (tmp_path / "file").touch()
    with monkeypatch.context() as patch:
        patch.setattr(objects, "_folders", lambda: iter([tmp_path / "file" / "kept"]))
        assert put(Entry("walking.put_all")) == [0, 0, 5, 7]
    assert entries.unkept == {"walking.put_all"}
    checked = checked_model(Once, "", {}, Options(engine="native"))
    (line,) = [
        line
        for line in render_stats(checked.result, checked.facts).splitlines()
        if "could not be kept" in line
    ]
    assert line == "  the kernel was compiled and could not be kept: there is nowhere to write it"


def test_code_that_needs_what_is_not_there_is_not_loaded() -> None:
    assert objects.load(MADE._replace(needs=("numba_no_such_function",))) is None


def test_an_array_must_be_one_that_can_be_written_in_a_row() -> None:
    entry = Entry("walking.put_all")
    ones = np.ones(4, np.uint64)
    with pytest.raises(TypeError, match="contiguous"):
        entry(ones[::2], ones, ones, ones)
    with pytest.raises(TypeError, match="not writable"):
        entry(np.frombuffer(b"12345678", np.uint64), ones, ones, ones)


MODEL = """
from interleave import Model, choose, thread

class Counters(Model):
    first = second = 0

    @thread(2)
    def increment(self):
        for _ in range(3):
            now = self.first
            self.first = now + 1

    @thread
    def forever(self):
        while True:
            self.second = 1 - self.second
"""


def test_a_process_that_finds_it_all_does_without_numba(tmp_path: Path) -> None:
    (tmp_path / "model.py").write_text(MODEL)
    code = (
        "import sys; from interleave import check; from interleave.engine.native import entries;"
        "found = check(sys.argv[1], engine='native').models[0];"
        "print(found.states, 'numba' in sys.modules, entries.unkept,"
        " [name for name in sys.modules if 'native.compiled' in name])"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "model.py")]
    for _ in range(2):
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.split(" ", 1)[1] == "False set() []\n"
    assert done.stderr == ""
