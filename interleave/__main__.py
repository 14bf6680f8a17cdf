"""The command in a process of its own: `python -m interleave`, and the script `interleave`."""

from __future__ import annotations

import gc
import os
import sys
from os import _exit  # what a model file puts in its place counts for nothing

from interleave.starting import end_by_interrupts

TYPE_CHECKING = False  # as in `interleave`
if TYPE_CHECKING:
    from typing import NoReturn


FEWEST_FOR_COLLECTION = 100_000
"""Objects that are made before it is looked for garbage in cycles: what a check imports stays, and
so does most of what it makes.
"""


def run() -> NoReturn:
    """Run the command, and end this process with its exit code.

    The process ends at once: no handler of `atexit` that a model file has left runs then, no thread
    that it has started is waited for, and no process that it has started stays.
    """
    end_by_interrupts()
    gc.set_threshold(FEWEST_FOR_COLLECTION, 50, 1_000)
    from contextlib import suppress

    from interleave.cli import EXIT_DEFECT, main
    from interleave.descendants import descendants, end_all

    _keep_output_for_reports()
    streams, exit_code = (sys.stdout, sys.stderr), EXIT_DEFECT
    try:
        main(prog_name="interleave")
    except SystemExit as end:
        exit_code = end.code if isinstance(end.code, int) else 0
    except BaseException:
        sys.__excepthook__(*sys.exc_info())
    finally:
        for stream in streams:
            with suppress(AttributeError, OSError, ValueError):
                stream.flush()
        end_all(descendants(os.getpid()))
        _exit(exit_code)


def _keep_output_for_reports() -> None:
    """Have what is written to file 1 go to standard error, but for what `sys.stdout` is given."""
    from contextlib import suppress

    if sys.stdout is None or sys.stderr is None:
        return
    with suppress(OSError):
        reports = os.dup(1)
        os.dup2(2, 1)
        encoding, errors = sys.stdout.encoding, sys.stdout.errors
        sys.stdout = open(reports, "w", encoding=encoding, errors=errors)  # noqa: SIM115


if __name__ == "__main__":
    run()
