"""What knows nothing of reinforcement learning: checks, files, processes, the machine, statistics, lines for people.

May be in here: what another project could take as it is. May not: any import from another room."""
