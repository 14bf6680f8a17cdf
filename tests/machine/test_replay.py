"""Real threads under a scheduler: every schedule is run, and nothing hangs or is left behind."""

from __future__ import annotations

import dis
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from types import CodeType

import pytest

from interleave.errors import ModelError
from interleave.replay import (
    Outcome,
    Program,
    Raised,
    at_instructions,
    at_lines,
    every_run,
    outcomes,
    replay,
    scheduler,
)


def of_n(code: CodeType, instruction: dis.Instruction) -> bool:
    return instruction.argval == "n" and "ATTR" in instruction.opname


ACCESSES_OF_N = at_instructions(of_n)
NOWHERE = at_instructions(lambda code, instruction: False)


@pytest.fixture(autouse=True)
def _nothing_is_left() -> object:
    threads = threading.enumerate()
    names = (threading.Lock, threading.RLock, threading.Thread.start, queue.SimpleQueue, time.sleep)
    yield
    assert not set(threading.enumerate()).difference(threads)
    assert names == (
        threading.Lock,
        threading.RLock,
        threading.Thread.start,
        queue.SimpleQueue,
        time.sleep,
    )


def counter(threads: int, increments: int = 1) -> Callable[[], Program]:
    def setup() -> Program:
        class Counter:
            n = 0

        def increment() -> None:
            for _ in range(increments):
                current = Counter.n
                Counter.n = current + 1

        return Program([increment] * threads, lambda: Counter.n)

    return setup


@pytest.mark.parametrize(
    ("threads", "increments", "schedules", "totals"),
    [(2, 1, 6, {1, 2}), (3, 1, 90, {1, 2, 3}), (2, 2, 70, {2, 3, 4})],
)
def test_every_schedule_of_a_counter_is_run_once(
    threads: int, increments: int, schedules: int, totals: set[int]
) -> None:
    runs = list(every_run(counter(threads, increments), ACCESSES_OF_N))
    assert len(runs) == len({run.schedule for run in runs}) == schedules
    assert {run.outcome for run in runs} == {Outcome("finished", total) for total in totals}
    assert [run.schedule for run in runs] == sorted(run.schedule for run in runs)


def test_the_schedules_of_a_counter_and_what_each_gives() -> None:
    assert [(r.schedule, r.outcome.observed) for r in every_run(counter(2), ACCESSES_OF_N)] == [
        ((0, 0, 1, 1), 2),
        ((0, 1, 0, 1), 1),
        ((0, 1, 1, 0), 1),
        ((1, 0, 0, 1), 1),
        ((1, 0, 1, 0), 1),
        ((1, 1, 0, 0), 2),
    ]


def test_a_schedule_is_run_again() -> None:
    run = replay(counter(2), ACCESSES_OF_N, (0, 1, 1, 0))
    assert (run.schedule, run.outcome.observed) == ((0, 1, 1, 0), 1)
    # Where it ends early, the first thread that can runs on.
    assert replay(counter(2), ACCESSES_OF_N, (1,)).schedule == (1, 0, 0, 1)
    with pytest.raises(ModelError, match="thread 0 cannot run at step 3"):
        replay(counter(2), ACCESSES_OF_N, (0, 0, 0))


def test_the_same_runs_every_time() -> None:
    assert list(every_run(counter(3), ACCESSES_OF_N)) == list(every_run(counter(3), ACCESSES_OF_N))


def test_switch_points_at_lines() -> None:
    line = counter.__code__.co_firstlineno
    accesses = {line + 7, line + 8}
    assert len(list(every_run(counter(2), at_lines(__file__, accesses)))) == 6
    assert len(list(every_run(counter(2), at_lines(__file__, {line + 7})))) == 2
    assert len(list(every_run(counter(2), at_lines("elsewhere.py", accesses)))) == 1


def test_both_accesses_of_one_instruction_line() -> None:
    def setup() -> Program:
        class Counter:
            n = 0

        def increment() -> None:
            Counter.n += 1

        return Program([increment, increment], lambda: Counter.n)

    assert {o.observed for o in outcomes(setup, ACCESSES_OF_N)} == {1, 2}
    assert len(list(every_run(setup, ACCESSES_OF_N))) == 6


def test_an_instruction_with_a_wide_argument_is_one_switch_point() -> None:
    names = "\n    ".join(f"C.x{i}" for i in range(300))
    text = f"def increment():\n    {names}\n    t = C.n\n    C.n = t + 1\n"

    def setup() -> Program:
        class C:
            n = 0

        for i in range(300):
            setattr(C, f"x{i}", 0)
        space: dict[str, object] = {"C": C}
        exec(text, space)
        increment = space["increment"]
        assert callable(increment)
        return Program([increment, increment], lambda: C.n)

    runs = list(every_run(setup, ACCESSES_OF_N))
    assert len(runs) == 6
    assert {run.outcome.observed for run in runs} == {1, 2}


