"""Copies what must last of finished runs into results/: config, logs, summary, best weights.

python results/collect.py runs/space-invaders-tuned-torch results/space-invaders/torch
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

KEPT = ("config.json", "episodes.csv", "metrics.csv", "summary.json", "resumes.csv", "checkpoints/best.safetensors")


def main(run: Path, target: Path) -> None:
    """The copy is a run folder that `triptych evaluate` plays; it cannot be resumed."""
    for name in KEPT:
        if (run / name).exists():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(run / name, target / name)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(Path(sys.argv[1]), Path(sys.argv[2]))
