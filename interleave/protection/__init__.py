"""What protects each shared variable: `interleave sharing`."""
