"""One deep-RL experiment, three frameworks, one report."""
