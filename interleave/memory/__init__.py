"""Shared memory as the code of a model sees it: values, locations, containers, primitives."""
