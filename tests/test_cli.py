"""The command line, run as a user runs it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner, Result

from interleave.cli import main
from interleave.report import formats
from interleave.report.formats import Writer

COUNTER = """
    from interleave import Model, param, thread

    class Counter(Model):
        N = param(2)
        counter = 0

        @thread(N)
        def increment(self):
            temp = self.counter
            self.counter = temp + 1
"""
SAFE = """
    import threading
    from interleave import Model, thread

    class Safe(Model):
        lock = threading.Lock()
        counter = 0

        @thread(2)
        def increment(self):
            with self.lock:
                self.counter += 1
"""
GROWS = """
    from interleave import Model, expect, nothing, thread

    class Grows(Model):
        n = 0

        @thread
        def up(self):
            while True:
                self.n += 1
"""


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)

    def write(text: str, name: str = "model.py") -> str:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text), encoding="utf-8")
        return name

    return write


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, list(arguments), catch_exceptions=False)


def process(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", "from interleave.cli import main; main()", *arguments],
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
        check=False,
    )


# Verdicts and exit codes


def test_a_violation_is_exit_code_1_and_is_told_in_full(write) -> None:
    result = run("check", write(COUNTER))
    assert result.exit_code == 1
    assert result.output == textwrap.dedent("""\
        Counter: violated - lost-update on counter
        model.py, runtime free-threaded, N=2

        lost-update: increment[0] wrote counter at step 4 from the value it read at step 1, and so wrote 1,
          the value that was there already; the write of increment[1] at step 3 is lost

        At the start: counter = 0

           increment[0]             increment[1]             what it did
        ────────────────────────────────────────────────────────────────────────────────────────
        1  temp = self.counter                               read 0                 ← stale read
        2                           temp = self.counter      read 0
        3                           self.counter = temp + 1  counter: 0 → 1         ← lost write
        4  self.counter = temp + 1                           counter: 1, unchanged  ← overwrites

        12 states, 14 transitions, the farthest state 4 steps away
        6 interleavings, 4 of which meet a violation
          counter = 1: in 4 of 6
          counter = 2: in 2 of 6
        """)


def test_verified_is_exit_code_0(write) -> None:
    result = run("check", write(SAFE))
    assert result.exit_code == 0
    assert result.output.startswith("Safe: verified\n")


def test_a_limit_is_exit_code_3_and_never_verified(write) -> None:
    name = write(GROWS)
    for options in (["--max-states", "50"], ["--max-seconds", "0.2"]):
        result = run("check", name, *options)
        assert result.exit_code == 3
        assert result.output.startswith(
            "Grows: inconclusive - incomplete search: reached the limit"
        )


def test_max_states_cuts_at_the_same_place_in_every_engine(write) -> None:
    name = write(COUNTER)
    outputs = {
        run("check", name, "-p", "N=3", "--max-states", "20", "--engine", engine).output
        for engine in ("auto", "reference")
    }
    assert len(outputs) == 1
    assert "20 states" in outputs.pop()


@pytest.mark.parametrize(
    ("expectation", "options", "code", "first_line"),
    [
        ('"lost-update"', [], 0, "Counter: violated as expected - lost-update on counter"),
        (
            "nothing",
            [],
            1,
            "Counter: not as expected - expected nothing, found lost-update on counter",
        ),
        (
            '"deadlock"',
            [],
            1,
            "Counter: not as expected - expected deadlock, found lost-update on counter",
        ),
        (
            '"lost-update"',
            ["--max-states", "5"],
            3,
            "Counter: inconclusive - expected lost-update, found nothing so far - "
            "incomplete search: reached the limit of 5 states",
        ),
        (
            '"lost-update"',
            ["--fail-fast", "-p", "N=3"],
            0,
            "Counter: violated as expected - lost-update on counter - "
            "incomplete search: stopped at the first violation",
        ),
    ],
)
def test_expectations(write, expectation, options, code, first_line) -> None:
    text = COUNTER.replace("class Counter", f"@expect({expectation})\n    class Counter")
    name = write(text.replace("import Model", "import expect, nothing, Model"))
    result = run("check", name, *options)
    assert result.output.splitlines()[0] == first_line
    assert result.exit_code == code


def test_expecting_what_is_not_there_is_exit_code_1(write) -> None:
    text = SAFE.replace("class Safe", '@expect("lost-update")\n    class Safe')
    result = run("check", write(text.replace("import Model", "import expect, Model")), "-q")
    assert result.output == "Safe: not as expected - expected lost-update, found nothing\n"
    assert result.exit_code == 1


def test_interrupted_is_exit_code_3_with_what_was_found(write) -> None:
    write(GROWS + "    open('loaded', 'w').close()\n")
    with subprocess.Popen(
        [sys.executable, "-c", "from interleave.cli import main; main()", "check", "model.py"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as child:
        try:
            patience = time.monotonic() + 60
            while not Path("loaded").exists() and time.monotonic() < patience:
                time.sleep(0.1)
            time.sleep(1)
            child.send_signal(signal.SIGINT)
            output, errors = child.communicate(timeout=30)
        finally:
            child.kill()
    assert output.startswith("Grows: inconclusive - incomplete search: interrupted\n")
    assert " states, " in output
    assert errors == ""
    assert child.returncode == 3


# Several files, choosing, parameters


def test_folders_are_searched_and_helpers_passed_over(write) -> None:
    write(COUNTER, "models/a/counter.py")
    write(SAFE, "models/safe.py")
    write("VALUE = 1", "models/helper.py")
    result = run("check", "models", "--quiet")
    assert result.output.splitlines() == [
        "Counter: violated - lost-update on counter",
        "Safe: verified",
        "1 of 2 models pass",
    ]
    assert result.exit_code == 1
    assert run("check", "models", "-m", "Safe", "-q").output == "Safe: verified\n"


def test_parameters(write) -> None:
    name = write(COUNTER)
    assert "59 states, 99 transitions" in run("check", name, "-p", "N=3").output
    assert "N=3" in run("check", name, "--param", "N=3").output


# Bad usage: a clear message, exit code 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere.py"], "there is no file nowhere.py"),
        (
            ["model.py", "-m", "Other"],
            "there is no model 'Other'\n  remedy: the models are Counter",
        ),
        (["model.py", "-p", "M=1"], "there is no parameter 'M'\n  remedy: the parameters are N"),
        (["model.py", "-p", "N=x"], "parameter N of Counter cannot be 'x': it is an int"),
        (["model.py", "-p", "N=2.5"], "parameter N of Counter cannot be 2.5: it is an int"),
        (["model.py", "-p", "N"], "'N' is not of the form NAME=VALUE"),
        (["model.py", "-p", "N=-1"], "thread increment has -1 instances"),
        (["model.py", "--runtime", "jvm"], "there is no runtime 'jvm'"),
        (["model.py", "--max-states", "0"], "0 is not in the range x>=1"),
        (["model.py", "--diagram", "x.bmp"], "no diagram format has the suffix '.bmp' of x.bmp"),
        (["model.py", "--engine", "warp"], "'warp' is not one of"),
        (["empty"], "there is no Python file in folder empty"),
        ([], "Missing argument 'PATH...'"),
    ],
)
def test_bad_usage(write, tmp_path, arguments, message) -> None:
    write(COUNTER)
    (tmp_path / "empty").mkdir()
    result = run("check", *arguments)
    assert result.exit_code == 2
    assert message in result.output
    assert "Traceback" not in result.output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["model.py"], "Did you mean 'interleave check model.py'?"),
        (["./model.py", "-q"], "Did you mean 'interleave check ./model.py'?"),
        (["folder", "--quiet"], "Did you mean 'interleave check folder'?"),
        (["model"], "Did you mean 'interleave check model'?"),
        (["package.model"], "Did you mean 'interleave check package.model'?"),
        (["nowhere.py"], "Did you mean 'interleave check nowhere.py'?"),
        (["-q", "model.py"], "Options come after the command: interleave check PATH... -q"),
        (["--model", "A", "model.py"], "after the command: interleave check PATH... --model"),
        (["chekc", "model.py"], "Did you mean 'check'?"),
    ],
)
def test_a_command_that_was_forgotten(write, tmp_path, arguments, message) -> None:
    write(COUNTER)
    (tmp_path / "folder").mkdir()
    result = run(*arguments)
    assert result.exit_code == 2
    assert message in result.output


@pytest.mark.parametrize(
    ("counts", "options", "message"),
    [
        (["N"], ["-p", "N=0"], "model M has no threads: t0 has N=0 instances\n"),
        (["N", "K"], ["-p", "N=0"], "t0 has N=0, t1 has K=0 instances\n"),
        (["K", "N", "K"], ["-p", "N=0"], "t0 has K=0, t1 has N=0, t2 has K=0 instances\n"),
    ],
)
@pytest.mark.parametrize("kind", ["thread", "process"])
def test_threads_of_which_there_are_none(write, kind, counts, options, message) -> None:
    text = (
        "from interleave import *\nclass M(Model):\n    N = param(2)\n    K = param(0)\n    x = 0\n"
    )
    for number, count in enumerate(counts):
        text += f"    @{kind}({count})\n    def t{number}(self): self.x += 1\n"
    result = run("check", write(text), *options)
    assert result.exit_code == 2
    assert message in result.output
    assert f"\n  remedy: let {' or '.join(dict.fromkeys(counts))} be 1 or more\n" in result.output


@pytest.mark.parametrize(
    "module", ["interleave.starting", "click", "interleave.errors", "interleave.cli"]
)
def test_interrupted_while_it_starts(write, module: str) -> None:
    code = f"""
