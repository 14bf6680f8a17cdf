"""The machine: it takes the threads of a program from one state to the next."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from interleave.compiler import Code
from interleave.errors import ModelError
from interleave.interrupts import counted, poll
from interleave.machine.cases import Cases
from interleave.machine.naming import NamesInState, Naming
from interleave.machine.places import Places
from interleave.machine.run import StepRun
from interleave.machine.served import left_by, quiet_end
from interleave.machine.step import FAILED, FINISHED, Blocked, Moves, State, Step
from interleave.memory.identity import ThreadId
from interleave.memory.streams import running
from interleave.program import Program, ThreadInstance
from interleave.program.choices import Choices, next_choices
from interleave.stdlib.threads import STARTED

MOST_CHOICES = 100_000
"""Ways that the choices of one step can go, at most."""


class Machine:
    """Runs the threads of a program, one step at a time."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.locals = program.heap.interner.locals
        self.naming = Naming(program, self.locals)
        self.cases = Cases(program.findings)
        self._checked: set[tuple[int, int]] = set()
        self._failed_at_start: dict[State, list[Step]] = {}
        self.locations = len(program.heap.changing)
        """How many places of a state are locations; the local states of the threads follow."""
        self.on_refused: Callable[[ModelError], None] | None = None
        """Is told of what a thread is refused for before its first access, and that ends it; where
        there is no such thing, it ends the search.
        """

    def local(self, state: State, thread: int) -> int:
        """The local state of a thread."""
        return state[self.locations + thread]

    def names_in(self, state: State) -> NamesInState:
        """What shared objects and locations are called in a state."""
        return self.naming.in_state(state)

    def pending(self, local: int) -> tuple[Code, int]:
        """The block with the access that a running thread is about to perform; the last one where
        it is about to return, which is a step of its own where that ends the program.
        """
        number, block, _ = self.locals[local][0][-1]
        code = self.locals.codes[number]
        return code, min(block, len(code.blocks) - 1)

    def is_final(self, state: State) -> bool:
        """Whether all threads but daemons have ended, or the program is over without that."""
        return self.is_over(state) or all(
            self.local(state, thread) in (FINISHED, FAILED) for thread in self.program.awaited
        )

    def is_over(self, state: State) -> bool:
        """Whether the program has ended, and all threads with it."""
        over = self.program.over
        return over is not None and bool(self.program.heap.values[state[over.index]])

    def going_on(self, state: State) -> State:
        """The same state, but that the program is not over."""
        over = self.program.over
        if over is None:
            return state
        return (*state[: over.index], over.initial, *state[over.index + 1 :])

    def ended_by(self, step: Step) -> tuple[tuple[int, int], ...]:
        """What a step writes besides if it ends the program: that it is over."""
        over, program = self.program.over, self.program
        ends = step.local == FAILED or (step.local == FINISHED and program.ends_with(step.thread))
        return ((over.index, program.heap.values.id_of(True)),) if over and ends else ()

    def has_finished(self, state: State) -> bool:
        """Whether the threads have finished; one that an exception has ended did not."""
        return self.is_final(state) and FAILED not in self.local_states(state)

    def local_states(self, state: State) -> State:
        """The local states of all threads."""
        return state[self.locations : self.locations + len(self.program.threads)]

    def after(self, state: State, step: Step) -> State:
        """The state that a step leads to."""
        following = list(state)
        for index, value in step.writes:
            following[index] = value
        for thread, local in step.starts:
            following[self.locations + thread] = local
        following[self.locations + step.thread] = step.local
        return tuple(following)

    def initial(self) -> list[State]:
        """The initial states, in order: every thread is about to perform its first access."""
        found: dict[State, None] = {}
        for values in self.program.heap.initial:
            steps = []
            locals_ = [FINISHED] * len(self.program.threads)  # so rooms for threads to come count
            for step in self._first_steps(values):
                steps.append(step)
                locals_[step.thread] = step.local
            ends = dict(write for step in steps for write in (*step.writes, *self.ended_by(step)))
            values = tuple([ends.get(place, value) for place, value in enumerate(values)])
            state = (*values, *locals_)
            found[state] = None
            if failures := [step for step in steps if step.failure]:
                self._failed_at_start[state] = failures
        return list(found)

    def beginnings(self) -> Iterator[Step]:
        """What threads do before their first access, those of each initial state in turn."""
        for values in self.program.heap.initial:
            yield from self._first_steps(values)

    def _first_steps(self, values: State) -> Iterator[Step]:
        """The beginnings of the threads that are there from the start."""
        for thread in self.program.threads:
            is_there = thread.room is None or self._is_started(values, thread)
            if is_there and (step := self._first_step(values, thread)) is not None:
                yield step

    def _is_started(self, values: State, thread: ThreadInstance) -> bool:
        """Whether `setup` has started a thread that is no declared one."""
        made = self.program.heap.values[values[thread.room.location.index]]
        return made is not None and thread.task is None and made.phase == STARTED

    def _first_step(self, values: State, thread: ThreadInstance) -> Step | None:
        begin = partial(self._begin, values, thread)

        def run() -> tuple[Step, tuple[int, ...]]:
            found = begin()
            self.program.real.note(thread.name, thread.function, begin)
            return found

        try:
            step, _ = self.cases.ask(("begin", thread.number), values, run)
        except ModelError as error:
            if self.on_refused is None:
                raise
            self.on_refused(error)
            return None
        return step

    def _begin(self, values: State, thread: ThreadInstance) -> tuple[Step, tuple[int, ...]]:
        """Run a thread up to its first access, with the values of the locations at the start.

        With the step, the places that it has looked at.
        """
        poll()

        def begin() -> tuple[StepRun, Step]:
            run = StepRun(self.program, self.locals, values, thread.number, Choices([]))
            with running(run.port):
                if thread.room is not None:
                    return run, run.begin(thread.room)
                return run, run.start(*self.program.entry(thread))

        run, step = counted(begin, f"the beginning of {thread.name}")
        self._note_constants(run.places)
        return step, tuple(run.places.looked_at)

    def failures_at_start(self, state: State) -> list[Step]:
        """For an initial state: the threads that failed before their first access."""
        return self._failed_at_start.get(state, [])

    def _note_constants(self, places: Places) -> None:
        self.program.findings.constants.update(places.parameters)
        self.program.findings.constants.update(places.constants)

    def learn(self, state: State, thread: int) -> Moves:
        """What `step` gives, with the `flow` of each step: known from before, or run now."""

        def run() -> tuple[Moves, tuple[int, ...]]:
            found = self.step(state, thread, explain=True)
            return found, (self.locations + thread, *found.looked_at)

        found, _ = self.cases.ask(("step", thread), state, run)
        return found

    def step(
        self,
        state: State,
        thread: int,
        *,
        explain: bool = False,
        watched: bool = True,
        twice: bool = True,
    ) -> Moves:
        """Every way in which a thread can go on from a state.

        With `explain`, steps have their `flow`. With `watched`, all code that runs is looked at:
        once for each case is enough. With `twice`, a local state that is new is run twice, to see
        that it does the same. Raises `ModelError`, and `Restart` (see `program.restarts`).
        """
        local = self.local(state, thread)
        if local in (FINISHED, FAILED):
            return Moves()
        found = self._moves(state, thread, explain=explain, watched=watched)
        instance = self.program.threads[thread]
        again = partial(self._moves, state, thread, explain=False, watched=False)
        if twice and (thread, local) not in self._checked:
            self._checked.add((thread, local))
            self.program.real.note(instance.name, instance.function, again)
            self._check_same(found, again())
        self.program.real.ran(instance.name, instance.function, again)
        return found

    def _run(
        self,
        state: State,
        thread: int,
        given: list[int],
        *,
        explain: bool = False,
        watched: bool = True,
    ) -> tuple[StepRun, Choices, Step | Blocked]:
        """Run a step, with the first choices in it as they are given."""
        choices = Choices(given)
        run = StepRun(
            self.program,
            self.locals,
            state,
            thread,
            choices,
            explain=explain,
            watched=watched,
        )
        with running(run.port):
            return run, choices, run.run(state[self.locations + thread])

    def _moves(self, state: State, thread: int, *, explain: bool, watched: bool) -> Moves:
        given: list[int] | None = []
        steps: list[Step] = []
        looked_at: dict[int, None] = {}
        if self.program.over is not None:
            looked_at[self.program.over.index] = None
            if self.is_over(state):
                return Moves(looked_at=tuple(looked_at))
        blocked: Blocked | None = None
        name = self.program.threads[thread].name
        count = 0
        while given is not None:
            poll()
            attempt = partial(self._run, state, thread, given, explain=explain, watched=watched)
            run, choices, step = counted(attempt, f"a step of {name}")
            most = max((count for _, count in choices.taken), default=1)
            looked_at.update(run.places.looked_at)
            self.program.findings.written.update(dict.fromkeys(run.written_keys))
            self._note_constants(run.places)
            if isinstance(step, Blocked):
                blocked = blocked or step
            else:
                step = self._with_ends(state, step, run, looked_at, watched=watched)
                writes = (*step.writes, *self.ended_by(step))
                taken = tuple(choice for choice, _ in choices.taken)
                steps.append(step._replace(writes=writes, choices=taken))
            given = next_choices(choices.taken)
            count += 1
            if max(count, most) > MOST_CHOICES:
                code, block = step.place
                raise ModelError(
                    f"one step has more than {MOST_CHOICES:,} possible outcomes",
                    remedy="choose among fewer options, or outside atomic()",
                    place=code.place(block),
                )
        return Moves(tuple(steps), None if steps else blocked, tuple(looked_at))

    def _with_ends(
        self, state: State, step: Step, run: StepRun, looked_at: dict[int, None], *, watched: bool
    ) -> Step:
        """A step that was `run`, in which those end whom it leaves nothing to do: see `served`."""
        if self.program.over is None or step.failure:
            return step
        for thread, accesses in left_by(step, run):
            if self.program.is_asked_for(thread):
                continue
            known = {place for place, _ in step.writes}
            known |= {self.locations + each for each, _ in step.starts}
            after = self.after(state, step)
            last = StepRun(self.program, self.locals, after, thread, Choices([]), watched=watched)
            end = quiet_end(last, self.local(after, thread), accesses)
            for place in (self.locations + thread, *last.places.looked_at):
                if place not in known:
                    looked_at[place] = None
            self._note_constants(last.places)
            if end is not None:
                writes = {**dict(step.writes), **dict(end.writes)}
                starts = {**dict(step.starts), ThreadId(thread): FINISHED}
                step = step._replace(writes=(*writes.items(),), starts=(*starts.items(),))
        return step

    def _check_same(self, first: Moves, second: Moves) -> None:
        """Raise `ModelError` where running a step twice gives two results."""

        def outcome(moves: Moves) -> object:
            steps = [step.outcome() for step in moves.steps]
            return steps, moves.looked_at, moves.blocked and moves.blocked.access

        if outcome(first) != outcome(second):
            self.program.real.compare()  # which may know why
            code, block = (first.blocked or first.steps[0]).place
            raise ModelError(
                "this step is not deterministic: run twice on the same state, it gave two results",
                remedy="a step may depend only on shared variables and locals of its thread; "
                "let choose([...]) decide what is open",
                place=code.place(block),
            )
