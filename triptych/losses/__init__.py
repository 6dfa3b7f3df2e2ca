"""Losses, written once. Differentiated functions take `xp`, a framework's NumPy-spelled operations."""
