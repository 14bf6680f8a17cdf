"""Colours of state graphs: those of the counterexample diagrams, and one for each of few threads.

All are told apart with every kind of colour vision, and none of a thread is that of a violation.
"""

from __future__ import annotations

ALARM, ALARM_FILL = "#B84700", "#FDF1E7"  # Okabe and Ito's vermilion, darkened
INK, SOFT, RULE = "#1F2933", "#5F6B7A", "#A9B4C0"
INITIAL_FILL = "#DCE3EA"

THREADS = ("#0067A5", "#00735C", "#8A3F7E", "#7A6200")
"""Blue, bluish green, reddish purple, yellow, darkened to be read as text on white."""
