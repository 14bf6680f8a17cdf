"""From a model class to a program: threads, properties, and the heap they share."""

from interleave.program.heap import Heap, Written
from interleave.program.program import Program, Property, ThreadInstance

__all__ = ["Heap", "Program", "Property", "ThreadInstance", "Written"]
