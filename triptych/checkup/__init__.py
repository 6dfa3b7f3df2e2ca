"""The checkup: silent mistakes, found by what a run did.

A signal reads what any run shows: tensors, samples, logs, counters. It never knows which mistake it is looking for, and its threshold
was set on healthy runs alone.

May be in here: ears on games and learner (`listening`), what judges what was heard (`monitors/`), and what that says (`findings`).
May not: anything that trains, or changes what a run learns.
"""
