"""Changes of a model's text, and what a check says of it then: `locks` and `fix`."""
