"""The native engine: state graphs explored by a compiled kernel. Needs numpy and numba."""
