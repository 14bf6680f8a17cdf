"""Loggers: what handlers, filters and formatters of a model get, and the locks of handlers."""

from __future__ import annotations

import itertools
import logging
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from running import load

from interleave import check
from interleave.errors import ModelError
from interleave.result import ModelResult

HEAD = """
import collections, logging, logging.handlers, queue, threading
from interleave import *

LOCK = threading.Lock()
log = logging.getLogger("tested")
below = logging.getLogger("tested.a.b")

class Asks:
    def __str__(self):
        with LOCK:
            return "asked"

class Keeps(logging.Handler):
    def __init__(self, kept, *args):
        super().__init__(*args)
        self.kept = kept

    def emit(self, record):
        self.kept.append(self.format(record))

class Locks(logging.Handler):
    def emit(self, record):
        with LOCK:
            pass

class Formats(logging.Formatter):
    def format(self, record):
        with LOCK:
            return super().format(record)

class Writes:
    def write(self, text):
        with LOCK:
            pass

def helps(level):
    below.error("helps", stacklevel=level)

def formatting(handler):
    handler.setFormatter(Formats("%(levelname)s %(message)s"))
    return handler
"""


@pytest.fixture(autouse=True)
def _put_back() -> Iterator[None]:
    """Python itself changes loggers, to show what it does."""
    last, factory = logging.lastResort, logging.getLogRecordFactory()
    yield
    logging.lastResort = last
    logging.setLogRecordFactory(factory)
    for logger in (logging.getLogger("tested"), logging.getLogger("tested.a.b")):
        logger.handlers, logger.filters = [], []
        logger.propagate, logger.disabled = True, False
        logger.setLevel(logging.NOTSET)


def result_of(folder: Path, text: str, **options: Any) -> ModelResult:
    (result,) = check(load(folder / "model.py", HEAD + text), **options).models
    return result


def found(result: ModelResult) -> str:
    return " ".join(sorted({each.kind for each in result.violations})) or result.verdict


LOCKING = """
class M(Model):
    def setup(self):
        self.asks = Asks()
        {setup}

    @thread
    def left(self):
        with LOCK:
            pass
        {left}

    @thread
    def right(self):
        with LOCK:
            {right}
"""

NESTED = {
    "emit": ("log.addHandler(Locks())", "log.warning('x')"),
    "emit, above": ("log.addHandler(Locks())", "below.warning('x')"),
    "emit, of a logger that nobody has named": (
        "log.addHandler(Locks())", "logging.getLogger('tested.new').warning('x')",
    ),
    "format": ("log.addHandler(formatting(logging.StreamHandler()))", "log.error('x')"),
    "write": ("log.addHandler(logging.StreamHandler(Writes()))", "log.error('x')"),
    "emit, of a logger that is new": (
        "pass", "new = logging.getLogger(NAME); new.addHandler(Locks()); new.propagate = False; "
        "assert logging.getLogger(NAME) is new; logging.getLogger(NAME + '.x').warning('x')",
    ),
    "a text, of what the last resort shows": ("pass", "log.warning('%s', self.asks)"),
    "a text, of what a handler shows": (
        "log.addHandler(logging.StreamHandler())", "log.critical(self.asks)",
    ),
    "emit of another last resort": ("logging.lastResort = Locks()", "log.warning('x')"),
    "a text, by an adapter": (
        "self.log = logging.LoggerAdapter(log, {})", "self.log.warning('%s', self.asks)",
    ),
}  # fmt: skip
"""What a thread logs while another one logs under the same lock: what sets it up, and the call."""

BY_BOTH_ENGINES = ("emit", "format", "a text, of what a handler shows")


@pytest.mark.parametrize("how", NESTED)
def test_the_lock_of_a_handler_and_one_of_the_program(how: str, tmp_path: Path) -> None:
    setup, call = NESTED[how]
    call = call.replace("NAME", repr(f"nobody.{tmp_path.name}"))  # no test has named it
    text = LOCKING.format(setup=setup, left=call, right="pass")
    assert found(result_of(tmp_path, text)) == "verified"
    other = call if "new" in how else "log.warning('y')"
    text = LOCKING.format(setup=setup, left=call, right=other)
    for engine in ("reference", "native") if how in BY_BOTH_ENGINES else ("auto",):
        assert found(result_of(tmp_path, text, engine=engine)) == "deadlock"


