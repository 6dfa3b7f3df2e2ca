"""Mirrors of a run in tools that people already have open: TensorBoard, Weights & Biases, trackio, MLflow.

May be in here: a file for each tool, what is read of a run's folder for them, and the processes that do so while a run goes on.
The folder is the truth: it is only read, but for `trackers/`, which says how far each tool has come.
May not: anything that a run would have to wait for. Training knows nothing of this room, and it imports nothing of training.
"""
