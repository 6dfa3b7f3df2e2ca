"""ViZDoom: each game and its engine in a process of their own.

`games` is the kind of environment, `engine` starts and ends a game's process and talks with it, `worker` is that process,
which imports nothing of Triptych, and `launch` starts the engine so that it never outlives the worker.
"""

from triptych.envs.doom.games import KIND as KIND
