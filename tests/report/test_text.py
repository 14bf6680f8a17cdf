"""The report for a terminal, word for word where it is small."""

from __future__ import annotations

import threading
from dataclasses import replace

import click
import pytest
import report_results as results

from interleave import Model, atomic, check, choose, invariant, postcondition, thread
from interleave.report.cells import cell_width, wrap
from interleave.report.diagram import counterexample_dot
from interleave.report.text import render_text
from interleave.result import ModelResult

ALL = [
    results.lost_update,
    results.bystanders,
    results.philosophers,
    results.waiting_for_nobody,
    results.data_race,
    results.race_between_others,
    results.exception,
    results.postcondition,
    results.invariant_at_the_start,
    results.crowd,
    results.far_apart,
    results.held_by_itself,
    results.nasty,
    results.verified,
    results.inconclusive,
    results.expected,
    results.not_as_expected,
    results.expected_but_not_found,
]
every_result = pytest.mark.parametrize("make", ALL, ids=lambda make: make.__name__)


def test_lost_update() -> None:
    assert (
        render_text(results.lost_update())
        == """\
Counter: violated - lost-update on counter
counter.py, runtime free-threaded

lost-update: increment[0] overwrites what increment[1] wrote to counter, without having seen it

At the start: counter = 0

   increment[0]             increment[1]             what it did
────────────────────────────────────────────────────────────────────────────────────────
1  temp = self.counter                               read 0                 ← stale read
2                           temp = self.counter      read 0
3                           self.counter = temp + 1  counter: 0 → 1         ← lost write
4  self.counter = temp + 1                           counter: 1, unchanged  ← overwrites

11 states, 14 transitions, the farthest state 4 steps away"""
    )


def test_data_race() -> None:
    assert (
        render_text(results.data_race())
        == """\
Publish: violated - data-race on ready
publish.py, runtime free-threaded

data-race: maker is about to write ready at line 12 while user is about to read it at line 16

At the start: maker = 0, ready = False

   maker           user  what it did
─────────────────────────────────────
1  self.maker = 1        maker: 0 → 1

Now nothing keeps these two apart:
  maker is about to write ready (publish.py:12: self.ready = True)
  user is about to read ready (publish.py:16: while not self.ready:)

5 states, 6 transitions, the farthest state 4 steps away"""
    )


def test_verbose_adds_accesses_and_places() -> None:
    lines = render_text(results.lost_update(), verbosity=1).splitlines()
    assert lines[7:14] == [
        "   increment[0]             increment[1]             what it did",
        "─" * 88,
        "1  temp = self.counter                               read 0                 ← stale read",
        "   read counter",
        "   counter.py:9",
        "2                           temp = self.counter      read 0",
        "                            read counter",
    ]


def test_deadlock_ends_with_the_circle() -> None:
    lines = render_text(results.philosophers()).splitlines()
    assert lines[1] == "philosophers.py, runtime free-threaded, N=5"
    assert lines[-8:] == [
        "Now no thread can move, because threads wait for each other in a circle:",
        "  philosopher[0] waits for forks[1], held by philosopher[1]",
        "  philosopher[1] waits for forks[2], held by philosopher[2]",
        "  philosopher[2] waits for forks[3], held by philosopher[3]",
        "  philosopher[3] waits for forks[4], held by philosopher[4]",
        "  philosopher[4] waits for forks[0], held by philosopher[0]",
        "",
        "392 states, 1,225 transitions, the farthest state 15 steps away",
    ]


def test_deadlock_without_a_circle() -> None:
    lines = render_text(results.waiting_for_nobody()).splitlines()
    assert lines[7:14] == [
        "   getter  locker  owner                what it did",
        "─" * 57,
        "1                  self.lock.acquire()  lock: free → held",
        "",
        "Now no thread can move:",
        "  getter waits for queue (get)",
        "  locker waits for lock, held by owner",
    ]
    assert "owner waits for lock, held by itself" in render_text(results.held_by_itself())


def test_exception_in_an_atomic_step_marks_its_row() -> None:
    lines = render_text(results.exception(), width=120).splitlines()
    assert lines[3:5] == [
        "exception: KeyError: 'bob' leaves withdraw",
        "at bank.py:20: self.account['bob'] -= amount",
    ]
    gap = " " * 70
    assert lines[8:13] == [
        "   audit                               withdraw                       what it did",
        "─" * 107,
        "1  total = sum(self.account.values())                                 read 100",
        "2                                      self.account['bob'] -= amount"
        "  log: () → ('withdraw',)  ← fails here",
        f"{gap}raised KeyError: 'bob'",
    ]


