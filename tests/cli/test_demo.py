"""The demo: in its order, with its exit codes, ending on the film. Its runs are stood in for; `make demo` is the whole."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from triptych.cli import demo, exits
from triptych.experiments.compare import Comparison, ComparisonRow
from triptych.experiments.film import can_film
from triptych.recipes import load_recipe
from triptych.recipes.feasibility import prepare
from triptych.recipes.override import override

FILM = "runs/demo-cartpole-side-by-side.mp4"


def comparison(recipe: str, scores: dict[str, float], video: str | None, failures: list[str]) -> Comparison:
    rows = [
        ComparisonRow(recipe, name, score, score, score, score, 1.0, 1.0, 1.0, 1, [score], [f"runs/{name}"])
        for name, score in scores.items()
    ]
    return Comparison(recipe, rows, [], video, failures, [0], 20, 1, 1, "a processor", {})


class Stage:
    """Stands in for what the demo calls, and keeps how."""

    def __init__(
        self, monkeypatch: pytest.MonkeyPatch, agree: bool = True, video: str | None = FILM, failures: int = 0
    ):
        self.calls: list[tuple[str, Any, dict[str, Any]]] = []
        self.agree, self.video, self.failures = agree, video, ["torch: killed"] * failures
        for name in ("compare", "lockstep", "report"):
            monkeypatch.setattr(demo, name, getattr(self, name))
        monkeypatch.setattr(demo, "lockstep_lines", lambda proof, before_verdict: print(before_verdict, "the verdict"))

    def compare(self, recipe: Any, **given: Any) -> Comparison:
        self.calls.append(("compare", recipe, given))
        scores = {"torch": 500.0, "jax": 498.0, "keras": 499.6}
        return comparison("cartpole-ppo", scores, self.video, self.failures)

    def lockstep(self, recipe: str, steps: int, **given: Any) -> Any:
        self.calls.append(("lockstep", recipe, {"steps": steps}))
        return SimpleNamespace(agree=self.agree, logs={"torch": "runs/lockstep/torch.csv"})

    def report(self, arguments: list[str], out: Path) -> Path:
        self.calls.append(("report", arguments, {}))
        return out


def test_it_ends_on_the_film_of_the_three_frameworks(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    stage = Stage(monkeypatch)
    assert demo.main() == exits.DONE
    *before, last = capsys.readouterr().out.splitlines()
    assert last == f"video: {FILM} (CartPole side by side; mean of 20 games, of 500: PyTorch 500, JAX 498, Keras 500)"
    assert before[-1] == "page: runs/demo.html the verdict"
    assert [name for name, _, _ in stage.calls] == ["compare", "lockstep", "compare", "report"]
    assert stage.calls[1][2] == {"steps": 3_000}
    assert "runs/lockstep" in stage.calls[-1][1]


def test_what_it_trains_can_be_trained_and_filmed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each recipe as the demo changes it; CartPole draws itself."""
    stage = Stage(monkeypatch)
    demo.main()
    monkeypatch.delenv("TRIPTYCH_NO_VIDEO")
    (_, cartpole, changes), (_, invaders, _) = (call for call in stage.calls if call[0] == "compare")
    recipe = override(load_recipe(cartpole), {"steps": changes["steps"]})
    assert can_film(recipe.env, quiet=True)
    for one in (recipe, invaders):
        prepare(one, "torch").games.close()


@pytest.mark.parametrize(
    ("given", "code"),
    [({"agree": False}, exits.DIFFER), ({"failures": 1}, exits.FAILED), ({"video": None}, exits.DONE)],
)
def test_its_exit_code_tells(given: dict[str, Any], code: int, monkeypatch: pytest.MonkeyPatch) -> None:
    Stage(monkeypatch, **given)
    assert demo.main() == code
