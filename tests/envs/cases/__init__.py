"""Environments as people write them, and what is right for each kind."""
