"""CleanRL's PPO in JAX on KungFuMaster, with EnvPool's games inside its compiled loop; runs in its environment, not in ours.

peers/actor_critics_cleanrl.py ppo THREADS ROLLOUTS

Its single file as its wheel has it, from 2023. What has changed since is given back to it, and its own lines are run as they are: Gym is
Gymnasium, `jax.tree_map` is `jax.tree.map`, EnvPool steps as Gymnasium does (`Pool`), and Flax's TrainState takes no weights in a
dataclass any more (`train_state`).
"""

import json
import os
import sys
from importlib.metadata import version
from typing import Any

from cleanrl_file import run

# Its other file, ppo_atari_envpool_xla_jax_scan.py, learns in a loop that XLA compiles, which is many times slower on a processor.
FILE = "ppo_atari_envpool_xla_jax.py"
GAMES, STEPS = 8, 128  # of a rollout, in minibatches of a quarter of it, four times over
BEFORE = 2  # rollouts before the clock starts: its types change after the first, and the second is compiled anew


class Pool:
    """EnvPool's games behind the interface of Gym's day: a reset gives observations alone, a step gives one `done`."""

    def __init__(self, pool: Any):
        self.pool = pool
        self.action_space, self.observation_space = pool.action_space, pool.observation_space

    def reset(self) -> Any:
        return self.pool.reset()[0]

    def xla(self) -> tuple[Any, Any, Any, Any]:
        """A handle, and functions of it for XLA: to receive, to send, and both."""
        handle, receive, send, step = self.pool.xla()

        def stepped(handle: Any, action: Any) -> tuple[Any, tuple[Any, Any, Any, dict[str, Any]]]:
            handle, (obs, reward, terminated, truncated, info) = step(handle, action)
            return handle, (obs, reward, terminated | truncated, info | {"TimeLimit.truncated": truncated})

        return handle, receive, send, stepped

    def close(self) -> None:
        self.pool.close()


def train_state() -> Any:
    """Flax's TrainState without its question whether a name is among the weights, which a dataclass cannot answer."""
    import optax
    from flax.training.train_state import TrainState

    class Plain(TrainState):
        @classmethod
        def create(cls, *, apply_fn: Any, params: Any, tx: Any, **more: Any) -> Any:
            return cls(step=0, apply_fn=apply_fn, params=params, tx=tx, opt_state=tx.init(params), **more)

        def apply_gradients(self, *, grads: Any, **more: Any) -> Any:
            updates, state = self.tx.update(grads, self.opt_state, self.params)
            params = optax.apply_updates(self.params, updates)
            return self.replace(step=self.step + 1, params=params, opt_state=state, **more)

    return Plain


def give_back(threads: int) -> None:
    """The names of its day."""
    import envpool
    import flax.training.train_state
    import gymnasium
    import jax

    def make(name: str, env_type: str, **settings: Any) -> Pool:
        return Pool(envpool.make_gymnasium(name, num_threads=threads, **settings))

    envpool.make, jax.tree_map, sys.modules["gym"] = make, jax.tree.map, gymnasium
    flax.training.train_state.TrainState = train_state()


def main(threads: int, rollouts: int) -> None:
    os.environ["OMP_NUM_THREADS"] = os.environ["NPROC"] = str(threads)  # XLA reads the second as it loads
    give_back(threads)
    total = (BEFORE + rollouts) * GAMES * STEPS
    # It prints a line about speed after the updates of each rollout.
    times = run(
        FILE, "--env-id=KungFuMaster-v5", f"--num-envs={GAMES}", f"--num-steps={STEPS}", f"--total-timesteps={total}"
    )
    names = ("cleanrl", "envpool", "its jax", "its flax")
    versions = {name: version(name.removeprefix("its ")) for name in names}
    print(json.dumps({"rate": rollouts * GAMES * STEPS / (times[-1] - times[BEFORE - 1]), "versions": versions}))


if __name__ == "__main__":
    main(int(sys.argv[2]), int(sys.argv[3]))
