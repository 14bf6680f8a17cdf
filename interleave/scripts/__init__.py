"""Scripts that know nothing of interleave: each becomes a model."""
