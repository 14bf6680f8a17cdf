"""How a run ends: by a signal, by a limit, or by what a model file does that none should do."""

from __future__ import annotations

import builtins
import gc
import io
import json
import linecache
import os
import random
import signal
import subprocess
import sys
import textwrap
import threading
import time
import types
from collections.abc import Callable, Iterator
from contextlib import (
    AbstractContextManager,
    _GeneratorContextManager,
    contextmanager,
    redirect_stderr,
    redirect_stdout,
)
from dataclasses import replace
from pathlib import Path
from typing import Any

import broken_files
import pytest
from click.testing import CliRunner, Result

import interleave
from interleave import ModelError, cli, interrupts, loading
from interleave.checking import collecting_seldom
from interleave.cli import main
from interleave.compiler.imports import importing_beside
from interleave.descendants import descendants, end_all
from interleave.engine import resources
from interleave.memory.port import is_code_of_a_model_running, using_port
from interleave.stategraph import explore
from interleave.stdlib.threads import starting_nothing
from interleave.world import policy
from interleave.world.findings import Findings
from interleave.world.net import Net, watching
from interleave.world.replaced import replaced

COUNTER = """
from interleave import Model, thread

class Counter(Model):
    counter = 0

    @thread(2)
    def increment(self):
        self.counter += 1
"""

ANYTHING = """
import threading
from interleave import Model, choose, invariant, thread
{header}

class Anything(Model):
    x = 0
    y = None
    lock = threading.Lock()

    def setup(self):
        {setup}

    @thread(2)
    def step(self):
        self.x += 1
        {step}

    @invariant
    def holds(self):
        {holds}
        return self.x < 2
"""


def anything(header: str = "", setup: str = "", step: str = "", holds: str = "") -> str:
    """A model in which something is done in a place of it. It has a lost update."""

    def inside(text: str, depth: int = 8) -> str:
        return textwrap.indent(text or "pass", depth * " ").strip()

    return ANYTHING.format(
        header=header, setup=inside(setup), step=inside(step), holds=inside(holds)
    )


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    monkeypatch.chdir(tmp_path)

    def write(text: str, name: str = "model.py") -> str:
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text(textwrap.dedent(text))
        return name

    return write


def run(*arguments: str) -> Result:
    found = CliRunner().invoke(main, arguments)
    assert found.exit_code in (0, 1, 2, 3), found.stderr
    assert "Traceback" not in found.stdout + found.stderr
    return found


def process(*arguments: str, before: str = "", **options: Any) -> subprocess.CompletedProcess[str]:
    """The command in a process of its own."""
    code = f"import interleave.watchdog\n{before}\nfrom interleave.__main__ import run; run()"
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        **{"capture_output": True, "text": True, "check": False, "timeout": 60, **options},
    )


# Signals


PHASES = {
    "import": (anything("for i in range(50_000): pass"), ["check"]),
    "setup": (anything(setup="for i in range(50_000): pass"), ["check", "-q"]),
    "property": (anything(holds="for i in range(2_000): pass"), ["check", "-q"]),
    "choose": (anything(setup="self.y = choose(range(30))"), ["check"]),
    "drawing": (anything(), ["check", "--diagram", "found.dot", "--format", "json"]),
    "graph": (anything(step="self.y = choose(range(3))"), ["graph", "-o", "graph.dot", "--full"]),
}


