"""Cases written down, and read back by another run of the same model."""
