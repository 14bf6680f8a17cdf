"""`race`: calls of one object in parallel, compared with the same calls one after the other."""
