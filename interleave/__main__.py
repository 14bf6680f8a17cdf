"""`python -m interleave`."""

from interleave.cli import main

try:
    main(prog_name="interleave")
finally:
    # Where Ctrl-C came while a module ran code by `exec`, as numba does, `python -m` would end by
    # that signal and not with our exit code, although it was caught; unless such code runs again.
    exec("")  # noqa: S102
