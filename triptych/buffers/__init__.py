"""What stores experience: the stream of observations, the replay that draws from it, the rollout of an actor-critic.

May be in here: NumPy on experience: returns, advantages, priorities. May not: a network, a framework, a game."""