KEPT_OUT = {
    "a level": "log.setLevel(logging.ERROR)",
    "a disabled one": "log.disabled = True",
    "a level of the handler": "log.handlers[0].setLevel('ERROR')",
    "a filter": "log.addFilter(lambda record: False)",
    "a filter of the handler": "log.handlers[0].addFilter(logging.Filter('other'))",
    "all of a level": "logging.disable(logging.WARNING)",
}
"""What keeps a message from a handler."""


@pytest.mark.parametrize("how", KEPT_OUT)
def test_what_is_not_handled_takes_no_lock(how: str, tmp_path: Path) -> None:
    setup = f"log.addHandler(Locks()); {KEPT_OUT[how]}"
    text = LOCKING.format(setup=setup, left="pass", right="log.warning('y')")
    assert found(result_of(tmp_path, text)) == "verified"


@pytest.mark.parametrize("level", ["debug", "info", "warning", "error"])
def test_a_text_is_made_only_if_its_level_is_logged(level: str, tmp_path: Path) -> None:
    """Somebody waits for what the text of an argument does: without handlers, WARNING counts."""
    text = f"""
        class Sets:
            def __init__(self, event):
                self.event = event

            def __str__(self):
                self.event.set()
                return "set"

        class M(Model):
            event = threading.Event()

            @thread
            def logs(self):
                log.{level}("%s", Sets(self.event))

            @thread
            def waits(self):
                self.event.wait()
        """
    wanted = "deadlock" if level in ("debug", "info") else "verified"
    assert found(result_of(tmp_path, textwrap.dedent(text))) == wanted


def test_what_keeps_nobody_waiting_makes_no_state(tmp_path: Path) -> None:
    text = LOCKING.format(setup="{}", left="{}", right="pass")
    plain = result_of(tmp_path, text.format("pass", "pass"))
    for setup, runtime in itertools.product(
        ("pass", "log.addHandler(logging.StreamHandler())"), ("free-threaded", "gil")
    ):
        calls = "log.info('x'); below.warning('%d %s', 1, 'x'); logging.error('x', exc_info=True)"
        logs = result_of(tmp_path, text.format(setup, calls), runtime=runtime)
        assert (logs.states, logs.transitions) == (plain.states, plain.transitions)
        assert logs.interleavings == plain.interleavings


IN_PYTHON = """
class Marks(logging.Filter):
    def filter(self, record):
        record.marked = True
        return "no" not in record.getMessage()

class Adapts(logging.LoggerAdapter):
    def process(self, msg, kwargs):
        return f"[{{self.extra['id']}}] {{msg}}", kwargs

class M(Model):
    def setup(self):
        self.kept = []
        first, second = Keeps(self.kept), Keeps(self.kept, logging.ERROR)
        {setup}

    @thread
    def run(self):
        {run}
"""

AS_IN_PYTHON = {
    "formats": (
        """first.setFormatter(logging.Formatter(
            "{name}/{levelname}/{message}/{x}/{funcName}/{lineno}/{filename}/{module}", style="{",
                                                defaults={"x": 0}))
        log.addHandler(first)
        below.setLevel("INFO")""",
        """below.debug("a")
        below.info("b %s %d", "c", 1)
        logging.getLogger("tested.new").warning("%(d)s", {"d": 2})
        below.log(45, "e", extra={"x": 3})
        helps(1)
        helps(2)""",
    ),
    "filters": (
        """first.addFilter(Marks())
        first.addFilter(lambda record: record.marked)
        below.addHandler(first)
        below.addFilter(logging.Filter("tested.a"))""",
        """below.error("yes")
        below.critical("no")
        below.fatal("yes again")""",
    ),
    "handlers": (
        """log.addHandler(logging.handlers.MemoryHandler(2, target=first))
        below.addHandler(second)
        below.addHandler(logging.StreamHandler(Writes()))""",
        """below.warning("a")
        below.error("b")
        log.error("c")""",
    ),
    "adapters": (
        """log.addHandler(first)
        self.adapted = Adapts(log, {"id": 7})
        self.plain = logging.LoggerAdapter(log, {"id": 7})""",
        """self.adapted.info("a")
        self.adapted.warning("b %s", 1)
        self.plain.error("c")
        self.kept.append(self.adapted.isEnabledFor(30))""",
    ),
    "exceptions": (
        "log.addHandler(first)",
        """try:
            raise ValueError("why")
        except ValueError as error:
            log.exception("f")
            log.critical("g", exc_info=error)
        try:
            log.error("%d", "h")
        except TypeError as error:
            self.kept.append(str(error))""",
    ),
    "settings": (
        "log.addHandler(first); below.addHandler(second)",
        """below.propagate = False
        below.error("a")
        below.removeHandler(below.handlers[0])
        below.error("b")
        below.setLevel(logging.ERROR)
        self.kept += [
            below.isEnabledFor(30), below.isEnabledFor(40), log.isEnabledFor(30),
            below.getEffectiveLevel(), below.hasHandlers(), log.name, log.parent.name,
            log.getChild("a.b") is below, logging.getLevelName(30),
        ]
        log.disabled = True
        log.error("c")""",
    ),
}
"""What is set up, and what is logged then."""


