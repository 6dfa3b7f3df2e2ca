"""Losses, written once for every framework: pure functions whose first argument `xp` is a framework's NumPy-spelled operations.

May be in here: what is differentiated. May not: a framework, state, configs."""
