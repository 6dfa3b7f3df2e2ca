"""A run as a folder that the Hugging Face Hub shows as an agent: card, score, film, settings and weights."""

from __future__ import annotations

import os
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, cast

from triptych import frameworks
from triptych.experiments.evaluate import EvaluationResult, evaluate
from triptych.experiments.film import can_film, film, tape_of
from triptych.experiments.load import Source
from triptych.runs.names import RECIPE_FILE, check_links
from triptych.utils.checks import InputError, check
from triptych.utils.files import write_json
from triptych.utils.install import check_package, version

TAGS = ("deep-reinforcement-learning", "reinforcement-learning", "custom-implementation")  # the Hub's own words
WHICH = {
    "best": "with the highest mean in training",
    "latest": "at the end of training",
}  # of a run's weights, in words


def check_hub(source: Source, games: int, push: str | None) -> None:
    """Refuses what cannot become such a folder, before anything is written."""
    check(games > 1, "games", games, "2 or more")
    folder = source.file.parent.parent
    if not (folder / "config.json").is_file():
        raise InputError(f"RUN is {str(source.file)!r}, which lies in no run folder; allowed with --to hf: a run")
    if source.file.stem not in WHICH:  # such as what has grown: the run's settings are another network's
        raise InputError(
            f"RUN is {str(source.file)!r}; allowed with --to hf: a run, its best.safetensors or latest.safetensors"
        )
    check_links(folder)
    if push is not None:
        check_package("huggingface_hub", "hub", "--push")
        check(push.count("/") == 1 and all(push.split("/")), "push", push, "OWNER/NAME")


def write_hub(folder: Path, source: Source, games: int) -> None:
    """Everything but the weights, offline. What `triptych fetch hf:OWNER/NAME` takes is as in a run's folder."""
    run = source.file.parent.parent
    weights = cast(Literal["best", "latest"], source.file.stem)
    score = evaluate(run, games, weights=weights, policy="greedy", framework=source.framework)
    shutil.copyfile(run / "config.json", folder / "config.json")
    if (run / RECIPE_FILE).is_file():
        shutil.copyfile(run / RECIPE_FILE, folder / RECIPE_FILE)
    write_json(folder / "results.json", results(score))
    has_film = can_film(source.recipe.env, quiet=False)
    if has_film:
        has_film = film([[tape_of(source)]], folder / "replay.mp4") is not None
    (folder / "README.md").write_text(card(source, score, has_film), encoding="utf-8")


def results(score: EvaluationResult) -> dict[str, Any]:
    """The score under the names that the Hub's own tools write."""
    return {
        "env_id": score.env,
        "mean_reward": score.mean,
        "std_reward": score.std,
        "n_evaluation_episodes": score.games,
        "is_deterministic": True,
        "eval_datetime": datetime.now(UTC).isoformat(timespec="seconds"),
        "seed": score.seed,
        "mean_reward_95_interval": [score.low, score.high],
    }


def card(source: Source, score: EvaluationResult, has_film: bool) -> str:
    """README.md: what the Hub reads of an agent, then what people do."""
    algorithm, env = source.recipe.algorithm.kind.upper(), score.env
    title = frameworks.title_of(source.framework)
    value = f"{score.mean:.2f} +/- {score.std:.2f}"
    tags = "\n".join(f"- {tag}" for tag in (quoted(env), *TAGS, source.framework))
    which = source.file.stem
    own = "" if which == "best" else f" --weights {which}"
    watch = "\n`replay.mp4` is one of these agent's games.\n" if has_film else ""
    return f"""---
library_name: triptych
pipeline_tag: reinforcement-learning
tags:
{tags}
model-index:
- name: {algorithm}
  results:
  - task:
      type: reinforcement-learning
      name: reinforcement-learning
    dataset:
      name: {quoted(env)}
      type: {quoted(env)}
    metrics:
    - type: mean_reward
      value: {value}
      name: mean_reward
      verified: false
---

# {algorithm} on {env}

Trained in {title} with Triptych {version()}: {score.mean:.1f} a game, 95 % interval {score.low:.1f} to {score.high:.1f},
over {score.games} games with seed {score.seed}, by the largest {"logit" if "policy" in told(source) else "Q value"}.
{watch}
```bash
triptych fetch hf:OWNER/NAME            # this repository
triptych evaluate runs/NAME --games {score.games} --policy greedy{own}
```

`config.json` holds every setting, `{which}.safetensors` the run's weights {WHICH[which]}, under neutral names, which PyTorch, JAX and Keras
all load.
"""


def told(source: Source) -> tuple[str, ...]:
    """Whose outputs the policy takes the largest of: those of a policy, or Q values."""
    return ("policy",) if any(name.startswith("head/policy") for name in source.tensors) else ("q_values",)


def quoted(word: str) -> str:
    """A word of YAML that may hold a slash or a colon."""
    return "'" + word.replace("'", "''") + "'"


def upload(folder: Path, repository: str) -> None:
    """Sends the folder to the Hub, by whoever is logged in there.

    Raises:
        InputError: the Hub cannot be reached, or refuses.
    """
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HfHubHTTPError, LocalTokenNotFoundError

    try:
        api = HfApi(endpoint=os.environ.get("HF_ENDPOINT"))
        api.create_repo(repository, exist_ok=True)
        api.upload_folder(repo_id=repository, folder_path=folder, commit_message="An agent trained with Triptych")
    except (HfHubHTTPError, LocalTokenNotFoundError, OSError, ValueError) as error:
        first = str(error).strip().split("\n")[0]
        raise InputError(
            f"push is {repository!r}, which the Hub did not take ({first}); the folder is at {folder}; "
            "allowed: a repository of yours, online, after `hf auth login`"
        ) from None
