"""The proof that the frameworks are the same: `play` runs one of them, `judge` reads the logs, `prove` sets them side by side."""