def test_generators_and_comprehensions_are_followed() -> None:
    def setup() -> Program:
        class Counter:
            n = 0

        def numbers() -> object:
            current = Counter.n
            yield current
            Counter.n = current + 1

        def increment() -> None:
            assert [Counter.n >= i for i in numbers()] == [True]

        return Program([increment, increment], lambda: Counter.n)

    runs = list(every_run(setup, ACCESSES_OF_N))
    assert len(runs) == 20
    assert {run.outcome.observed for run in runs} == {1, 2}


def test_a_lock_keeps_an_update() -> None:
    def setup() -> Program:
        class Counter:
            n = 0

        lock = threading.Lock()

        def increment() -> None:
            with lock:
                Counter.n += 1

        return Program([increment, increment], lambda: Counter.n)

    assert outcomes(setup, ACCESSES_OF_N) == {Outcome("finished", 2)}


def test_a_deadlock_is_an_outcome() -> None:
    def setup() -> Program:
        one, other = threading.Lock(), threading.RLock()
        ended = []

        def forwards() -> None:
            with one, other:
                ended.append("forwards")

        def backwards() -> None:
            with other, one:
                ended.append("backwards")

        return Program([forwards, backwards], lambda: tuple(ended))

    assert outcomes(setup, NOWHERE) == {
        Outcome("finished", ("forwards", "backwards")),
        Outcome("finished", ("backwards", "forwards")),
        Outcome("deadlock", (), blocked=(0, 1)),
    }


def test_a_thread_that_takes_its_own_lock_again_blocks_alone() -> None:
    def setup() -> Program:
        lock = threading.Lock()

        def twice() -> None:
            with lock, lock:
                pass

        def once() -> None:
            lock.acquire(blocking=False)

        return Program([twice, once], lambda: None)

    assert outcomes(setup, NOWHERE) == {
        Outcome("deadlock", None, blocked=(0,)),
    }


def test_a_reentrant_lock_is_taken_again() -> None:
    def setup() -> Program:
        lock = threading.RLock()
        entered = []

        def twice() -> None:
            with lock, lock:
                entered.append(1)
            with pytest.raises(RuntimeError, match="cannot release un-acquired lock"):
                lock.release()

        return Program([twice, twice], lambda: len(entered))

    assert outcomes(setup, NOWHERE) == {Outcome("finished", 2)}


def test_an_exception_ends_its_thread_only() -> None:
    def setup() -> Program:
        class Counter:
            n = 0

        def increment() -> None:
            Counter.n += 1

        def checks() -> None:
            if Counter.n:
                raise ValueError("there is one")

        return Program([increment, checks], lambda: Counter.n)

    assert outcomes(setup, ACCESSES_OF_N) == {
        Outcome("finished", 1),
        Outcome("failed", 1, (Raised(1, "ValueError: there is one"),)),
    }


def test_system_exit_ends_a_thread_silently() -> None:
    assert outcomes(lambda: Program([sys.exit], lambda: 7), NOWHERE) == {Outcome("finished", 7)}


def test_a_bounded_queue_waits_without_hanging() -> None:
    def setup() -> Program:
        slot: queue.Queue[int] = queue.Queue(1)
        seen = []

        def produce() -> None:
            slot.put(1)
            slot.put(2)

        def consume() -> None:
            seen.extend([slot.get(), slot.get()])

        return Program([produce, consume], lambda: tuple(seen))

    assert outcomes(setup, NOWHERE) == {Outcome("finished", (1, 2))}


def test_a_simple_queue_waits_without_hanging() -> None:
    def setup() -> Program:
        simple: queue.SimpleQueue[int] = queue.SimpleQueue()
        seen = []
        return Program(
            [lambda: simple.put(3), lambda: seen.append(simple.get())], lambda: tuple(seen)
        )

    assert outcomes(setup, NOWHERE) == {Outcome("finished", (3,))}


def test_an_event_waits_without_hanging() -> None:
    def setup() -> Program:
        ready = threading.Event()
        seen = []
        return Program([ready.set, lambda: seen.append(ready.wait())], lambda: tuple(seen))

    assert outcomes(setup, NOWHERE) == {Outcome("finished", (True,))}


def test_a_queue_that_nobody_fills_is_a_deadlock() -> None:
    def setup() -> Program:
        empty: queue.Queue[int] = queue.Queue()
        return Program([empty.get], lambda: None)

    assert outcomes(setup, NOWHERE) == {Outcome("deadlock", None, blocked=(0,))}


def test_a_timeout_may_elapse_or_not() -> None:
    def setup() -> Program:
        lock = threading.Lock()
        got = []

        def holds() -> None:
            with lock:
                pass

        def tries() -> None:
            got.append(lock.acquire(timeout=5))
            if got[0]:
                lock.release()

        return Program([holds, tries], lambda: tuple(got))

    assert outcomes(setup, NOWHERE) == {Outcome("finished", (True,)), Outcome("finished", (False,))}


