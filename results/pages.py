"""Builds the pages of the results from their tables, logs and films: `study.html` and `report.html` in their folders.

python results/pages.py                 # all of them, a minute or two
python results/pages.py losses          # those whose folder has this in its name

Nothing is trained. The pages are not in the repository, since each brings its own copy of the library that draws them.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from triptych import run_study
from triptych.report.page import report

RESULTS = Path("results")  # where main goes: what is written names no folder of this machine
REPORTS = {  # what a page is made of
    "breakout": ("breakout",),
    "cartpole": ("cartpole",),
    "cartpole-pixels": ("cartpole-pixels",),
    "cartpole-positions": ("cartpole-positions",),
    "kung-fu-master": ("kung-fu-master/best",),
    "space-invaders": ("space-invaders", "space-invaders/lockstep"),
    "space-invaders-original": ("space-invaders-original/torch", "space-invaders/torch"),
}


def main(wanted: str) -> None:
    os.chdir(Path(__file__).parents[1])
    for file in sorted(RESULTS.glob("studies/*/*/study.json")):
        if wanted in str(file.relative_to(RESULTS)):
            made = json.loads(file.read_text(encoding="utf-8"))
            how = {name: made.get(name) for name in ("steps", "precision")}
            print(run_study(made["study"], made["framework"], **how, train=False, out=file.parent).page)
    for folder, runs in REPORTS.items():
        if wanted in folder:
            print(report([str(RESULTS / run) for run in runs], out=RESULTS / folder / "report.html"))


if __name__ == "__main__":
    main(*(sys.argv[1:] or [""]))
