"""`python -m interleave`."""

from interleave.cli import main

main(prog_name="interleave")
