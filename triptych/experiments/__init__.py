"""What Python and the command line call: train, resume, evaluate, compare, lockstep, study.

May be in here: whole experiments, made of runs. May not: flags and tables, which are the command line's."""
