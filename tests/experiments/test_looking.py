"""`triptych look --trained`: what an agent sees while it plays, its values, what its choice hangs on."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.envs.test_videos import frames_of
from tests.experiments.test_video import call, untrained
from triptych import frameworks
from triptych.envs.bars import tinted
from triptych.experiments.load import file_of, find_weights
from triptych.experiments.looking import Playing, Wish, look_trained
from triptych.experiments.tape import play
from triptych.experiments.video import game_seed
from triptych.frameworks import FRAMEWORKS
from triptych.recipes import load_recipe
from triptych.recipes.override import override
from triptych.report.trained_look import HEAT, heat_of, overlaid
from triptych.runs.trust import Allowed
from triptych.utils.checks import InputError

SHOWN = {"breakout": {}, "drqn-cartpole": {}, "cartpole-ppo": {}}


@pytest.fixture(scope="module")
def agents(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Weights as they are drawn, of a stack of pictures, of a memory, of an actor-critic."""
    folder = tmp_path_factory.mktemp("agents")
    return {
        name: untrained(override(load_recipe(name), {"threads": 1} | changes), folder / f"{name}.safetensors")
        for name, changes in SHOWN.items()
    }


@pytest.mark.parametrize("name", ["drqn-cartpole", "cartpole-ppo"])
def test_what_is_shown_is_the_game_that_is_played(name: str, agents: dict[str, Path]) -> None:
    """Step for step the numbers and actions of the agent as `video` films it, a memory's state carried, a policy drawn from."""
    source = find_weights(agents[name], "best", "torch", ".", Allowed())
    recorder, game = play(source, game_seed(5), 1_000, 5)
    with ExitStack() as stack:
        playing = Playing(source, 5, stack)
        moments = list(playing.moments(1, with_slopes=True))
    assert [moment.decision for moment in moments] == recorder.decisions
    assert len(moments) == game.length
    assert [moment.score for moment in moments] == list(range(game.length)), "CartPole gives 1 a step"
    slopes = np.stack([moment.slopes for moment in moments if moment.slopes is not None])
    assert slopes.shape == (len(moments), *moments[0].obs.shape)
    assert np.abs(slopes).max() > 0
    assert frameworks.THREADS == 1


def test_a_sheet_shows_the_stack_as_the_network_gets_it(agents: dict[str, Path], tmp_path: Path) -> None:
    """The screen, the four pictures pixel by pixel, what moves the choice, and the bars."""
    path = look_trained(agents["breakout"], tmp_path / "x.png", Wish(frames=2, every=5, saliency=True, seed=1))
    source = find_weights(agents["breakout"], "best", "torch", ".", Allowed())
    with ExitStack() as stack:
        playing = Playing(source, 1, stack)
        _, moment = (moment for moment in playing.moments(5, True) if moment.step < 6)
        row, captions = playing.drawn(moment, 1.0)
    screen, *stacked, heat, bars = row.pictures
    assert captions[:1] == ["screen"]
    assert captions[-2:] == ["what the action hangs on", ""]
    assert row.label == "step 5, score 0"
    assert screen.shape == (420, 320, 3)
    factor = stacked[-1].shape[0] // moment.obs.shape[1]
    for shown, frame in zip(stacked, np.moveaxis(moment.obs, 0, 0), strict=True):
        assert np.array_equal(shown[::factor, ::factor].squeeze()[..., 0], frame if frame.ndim == 2 else frame[..., 0])
    assert (heat[..., 0].astype(int) - heat[..., 2] > 150).any(), "red where it matters"
    assert (bars == np.array(tinted(FRAMEWORKS["torch"].colour))).all(2).any()
    with Image.open(path) as found:
        assert found.size[0] == sum(picture.shape[1] + 12 for picture in row.pictures) + 12


def test_a_film_shows_every_step(agents: dict[str, Path], tmp_path: Path) -> None:
    out = tmp_path / "x.mp4"
    assert call("look", "--trained", str(agents["cartpole-ppo"]), "--frames", "6", "--saliency", "--out", str(out)) == 0
    pictures, said = frames_of(out)
    assert len(pictures) == 6
    assert "yuv420p" in said


def test_without_a_name_the_sheet_is_called_after_the_agent(
    agents: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert call("look", "--trained", str(agents["drqn-cartpole"]), "--frames", "1", "--seed", "2") == 0
    assert [file.name for file in tmp_path.iterdir()] == ["look-drqn-cartpole.png"]


def test_heat_is_the_largest_slope_over_stack_and_colours() -> None:
    slopes = np.zeros((2, 3, 4, 3))
    slopes[0, 1, 2, 0], slopes[1, 1, 2, 2], slopes[1, 0, 0, 1] = 1.0, -4.0, 2.0
    heat = heat_of(slopes, (3, 4))
    assert heat[1, 2] == 1
    assert 0.4 < heat[0, 0] <= 1
    assert np.count_nonzero(heat) == 2
    assert np.array_equal(heat_of(np.zeros((2, 3, 4)), (3, 4)), np.zeros((3, 4))), "nothing matters"
    drawn = overlaid(np.full((3, 4, 3), 200, np.uint8), heat)
    assert drawn[1, 2].tolist() == HEAT.tolist()
    assert drawn[2, 3].tolist() == [110, 110, 110], "dimmed"


BAD = [
    (["--trained", "nobody"], "nobody"),
    (["cartpole", "--saliency"], "--saliency is True; allowed: False without --trained RUN"),
    (["--trained", "AGENT", "--out", "x.gif"], "--out is 'x.gif'; allowed: a file that ends on .png or .mp4"),
    (["--trained", "AGENT", "--frames", "0"], "--frames is 0; allowed: above 0"),
    (["--trained", "AGENT", "--every", "0"], "--every is 0; allowed: above 0"),
    (["cartpole", "--out", "x.mp4"], "allowed: a file that ends on .png"),
]


@pytest.mark.parametrize(("arguments", "said"), BAD, ids=[" ".join(arguments) for arguments, _ in BAD])
def test_bad_input_is_one_line_and_exit_code_2(
    arguments: list[str], said: str, agents: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    assert call("look", *(str(agents["breakout"]) if word == "AGENT" else word for word in arguments)) == 2
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert said in line
    assert not list(tmp_path.iterdir())


def test_a_finished_run_without_its_weights_says_that_they_are_not_there(tmp_path: Path) -> None:
    (tmp_path / "metrics.csv").write_text("steps\n")
    with pytest.raises(InputError, match=r"has logs, but its weights are not there \(no checkpoints/best\.safetensors"):
        file_of(tmp_path / "checkpoints", "best")
