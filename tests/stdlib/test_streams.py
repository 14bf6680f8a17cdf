"""What threads write to standard output and to standard error, by other ways than `print`."""

from __future__ import annotations

import ast
import subprocess
import sys
import textwrap
import warnings
from contextlib import redirect_stdout
from pathlib import Path

import pytest
from verdicts import verdict

from interleave import InterleaveError, check

HEAD = """
import builtins, calendar, csv, functools, json, pprint, sys, threading, traceback, warnings

class Tells(Exception):
    def __str__(self):
        print("asked for its text")
        return "tells"

def work():
"""

TAIL = """
t = threading.Thread(target=work)
t.start()
t.join()
"""

WRITES = {
    "write": "sys.stdout.write('a')\nsys.stdout.write('b\\n')\nsys.stdout.flush()",
    "writelines": "sys.stdout.writelines(['a\\n', 'b'])",
    "what it gives": "print(sys.stdout.write('abc'), sys.stdout.writable())",
    "kept": "out = sys.stdout\nprint(1, 2, sep='-', end='!', file=out)\nout.write('b')",
    "pprint": "pprint.pprint({'a': [1]})\npprint.pp([1], stream=sys.stdout)",
    "json": "json.dump({'a': [1, None]}, sys.stdout)",
    "csv": "csv.writer(sys.stdout).writerow([1, 'a b'])",
    "calendar": "calendar.prmonth(2020, 1)",
    "the real print": "builtins.print('a')\nfunctools.partial(builtins.print, 'b')()",
    "in C": "list(map(sys.stdout.write, ['a', 'b']))",
    "to standard error": "sys.stderr.write('a')\nprint('b', file=sys.stderr)\n"
    "json.dump([1], sys.stderr)\nprint(sys.stderr.isatty())",
    "warnings": "warnings.warn('a')\nprint('b')",
    "an exception": "try:\n    raise Tells\nexcept Tells as error:\n"
    "    traceback.print_exception(error)\n    traceback.print_exc()\n"
    "    traceback.print_exc(file=sys.stderr)",
    "no exception": "traceback.print_exc()\nprint('b')",
    "what it cannot write": "try:\n    sys.stdout.write(1)\nexcept TypeError as error:\n    print(error)",
}


@pytest.mark.parametrize("how", WRITES)
def test_what_is_written_is_printed_as_in_python(
    how: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "script.py"
    file.write_text(HEAD + textwrap.indent(WRITES[how], "    ") + TAIL)
    with warnings.catch_warnings():
        warnings.simplefilter("default")
        (result,) = check(file).models
    assert capfd.readouterr() == ("", "")
    assert result.interleavings is not None
    (outcome,) = result.interleavings.outcomes
    shown = str(dict(outcome.state)["print"])
    found = ast.literal_eval(f"({shown},)") if shown != "nothing" else ()
    python = [sys.executable, "-W", "default", str(file)]
    done = subprocess.run(python, capture_output=True, text=True, timeout=20, check=False)
    assert list(found) == done.stdout.splitlines()


KEPT = {
    "streams": "out, err = sys.stdout, sys.stderr",
    "in an object": "class Both: pass\nboth = Both()\nboth.all = [sys.stdout, sys.stderr]\n"
    "out, err = both.all",
    "handlers": "class Mine(logging.StreamHandler):\n    def write(self, text):\n"
    "        self.emit(logging.makeLogRecord({'msg': text}))\n"
    "out, err = Mine(sys.stdout), Mine()",
    "used before": "out, err = sys.stdout, sys.stderr\nout.write('a\\n')\nprint('b', file=err)",
}


@pytest.mark.parametrize("what", KEPT)
def test_a_stream_that_was_kept_before_the_threads(
    what: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "script.py"
    file.write_text(
        f"import logging, sys, threading\n{KEPT[what]}\n"
        "def work():\n    out.write('c')\n    err.write('d')\n"
        "t = threading.Thread(target=work)\nt.start()\nt.join()\n"
    )
    with redirect_stdout(sys.stderr):  # as on the command line
        (result,) = check(file).models
    assert capfd.readouterr().out == ""
    assert result.verdict == "verified" and result.interleavings is not None
    (outcome,) = result.interleavings.outcomes
    done = subprocess.run([sys.executable, file], capture_output=True, text=True, timeout=20)
    found = str(dict(outcome.state)["print"])
    assert found == ", ".join(map(repr, done.stdout.splitlines()))


def test_a_stream_that_setup_keeps(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    source = """
        import logging, sys
        class Mine(logging.StreamHandler):
            pass
        class M(Model):
            def setup(self):
                self.streams = [sys.stdout, sys.stderr, Mine(), Mine(sys.stdout)]
            @thread
            def t(self):
                for each in self.streams[:2]:
                    each.write("a")
                for each in self.streams[2:]:
                    each.emit(logging.makeLogRecord({"msg": "b"}))
    """
    with redirect_stdout(sys.stderr):
        assert verdict(tmp_path, source) == "verified"
    assert capfd.readouterr() == ("", "")


def test_what_is_written_is_written_piece_by_piece(tmp_path: Path) -> None:
    file = tmp_path / "script.py"
    file.write_text(
        "import sys, threading\n"
        "def work(i):\n    sys.stdout.write(f'{i}')\n    sys.stdout.write(f'{i}')\n"
        "threads = [threading.Thread(target=work, args=(i,)) for i in range(2)]\n"
        "for each in threads:\n    each.start()\n"
    )
    for engine in ("reference", "native"):
        (result,) = check(file, engine=engine).models
        assert result.interleavings is not None
        found = {str(dict(each.state)["print"]) for each in result.interleavings.outcomes}
        assert found == {f"'{text}'" for text in ("0011", "0101", "0110", "1001", "1010", "1100")}


def test_nothing_is_printed_in_a_model(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    source = """
        import pprint, sys
        class M(Model):
            n = 0
            @thread
            def t(self):
                self.n += 1
                pprint.pprint(self.n)
                sys.stdout.write("a")
            @postcondition
            def all(self):
                pprint.pprint(self.n)
                return self.n == WANTED
    """
    assert verdict(tmp_path, source.replace("WANTED", "1")) == "verified"
    assert verdict(tmp_path, source.replace("WANTED", "2")) == "postcondition"
    assert capfd.readouterr() == ("", "")


REFUSED = {
    "bytes": ("sys.stdout.buffer.write(b'a')", "buffer of sys.stdout"),
    "a text of how the code is run": (
        "traceback.print_exc(file=sys.stdout)", r"print_exc\(\) is given a file"
    ),
    "the first one": ("sys.__stdout__.write('a')", "write has no modelled counterpart"),
}  # fmt: skip


@pytest.mark.parametrize("what", REFUSED)
def test_what_streams_cannot_do(what: str, tmp_path: Path) -> None:
    body, words = REFUSED[what]
    file = tmp_path / "script.py"
    file.write_text(HEAD + textwrap.indent(body, "    ") + TAIL)
    with pytest.raises(InterleaveError, match=words):
        check(file)
