"""What do CartPole's pictures tell of its state, and what does an agent need to know? Behind results/cartpole-pixels/README.md.

python benchmarks/pixels_tell.py          # 2 to 3 minutes on one core

1. Players that know the state, or a part of it, and lean by a fixed rule: how long they balance.
2. A network with the recipe's layers is taught to name the state from what an agent may see: how well after a few updates.
   What a network reads late or never, Q-learning cannot use, as its own targets say much less.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import gymnasium
import numpy as np
import torch
from torch import Tensor, nn

from triptych import envs
from triptych.recipes import load_recipe

STATE = ("place", "speed", "angle", "angular speed")
RULES = {
    "angle": (0, 0, 1, 0),
    "angular speed": (0, 0, 0, 1),
    "both speeds": (0, 1, 0, 1),
    "angle and angular speed": (0, 0, 1, 0.3),
}
GAMES, STEPS, UPDATES, BATCH = 100, 6_000, 500, 64

SEEN: dict[str, Callable[[Tensor], Tensor]] = {  # of grey pictures [B, 4, H, W], the newest last, 0 to 1
    "the difference of two (the source's)": lambda x: x[:, 3:] - x[:, 2:3],
    "one picture": lambda x: x[:, 3:],
    "a stack of four": lambda x: x,
    "a stack of four, light and dark swapped": lambda x: 1 - x,
    "one picture and the difference": lambda x: torch.cat([x[:, 3:], x[:, 3:] - x[:, 2:3]], 1),
    "the same, light and dark swapped": lambda x: torch.cat([1 - x[:, 3:], x[:, 3:] - x[:, 2:3]], 1),
    "the same, multiplied by 4 and by 16 (the recipe's)": lambda x: torch.cat(
        [4 * (1 - x[:, 3:]), 16 * (x[:, 3:] - x[:, 2:3])], 1
    ),
}


def balanced(rule: tuple[float, ...], late: bool) -> float:
    """Mean steps of a player that pushes to the side to which the rule leans; `late`: it knows the speeds of a step ago."""
    env, lengths = gymnasium.make("CartPole-v1"), []
    for seed in range(GAMES):
        state, _ = env.reset(seed=seed)
        before, steps, over = state, 0, False
        while not over:
            known = np.array([state[0], before[1], state[2], before[3]]) if late else state
            before = state
            state, _, fell, cut, _ = env.step(int(np.dot(rule, known) > 0))
            steps, over = steps + 1, fell or cut
        lengths.append(steps)
    return float(np.mean(lengths))


def pictures() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What a player sees who balances, but pushes at random in six of ten steps: pictures, states, and whether of the last fifth
    of the episodes."""
    config = dataclasses.replace(load_recipe("cartpole-pixels-tuned").env, stack=4)  # type: ignore[call-arg]
    games, rng = envs.make(config, 1), np.random.default_rng(0)
    pole = games.envs[0].unwrapped  # type: ignore[attr-defined]
    obs, seen, states, episode = games.reset(np.zeros(1, np.int64)), [], [], [0]
    while len(seen) < STEPS:
        seen.append(obs[0].copy())
        states.append(np.array(pole.state))
        leans = states[-1] @ (0.05, 0.1, 1, 0.3) > 0
        games.send(np.array([rng.integers(2) if rng.random() < 0.6 else int(leans)]))
        step = games.recv()
        over = bool(step.terminated[0] | step.truncated[0])
        if over:
            games.send(np.zeros(1, np.int64))
            step = games.recv()
        obs = step.obs
        episode.append(episode[-1] + over)
    games.close()
    held_out = np.array(episode[:-1]) >= 0.8 * episode[-1]
    return np.array(seen), np.array(states), held_out


def network(inputs: int) -> nn.Module:
    """The recipe's, with the four numbers in the actions' place."""
    body = [nn.Flatten(), nn.Linear(inputs, 256), nn.ReLU(), nn.Linear(256, 256), nn.ReLU()]
    return nn.Sequential(*body, nn.Linear(256, 4))


def taught(see: Callable[[Tensor], Tensor], seen: np.ndarray, states: np.ndarray, held_out: np.ndarray) -> list[float]:
    """R2 of each number of the state, in episodes that were not taught."""
    torch.manual_seed(0)
    fit, rng = np.flatnonzero(~held_out), np.random.default_rng(0)
    wanted = torch.tensor((states - states[fit].mean(0)) / states[fit].std(0)).float()

    def shown(index: np.ndarray) -> Tensor:
        return see(torch.tensor(seen[index]).float() / 255)

    net = network(shown(fit[:1]).numel())
    adam = torch.optim.Adam(net.parameters(), 1e-3)
    for _ in range(UPDATES):
        index = rng.choice(fit, BATCH)
        adam.zero_grad()
        ((net(shown(index)) - wanted[index]) ** 2).mean().backward()
        adam.step()
    with torch.no_grad():
        named = torch.cat([net(shown(part)) for part in np.array_split(np.flatnonzero(held_out), 10)])
    truth = wanted[held_out]
    found: list[float] = (1 - ((named - truth) ** 2).mean(0) / truth.var(0)).tolist()
    return found


def main() -> None:
    torch.set_num_threads(1)
    print(
        "| a player who knows | steps balanced (500 is the most there is) | with speeds of a step ago |\n|---|---|---|"
    )
    for name, rule in RULES.items():
        print(f"| {name} | {balanced(rule, False):.0f} | {balanced(rule, True):.0f} |")
    seen, states, held_out = pictures()
    still = (seen[:, 3] == seen[:, 2]).all(axis=(1, 2)).mean()
    print(f"\nIn {still:.0%} of the steps both pictures are the same.\n")
    print(f"| seen | {' | '.join(STATE)} |\n|---|---|---|---|---|")
    for name, see in SEEN.items():
        print(f"| {name} | {' | '.join(f'{value:.2f}' for value in taught(see, seen, states, held_out))} |")


if __name__ == "__main__":
    main()
