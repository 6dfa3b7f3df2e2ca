"""What results/benchmarks/README.md's tables are made of: for each row the command that measures it and the file of what it printed.

`table.py` runs the commands and writes the tables; nothing here measures.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

Found = dict[str, Any]  # a command's last line
TITLES = {"stable-baselines3": "Stable-Baselines3", "cleanrl": "CleanRL", "tianshou": "Tianshou"}
GOALS = {"a2c": 1.8, "ppo": 2.3, "recurrent-ppo": 2.3}
GAMES = {
    "kung-fu-master": "Kung-Fu Master",
    "ms-pacman": "Ms. Pac-Man",
    "space-invaders": "Space Invaders",
    "assault": "Assault",
    "seaquest": "Seaquest",
    "breakout": "Breakout",
}


@dataclass(frozen=True)
class Measurement:
    """A command of this folder whose last line with `--json` is kept as results/benchmarks/NAME.json."""

    name: str
    command: tuple[str, ...]  # script and arguments
    short: tuple[str, ...] = ()  # further arguments of its short form; none: there is no shorter one

    @property
    def is_pair(self) -> bool:
        """Whether it has a short form, which shows in minutes how ours stands beside another."""
        return bool(self.short)


@dataclass(frozen=True)
class Table:
    """A table of the page, between two comments that name it."""

    name: str
    head: tuple[str, ...]
    measurements: tuple[Measurement, ...]
    rows: Callable[[Measurement, Found], Iterable[Sequence[str]]]  # those of one measurement

    def lines(self, found: dict[str, Found]) -> list[str]:
        """The table in Markdown, of what was measured; below it on what, with how many threads and turns."""
        cells = [self.head, ("---",) * len(self.head)]
        there = [one for one in self.measurements if one.name in found]
        cells += [tuple(row) for one in there for row in self.rows(one, found[one.name])]
        return [*(f"| {' | '.join(row)} |" for row in cells), "", where(found[one.name] for one in there)]


def where(found: Iterable[Found]) -> str:
    """One line of the processors, threads and turns behind a table."""
    told: dict[str, None] = {}
    for one in found:
        threads = f", {one['threads']} thread{'s' * (one['threads'] != 1)}" if "threads" in one else ""
        turns = f", medians of {one['turns']} turns" if isinstance(one.get("turns"), int) else ""
        told[f"{one['processor']}{threads}{turns}"] = None
    return f"Measured on {'; '.join(told)}." if told else "Not measured yet."


def dqn(peer: str, framework: str, precision: str, games: int) -> Measurement:
    given = ("--peer", peer, "--num-envs", str(games), "--framework", framework, "--precision", precision)
    return Measurement(
        f"dqn-{peer}-{framework}-{precision}-{games}", ("dqn.py", *given), ("--steps", "400", "--warm-up", "200")
    )


def dqn_row(one: Measurement, found: Found) -> Iterable[Sequence[str]]:
    peer = next(name for name in TITLES if name in one.name)
    beside = f"{TITLES[peer]} {found['versions'][peer]}"
    if peer == "cleanrl":
        beside += f" ({found['framework']})"
    if found["precision"] == "bfloat16":
        beside += " (float32)"
    ours = f"{found['framework']} {found['precision']}"
    rates = f"{found['ours']:,.0f}", f"{found['peer']:,.0f}", f"**{found['ratio']:.2f}**"
    yield ours, str(found["num_envs"]), beside, *rates, f"{100 * found['bound_share']:.0f} %"


def actor_critic(algorithm: str, framework: str, precision: str) -> Measurement:
    given = ("--algorithm", algorithm, "--framework", framework, "--precision", precision)
    short = ("--rollouts", "10" if algorithm == "a2c" else "1")
    return Measurement(f"actor-critics-{algorithm}-{framework}-{precision}", ("actor_critics.py", *given), short)


def actor_critic_row(one: Measurement, found: Found) -> Iterable[Sequence[str]]:
    other = found["precision"] != "float32"
    ours = f"{found['framework']} {found['precision']} (theirs float32)" if other else found["framework"]
    ratio = f"{found['ratio']:.2f}x"
    met = found["ratio"] >= GOALS[found["algorithm"]]
    turns = zip(*(found["rates"][who] for who in ("ours", "peer")), strict=True)
    yield (
        ours, f"{found['ours']:,.0f}", f"{found['peer']:,.0f}", f"**{ratio}**" if met else f"{ratio}: missed",
        ", ".join(f"{a:.0f} / {b:.0f}" for a, b in turns),
    )  # fmt: skip


def drqn_rows(one: Measurement, found: Found) -> Iterable[Sequence[str]]:
    for framework, rows in itertools.groupby(found["rows"], lambda row: row["framework"]):
        plain, memory = sorted(rows, key=lambda row: row["memory"] != "none")
        alone, with_memory = ((f"{row['steps_per_second']:,.0f}", f"{row['update_ms']:.1f}") for row in (plain, memory))
        yield framework, *with_memory, f"{100 * memory['memory_share']:.0f} %", *alone


def replay(game: str, policy: str) -> Measurement:
    given = ("--game", game, "--transitions", "1000000", "--policy", policy)
    return Measurement(f"replay-{game}-{'random' if policy == 'random' else 'trained'}", ("replay.py", *given))


def replay_row(one: Measurement, found: Found) -> Iterable[Sequence[str]]:
    by = "" if found["policy"] == "random" else f", played by the agent in {found['policy']} with 5 % random moves"
    yield f"{GAMES[found['game']]}{by}", f"{found['resident_bytes'] / 1e6:.0f}", f"{found['sample_ms']:.1f}"


FLOAT, BFLOAT = "float32", "bfloat16"
RIVAL = "stable-baselines3"
DQN = (
    dqn(RIVAL, "torch", FLOAT, 8), dqn(RIVAL, "torch", FLOAT, 1), dqn(RIVAL, "torch", BFLOAT, 8), dqn(RIVAL, "torch", BFLOAT, 1),
    dqn("cleanrl", "torch", FLOAT, 1), dqn("tianshou", "torch", FLOAT, 8), dqn("cleanrl", "jax", FLOAT, 1),
    dqn(RIVAL, "keras", FLOAT, 8), dqn(RIVAL, "jax", FLOAT, 8),
)  # fmt: skip
RACERS = (("torch", FLOAT), ("torch", BFLOAT), ("keras", FLOAT), ("jax", FLOAT))
HEADS = {
    "a2c": "A2C, 16 games by 5 steps",
    "ppo": "PPO, 8 games by 128 steps, 4 epochs of minibatches of 256",
    "recurrent-ppo": "recurrent PPO, the same with an LSTM of 256",
}
RATES = ("ours, steps/s", "theirs", "ratio")
TABLES = (
    Table(
        "replay", ("game", "1,000,000 transitions, MB", "a batch of 32, ms"),
        (*(replay(game, "random") for game in GAMES), replay("space-invaders", "results/space-invaders/torch")), replay_row,
    ),
    Table("dqn", ("ours", "games", "beside", *RATES, "of the bound"), DQN, dqn_row),
    Table(
        "drqn", ("", "steps/s", "update, ms", "memory", "without memory: steps/s", "update, ms"),
        (Measurement("drqn-cartpole", ("drqn.py",), ("--updates", "40")),), drqn_rows,
    ),
    *(
        Table(
            algorithm, (head, *RATES, "turns (ours / theirs)"), tuple(actor_critic(algorithm, *racer) for racer in RACERS),
            actor_critic_row,
        )
        for algorithm, head in HEADS.items()
    ),
)  # fmt: skip
MEASUREMENTS = {one.name: one for table in TABLES for one in table.measurements}
