"""What stores experience. `frames` keeps the stream, `replay` draws from it."""