@pytest.fixture
def alarm(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Have a signal come some seconds after the options were read, wherever the process then is."""

    def arrange(seconds: float) -> None:
        @contextmanager
        def listening(*signals: int) -> Iterator[None]:
            with interrupts.listening(*signals):
                signal.signal(signal.SIGALRM, signal.getsignal(signal.SIGINT))
                signal.setitimer(signal.ITIMER_REAL, seconds)
                yield

        monkeypatch.setattr(cli, "listening", listening)

    return arrange


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="there is no such timer")
@pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning")  # cut while it was opened
@pytest.mark.parametrize("phase", PHASES)
def test_at_any_moment(write, alarm, phase: str) -> None:
    text, (command, *options) = PHASES[phase]
    arguments = [command, write(text), *options]
    run(*arguments)
    started = time.perf_counter()
    whole = run(*arguments)
    seconds = time.perf_counter() - started
    draw = random.Random(phase)
    codes = []
    for _ in range(17):
        alarm(draw.uniform(0.0005, seconds))
        cut = run(*arguments)
        codes.append(cut.exit_code)
        told = cut.stdout + cut.stderr
        assert "interrupted" in told or cut.exit_code == whole.exit_code
        assert "Anything: " in told or '"models": [' in told or cut.stderr == "interrupted\n"
        assert "ignored" not in told
        if "json" in options:
            json.loads(cut.stdout)
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
        assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
        assert interrupts.where_left() == interrupts.ANYWHERE
        assert sys.getprofile() is None
        assert not is_code_of_a_model_running()
    assert {*codes} <= {whole.exit_code, 1, 3}


WITH = [getattr(_GeneratorContextManager, name).__code__ for name in ("__enter__", "__exit__")]
CLOCKS = types.ModuleType("clocks")
CLOCKS.clock = time.time  # type: ignore[attr-defined]

PUT_BACK: dict[str, Callable[[], AbstractContextManager[Any]]] = {
    "the port": lambda: using_port(object()),  # type: ignore[arg-type]
    "what looks on": lambda: watching(Net(Findings()), pytest.fail),
    "clocks": lambda: replaced({id(time.time): len}),
    "what is pure": lambda: policy.assuming(policy.Assumed(("math",))),
    "threads": starting_nothing,
    "where modules are": lambda: importing_beside({"__file__": __file__}),
    "where files are": lambda: loading._importing_from(Path("there")),
    "the process": loading._kept_out_of_the_process,
    "the collector": collecting_seldom,
}
"""What is changed in the process for a while."""


def of_the_process() -> list[Any]:
    return [
        is_code_of_a_model_running(),
        (sys.getprofile(), gc.isenabled(), gc.get_threshold()),
        ({**vars(CLOCKS)}, policy.assumed(), [*sys.path]),
        (threading.Thread.start, threading.Thread.join, threading.Thread.is_alive),
        (os._exit, os.fork, sys.setrecursionlimit, sys.getrecursionlimit(), Path.cwd()),
        (sys.stdout, signal.getsignal(signal.SIGINT)),
    ]


@pytest.mark.parametrize("changed", PUT_BACK)
def test_nothing_of_the_process_is_left_changed(
    changed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A signal comes at an instruction of what changes it, or puts it back."""
    only = types.SimpleNamespace(modules={CLOCKS.__name__: CLOCKS})
    monkeypatch.setattr("interleave.world.replaced.sys", only)
    package = str(Path(interleave.__file__).parent)
    usual = of_the_process()
    left = 0

    def on_event(frame: types.FrameType, event: str, _: Any) -> Any:
        nonlocal left
        ours = frame.f_code.co_filename.startswith(package) or frame.f_code in WITH
        if not ours or frame.f_code.co_filename == interrupts.__file__:
            return None
        frame.f_trace_opcodes = True
        left -= event == "opcode"
        if event == "opcode" and left == 0:
            interrupts._outside.on_signal(signal.SIGINT, frame)
        return on_event

    def entered_and_left(signal_at: int) -> int:
        nonlocal left
        context, left = PUT_BACK[changed](), signal_at
        usual_trace = sys.gettrace()
        sys.settrace(on_event)
        try:
            with context:
                pass
        except interrupts.Interrupted:
            pass
        finally:
            sys.settrace(usual_trace)
        interrupts.take()
        assert of_the_process() == usual
        return signal_at - left

    instructions = entered_and_left(10**9)
    for moment in range(1, instructions, max(instructions // 200, 1)):
        entered_and_left(moment)


def test_a_signal_that_the_model_swallows_is_not_lost(write) -> None:
    inside = (
        "import signal\ntry:\n    signal.raise_signal(signal.SIGTERM)\nexcept BaseException: pass"
    )
    cut = run("check", write(f"{inside}\n{COUNTER}"), "-q")
    assert (cut.exit_code, cut.stderr) == (3, "interrupted\n")


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such signals to send")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_to_the_process(write, number: int) -> None:
    there, waits = "open('there', 'w').close()", "self.lock.acquire(); self.lock.acquire()"
    code = "from interleave.cli import main; main()"
    command = [sys.executable, "-c", code, "check", write(anything(there, setup=waits)), "-q"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as child:
        try:
            patience = time.monotonic() + 60
            while not Path("there").exists() and time.monotonic() < patience:
                time.sleep(0.01)
            time.sleep(0.5)  # it is in setup by then
            child.send_signal(number)
            output, errors = child.communicate(timeout=60)
        finally:
            child.kill()
    assert (output, errors) == ("Anything: inconclusive - incomplete search: interrupted\n", "")
    assert child.returncode == 3


HANDLES = {
    "ignores": "signal.signal(each, signal.SIG_IGN)",
    "handles": "signal.signal(each, lambda *_: None)",
    "default": "signal.signal(each, signal.SIG_DFL)",
    "blocks": "signal.pthread_sigmask(signal.SIG_BLOCK, [each])",
    "timer": "signal.setitimer(signal.ITIMER_REAL, 0)",
}


@pytest.mark.skipif(not hasattr(signal, "pthread_sigmask"), reason="there is no such mask")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("handles", HANDLES)
def test_what_a_file_does_to_signals_is_undone(write, handles: str, number: int) -> None:
    header = (
        "import signal\nfor each in (signal.SIGINT, signal.SIGTERM, signal.SIGALRM): "
        f"{HANDLES[handles]}"
    )
    sends = "send = __import__('_signal').raise_signal"
    text = anything(f"{header}\n{sends}", holds=f"send({number:d})\nwhile True: pass")
    Path("pyproject.toml").write_text("[tool.interleave]\npure = ['_signal.raise_signal']")
    found = run("check", write(text), "-q")
    assert (found.exit_code, found.stderr) == (3, "")
    assert "interrupted" in found.stdout
    assert signal.getsignal(signal.SIGALRM) == signal.SIG_DFL
    assert not signal.pthread_sigmask(signal.SIG_BLOCK, ())


def test_a_handler_that_is_set_while_a_file_is_imported(write) -> None:
    header = (
        "import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "while signal.getsignal(signal.SIGTERM) == signal.SIG_IGN: pass\n"
        "signal.raise_signal(signal.SIGTERM)\nwhile True: pass"
    )
    found = run("check", write(anything(header)))
    assert (found.exit_code, found.stderr) == (3, "interrupted\n")


def test_the_graph_of_an_interrupted_search_is_written_soon_or_not_at_all(
    write, monkeypatch
) -> None:
    found = explore(write(COUNTER))
    cut = replace(found.result, interrupted=True, complete=False, limit="interrupted")
    monkeypatch.setattr(found, "result", cut)
    monkeypatch.setattr("interleave.stategraph.explore", lambda *_, **__: found)
    assert run("graph", "model.py", "-o", "found.json").exit_code == 3
    assert Path("found.json").exists()

    def endless(*_: object, **__: object) -> str:
        while True:
            pass

    monkeypatch.setattr(cli, "AFTER_INTERRUPT", 0.05)
    monkeypatch.setattr("interleave.report.graph.write_graph", endless)
    told = run("graph", "model.py", "-o", "found.json")
    assert told.exit_code == 3
    assert "not written to found.json: reached the limit of 0.05 seconds" in told.stderr


# Code that does not come back


PLACES = ("setup", "step", "holds")
ENDLESS = {
    "loop": "while True: pass",
    "calls": "for i in iter(int, 1): (lambda: 1)()",
    "swallows": "while True:\n    try: len('')\n    except: pass",
    "generator": "any(x for x in iter(int, 1))",
}


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have few instructions, in little time, be too many."""
    monkeypatch.setattr(interrupts, "TICK", 0.005)
    monkeypatch.setattr(interrupts, "FEW_INSTRUCTIONS", 500)
    monkeypatch.setattr(interrupts, "MOST_INSTRUCTIONS", 20_000)


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("endless", ENDLESS)
def test_code_that_does_not_come_back_is_ended(write, impatient, place: str, endless: str) -> None:
    text = anything(**{place: ENDLESS[endless]})
    if place == "step":  # statements of a thread are run one by one: in one of them
        text = anything("def endless():\n    " + ENDLESS[endless].replace("\n", "\n    "))
        text = text.replace("self.x += 1\n", "self.x += 1; sorted([1], key=lambda _: endless())\n")
    seconds = "0.3" if endless == "swallows" else "20"
    found = run("check", write(text), "--max-seconds", seconds)
    if endless == "swallows":  # every exception: so the time ends it
        assert found.exit_code == 3
        return
    if place == "step":
        assert found.exit_code == 2
        return
    assert "runs more than 20,000 instructions: it does not come back" in found.stderr
    assert found.exit_code == 2
    assert run("check", "model.py").stderr == found.stderr  # with the same line


def test_code_that_takes_long_is_begun_again_and_does_the_same(
    write, monkeypatch, impatient
) -> None:
    name = write(anything(setup="self.y = sum([i for i in range(200_000)])"))
    monkeypatch.setattr(interrupts, "FEW_INSTRUCTIONS", 10**9)
    monkeypatch.setattr(interrupts, "MOST_INSTRUCTIONS", 10**9)
    quick = run("check", name)
    monkeypatch.setattr(interrupts, "FEW_INSTRUCTIONS", 100)
    assert run("check", name).output == quick.output


MUTE = """
from dataclasses import dataclass
from interleave import Model, thread

class Error(Exception):
    {exception}

@dataclass(frozen=True)
class Value:
    n: int
    {value}

class Mutes(Model):
    value = Value(0)
    values = {{{key}: [Value(1)]}}

    @thread(2)
    def step(self):
        self.value = Value(self.value.n + 1)
        self.values[{key}] = self.value
        {ends}
"""
SAYS = "def {name}(self, *_):\n        {does}"
DOES = {"endless": "while True: pass", "raises": "raise SystemExit(0)", "a number": "return 5"}
SAID = {
    "exception": ("exception", "__str__", "raise Error()"),
    "message": ("value", "__str__", "assert False, Value(0)"),
    "value": ("value", "__repr__", "pass"),
}


@pytest.mark.parametrize("does", DOES)
@pytest.mark.parametrize("said", SAID)
@pytest.mark.parametrize("command", [("check", "-v"), ("check", "--format", "json"), ("graph",)])
def test_what_cannot_be_said_is_left_out(write, impatient, does, said, command) -> None:
    where, name, ends = SAID[said]
    methods = dict.fromkeys(["exception", "value"], "pass")
    methods[where] = SAYS.format(name=name, does=DOES[does])
    drawn = ("-o", "drawn.svg") if command == ("graph",) else ("--diagram", "drawn.svg")
    found = run(*command, write(MUTE.format(**methods, ends=ends, key="Value(5)")), *drawn)
    assert found.exit_code == (0 if command == ("graph",) else 1)
    told = found.stdout + Path("drawn.svg").read_text()
    assert "<Value>" in told.replace("&lt;", "<").replace("&gt;", ">") or said != "value"
    if said != "value" and command != ("graph",):
        assert "<its text cannot be had>" in found.stdout


@pytest.mark.slow
def test_what_is_said_may_be_interrupted(write, alarm) -> None:
    alarm(2)
    says = SAYS.format(name="__repr__", does=DOES["endless"])
    found = run("check", write(MUTE.format(exception="pass", value=says, ends="pass", key="5")))
    assert found.exit_code in (1, 3)  # by what was known by then
    assert "interrupted" in found.output
    assert "value: <Value> → <Value>" in found.stdout


@pytest.mark.parametrize(
    "text",
    [
        anything("import itertools\nfor _ in itertools.count(): pass"),
        anything(setup="self.lock.acquire(); self.lock.acquire()"),
        anything(setup="import threading; threading.Event().wait(60)"),
        anything(setup="while True: pass"),
        anything(setup="self.y = choose(range(100_000))"),
        anything(holds="while True: pass"),
        anything(step="self.y = choose(range(90_000))"),
    ],
)
@pytest.mark.parametrize("command", [("check", "-q"), ("graph", "-o", "graph.json"), ("steps",)])
def test_max_seconds_bound_every_phase(write, text: str, command: tuple[str, ...]) -> None:
    started = time.monotonic()
    found = run(*command, write(text), "--max-seconds", "0.1")
    assert time.monotonic() - started < 10
    if command == ("steps",):  # which asks no property
        assert found.exit_code in (0, 3)
    else:
        assert found.exit_code == 3
        assert "0.1 seconds" in found.output


HURRY = "interleave.watchdog.PATIENCE = 0.2"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no process to look on")
@pytest.mark.parametrize("place", ["header", *PLACES])
def test_code_in_c_is_ended_from_outside(write, place: str) -> None:
    write(COUNTER, "first.py")
    write(anything(**{place: "sum(range(10**12))"}))
    arguments = ["check", "first.py", "model.py", "--max-seconds", "0.3"]
    done = process(*arguments, "-q", before=HURRY)
    if place == "header":
        assert (done.stdout, done.returncode) == ("", 3)
        assert done.stderr.startswith("interrupted: to import a model file took too long")
        return
    first, second = done.stdout.splitlines()
    assert first == "Counter: violated - lost-update on counter"
    assert second.startswith("Anything: inconclusive - incomplete search: code of the model took")
    assert (done.stderr, done.returncode) == ("", 1)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no process to look on")
@pytest.mark.parametrize(
    ("exit_code", "ignored"),
    [(1, ["SIGHUP"]), (2, []), (3, ["SIGHUP", "SIGINT", "SIGQUIT"])],
    ids=["by nohup", "nobody's", "in a script"],
)
def test_whatever_signals_are_ignored_the_end_is_as_soon_and_has_its_exit_code(
    write, exit_code: int, ignored: list[str]
) -> None:
    """And goes on ignoring them: such signals come first."""
    write(
        {1: COUNTER, 2: "1 / 0", 3: COUNTER.replace("@thread(2)", "@thread")}[exit_code], "first.py"
    )
    come = f"import os, signal\nfor each in {ignored}: os.kill(os.getpid(), getattr(signal, each))"
    write(anything(come, "sum(range(10**12))"))
    before = f"import signal\nfor each in {ignored}:\n"
    before += "    signal.signal(getattr(signal, each), signal.SIG_IGN)\n"
    started = time.monotonic()
    arguments = ["check", "first.py", "model.py", "--max-seconds", "0.3", "-q"]
    done = process(*arguments, before=before + HURRY)
    assert "Anything: inconclusive" in done.stdout
    assert (done.returncode, time.monotonic() - started < 10) == (exit_code, True)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no process to look on")
@pytest.mark.parametrize(
    ("place", "number", "command"),
    [
        ("header", signal.SIGINT, ["check"]),
        ("setup", signal.SIGTERM, ["check"]),
        ("step", signal.SIGINT, ["check"]),
        ("holds", signal.SIGINT, ["check"]),
        ("setup", signal.SIGINT, ["graph", "-o", "graph.dot", "-m", "Anything"]),
        ("header", signal.SIGINT, ["steps"]),
    ],
)
def test_code_in_c_is_interrupted_from_outside(
    write, place: str, number: int, command: list[str]
) -> None:
    """The handler of the signal, which is Python code, never comes to run."""
    text = anything(**{place: "sum(range(10**12))"})
    write(COUNTER.replace("from", "import sys\nfrom") + "print('begun', file=sys.stderr)\n" + text)
    code = f"import interleave.watchdog\n{HURRY}\nfrom interleave.__main__ import run; run()"
    arguments = [*command, "model.py", *(["-q"] if command == ["check"] else [])]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen([sys.executable, "-c", code, *arguments], **pipes) as done:
        assert done.stderr is not None
        assert done.stderr.readline() == "begun\n"
        time.sleep(0.5)
        done.send_signal(number)
        found, told = done.communicate(timeout=30)
    if place == "header" or command != ["check"]:
        assert (found, told, done.returncode) == ("", "interrupted\n", 3)
        return
    first, second = found.splitlines()
    assert first == "Counter: violated - lost-update on counter"
    assert second == "Anything: inconclusive - incomplete search: interrupted"
    assert (told, done.returncode) == ("", 1)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no process to look on")
def test_who_looks_on_ends_with_the_process_and_not_with_what_that_has_started() -> None:
    code = """
import os, signal, sys, time
from interleave.watchdog import Watchdog

Watchdog(None)
if os.fork():
    os.kill(os.getpid(), signal.SIGKILL)
print(os.getpid(), flush=True)
os.close(1)
time.sleep(30)
"""
    # Its output is open for as long as the one that looks on is there.
    done = subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, timeout=20)
    os.kill(int(done.stdout), signal.SIGKILL)
    assert done.returncode == -signal.SIGKILL


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no process to look on")
def test_what_was_known_is_json(write) -> None:
    text = anything(setup="sum(range(10**12))").replace("class A", "@expect(nothing)\nclass A")
    write(text.replace("import Model", "import expect, nothing, Model"))
    arguments = ["check", "model.py", "--format", "json", "--max-seconds", "0.3"]
    done = process(*arguments, before=HURRY)
    document = json.loads(done.stdout)
    assert (document["exit_code"], done.returncode) == (3, 3)
    assert [model["verdict"] for model in document["models"]] == ["inconclusive"]


# Memory


def test_memory_is_what_the_cgroup_leaves(monkeypatch) -> None:
    monkeypatch.setattr(resources, "installed", lambda: 8_000_000_000)
    monkeypatch.setattr(resources, "limits_of_cgroups", lambda: (10**9, 9 * 10**18))
    assert resources.available() == 10**9
    monkeypatch.setattr(resources, "resident", lambda: 9 * 10**8)
    assert resources.shortage() == "reached 0.8 GB, nearly all the memory of this machine"
    assert resources.shortage(2 * 10**9) == ""
    assert resources.shortage(5 * 10**8) == "reached the limit of 500 MB"


def test_max_memory(write) -> None:
    cut = run("check", write(COUNTER), "-q", "--max-memory", "1MB")
    assert cut.exit_code == 3
    assert cut.stdout.endswith(" - incomplete search: reached the limit of 1 MB\n")
    assert run("check", "model.py", "-q", "--max-memory", "1.5 TB").exit_code == 1
    for size in ("2XB", "-1GB", "0", "much"):
        wrong = run("check", "model.py", "--max-memory", size)
        assert (wrong.exit_code, "is no size" in wrong.stderr) == (2, True)


def test_no_more_memory_is_no_violation(write) -> None:
    found = run("check", write(anything(step="[0] * 10**16")), "-q")
    assert found.exit_code in (1, 3)  # by what is known besides
    assert "the system gave no more memory" in found.stdout


# What no model file should do


RAISES = {
    "SystemExit": "raise SystemExit(0)",
    "exit": "import sys; sys.exit()",
    "KeyboardInterrupt": "raise KeyboardInterrupt",
    "GeneratorExit": "raise GeneratorExit",
    "BaseException": "raise type('Odd', (BaseException,), {})()",
    "_exit": "__import__('os')._exit(0)",
    "fork": "__import__('os').fork()",
    "abort": "__import__('os').abort()",
    "mute": "raise type('Mute', (Exception,), {'__str__': None})()",
    "long": "raise ValueError('x' * 1_000_000)",
    "RecursionError": "f = lambda: f(); f()",
}


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("len", "builtins.len = lambda it: 0"),
        ("sorted", "builtins.sorted = len"),
        ("isinstance", "class isinstance: pass\nvars(builtins).update(isinstance=isinstance)"),
        ("dict", "builtins.dict = type('dict', (dict,), {})"),
        ("iter", "del builtins.iter"),
        ("print", "import functools\nbuiltins.print = functools.partial(print, flush=True)"),
    ],
)
def test_what_every_module_has_is_not_replaced(write, name: str, code: str) -> None:
    write(f"import builtins\n{code}\n{COUNTER}", "models/a.py")
    write(COUNTER, "models/z.py")
    real = getattr(builtins, name)
    try:
        found = run("check", "-q", "models")
        if name == "print":  # on which nothing depends
            assert (found.exit_code, found.stdout.count("Counter: violated")) == (1, 2)
            return
        assert getattr(builtins, name) is real
    finally:
        setattr(builtins, name, real)
    assert (found.exit_code, found.stdout.count("Counter: violated")) == (2, 1)
    line = code.count("\n") + 2
    assert found.stderr.startswith(f"error: models/a.py:{line}: this puts something else in the ")
    assert f"Python's own {name}, for all modules" in found.stderr


@pytest.mark.parametrize("place", ["header", "setup", "holds"])
@pytest.mark.parametrize("raises", RAISES)
def test_whatever_is_raised_is_told_and_the_others_are_checked(write, place, raises) -> None:
    write(anything(**{place: RAISES[raises]}), "models/a.py")
    write(COUNTER, "models/b.py")
    found = run("check", "models", "-q")
    assert found.exit_code == 2
    assert found.stdout.splitlines() == [
        "Counter: violated - lost-update on counter",
        "0 of 1 models pass, and 1 could not be checked",
    ]
    assert "models/a.py:" in found.stderr
    assert "interrupted" not in found.stderr
    assert len(found.stderr) < 3_000
    document = json.loads(run("check", "models", "--format", "json").stdout)
    assert (document["exit_code"], len(document["errors"])) == (2, 1)
    with pytest.raises(interleave.InterleaveError):
        interleave.check("models")


LOOKED_AT = {
    "attribute": "class E:\n    def __getattr__(self, name): raise {0}",
    "any attribute": "class E:\n    def __getattribute__(self, name): raise {0}",
    "class": "class E:\n    @property\n    def __class__(self): raise {0}",
    "metaclass": "class T(type(Model)):\n    def __getattribute__(cls, name): raise {0}\n"
    "class E(Model, metaclass=T): pass",
}


@pytest.mark.parametrize("raises", ["SystemExit(0)", "ValueError('no')", "GeneratorExit"])
@pytest.mark.parametrize("where", LOOKED_AT)
def test_what_raises_when_it_is_looked_at(write, where: str, raises: str) -> None:
    header = LOOKED_AT[where].format(raises)
    write(anything(header).replace("y = None", "y = E()"), "models/a.py")
    write(COUNTER, "models/b.py")
    found = run("check", "models", "-q")
    assert "Counter: violated - lost-update on counter" in found.stdout
    assert found.exit_code == 2 or "Anything: violated" in found.stdout
    if found.exit_code == 2:
        assert "models/a.py:" in found.stderr


@pytest.mark.parametrize("raises", ["KeyboardInterrupt", "GeneratorExit", "long"])
def test_what_leaves_a_thread_is_a_violation(write, raises: str) -> None:
    found = run("check", write(anything(step=RAISES[raises])))
    assert found.exit_code == 1
    assert "exception: step[0] is ended by " in found.stdout
    assert len(found.stdout) < 20_000


VALUES = {
    "integer": "10 ** 6000",
    "negative": "-(10 ** 20_000)",
    "text": "'x' * 1_000_000",
    "deep": "deep(5_000)",
    "rather deep": "deep(150)",
    "wide": "tuple(range(20_000))",
}


@pytest.mark.parametrize("value", VALUES)
@pytest.mark.parametrize("place", ["setup", "step"])
def test_values_of_any_size(write, value: str, place: str) -> None:
    header = (
        "def deep(depth):\n    found = ()\n    for _ in range(depth): found = (found,)\n"
        f"    return found\nVALUE = {VALUES[value]}"
    )
    name = write(anything(header, **{place: "self.y = VALUE"}))
    started = time.monotonic()
    for options in ([], ["--format", "json"], ["--diagram", "found.dot"]):
        found = run("check", name, *options)
        assert found.exit_code == 1 or (value, found.exit_code) == ("deep", 2)
        if options[-1:] == ["json"] and found.exit_code == 1:
            json.loads(found.stdout)
    assert time.monotonic() - started < 20


@pytest.mark.slow
def test_conditions_in_conditions(write) -> None:
    nested = (
        "".join(f"{' ' * depth}if self.x < 9:\n" for depth in range(20)) + " " * 20 + "self.y = 1"
    )
    assert run("check", write(anything(step=nested)), "-q").exit_code == 1


@pytest.mark.parametrize(
    "options",
    [["--max-states", "1" + 20 * "0"], ["--max-states", "1" + 20 * "0", "--engine", "native"]],
)
def test_limits_beyond_all_bounds(write, options: list[str]) -> None:
    assert run("check", write(COUNTER), "-q", *options).exit_code == 1
    assert run("check", "model.py", "--max-seconds", "nan").exit_code == 2


def test_more_workers_than_there_can_be(write) -> None:
    assert run("check", write(COUNTER), "--engine", "native", "--workers", "100000").exit_code == 1


# Files


def test_what_is_no_file_is_told_and_the_others_are_checked(write) -> None:
    write(COUNTER, "models/counter.py")
    write("VALUE = 1", "models/helper.py")
    write("def f(:", "models/wrong.py")
    Path("models/folder.py").mkdir()
    Path("models/dangling.py").symlink_to("nowhere.py")
    Path("models/loop.py").symlink_to("pool.py")
    Path("models/pool.py").symlink_to("loop.py")
    if hasattr(os, "mkfifo"):
        os.mkfifo("models/fifo.py")
    found = run("check", "models", "-q")
    assert found.exit_code == 2
    assert found.stdout.startswith("Counter: violated - lost-update on counter\n0 of 1 models pass")
    assert [line for line in found.stderr.splitlines() if line.startswith("error: ")] == [
        "error: models/dangling.py is no file that can be read",
        *(["error: models/fifo.py is no file that can be read"] if hasattr(os, "mkfifo") else []),
        "error: models/folder.py is a folder",
        "error: models/loop.py is no file that can be read",
        "error: models/pool.py is no file that can be read",
        "error: models/wrong.py:1:7: syntax error: invalid syntax",
    ]


@pytest.mark.parametrize("command", [["check"], ["steps"], ["graph", "-o", "found.dot"]])
def test_links_that_lead_to_each_other(write, command: list[str]) -> None:
    write(COUNTER)
    Path("loop.py").symlink_to("loop.py")
    found = run(*command, "loop.py")
    assert found.exit_code == 2
    assert found.stderr.startswith("error: loop.py is no file that can be read")


@pytest.mark.parametrize("raises", ["SystemExit", "KeyboardInterrupt", "_exit", "long"])
@pytest.mark.parametrize(
    "target", ["model.py", "package_of_ends.model", "package_of_ends/model.py"]
)
def test_what_raises_is_told_where_it_is(write, target: str, raises: str) -> None:
    write(f"import json\n{RAISES[raises]}", "package_of_ends/__init__.py")
    write(f"import package_of_ends\n{COUNTER}")
    write(f"from . import nothing\n{COUNTER}", "package_of_ends/model.py")
    found = run("check", target)
    assert found.exit_code == 2
    assert "package_of_ends/__init__.py:2: " in found.stderr


@pytest.mark.parametrize("uses", ["", "@thread(N)", "@thread(1 + N)", "print(N)"])
def test_a_parameter_outside_a_class_is_told_of(write, uses: str) -> None:
    uses = f"{uses}\n    def more(self): self.x = 1" if uses.startswith("@") else uses
    header = "from interleave import param\n\nN = param(3)"
    text = anything(header).replace("    x = 0\n", f"    x = 0\n    {uses}\n")
    found = run("check", write(text), "-p", "N=5")
    assert found.exit_code == 2
    assert "model.py:" in found.stderr
    assert "there are none" not in found.stderr


NAMED = {
    "holds": "self.y = Own(Exception())",
    "raises": "raise ValueError(Own)",
    "cannot be called": "Own.nothing()",
    "generator": "self.y = (Own for _ in range(3))",
    "shown": "self.y = Own",
    "pure": "self.y = sorted([Own(1)], key=Own.of)",
}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("named", NAMED)
def test_names_in_messages_are_the_users(write, named: str, place: str) -> None:
    header = "class Own(dict):\n    of = classmethod(sorted)"
    found = run("check", write(anything(header, **{place: NAMED[named]})))
    assert "__interleave_model__" not in found.output


def test_a_file_is_checked_once(write) -> None:
    name = write(COUNTER, "models/counter.py")
    found = run("check", name, f"./{name}", str(Path(name).resolve()), "models", "-q")
    assert found.stdout == "Counter: violated - lost-update on counter\n"


PACKAGE = COUNTER.replace("counter = 0", "counter = START").replace(
    "class", "from .parts import START\nfrom .inner.deep import DEEP\n\nclass"
)


@pytest.mark.parametrize(
    ("target", "shown"),
    [
        ("package_of_ends/model.py", "package_of_ends/model.py"),
        ("package_of_ends", "package_of_ends/model.py"),
        ("package_of_ends.model", "package_of_ends/model.py"),
    ],
)
def test_packages(write, target: str, shown: str) -> None:
    write("", "package_of_ends/__init__.py")
    write("from .inner.deep import DEEP as START", "package_of_ends/parts.py")
    write("", "package_of_ends/inner/__init__.py")
    write("from .. import inner\nDEEP = 3", "package_of_ends/inner/deep.py")
    write(PACKAGE, "package_of_ends/model.py")
    usual = [*sys.path]
    try:
        found = run("check", target)
    finally:
        for name in [each for each in sys.modules if each.startswith("package_of_ends")]:
            del sys.modules[name]
    assert found.exit_code == 1, found.stderr
    assert found.stdout.splitlines()[1].startswith(shown)
    assert "counter = 4" in found.stdout
    assert sys.path == usual


@pytest.mark.parametrize(
    "name",
    [5_000 * "a", 5_000 * "a/", "no.such.module", "os.path.nothing", "../nothing", "a b", ""],
)
def test_names_that_are_no_files(write, name: str) -> None:
    found = run("check", name)
    assert found.exit_code == 2
    assert found.stderr


@pytest.mark.parametrize("deepest", [1, 70, 100, 100_000])
def test_a_file_leaves_the_process_as_it_was(write, deepest: int) -> None:
    sets = f"import os, sys\nos.chdir('/')\nsys.setrecursionlimit({deepest})\n"
    write(sets + COUNTER, "models/a.py")
    write(COUNTER.replace("Counter", "Other"), "models/b.py")
    usual = sys.getrecursionlimit(), Path.cwd(), sys.setrecursionlimit
    found = run("check", "models", "-q")
    assert found.stdout.count("violated - lost-update on counter") == 2
    assert (sys.getrecursionlimit(), Path.cwd(), sys.setrecursionlimit) == usual


def test_modules_that_a_file_takes_away_are_put_back(write) -> None:
    takes = "import sys\nfor each in [*sys.modules]:\n    if each != 'sys': del sys.modules[each]\n"
    done = process("check", write(COUNTER + takes))
    assert (done.returncode, done.stderr) == (1, "")


@pytest.mark.parametrize("place", ["header", *PLACES])
def test_what_a_model_prints_is_no_report(write, place: str) -> None:
    found = run("check", write(anything(**{place: "print('hello')"})), "--format", "json")
    assert [model["model"] for model in json.loads(found.stdout)["models"]] == ["Anything"]
    assert "hello" in found.stderr or place in ("step", "holds")  # which print nothing


# Outputs


FULL = Path("/dev/full")


@pytest.mark.skipif(not FULL.exists(), reason="there is no full device")
def test_outputs_that_are_full(write) -> None:
    name = write(COUNTER)
    with FULL.open("w") as full:
        done = process("check", name, capture_output=False, stdout=full, stderr=subprocess.PIPE)
        assert done.returncode == 2
        assert done.stderr.startswith("error: the report cannot be written: ")
        assert "Exception" not in done.stderr
        done = process("check", "nowhere.py", capture_output=False, stderr=full)
        assert done.returncode == 2
        done = process("steps", name, capture_output=False, stdout=full, stderr=subprocess.PIPE)
        assert done.returncode == 2
        assert done.stderr.startswith("error: the report cannot be written: ")


@pytest.mark.skipif(not FULL.exists(), reason="there is no full device")
@pytest.mark.parametrize("asked", [["--help"], ["check", "-h"], ["--version"]])
def test_help_to_an_output_that_is_full(asked: list[str]) -> None:
    with FULL.open("w") as full, redirect_stdout(full):
        found = io.StringIO()
        with redirect_stderr(found), pytest.raises(SystemExit) as end:
            main(asked, prog_name="interleave")
    assert end.value.code == 2
    assert found.getvalue().startswith("error: the report cannot be written: ")


PRINTS = {
    "os": "import os; os.write(1, b'junk')",
    "sys": "import sys; print('junk', file=sys.__stdout__, flush=True)",
    "shell": "import os; os.system('echo junk')",
}
LEAVES = {
    "atexit": "import atexit, os; atexit.register(os._exit, 0)",
    "raising": "import atexit; atexit.register(lambda: 1 / 0)",
    "thread": "import threading, time; threading.Thread(target=time.sleep, args=(1000,)).start()",
    "hook": "import sys; sys.excepthook = None",
}


@pytest.mark.parametrize("does", [*PRINTS, *LEAVES])
def test_what_a_file_leaves_behind_or_writes_changes_no_report(write, does: str) -> None:
    header = {**PRINTS, **LEAVES}[does]
    done = process("check", write(header + COUNTER), "--format", "json")
    assert json.loads(done.stdout)["exit_code"] == done.returncode == 1
    assert done.stderr.strip() == ("junk" if does in PRINTS else "")


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells of all children")
@pytest.mark.parametrize(
    ("place", "ends", "bound"),
    [
        ("header", "", ()),
        ("setup", "raise ValueError", ()),
        ("setup", "raise ValueError", ("--max-seconds", "0.3")),
        ("setup", "sum(iter(int, 1))", ("--max-seconds", "0.3")),
    ],
)
def test_a_process_that_a_model_has_made_does_not_stay(write, place, ends, bound) -> None:
    starts = "import multiprocessing; manager = multiprocessing.Manager()"
    name = write(anything(**{place: f"{starts}\n{ends}"}))
    # Whoever has the outputs open is waited for.
    done = process("check", name, "-q", *bound, before=HURRY)
    assert done.returncode in (1, 2, 3)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells of all children")
def test_descendants() -> None:
    code = "import subprocess, sys, time; print(subprocess.Popen(['sleep', '100']).pid, flush=True)"
    with subprocess.Popen(
        [sys.executable, "-c", f"{code}; time.sleep(100)"], stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout is not None
        grandchild = int(child.stdout.readline())
        assert descendants(child.pid) == [grandchild]
        assert {child.pid, grandchild} <= {*descendants(os.getpid())}
        end_all([child.pid, grandchild])
    with pytest.raises(ProcessLookupError):
        os.kill(child.pid, 0)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_after_the_report_changes_no_exit_code(write, number: signal.Signals) -> None:
    signal_after = (
        "import contextlib, os, interleave.cli as cli\nusual = cli.listening\n"
        "class after:\n"
        "    def __init__(self, *signals): self.usual = usual(*signals)\n"
        "    def __enter__(self): self.usual.__enter__()\n"
        "    def __exit__(self, *error):\n"
        "        try: return self.usual.__exit__(*error)\n"
        f"        finally: os.kill(os.getpid(), {int(number)})\n"
        "cli.listening = after"
    )
    done = process("check", write(COUNTER), "-q", before=signal_after)
    assert (done.returncode, done.stderr) == (1, "")


@pytest.mark.parametrize("closed", ["1", "2"])
def test_outputs_that_are_closed(write, closed: str) -> None:
    done = process("check", write(COUNTER), preexec_fn=lambda: os.close(int(closed)))
    assert done.returncode == 1
    assert "Traceback" not in done.stdout + done.stderr


def test_a_reader_that_has_read_enough(write) -> None:
    read, write_end = os.pipe()
    os.close(read)
    done = process(
        "check", write(COUNTER), capture_output=False, stdout=write_end, stderr=subprocess.PIPE
    )
    os.close(write_end)
    assert (done.returncode, done.stderr) == (1, "")


# At a prompt


@pytest.mark.parametrize("is_known", [True, False])
def test_at_a_prompt_and_in_a_notebook(is_known: bool) -> None:
    name = f"<input of test_ends, {is_known}>"
    if is_known:
        lines = COUNTER.splitlines(keepends=True)
        linecache.cache[name] = (len(COUNTER), None, lines, name)
    cells: dict[str, Any] = {"__name__": "__main__"}
    exec(compile(COUNTER, name, "exec"), cells)
    if is_known:
        (found,) = interleave.check(cells["Counter"]).models
        assert (found.verdict, found.violations[0].kind) == ("violated", "lost-update")
        return
    with pytest.raises(ModelError, match="cannot be found"):
        interleave.check(cells["Counter"])


# Anything else


def test_broken_files(write) -> None:
    """Five, and as many as there is time for; `broken_files` itself looks at more."""
    ends = time.monotonic() + 2
    number = 0
    while number < 5 or (time.monotonic() < ends and number < 200):
        found = broken_files.check(number)
        assert not broken_files.wrong(found), (number, found.stderr)
        number += 1
