"""What random play shows of a recipe's game, and what its observations are like."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from triptych.checkup.findings import Finding, Signal
from triptych.envs import GameConfig, Games
from triptych.envs.health import examine
from triptych.spec import parts_of

EPISODES, STEPS = 10, 1_000  # of random play, and steps of a game at most
LARGE = 100.0  # of a number in an observation: beyond that first layers of usual weights are flooded
SEEN = 200  # steps in which numbers are looked at

GAME = Signal(
    "game-unfit", "warn", "the game can hardly be learned from",
    ("a reset that does not hand on its seed", "an episode that nothing ends", "a screen that is never drawn"), "the environment",
)  # fmt: skip
UNSCALED = Signal(
    "observations-large", "warn", "observations hold large numbers, which nothing scales",
    ("pixels as floats, 0 to 255", "a distance or a count as it is"), "the environment, or a wrapper that scales its observations",
)  # fmt: skip
SEED = Signal(
    "seed-ignored", "warn", "the same seed begins another game each time",
    ("a reset that does not hand on its seed", "randomness that does not come from the environment's own generator"),
    "the environment's reset",
)  # fmt: skip
PAYS = Signal("random-play", "note", "what random play scores", (), "the environment")
RARE = (
    "no reward but 0"  # how such a line begins: a game may pay nobody who plays at random, and be learned all the same
)


def judge_play(config: GameConfig) -> Iterator[Finding]:
    """Does it obey its seed, do its pictures change, do episodes end, does it pay anything?"""
    health = examine(config, EPISODES, STEPS)
    for line in health.findings:
        if line.startswith(RARE):
            yield Finding(PAYS, f"{line}: the score to be better than is 0", "")
        else:
            yield Finding(GAME, line, "a game that obeys its seed, changes, and ends")
    if health.rewards:
        mean, length = np.mean(health.rewards), np.mean(health.lengths)
        yield Finding(
            PAYS,
            f"random play scores {mean:.3g} an episode of {length:,.0f} steps ({len(health.rewards)} episodes)",
            "",
        )


def judge_numbers(games: Games) -> Iterator[Finding]:
    """The largest numbers of parts that are no bytes, under random play; and whether a reset begins as its seed says."""
    rng, largest = np.random.default_rng(2), dict[str, float]()
    seeds = 9_000 + np.arange(games.num_envs)
    obs = games.reset(seeds)
    first = {name: np.array(part) for name, part in parts_of(obs).items()}
    for _ in range(SEEN):
        for name, part in parts_of(obs).items():
            if part.dtype != np.uint8:
                largest[name] = max(largest.get(name, 0.0), float(np.abs(part).max(initial=0.0)))
        games.send(rng.integers(games.num_actions, size=games.num_envs))
        obs = games.recv().obs
    again = parts_of(games.reset(seeds))
    other = sum(
        not all(np.array_equal(first[name][game], again[name][game]) for name in first) for game in range(len(seeds))
    )
    if other:
        told = f"{other} of {len(seeds)} games show something else after a second reset with their seeds"
        yield Finding(SEED, told, "the same first observation")
    for name, most in largest.items():
        if most > LARGE:
            of = f" of {name}" if name else ""
            yield Finding(
                UNSCALED, f"up to {most:,.4g}{of} in {SEEN} steps of random play", f"at most {LARGE:g}, or scaled"
            )
