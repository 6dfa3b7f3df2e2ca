"""What watches a training: logs, kept weights, test games, the progress line.

May be in here: what is told of each step and writes or asks for a stop. May not: anything that changes what is learned."""
