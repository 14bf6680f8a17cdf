"""Names of attributes that some primitive has for the library, and its real one has not.

Code that asks for one is compiled to look first whether what it asks is such a primitive. Which
names these are is written down here, so that no file of a primitive is imported only to know them.
"""

from __future__ import annotations

INTERNAL = frozenset(
    {"STOPS", "WHAT", "_abort", "_abort_now", "_act", "_acted", "_add", "_added", "_assign",
     "_await", "_begin", "_begin_manager", "_begin_to_run", "_begin_until",
     "_between_processes", "_bound_by", "_call", "_call_soon", "_called", "_cancel",
     "_cancel_what_it_awaits", "_change", "_check", "_check_unchanged", "_chunks", "_come",
     "_condition", "_done_in", "_drive", "_drop", "_end", "_end_all", "_end_to_run",
     "_feeder", "_find", "_found", "_free", "_get", "_go", "_go_on", "_has_expired",
     "_have_cancelled", "_helpers", "_is_alone", "_is_at_rest", "_is_empty", "_is_full",
     "_is_idle", "_is_locked", "_items", "_join", "_keep", "_keeps", "_keys", "_launch",
     "_leave", "_leave_out", "_line", "_lineage", "_location", "_lock", "_lock_is_called",
     "_locked", "_looked_at", "_lower_flag", "_map_calls", "_may_have_rung",
     "_may_wake_anyway", "_must_be_able_to_run", "_must_wait", "_name", "_next",
     "_no_attribute", "_note", "_note_driven", "_notify", "_number", "_of_threads",
     "_one_of", "_open", "_operate", "_packed", "_pairs", "_pass", "_pass_locked",
     "_pending", "_phase", "_put", "_queue", "_raise_flag", "_real", "_refuse", "_run_by",
     "_runs_already", "_send", "_serve", "_serve_receiver", "_serve_sender", "_set",
     "_set_line", "_set_own", "_shut", "_start", "_start_timer", "_state_for", "_store",
     "_submit", "_take", "_take_errors", "_take_out", "_undone", "_unfinished", "_unset",
     "_value", "_wait", "_wake_first", "_wake_next", "_wind_up", "_writing", "_zero",
     "acquiring", "adopt", "alarms", "all_cancelled", "ask_to_stop", "be_cancelled",
     "be_set_in", "begin", "begins", "begun", "besides", "bits", "block", "call_back",
     "call_no_more", "call_when_done", "called", "can_be_left", "can_receive", "can_send",
     "can_take", "cancels", "cancels_so_far", "capacity", "cause", "changed_too_soon",
     "collect", "comes_back", "comes_due", "complete", "content", "contents", "copy_parts",
     "daemon_room", "debug", "default_name", "describe", "die", "end", "end_first",
     "end_with", "ended", "enter", "entry", "error", "exclude", "excludes", "exits",
     "expire", "expires", "fifo", "finish", "forget", "forget_cancel", "forked", "fresh",
     "function", "furnish", "get_in_line", "gets_help_of", "give", "give_read", "give_way",
     "go_on", "go_on_from_line", "goes_on", "has_no_more_help_of", "has_started", "hear",
     "holders", "holders_after", "in_any_order", "in_daemon", "initial", "is_declared",
     "is_done", "is_feeding", "is_foreign", "is_free", "is_free_for_one", "is_full",
     "is_held_to_read", "is_internal", "is_lock", "is_locked", "is_made", "is_over",
     "is_owned", "is_ready", "is_run", "is_to_copy", "is_told", "is_variable",
     "is_waited_for", "keep", "keeps", "kept", "key", "known", "lack", "leave", "leave_line",
     "left_by", "let_go", "location", "look", "lose", "lose_wakeup", "lost_with", "made_in",
     "maxsize", "may_run", "must_be_open", "must_keep", "must_not_be_given_up", "name",
     "native_id", "next_callback", "next_from_outside", "next_task", "not_owned",
     "note_running", "notices_ends", "of", "of_other_loop", "on_their_way", "one_is_done",
     "operate", "operate_or", "overwrite", "own_tasks", "owning_loop", "park",
     "park_in_line", "pause", "peer", "processes", "put", "ready", "release",
     "request_cancel", "resume", "retrieve", "ring", "run_once", "runs", "runs_in",
     "said_of", "schedule", "seen_from_inside", "shut", "signed", "sleeps", "stand_in_line",
     "stands_for", "start_as", "start_timer", "state", "stop_timer", "subject",
     "submitted_to", "take", "take_back", "take_or_wait", "take_outcome", "take_result",
     "tells", "thread_kind", "timers", "took", "typed", "under_lock", "unpark", "until",
     "until_notified", "usable", "visit", "waiter_is_pending", "waiter_was_cancelled",
     "wake", "was_cancelled", "wind_up", "without_lock", "written_in_python", "zero"}
)  # fmt: skip
"""Of some; `Primitive.known` says what one of them can be asked for."""
