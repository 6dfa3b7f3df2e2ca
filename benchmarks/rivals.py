"""The libraries beside which ours is measured: their scripts, and what each can be asked for. Nothing here imports or runs them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from triptych.utils.checks import check

FRAMEWORKS = ("torch", "jax", "keras")
PRECISIONS = ("float32", "float64", "bfloat16")
ALGORITHMS = ("a2c", "ppo", "recurrent-ppo")


@dataclass(frozen=True)
class Peer:
    """Another library, or another way to write the same with ours."""

    title: str  # in tables; {name}: that package's version, {framework}: ours
    script: str  # of this folder
    environment: str  # its name in `turns.PACKAGES`
    frameworks: tuple[str, ...] = FRAMEWORKS  # of ours that it stands beside
    variant: str = ""  # the script's last argument
    num_envs: tuple[int, ...] = (1, 8)  # of DQN
    algorithms: tuple[str, ...] = ALGORITHMS  # of the actor-critics

    def named(self, found: Mapping[str, Any]) -> str:
        """Its title, with the versions that a benchmark printed."""
        return self.title.format_map(found["versions"] | {"framework": found["framework"]})


SB3 = "stable-baselines3"  # the peer unless another is asked for
DQN = {
    SB3: Peer("Stable-Baselines3 {stable-baselines3}", "peers/dqn_sb3.py", SB3, variant="sb3"),
    "sbx": Peer("SBX {sbx} (jax)", "peers/dqn_sb3.py", "sbx", ("jax",), "sbx"),
    "cleanrl": Peer(
        "CleanRL {cleanrl} ({framework})", "peers/dqn_cleanrl.py", "cleanrl", ("torch", "jax"), num_envs=(1,)
    ),
    "tianshou": Peer("Tianshou {tianshou}", "peers/dqn_tianshou.py", "tianshou", ("torch",)),
    "keras-tutorial": Peer(
        "a tutorial's loop, Keras {keras}", "peers/dqn_keras.py", "keras", ("keras",), "tutorial", num_envs=(1,)
    ),
    "keras-train-on-batch": Peer(
        "`train_on_batch`, Keras {keras}", "peers/dqn_keras.py", "keras", ("keras",), "train-on-batch", num_envs=(1,)
    ),
}
ACTOR_CRITICS = {
    SB3: Peer("Stable-Baselines3 {stable-baselines3}", "peers/actor_critics_sb3.py", "sb3-contrib", variant="sb3"),
    "sbx": Peer("SBX {sbx} (jax)", "peers/actor_critics_sb3.py", "sbx", ("jax",), "sbx", algorithms=("ppo",)),
    "cleanrl": Peer(
        "CleanRL {cleanrl} (jax), EnvPool's games", "peers/actor_critics_cleanrl.py", "cleanrl-envpool", ("jax",),
        algorithms=("ppo",),
    ),
    "keras-tutorial": Peer(
        "a tutorial's PPO, Keras {keras}", "peers/actor_critics_keras.py", "keras", ("keras",), algorithms=("ppo",)
    ),
}  # fmt: skip


def check_asked(peer: str, offered: Peer, **asked: object) -> None:
    """Refuses what a peer has not: `asked` are fields of ours by the flag that sets them, one value each.

    Raises:
        InputError: naming the flag, its value and what this peer has.
    """
    fields = {"framework": offered.frameworks, "num_envs": offered.num_envs, "algorithm": offered.algorithms}
    for field, value in asked.items():
        allowed = ", ".join(map(str, fields[field]))
        check(value in fields[field], f"--{field.replace('_', '-')}", value, f"{allowed} (beside {peer})")
