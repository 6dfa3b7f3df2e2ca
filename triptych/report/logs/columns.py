"""What others call a column, in our words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from triptych.report.logs.log import HIGH, LOW
from triptych.utils.checks import InputError

# The columns of episodes.csv and metrics.csv, and two that only logs of others have: a mean over no fixed number of
# episodes, and iterations.
OURS = (
    "episode", "steps", "frames", "updates", "seconds", "iteration", "episode_reward", "running_reward", "max_reward",
    "mean_reward", "episode_length", "mean_length", "epsilon", "loss", "learning_rate", "evaluation_mean",
    "evaluation_low", "evaluation_high", "q_mean", "td_error_mean", "policy_loss", "value_loss", "entropy", "approx_kl",
    "clip_fraction", "gradient_norm",
)  # fmt: skip
# One's own names, after lower case and underscores. A tool's own are in the tool's file.
ALIASES = {
    "episodes": "episode", "ep": "episode", "n_episode": "episode", "episode_number": "episode", "num_episodes": "episode",
    "reward": "episode_reward", "rewards": "episode_reward", "score": "episode_reward", "scores": "episode_reward",
    "return": "episode_reward", "returns": "episode_reward", "ep_reward": "episode_reward", "ep_ret": "episode_reward",
    "ep_rew": "episode_reward", "episode_return": "episode_reward", "episodic_return": "episode_reward",
    "episodic_reward": "episode_reward", "total_reward": "episode_reward", "ep_return": "episode_reward",
    "running_average": "running_reward", "running_reward_100": "running_reward", "avg_100": "running_reward",
    "mean_100": "running_reward", "maximum_reward": "max_reward", "max_reward_100": "max_reward", "best_reward": "max_reward",
    "mean_return": "mean_reward", "average_reward": "mean_reward", "average_return": "mean_reward", "avg_reward": "mean_reward",
    "reward_mean": "mean_reward", "return_mean": "mean_reward", "mean_episode_reward": "mean_reward",
    "mean_episode_return": "mean_reward", "episode_reward_mean": "mean_reward", "episode_return_mean": "mean_reward",
    "length": "episode_length", "duration": "episode_length", "ep_len": "episode_length", "ep_length": "episode_length",
    "episodic_length": "episode_length", "episode_len": "episode_length", "episode_steps": "episode_length",
    "episode_len_mean": "mean_length", "time": "seconds", "elapsed": "seconds", "seconds_since_start": "seconds",
    "time_s": "seconds", "wall_time": "seconds", "runtime": "seconds", "time_elapsed": "seconds",
    "frame": "frames", "num_frames": "frames", "step": "steps", "timestep": "steps", "timesteps": "steps",
    "total_steps": "steps", "global_step": "steps", "env_steps": "steps", "env_step": "steps", "total_timesteps": "steps",
    "environment_steps": "steps", "num_steps": "steps", "total_env_steps": "steps", "t": "steps",
    "update": "updates", "n_updates": "updates", "gradient_steps": "updates", "epoch": "iteration", "epochs": "iteration",
    "iterations": "iteration", "iter": "iteration", "training_iteration": "iteration",
    "eps": "epsilon", "exploration_rate": "epsilon", "lr": "learning_rate", "train_loss": "loss", "td_loss": "loss",
    "total_loss": "loss", "actor_loss": "policy_loss", "vf_loss": "value_loss", "clipfrac": "clip_fraction",
    "kl": "approx_kl", "grad_norm": "gradient_norm", "eval_reward": "evaluation_mean", "eval_return": "evaluation_mean",
    "test_reward": "evaluation_mean", "eval_score": "evaluation_mean", "test_score": "evaluation_mean",
}  # fmt: skip
TESTS = ("eval", "evaluation", "test", "validation", "val")  # namespaces whose rewards are those of test games
REWARDS = ("episode_reward", "mean_reward", "running_reward")
MOST_SHOWN = 12  # column names in an error


@dataclass(frozen=True, eq=False)
class Dialect:
    """How a tool calls its columns, and what is known of their numbers."""

    tool: str
    names: Mapping[str, str]  # a column of the tool's to ours, the one to be preferred first
    left_out: tuple[str, ...] = ()  # how columns begin that are of no interest
    note: str = ""  # what a step is, and a mean
    marks: tuple[str, ...] = ()  # columns of which any tells that the tool wrote the file; none: one of `names`

    def wrote(self, names: Iterable[str]) -> bool:
        return not set(self.marks or self.names).isdisjoint(names)


OWN = Dialect("one's own", {}, marks=("",))


@dataclass
class Naming:
    """What the user says of others' columns: `--columns`, and what a frame is. It sees which of it was of use."""

    given: Mapping[str, str] = field(default_factory=dict)
    frames_are: str = "steps"
    seen: dict[str, None] = field(default_factory=dict)
    used: set[str] = field(default_factory=set)

    def name(self, names: Iterable[str], dialect: Dialect = OWN) -> dict[str, str]:
        """Ours for each of a file's columns. No two are alike: the best known one gets the name, the others keep theirs."""
        names = list(names)
        self.seen |= dict.fromkeys(names)
        found = {name: self.given[name] for name in names if name in self.given}
        self.used |= set(found)
        taken = set(found.values())
        order = {theirs: place for place, theirs in enumerate(dialect.names)}
        for name in sorted(set(names) - set(found), key=lambda name: (order.get(name, len(order)), names.index(name))):
            ours = dialect.names.get(name)
            if ours is None or ours in taken:
                if not plain_name(name) or name.startswith(dialect.left_out):
                    continue
                known = alias(name)
                ours = known if known and known not in taken else plain_name(name)
            found[name] = ours if ours not in taken else f"{ours}_{len(taken)}"
            taken.add(found[name])
        return {name: found[name] for name in names if name in found}

    def unused(self) -> list[str]:
        return [theirs for theirs in self.given if theirs not in self.used]


