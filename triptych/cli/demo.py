"""`make demo`: CartPole in three frameworks, the proof that they are equal, Space Invaders in three frameworks.

A few minutes on two cores. Ends with the comparison, where the runs lie, and the verdict.
"""

from __future__ import annotations

import sys
from pathlib import Path

from triptych.cli.main import guarded
from triptych.cli.tables import comparison_table, lockstep_lines, run_folders
from triptych.experiments.compare import compare
from triptych.experiments.lockstep.prove import lockstep
from triptych.recipes import load_recipe
from triptych.recipes.override import override
from triptych.report.page import report

CARTPOLE_STEPS = 15_000
PROOF_STEPS = 3_000
SPACE_INVADERS_STEPS = 3_000


def main() -> int:
    """Returns 0 where the frameworks agree, 1 where they part, 3 where a run ended without a result."""
    say("1 of 3: CartPole, trained in three frameworks")
    cartpole = compare("cartpole", run_name="demo-cartpole", quiet=False, steps=CARTPOLE_STEPS)
    say("2 of 3: CartPole, the same actions in float64?")
    proof = lockstep("cartpole", PROOF_STEPS, quiet=False)
    say("3 of 3: Space Invaders, a short look in three frameworks (it learns nothing yet)")
    short = override(
        load_recipe("space-invaders-tuned"), {"steps": SPACE_INVADERS_STEPS, "warm_up": 1_000, "evaluate_every": 0}
    )
    invaders = compare(short, games=8, run_name="demo-space-invaders", label="space-invaders-tuned", quiet=False)
    for comparison in (cartpole, invaders):
        comparison_table(comparison)
    for comparison in (cartpole, invaders):
        run_folders(comparison)
    runs = [run for row in cartpole.rows for run in row.runs]
    page = report([*runs, str(Path(proof.logs["torch"]).parent)], out=Path("runs/demo.html")) if runs else None
    lockstep_lines(proof, before_verdict=f"page: {page}" if page else "")
    if cartpole.failures or invaders.failures:
        return 3
    return 0 if proof.agree else 1


def say(text: str) -> None:
    print(f"\n{text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(guarded(main))
