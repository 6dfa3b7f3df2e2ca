"""What judges a run while it goes on: a file for each kind of mistake, a class for each way of looking."""
