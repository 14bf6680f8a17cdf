"""What the visit of all states is given that finds threads which can never move again.

How it works is in `compiled.components`.
"""

from __future__ import annotations

from typing import NamedTuple

from interleave.engine.native.entries import Entry
from interleave.engine.native.store.table import Array

# What is known of a state that is not full.
ENDLESS = 1  # it leads to a component in which one can stay for ever and be fair
LEAVES = 2  # a step leads out of its component
CIRCLES = 4  # a step leads to a state of its component


class Question(NamedTuple):
    """What is asked of the threads.

    `moving` and `working` say which bit of `settled` a thread has for either, -1 for none; `full`
    has all that there are. `variables` are the bits of a state that are content as they stand.
    `places` are those that have some: word, shift, mask, and where its numbers begin in `contents`,
    which has one for each code, or -1. `unhurried` has bits of threads that fairness does not run;
    `everybody` of all.
    """

    moving: Array  # int64
    working: Array  # int64
    full: Array  # uint8
    variables: Array  # uint64
    places: Array  # int64, four for each
    contents: Array  # int64
    unhurried: Array  # uint8
    everybody: Array  # uint8


class Answer(NamedTuple):
    """What comes to be known of each state.

    `active` has bits of threads that take a step within its component, or cannot move somewhere in
    it. `component` is 0, but for states of components that are never left and in which some
    thread that moves does not work: these are counted from 1. `ends` says of states whether they
    are as good as an end, and is given.
    """

    settled: Array  # uint8
    active: Array  # uint8
    marks: Array  # uint8
    component: Array
    ends: Array  # uint8


class Visits(NamedTuple):
    """How far a visit of all states has come.

    `visits` has 0 for a state that was not visited; else, counting visits from 1, that of the first
    state known to be in the same component; and for a state that is done with, more than there can
    be. `path` has the states that are being visited, `orders` their visits, and `places` how far
    one is with its successors. `still_open` were visited, and are in the component of a state that
    still is. `here` and `made` are room for a state each. `counts` has how
    far it is, as named below.
    """

    visits: Array
    path: Array
    orders: Array
    places: Array
    still_open: Array
    here: Array
    made: Array
    counts: Array  # int64


(
    BEGIN,  # the state to begin with when the path is at its end; -1 after the last
    VISITED,  # states so far
    DEPTH,  # states on the path
    HEIGHT,  # states that are still open
    COMPONENTS,  # that were counted
) = range(5)


visit = Entry("components.visit")
find_deeds = Entry("components.find_deeds")
first_waits = Entry("components.first_waits")
