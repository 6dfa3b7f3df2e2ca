"""CartPole with the layers of CleanRL's ppo.py, so that its weights fit: policy and value share none."""

from triptych import load_recipe, override

recipe = override(
    load_recipe("cartpole-ppo"),
    {"network": (), "algorithm.policy_units": (64, 64), "algorithm.value_units": (64, 64)},
)
