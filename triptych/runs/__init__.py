"""The run folder, which is the truth of a run: its names, its lock, its logs, its records, its checkpoints.

May be in here: what is written to and read from a run folder. May not: training, pages."""