import os, signal, sys

class Interrupting:
    def find_spec(self, name, path=None, target=None):
        if name == {module!r}:
            os.kill(os.getpid(), signal.SIGINT)

from interleave.__main__ import run
sys.meta_path.insert(0, Interrupting())
run()
"""
    found = subprocess.run(
        [sys.executable, "-c", code, "check", write(SAFE), "-q"], capture_output=True, text=True
    )
    is_too_late = module == "interleave.starting"
    expected = (0, "Safe: verified\n", "") if is_too_late else (3, "", "interrupted\n")
    assert (found.returncode, found.stdout, found.stderr) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "def f(:\n  pass",
            "model.py:1:7: syntax error: invalid syntax\n    1 | def f(:\n      |       ^",
        ),
        (
            "import interleave\n1 / 0",
            "model.py:2: the file raises ZeroDivisionError: division by zero",
        ),
        ("import interleave, nothing_of_the_kind", "the file raises ModuleNotFoundError"),
        ("import interleave\nexit(3)", "the file raises SystemExit: 3"),
        ("x = 1", "there is no model in model.py"),
        (
            "from interleave import Model\nclass Empty(Model):\n    x = 0",
            "model.py:2: model Empty has no threads",
        ),
        (
            "from interleave import *\nclass M(Model):\n    N = param(2)\n    xs = [0] * N",
            "model.py:4: a parameter has no value yet in the class body",
        ),
        (
            "from interleave import *\nclass M(Model):\n    N = param(2)\n    xs = range(N)",
            "model.py:4: a parameter has no value yet in the class body",
        ),
        (
            "from interleave import *\n@expect('lost update')\nclass M(Model): pass",
            "model.py:2: @expect('lost update'): there is no such kind of violation",
        ),
        (
            "from interleave import *\nclass M(Model):\n    @thread(2.5)\n    def t(self): pass",
            "model.py:3: @thread(2.5): the number of instances must be a whole number",
        ),
        (
            "from interleave import *\nclass M(Model):\n    @thread\n    def t(self, a, b): pass",
            "thread t must take `self`, or `self` and its instance index",
        ),
        (
            "from interleave import *\nclass M(Model):\n    x = 0\n    @thread\n    def t(self): self.x = 1\n"
            "    def setup(self):\n        self.x = 1 / 0",
            "model.py:7: setup raises ZeroDivisionError: division by zero",
        ),
    ],
)
def test_bad_files(write, text, message) -> None:
    result = run("check", write(text))
    assert result.exit_code == 2
    assert message in result.output
    assert "Traceback" not in result.output


def test_a_defect_of_interleave_never_looks_like_a_violation(write, monkeypatch) -> None:
    import interleave.report.text

    def broken(*_: object, **__: object) -> str:
        raise RuntimeError("broken")

    monkeypatch.setattr(interleave.report.text, "render_text", broken)
    result = run("check", write(COUNTER))
    assert result.exit_code == 4
    assert "RuntimeError: broken" in result.output
    assert "this is a defect of interleave, not of your model" in result.output


# Formats


def test_json(write) -> None:
    result = run("check", write(COUNTER), "--format", "json")
    document = json.loads(result.output)
    assert document["schema"] == 1
    assert document["exit_code"] == result.exit_code == 1
    (model,) = document["models"]
    assert (model["model"], model["file"], model["runtime"]) == (
        "Counter",
        "model.py",
        "free-threaded",
    )
    assert (model["verdict"], model["expected"], model["complete"]) == ("violated", None, True)
    assert (model["states"], model["transitions"], model["depth"]) == (12, 14, 4)
    assert model["parameters"] == {"N": 2}
    (violation,) = model["violations"]
    assert violation["kind"] == "lost-update"
    assert violation["location"] == "counter"
    assert violation["threads"] == ["increment[0]", "increment[1]"]
    assert [step["thread"][-2] for step in violation["trace"]] == ["0", "1", "1", "0"]
    first, *_, last = violation["trace"]
    assert first["access"] == {"kind": "read", "location": "counter"}
    assert first["source"] == {"file": "model.py", "line": 10, "text": "temp = self.counter"}
    assert last["changes"] == {"counter": [1, 1]}


def test_reports_do_not_depend_on_the_hash_seed(write) -> None:
    write(COUNTER.replace("param(2)", "param(3)"))
    for format_ in ("text", "json"):
        outputs = {
            process("check", "model.py", "--format", format_, PYTHONHASHSEED=seed).stdout
            for seed in ("0", "1", "2", "3")
        }
        assert len(outputs) == 1


def test_stats_go_to_standard_error(write) -> None:
    found = process("check", write(SAFE), "-q", "--stats")
    assert found.stdout == "Safe: verified\n"
    assert "Safe: engine python: search" in found.stderr


def test_colour_only_where_it_is_wanted(write) -> None:
    found = process("check", write(COUNTER), NO_COLOR="1")
    assert "\x1b" not in found.stdout


@pytest.mark.parametrize("suffix", [".dot", ".gv", ".svg", ".png", ".pdf"])
def test_diagrams(write, tmp_path, suffix) -> None:
    result = run("check", write(COUNTER), "--diagram", f"out{suffix}")
    assert result.exit_code == 1
    assert f"Counter, lost-update: drawn to out{suffix}" in result.output
    data = (tmp_path / f"out{suffix}").read_bytes()
    if suffix == ".svg":
        assert "temp = self.counter" in "".join(ElementTree.fromstring(data).itertext())
    else:
        start = {".png": b"\x89PNG", ".pdf": b"%PDF"}.get(suffix, b"digraph")
        assert data.lstrip(b"// \n").startswith(start)


def test_nothing_to_draw_is_said(write, tmp_path) -> None:
    result = run("check", write(SAFE), "--diagram", "out.svg")
    assert "no counterexample to draw" in result.output
    assert not (tmp_path / "out.svg").exists()


# steps


def test_steps(write) -> None:
    assert run("steps", write(COUNTER)).output == textwrap.dedent("""\
        Counter

        thread increment (2 instances)
          1  read counter   line 10  temp = self.counter
          2  write counter  line 11  self.counter = temp + 1
        """)


def test_starting_is_light() -> None:
    """Neither numpy nor networkx nor graphviz is imported for a check, nor much for a model file."""
    code = "import sys, interleave; print(sorted(m for m in sys.modules if m.startswith('interleave')))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "interleave.checking" not in found.stdout
    code = (
        "import sys\nfrom interleave.cli import main\n"
        "try: main(['check', 'model.py'])\nexcept SystemExit: pass\n"
        "print([m for m in ('numpy', 'networkx', 'graphviz', 'rich') if m in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.endswith("[]\n")


def test_steps_call_what_threads_make_by_its_names(write) -> None:
    file = write("""
        from concurrent.futures import ThreadPoolExecutor
        from interleave import Model, thread

        class Pools(Model):
            def job(self):
                pass

            @thread
            def t(self):
                with ThreadPoolExecutor(1) as pool:
                    job = pool.submit(self.job)
                    job.result()
        """)
    output = run("steps", file).output
    assert "submit pool" in output
    assert "result job" in output
    assert "shutdown pool" in output
    assert "t#" not in output


def test_the_help_lists_a_format_that_a_file_brings(monkeypatch) -> None:
    brought = Writer("lines", "one_line", "a line for each model")
    monkeypatch.setitem(formats.RESULTS, "lines", brought)
    shown = CliRunner().invoke(main, ["check", "--help"]).output
    assert "[text|timeline|json|lines]" in shown
