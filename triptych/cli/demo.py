"""`make demo`: CartPole solved in three frameworks, the proof that they are equal, Space Invaders, and a film.

Up to five minutes on two cores. Ends with the comparison, where the runs lie, the verdict, and a video of CartPole in the
three frameworks side by side.
"""

from __future__ import annotations

import sys
from pathlib import Path

from triptych.cli import exits
from triptych.cli.compared import comparison_table, run_folders
from triptych.cli.main import guarded
from triptych.cli.tables import lockstep_lines
from triptych.experiments.compare import Comparison, compare
from triptych.experiments.lockstep.prove import lockstep
from triptych.frameworks import FRAMEWORKS
from triptych.recipes import load_recipe
from triptych.recipes.override import override
from triptych.report.page import report

CARTPOLE_STEPS = 40_000  # enough for PPO in each framework: 498 to 500 of 500
PROOF_STEPS = 3_000
SPACE_INVADERS_STEPS = 1_600
MOST = 500  # of CartPole's reward


def main() -> int:
    """Returns 0 where the frameworks agree, 1 where they part, 3 where a run ended without a result."""
    say("1 of 3: CartPole with PPO, solved in three frameworks")
    cartpole = compare("cartpole-ppo", run_name="demo-cartpole", quiet=False, steps=CARTPOLE_STEPS)
    say("2 of 3: CartPole with DQN, the same actions in float64?")
    proof = lockstep("cartpole", PROOF_STEPS, quiet=False)
    say("3 of 3: Space Invaders, a short look in three frameworks (it learns nothing yet)")
    changes = {"steps": SPACE_INVADERS_STEPS, "warm_up": 800, "evaluate_every": 0}
    short = override(load_recipe("space-invaders-tuned"), changes)
    invaders = compare(
        short, games=4, run_name="demo-space-invaders", label="space-invaders-tuned", quiet=False, video=False
    )
    for comparison in (cartpole, invaders):
        comparison_table(comparison)
    for comparison in (cartpole, invaders):
        run_folders(comparison)
    runs = [run for row in cartpole.rows for run in row.runs]
    page = report([*runs, str(Path(proof.logs["torch"]).parent)], out=Path("runs/demo.html")) if runs else None
    lockstep_lines(proof, before_verdict=f"page: {page}" if page else "")
    print(film_line(cartpole))
    if cartpole.failures or invaders.failures:
        return exits.FAILED
    return exits.DONE if proof.agree else exits.DIFFER


def film_line(cartpole: Comparison) -> str:
    """The last line: where the film is, and what it shows."""
    if cartpole.video is None:
        return "no video was made"
    scores = ", ".join(f"{FRAMEWORKS[row.framework].title} {row.score:.0f}" for row in cartpole.rows)
    return f"video: {cartpole.video} (CartPole side by side; mean of {cartpole.games} games, of {MOST}: {scores})"


def say(text: str) -> None:
    print(f"\n{text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(guarded(main))
