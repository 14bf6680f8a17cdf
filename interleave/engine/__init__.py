"""Searching state graphs: engines, decision trees, shortest paths."""
