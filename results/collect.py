"""Copies what must last of finished runs into results/: config, logs, summary, best weights, tests of them, films.

python results/collect.py runs/space-invaders-tuned-torch results/space-invaders/torch
"""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

KEPT = (
    "config.json", "episodes.csv", "metrics.csv", "summary.json", "resumes.csv",
    "checkpoints/best.safetensors", "evaluations/*.json", "videos/*-best-*.mp4", "videos/best.mp4",
)  # fmt: skip


def main(run: Path, target: Path) -> None:
    """The copy is a run folder that `triptych evaluate` plays; it cannot be resumed."""
    for pattern in KEPT:
        for file in run.glob(pattern):
            copy = target / file.relative_to(run)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, copy)
    summary = json.loads((target / "summary.json").read_text(encoding="utf-8"))
    text = json.dumps(
        summary | {"path": target.as_posix()}, indent=2, sort_keys=True
    )  # not where it lay on this machine
    (target / "summary.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(Path(sys.argv[1]), Path(sys.argv[2]))
