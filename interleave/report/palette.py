"""The colours of all diagrams.

All are told apart with every kind of colour vision, and none of a thread is that of a violation.
"""

from __future__ import annotations

ALARM, ALARM_FILL = "#B84700", "#FDF1E7"
"""A violation: Okabe and Ito's vermilion, darkened."""

STALE, STALE_FILL = "#0067A5", "#EAF3FA"
"""A read that is no longer true."""

INK, SOFT, RULE = "#1F2933", "#5F6B7A", "#A9B4C0"
"""Text, text that is less important, lines."""

LANE_FILL, HEADER_FILL = "#F4F6F8", "#DCE3EA"
"""The lane of a thread, and the name above it."""

INITIAL_FILL = HEADER_FILL
"""An initial state."""

THREADS = (STALE, "#00735C", "#8A3F7E", "#7A6200")
"""Blue, bluish green, reddish purple, yellow, darkened to be read as text on white."""