@pytest.mark.parametrize("what", AS_IN_PYTHON)
def test_what_handlers_get_is_as_in_python(what: str, tmp_path: Path) -> None:
    setup, run = AS_IN_PYTHON[what]
    model = load(tmp_path / "model.py", HEAD + IN_PYTHON.format(setup=setup, run=run))
    (result,) = check(model).models
    assert result.violations == ()
    assert result.interleavings is not None
    (outcome,) = result.interleavings.outcomes
    real: Any = model()
    real.setup()
    real.run()
    # No exception of a model has a traceback.
    kept = [f"{lines[0]}\n{lines[-1]}" if "Traceback" in str(text) else text
            for text in real.kept for lines in [str(text).splitlines()]]  # fmt: skip
    assert str(dict(outcome.state)["kept"]) == repr(kept)


AT_ONE_TIME = """
class M(Model):
    def setup(self):
        self.kept = []
        keeps = Keeps(self.kept)
        keeps.setFormatter(logging.Formatter("%(asctime)s %(threadName)s %(processName)s"))
        log.addHandler(keeps)

    @thread
    def run(self):
        log.error("x")

    @postcondition
    def one_is_kept(self):
        return self.kept == ["2100-01-01 00:00:00,000 run MainProcess"]
"""


def test_what_is_logged_is_logged_at_one_time(tmp_path: Path) -> None:
    assert found(result_of(tmp_path, AT_ONE_TIME)) == "verified"


LISTENING = """
class M(Model):
    def setup(self):
        self.kept = []
        self.queue = queue.Queue()
        log.addHandler(logging.handlers.QueueHandler(self.queue))
        self.listener = logging.handlers.QueueListener(self.queue, Keeps(self.kept))

    @thread
    def main(self):
        self.listener.start()
        log.warning("%s", 1)
        log.warning("2")
        self.listener.stop()

    @postcondition
    def all_are_kept(self):
        return self.kept == ["1", "2"]
"""


def test_a_listener_gets_what_was_queued(tmp_path: Path) -> None:
    assert found(result_of(tmp_path, LISTENING)) == "verified"
    text = LISTENING.replace("        self.listener.stop()\n", "")
    assert found(result_of(tmp_path, text)) == "postcondition"


MADE_BY_THREADS = """
class M(Model):
    kept = []

    @thread
    def main(self):
        logging.getLogger("tested.a.b").addHandler(Keeps(self.kept))
        below.setLevel(logging.ERROR)
        below.warning("x")
        below.error("y")

    @postcondition
    def one_is_kept(self):
        return self.kept == ["y"]
"""


def test_threads_change_loggers(tmp_path: Path) -> None:
    assert found(result_of(tmp_path, MADE_BY_THREADS)) == "verified"


REFUSED = {
    "the clock": ("log.addHandler(Keeps([]))", "log.handlers[0].setFormatter("
                  "logging.Formatter('%(created)f'))", "created of a record that is logged"),
    "the process": ("log.addHandler(Keeps([]))", "log.handlers[0].setFormatter("
                    "logging.Formatter('%(process)d'))", "process of a record that is logged"),
    "a file": ("log.addHandler(logging.StreamHandler())", "log.handlers[0].flush()",
               "flush of a handler of the library"),
    "what a class was given": ("logging.Logger.trace = lambda self, text: self.info(text)",
                               "log.trace('x')", "trace of a logger"),
    "all loggers": ("pass", "logging.disable(30)", "logging.disable"),
    "a class of records": ("logging.setLogRecordFactory(lambda *args: None)", "pass",
                           "setLogRecordFactory"),
}  # fmt: skip


@pytest.mark.parametrize("what", REFUSED)
def test_what_loggers_cannot_be_asked_for(
    what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging.Logger, "trace", None, raising=False)
    setup, call, words = REFUSED[what]
    text = LOCKING.format(setup=setup, left=f"{call}; log.warning('x')", right="pass")
    with pytest.raises(ModelError, match=words):
        result_of(tmp_path, text)