def test_postcondition_names_its_line() -> None:
    lines = render_text(results.postcondition()).splitlines()
    assert lines[0] == "Counter: violated - postcondition"
    assert lines[4] == "at counter.py:14: return self.counter == 2"
    assert lines[-5] == "4  self.counter = temp + 1                           counter: 1, unchanged"
    assert lines[-3] == "At the end: counter = 1"


def test_a_violation_in_the_initial_state_needs_no_step() -> None:
    assert (
        render_text(results.invariant_at_the_start())
        == """\
Empty: violated - invariant
empty.py, runtime free-threaded

invariant: never_empty is false
at empty.py:9: return len(self.items) > 0

At the start: items = []

It is so at the start, before any step.
1 other thread takes no step here.

1 state, 0 transitions, the farthest state 0 steps away"""
    )


def test_threads_that_take_no_part_are_counted() -> None:
    text = render_text(results.bystanders())
    assert "4 other threads take no step here." in text.splitlines()
    assert "increment[2]" not in text


def test_many_threads_share_one_lane() -> None:
    lines = render_text(results.crowd()).splitlines()
    assert lines[7] == "    thread        step                     what it did"
    assert lines[9:11] == [
        "1   increment[0]  temp = self.counter      read 0",
        "2   increment[1]  temp = self.counter      read 0                 ← stale read",
    ]
    assert lines[-1] == "1,234,567 states, 9,876,543 transitions, the farthest state 20 steps away"


def test_many_threads_get_lanes_where_there_is_room() -> None:
    lines = render_text(results.crowd(), width=280).splitlines()
    assert lines[7].split() == [*(f"increment[{i}]" for i in range(10)), "what", "it", "did"]


@pytest.mark.parametrize(
    ("result", "line"),
    [
        (results.verified(), "Locked: verified"),
        (results.expected(), "Counter: violated as expected - lost-update on counter"),
        (replace(results.verified(), expected=True), "Locked: verified, as expected"),
        (
            results.not_as_expected(),
            "Counter: not as expected - expected deadlock, found lost-update on counter",
        ),
        (
            results.expected_but_not_found(),
            "Locked: not as expected - expected lost-update, found nothing",
        ),
        (
            results.inconclusive(),
            "Endless: inconclusive - incomplete search: --max-states 1000 reached",
        ),
        (
            replace(results.lost_update(), complete=False, limit="interrupted"),
            "Counter: violated - lost-update on counter - incomplete search: interrupted",
        ),
        (
            replace(results.inconclusive(), expected=False, expectation="deadlock"),
            "Endless: inconclusive - expected deadlock, found nothing so far"
            " - incomplete search: --max-states 1000 reached",
        ),
    ],
)
def test_the_first_line_is_the_verdict_and_all_of_a_quiet_report(
    result: ModelResult, line: str
) -> None:
    assert render_text(result).splitlines()[0] == line
    assert render_text(result, verbosity=-1) == line


def test_two_violations_of_one_kind_are_named_once() -> None:
    violation = results.lost_update_violation()
    other = replace(violation, location="total")
    text = render_text(results.model("Counter", violation, violation, other))
    assert text.splitlines()[0] == (
        "Counter: violated - lost-update on counter, lost-update on total"
    )


def test_inconclusive_says_what_it_means() -> None:
    assert (
        render_text(results.inconclusive())
        == """\
Endless: inconclusive - incomplete search: --max-states 1000 reached
endless.py, runtime free-threaded
Warning: [Lock()] * 5 is one lock, five times

Nothing was found so far, but a part of the interleavings was not explored.

1,000 states, 2,345 transitions, the farthest state 37 steps away"""
    )


def test_nasty_text_stays_in_its_lane() -> None:
    lines = render_text(results.nasty()).splitlines()
    assert lines[8].startswith("   写入者")
    row = next(line for line in lines if line.startswith("2 "))
    before = row[: row.index("x = self.näme")]
    header = lines[8][: lines[8].index("<reader>")]
    assert cell_width(before) == cell_width(header)
    text = "\n".join(lines)
    assert "\x1b" not in text
    assert "\x00" not in text
    assert "\\x1b[31m red" in text


@every_result
@pytest.mark.parametrize("verbosity", [-1, 0, 1])
def test_colour_only_adds_escapes(make: results.Make, verbosity: int) -> None:
    plain = render_text(make(), verbosity=verbosity)
    coloured = render_text(make(), color=True, verbosity=verbosity)
    assert "\x1b[" not in plain
    assert "\x1b[" in coloured
    assert click.unstyle(coloured) == plain