def plain_name(name: str) -> str:
    return re.sub(r"\W+", "_", name.strip().lower()).strip("_")[:80]


def alias(name: str) -> str | None:
    """What a column is called here, by its whole name or by what stands behind its namespace; None: not known."""
    plain = plain_name(name)
    if plain in OURS:
        return plain
    if plain in ALIASES:
        return ALIASES[plain]
    *spaces, last = [plain_name(part) for part in re.split(r"[/.]", name)]
    found = last if last in OURS else ALIASES.get(last)
    if set(spaces) & set(TESTS):
        return "evaluation_mean" if found in REWARDS else None
    return found if spaces else None


def parse_columns(given: Iterable[str]) -> dict[str, str]:
    """`THEIRS=ours`, several of them. A name of theirs may hold `=`.

    Raises:
        InputError: one has no `=`, or its right side is no column of ours.
    """
    found: dict[str, str] = {}
    for pair in given:
        theirs, equals, ours = (part.strip() for part in pair.rpartition("="))
        if not equals or not theirs:
            raise InputError(
                f"columns is {pair[:100]!r}; allowed: THEIRS=ours, such as ep_ret=episode_reward total=steps"
            )
        if ours not in OURS:
            raise InputError(
                f"columns is {pair[:100]!r}, which ends on no name of ours; allowed: THEIRS= one of {', '.join(OURS)}"
            )
        if found.get(theirs, ours) != ours:
            raise InputError(f"columns gives {theirs[:100]!r} two meanings, {found[theirs]} and {ours}; allowed: one")
        found[theirs] = ours
    return found


def shown(names: Iterable[str]) -> str:
    """Column names for an error: some of them, and only what can be printed."""
    names = [name for name in names if name and not name.endswith((LOW, HIGH))]
    told = ["".join(letter if letter.isprintable() else "?" for letter in name)[:30] for name in names[:MOST_SHOWN]]
    return (", ".join(told) or "without names") + (
        f" and {len(names) - MOST_SHOWN} more" if len(names) > MOST_SHOWN else ""
    )
