"""`export`: a run's policy as a file that others play without Triptych, checked by playing it."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from triptych import envs, frameworks
from triptych.experiments.hub_folder import check_hub, upload, write_hub
from triptych.experiments.load import Source, find_weights, make_agent
from triptych.frameworks import FRAMEWORKS
from triptych.recipes.serialise import to_dict
from triptych.runs.names import check_links
from triptych.runs.records import Named
from triptych.runs.trust import Allowed
from triptych.spec.signature import Signature
from triptych.spec.weights import save_weights
from triptych.training.agent import Agent
from triptych.utils.checks import InputError, check
from triptych.utils.failures import machine_failures
from triptych.utils.files import fresh_folder, read_tensors, remove, sync_folder
from triptych.utils.seeds import game_seeds

TO = {  # the name of what is written, in a run's exports/
    "onnx": "policy.onnx",
    "torchscript": "policy.pt",
    "stablehlo": "policy.stablehlo",
    "savedmodel": "policy.savedmodel",
    "safetensors": "policy.safetensors",
    "hf": "hub",
}
GAMES, STEPS = 8, 125  # 1,000 observations of play
EXPLORATION = 0.1  # share of random actions in it, so that more is seen than one path
LAST_BITS = 1e-5  # of the largest output: values nearer to each other than this are equally good


@dataclass(frozen=True)
class Exported:
    """What `export` wrote, and how it was checked."""

    path: Path | None  # None: it did not act as the run does, so nothing was kept
    to: str
    source: Path  # the weights
    framework: str  # that wrote and checked it
    inputs: list[dict[str, Any]]
    outputs: list[str]
    observations: int  # of play that it was checked on
    same: int  # of them with the same action
    difference: float  # largest one of any output


@machine_failures()
def export(
    run: Named,
    to: str,
    *,
    out: str | Path | None = None,
    weights: Literal["best", "latest"] = "best",
    framework: str | None = None,
    games: int = 100,
    push: str | None = None,
    runs_dir: str | Path = "runs",
    recipe: str | None = None,
    trust: bool = False,
) -> Exported:
    """Writes a run's policy for others, and plays what was written on 1,000 observations: the actions must be the same.

    The file takes observations as the agent has them, bytes as they are, and gives Q values, or logits and value; with
    memory it takes the state and gives the next one. See `triptych.spec.signature`.

    Args:
        to: "onnx", "torchscript", "stablehlo", "savedmodel", "safetensors", or "hf", a folder for the Hugging Face Hub.
        out: the file or folder; None: in the run's exports/. What is there is replaced.
        framework: that writes it; None: the run's own.
        games: that are played for the score of an "hf" folder.
        push: the repository of the Hub to which an "hf" folder is sent, as OWNER/NAME.
        recipe: a Python file of the user's to run first, which registers what the run needs.
        trust: run what the run names.

    Raises:
        InputError: no such run, the framework cannot write that, or a package is missing; nothing is written then.
    """
    check(to in TO, "to", to, ", ".join(TO))
    check(push is None or to == "hf", "push", push, "with --to hf")
    source = find_weights(run, weights, framework, runs_dir, Allowed(recipe, trust))
    check_writer(to, source.framework, chosen=framework is not None)
    source = in_float32(source)
    path = target(source, to, out)
    if to == "hf":
        check_hub(source, games, push)
    with closing(envs.make(source.recipe.env, GAMES)) as played:
        network = source.recipe.make_network(played.observation, played.num_actions)
        agent = make_agent(source, played, "greedy", EXPLORATION, 0)
        signature = Signature.of(network, agent.learner.precision)
        if out is None:
            path.parent.mkdir(exist_ok=True)
        folder = fresh_folder(path.parent)
        try:
            made = folder / path.name
            if to == "hf":
                made.mkdir()
                write_hub(made, source, games)
            play = written(made, to, source, agent, played, signature)
            same, difference = compared(agent, play, played, signature)
            if same == GAMES * STEPS:
                remove(path)
                os.replace(made, path)
        finally:
            remove(folder)
        sync_folder(path.parent)
    kept = path if same == GAMES * STEPS else None
    if push is not None and kept is not None:
        upload(kept, push)
    told = signature.as_dict()
    return Exported(
        kept, to, source.file, source.framework, told["inputs"], told["outputs"], GAMES * STEPS, same, difference
    )


def check_writer(to: str, framework: str, chosen: bool) -> None:
    """Refuses what a framework cannot write, and says which can."""
    if to in ("safetensors", "hf") or to in FRAMEWORKS[framework].exports:
        return
    able = [name for name, known in FRAMEWORKS.items() if to in known.exports]
    own = ", ".join((*FRAMEWORKS[framework].exports, "safetensors", "hf"))
    whose = "that --framework names" if chosen else "of the run"
    raise InputError(
        f"to is {to!r}, which {framework}, the framework {whose}, does not write; allowed: {own}, "
        f"or --framework {' or '.join(able)} (the weights are the same in each)"
    )


def in_float32(source: Source) -> Source:
    """Layers that multiply in bfloat16 are exported in float32, which everything plays."""
    if source.recipe.precision != "bfloat16":
        return source
    return dataclasses.replace(source, recipe=dataclasses.replace(source.recipe, precision="float32"))


def target(source: Source, to: str, out: str | Path | None) -> Path:
    """Where it is written: in exports/ of the run, beside a weights file that lies in no run, or where the user says.

    Raises:
        InputError: it cannot be there.
    """
    if out is None:
        run = source.file.parent.parent
        if not (run / "config.json").is_file():
            return (
                source.file.absolute().parent / f"{source.file.stem}-{TO[to]}"
            )  # of several files there each has its own
        check_links(run)
        return run / "exports" / TO[to]
    path = Path(out)
    is_folder = to in ("savedmodel", "hf")
    allowed = f"a {'folder' if is_folder else 'file'} in a folder that is there"
    if not path.absolute().parent.is_dir():
        raise InputError(f"out is {str(path)!r}, but there is no folder {str(path.parent)!r}; allowed: {allowed}")
    if path.exists() and (path.is_dir() or is_folder):
        raise InputError(f"out is {str(path)!r}, which is there already; allowed: {allowed}, of a new name")
    return path


Play = Callable[[Sequence[np.ndarray]], list[np.ndarray]]


def written(path: Path, to: str, source: Source, agent: Agent, games: envs.Games, signature: Signature) -> Play:
    """Writes it, and opens it again."""
    about = {"recipe": to_dict(source.trained), "signature": signature.as_dict()}
    if to in ("safetensors", "hf"):
        file = path / source.file.name if to == "hf" else path
        _, metadata = read_tensors(source.file)
        told = {name: (metadata or {}).get(name) for name in ("steps", "updates")}
        save_weights(file, source.tensors, {**about, **told})
        again = make_agent(dataclasses.replace(source, tensors=read_tensors(file)[0]), games, "greedy", 0, 0)
        return lambda flat: list(signature.taken(*again.act(*signature.given(flat))))
    write, opened = frameworks.exporter(source.framework, to)
    write(agent.learner, signature, path, about)
    play: Play = opened(signature, path)
    return play


def compared(agent: Agent, play: Play, games: envs.Games, signature: Signature) -> tuple[int, float]:
    """On how many observations a file acts as the agent, and how far its outputs are from the agent's at most.

    An action counts as the same where the agent's values of both are equal but for the last bits.
    """
    same, largest = 0, 0.0
    for flat, outputs in steps_of(agent, games, signature):
        found = play(flat)
        for mine, other in zip(outputs, found, strict=True):
            if mine.shape != other.shape:
                return 0, float("inf")
            if mine.size:
                largest = max(largest, float(np.abs(mine.astype(np.float64) - other).max()))
        values, chosen = outputs[0], np.argmax(found[0], axis=1)
        lost = values.max(axis=1) - values[np.arange(len(values)), chosen]
        same += int((lost <= LAST_BITS * np.maximum(1, np.abs(values).max(axis=1))).sum())
    one = play([array[:1] for array in flat])  # and for a single game
    return (same, largest) if len(one[0]) == 1 else (0, float("inf"))


def steps_of(
    agent: Agent, games: envs.Games, signature: Signature
) -> Iterator[tuple[list[np.ndarray], tuple[np.ndarray, ...]]]:
    """What goes in at each of some steps of play, in the signature's order, and what the agent makes of it."""
    obs, state = games.reset(game_seeds(0, "export", 0, GAMES)), agent.initial_state(GAMES)
    started = np.ones(GAMES, bool)
    ended = np.zeros(GAMES, bool)
    for _ in range(STEPS):
        taken = agent.taken(obs, state, started)
        outputs, state = agent.learner.act(*taken)
        yield signature.flat(*taken), signature.taken(outputs, state)
        games.send(agent.choose(outputs))
        step = games.recv()
        started = ended if step.broken is None else ended | step.broken
        obs, ended = step.obs, step.terminated | step.truncated
