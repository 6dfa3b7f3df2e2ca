"""A run while it goes on: the loop, the moving parts it moves, the session around it and the callbacks that watch it.

May be in here: what plays and learns. May not: pages, tables, or a second run beside the first."""
