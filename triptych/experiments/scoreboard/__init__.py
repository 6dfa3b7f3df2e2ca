"""How many mistakes the checkup finds: each one put into a run of its own, and runs in which nothing is wrong."""
