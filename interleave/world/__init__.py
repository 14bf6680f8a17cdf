"""The closed world: what the code of a model can touch, and what becomes of it."""
