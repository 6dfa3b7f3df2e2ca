"""What results/benchmarks/README.md's tables are made of: for each row the command that measures it and the file of what it printed.

`table.py` runs the commands and writes the tables; nothing here measures.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import rivals
from rivals import SB3

Found = dict[str, Any]  # a command's last line
GOALS = {"a2c": 1.8, "ppo": 2.3, "recurrent-ppo": 2.3}  # beside Stable-Baselines3 and sb3-contrib
GOALS_IN_JAX = {"sbx": 1.5, "cleanrl": 1.5}  # beside libraries whose networks are in JAX too
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

    @property
    def peer(self) -> str:
        """Beside whom it is measured, as `--peer` has it."""
        return self.command[self.command.index("--peer") + 1] if "--peer" in self.command else SB3


@dataclass(frozen=True)
class Table:
    """A table of the page, between two comments that name it."""

    name: str
    head: tuple[str, ...]
    measurements: tuple[Measurement, ...]
    rows: Callable[[Measurement, Found], Iterable[Sequence[str]]]  # those of one measurement

    def lines(self, found: dict[str, Found]) -> list[str]:
        """The table in Markdown, of what was measured; below it on what, with how many threads and turns, and what is missing."""
        cells = [self.head, ("---",) * len(self.head)]
        there = [one for one in self.measurements if one.name in found]
        cells += [tuple(row) for one in there for row in self.rows(one, found[one.name])]
        missing = ", ".join(f"`{one.name}`" for one in self.measurements if one not in there)
        below = [where(found[one.name] for one in there)] if there else []
        below += [f"Not measured yet: {missing}."] if missing else []
        return [*(f"| {' | '.join(row)} |" for row in cells), "", *below]


def where(found: Iterable[Found]) -> str:
    """One line of the processors, threads and turns behind a table."""
    told: dict[str, None] = {}
    for one in found:
        threads = f", {one['threads']} thread{'s' * (one['threads'] != 1)}" if "threads" in one else ""
        turns = f", medians of {one['turns']} turns" if isinstance(one.get("turns"), int) else ""
        told[f"{one['processor']}{threads}{turns}"] = None
    return f"Measured on {'; '.join(told)}."


def dqn(peer: str, framework: str, precision: str, games: int) -> Measurement:
    given = ("--peer", peer, "--num-envs", str(games), "--framework", framework, "--precision", precision)
    return Measurement(
        f"dqn-{peer}-{framework}-{precision}-{games}", ("dqn.py", *given), ("--steps", "400", "--warm-up", "200")
    )


def dqn_row(one: Measurement, found: Found) -> Iterable[Sequence[str]]:
    beside = rivals.DQN[one.peer].named(found)
    if found["precision"] == "bfloat16":
        beside += " (float32)"
    ours = f"{found['framework']} {found['precision']}"
    rates = f"{found['ours']:,.0f}", f"{found['peer']:,.0f}", f"**{found['ratio']:.2f}**"
    yield ours, str(found["num_envs"]), beside, *rates, f"{100 * found['bound_share']:.0f} %"


def actor_critic(algorithm: str, framework: str, precision: str, peer: str = SB3) -> Measurement:
    given = ("--algorithm", algorithm, "--framework", framework, "--precision", precision)
    name = f"{algorithm}-{framework}-{precision}"
    if peer != SB3:
        given, name = (*given, "--peer", peer), f"{algorithm}-{peer}-{framework}-{precision}"
    short = ("--rollouts", "10" if algorithm == "a2c" else "1")
    return Measurement(f"actor-critics-{name}", ("actor_critics.py", *given), short)


def actor_critic_row(one: Measurement, found: Found) -> Iterable[Sequence[str]]:
    algorithm, ours = found["algorithm"], found["framework"]
    if found["precision"] != "float32":
        ours += f" {found['precision']} (theirs float32)"
    beside = rivals.ACTOR_CRITICS[one.peer].named(found)
    if one.peer == SB3 and algorithm == "recurrent-ppo":
        beside = f"sb3-contrib {found['versions']['sb3-contrib']}"
    goal = GOALS[algorithm] if one.peer == SB3 else GOALS_IN_JAX.get(one.peer)
    ratio = f"{found['ratio']:.2f}x"
    if goal is not None:
        ratio = f"**{ratio}**" if found["ratio"] >= goal else f"{ratio}: missed"
    turns = zip(*(found["rates"][who] for who in ("ours", "peer")), strict=True)
    told = ", ".join(f"{a:.0f} / {b:.0f}" for a, b in turns)
    yield ours, beside, f"{found['ours']:,.0f}", f"{found['peer']:,.0f}", ratio, told


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
DQN = (
    dqn(SB3, "torch", FLOAT, 8), dqn(SB3, "torch", FLOAT, 1), dqn(SB3, "torch", BFLOAT, 8), dqn(SB3, "torch", BFLOAT, 1),
    dqn("cleanrl", "torch", FLOAT, 1), dqn("tianshou", "torch", FLOAT, 8), dqn("cleanrl", "jax", FLOAT, 1),
    dqn("sbx", "jax", FLOAT, 8), dqn("sbx", "jax", FLOAT, 1),
    dqn("keras-tutorial", "keras", FLOAT, 1), dqn("keras-train-on-batch", "keras", FLOAT, 1),
    dqn(SB3, "keras", FLOAT, 8), dqn(SB3, "jax", FLOAT, 8),
)  # fmt: skip
RACERS = (("torch", FLOAT), ("torch", BFLOAT), ("keras", FLOAT), ("jax", FLOAT))
OWN_PEERS = {"ppo": (("jax", FLOAT, "sbx"), ("jax", FLOAT, "cleanrl"), ("keras", FLOAT, "keras-tutorial"))}
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
            algorithm, (head, "beside", *RATES, "turns (ours / theirs)"),
            tuple(actor_critic(algorithm, *racer) for racer in (*RACERS, *OWN_PEERS.get(algorithm, ()))), actor_critic_row,
        )
        for algorithm, head in HEADS.items()
    ),
)  # fmt: skip
MEASUREMENTS = {one.name: one for table in TABLES for one in table.measurements}
