"""CartPole with the layers of CleanRL's dqn.py and dqn_jax.py, so that its weights fit."""

from triptych import load_recipe, override
from triptych.spec import Dense

recipe = override(load_recipe("cartpole"), {"network": (Dense(120), Dense(84))})
