"""The states that the kernel has found: how they are packed, kept, and found again.

`layout` packs a state into words of 64 bits. `table` is what the kernel sees of the store: `load`,
`find`, `find_or_enter`, and nothing of how states are kept. `states` is what Python sees of it.
"""