@every_result
@pytest.mark.parametrize("width", [40, 60, 80, 100, 200])
def test_tables_and_sentences_stay_within_the_width(make: results.Make, width: int) -> None:
    headline, *rest = render_text(make(), verbosity=1, width=width).splitlines()
    assert headline == render_text(make(), verbosity=-1)
    assert [line for line in rest if cell_width(line) > width or line != line.rstrip()] == []


def test_very_long_text_is_cut() -> None:
    violation = results.lost_update_violation()
    long = results.step(
        1, "increment[0]", "read", "counter", "x = " + "y" * 5000, outcome="z" * 900
    )
    trace = replace(violation.trace, steps=(long, *violation.trace.steps[1:]))
    lines = render_text(results.model("Counter", replace(violation, trace=trace))).splitlines()
    assert len(lines) < 25
    assert any("y…" in line for line in lines)


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("self.done.append(self.tasks.get())", ["self.done.append(", "self.tasks.get())"]),
        ("self.tasks.get_nowait()", ["self.tasks", ".get_nowait()"]),
        ("total = 12345.5 + 1,234,567", ["total = 12345.5 +", "1,234,567"]),
        ("abcdefghijklmnopqrstuvwxyz", ["abcdefghijklmnopqrst", "uvwxyz"]),
    ],
)
def test_code_is_broken_where_an_expression_can_be(text: str, lines: list[str]) -> None:
    assert wrap(text, 20) == lines


class EachLooks(Model):
    """The property fails because of a variable that never changes."""

    limit = 0
    total = 0

    def setup(self) -> None:
        self.limit = choose([0, 1])

    @thread
    def add(self):
        self.total = 1

    @postcondition
    def is_below(self):
        return self.total < self.limit


def test_the_end_shows_what_the_property_has_looked_at() -> None:
    text = render_text(check(EachLooks).models[0])
    assert "At the end: limit = 0, total = 1" in text


class Forgets(Model):
    """Two ends that no variable tells apart: which thread waits for ever."""

    lock = threading.Lock()

    @thread(2)
    def take(self):
        self.lock.acquire()


def test_ends_that_look_alike_are_added_up() -> None:
    text = render_text(check(Forgets).models[0])
    assert text.endswith("  deadlock, with lock = locked: in 2 of 2")


class Steps(Model):
    """Under a GIL, both statements of a thread are one step; so is what is in an atomic block."""

    n = 0

    @thread(2)
    def add(self):
        if self.n < 2:
            self.n += 1

    @thread
    def set_back(self):
        with atomic():
            if self.n > 1:
                self.n = 0

    @invariant
    def stays_below(self):
        return self.n < 2


class Reset(Model):
    n = 0

    @thread
    def set_back(self):
        with atomic():
            if self.n >= 0:
                self.n = -1

    @invariant
    def stays(self):
        return self.n == 0


def test_a_step_of_several_statements_shows_each_once() -> None:
    (violation,) = check(Steps, runtime="gil").models[0].violations
    assert [step.source.text for step in violation.trace.steps] == [
        "if self.n < 2; self.n += 1",
        "if self.n < 2; self.n += 1",
    ]
    (violation, *_) = check(Reset).models[0].violations
    assert violation.trace.steps[0].source.text == "with atomic(): if self.n >= 0; self.n = -1"


class Loops(Model):
    seen = ()

    def setup(self):
        self.prices = {"A": 1}
        self.names = ["x"]

    @thread
    def reader(self):
        for name, price in self.prices.items():
            self.seen += (name, price)
        for at, name in enumerate(self.names):
            self.seen += (at, name)
        assert self.seen == ()

    @thread
    def writer(self):
        self.prices["A"] = 2
        self.names[0] = "y"


def test_a_loop_says_what_it_has_come_to() -> None:
    (violation,) = check(Loops).models[0].violations
    loops = [step.outcome for step in violation.trace.steps if step.accesses[0].kind == "next"]
    assert loops == ["read ('A', 1)", "at the end", "read 'x'", "at the end"]


def test_what_is_alike_is_named_below() -> None:
    like = tuple(f"t[{number}] fails an assertion" for number in range(1, 6))
    (violation,) = results.exception().violations
    result = replace(results.exception(), violations=(replace(violation, alike=like),))
    lines = render_text(result).splitlines()
    place = lines.index("And 5 more like it:")
    assert lines[place + 1 : place + 5] == [
        "  t[1] fails an assertion",
        "  t[2] fails an assertion",
        "  t[3] fails an assertion",
        "  and 2 others",
    ]
    drawn = counterexample_dot(result, result.violations[0])
    assert all(line.strip() in drawn for line in lines[place : place + 5])
