"""What numba compiles: the loops of the native engine.

To import it is to import numba. So it is imported only where an entry has to be compiled, by
`building`, and nothing but that imports it.
"""