def test_a_sleep_is_a_switch_point_and_takes_no_time() -> None:
    def setup() -> Program:
        order = []

        def first() -> None:
            time.sleep(3600)
            order.append(0)

        def second() -> None:
            time.sleep(3600)
            order.append(1)

        return Program([first, second], lambda: tuple(order))

    assert {o.observed for o in outcomes(setup, NOWHERE)} == {(0, 1), (1, 0)}


def test_threads_have_identities_and_locals_of_their_own() -> None:
    def setup() -> Program:
        own = threading.local()
        seen = []

        def look() -> None:
            assert not hasattr(own, "n")
            own.n = 0
            seen.append((threading.get_ident(), threading.current_thread()))

        return Program([look, look], lambda: len(set(seen)))

    assert outcomes(setup, ACCESSES_OF_N) == {Outcome("finished", 2)}


def test_threads_outside_keep_their_locks() -> None:
    asked, answered = threading.Lock(), threading.Lock()
    asked.acquire()
    answered.acquire()
    made: list[object] = []

    def outside() -> None:
        asked.acquire()
        made.append(type(threading.Lock()))
        answered.release()

    thread = threading.Thread(target=outside)
    thread.start()

    def setup() -> Program:
        asked.release()
        answered.acquire()
        made.append(type(threading.Lock()))
        return Program([], lambda: None)

    replay(setup, NOWHERE)
    thread.join()
    assert made[0] is type(asked)
    assert made[1] is not made[0]


def test_a_thread_that_starts_another_is_refused() -> None:
    def setup() -> Program:
        return Program([lambda: threading.Thread(target=print).start()], lambda: None)

    with pytest.raises(ModelError, match="starts another") as refused:
        outcomes(setup, NOWHERE)
    assert refused.value.place is not None
    assert refused.value.place.file == __file__


def test_a_lock_that_is_held_when_the_set_up_takes_it() -> None:
    def setup() -> Program:
        lock = threading.Lock()
        lock.acquire()
        lock.acquire()
        return Program([], lambda: None)

    with pytest.raises(ModelError, match="waits for a lock that is held") as refused:
        outcomes(setup, NOWHERE)
    assert refused.value.place is not None
    assert refused.value.place.file == __file__


def test_what_the_set_up_leaves_behind_is_found() -> None:
    kept = []

    def setup() -> Program:
        kept.append(0)
        lock = threading.Lock()

        def look() -> None:
            for _ in kept:
                with lock:
                    pass

        return Program([look, look], lambda: None)

    with pytest.raises(ModelError, match="not deterministic"):
        outcomes(setup, NOWHERE)


def test_endless_waiting_in_a_loop_is_an_error() -> None:
    def setup() -> Program:
        class Flag:
            n = 0

        def spin() -> None:
            while not Flag.n:
                pass

        return Program([spin], lambda: None)

    with pytest.raises(ModelError, match="not ended after 10,000 steps"):
        outcomes(setup, ACCESSES_OF_N)


def test_a_loop_without_a_switch_point_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scheduler, "PATIENCE", 0.2)

    def spin() -> None:
        while True:
            pass

    with pytest.raises(ModelError, match="no switch point for") as stalled:
        outcomes(lambda: Program([spin], lambda: None), NOWHERE)
    assert stalled.value.place is not None
    assert stalled.value.place.file == __file__
    assert stalled.value.place.line > spin.__code__.co_firstlineno


def test_a_lock_that_is_not_the_schedulers_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scheduler, "PATIENCE", 0.2)
    lock = threading.Lock()
    waiting = []

    def setup() -> Program:
        def take() -> None:
            waiting.append(threading.current_thread())
            with lock:
                pass

        return Program([take], lambda: None)

    lock.acquire()
    with pytest.raises(ModelError, match="not made under the scheduler"):
        outcomes(setup, NOWHERE)
    lock.release()
    waiting[0].join()


def test_what_setup_and_observation_raise_is_raised() -> None:
    def fails() -> Program:
        raise ValueError("in setup")

    with pytest.raises(ValueError, match="in setup"):
        outcomes(fails, NOWHERE)

    def setup() -> Program:
        def fails() -> int:
            raise ValueError("in observation")

        return Program([lambda: None], fails)

    with pytest.raises(ValueError, match="in observation"):
        outcomes(setup, NOWHERE)


def test_threads_that_are_left_waiting_end_even_if_they_catch_everything() -> None:
    def setup() -> Program:
        lock = threading.Lock()

        def stubborn() -> None:
            lock.acquire()
            try:
                lock.acquire()
            except BaseException:
                lock.release()

        return Program([stubborn], lambda: None)

    assert outcomes(setup, NOWHERE) == {Outcome("deadlock", None, blocked=(0,))}


def test_it_is_not_imported_with_the_package() -> None:
    code = "import interleave, sys; sys.exit('interleave.replay' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
