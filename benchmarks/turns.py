"""Other libraries, each in an environment of its own, and turns of measurements."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import venv
from collections.abc import Callable
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
ENVIRONMENTS = HERE / ".environments"
PACKAGES = {
    "stable-baselines3": ("stable-baselines3==2.9.2", "torch==2.13.0", "ale-py", "opencv-python-headless", "psutil"),
    "sb3-contrib": ("sb3-contrib==2.9.2", "stable-baselines3==2.9.2", "torch==2.13.0", "ale-py", "opencv-python-headless"),
    "sb3-extra-buffers": ("sb3-extra-buffers[zstd]==0.5.0", "stable-baselines3==2.9.2", "torch==2.13.0", "psutil"),
    "cpprb": ("cpprb==11.0.0", "numpy", "psutil"),
    "sbx": ("sbx-rl==0.28.0", "stable-baselines3==2.9.2", "torch==2.13.0", "jax==0.10.2", "flax==0.12.8", "optax==0.2.8", "ale-py", "opencv-python-headless"),
    "envpool": ("envpool==1.2.5", "gymnasium"),
    "rllib": ("ray[rllib]==2.60.0", "torch==2.13.0"),
    "codecs": ("zstandard==0.25.0", "lz4==4.4.5", "blosc2==4.14.1", "numpy"),
    "tianshou": ("tianshou==2.0.1", "torch==2.13.0", "ale-py", "gymnasium", "opencv-python-headless", "numpy==2.2.6"),
    # Its PPO in JAX plays in EnvPool, and writes its log through PyTorch.
    "cleanrl-envpool": (
        "envpool==1.2.5", "gymnasium", "jax==0.10.2", "flax==0.12.8", "optax==0.2.8", "torch==2.13.0", "tensorboard",
    ),
    # Its files want the Gymnasium of their day; the rest is as new as that allows.
    "cleanrl": (
        "gymnasium==0.29.1", "stable-baselines3==2.5.0", "torch==2.13.0", "ale-py==0.10.2", "opencv-python-headless",
        "tensorboard", "jax==0.10.2", "flax==0.12.8", "optax==0.2.8",
    ),
}  # fmt: skip
OURS = ("keras",)  # what Keras' users write needs nothing but what Triptych needs: it runs in our own environment
OLDER = ("cleanrl", "codecs", "rllib", "tianshou")  # whose versions are not those of constraints.txt
WITHOUT_NEEDS = dict.fromkeys(
    ("cleanrl", "cleanrl-envpool"), "cleanrl==1.2.0"
)  # whose own needs are out of date: the files alone


def python_of(peer: str) -> Path:
    """The interpreter of a peer's environment, which is made at the first call; it fails where it cannot be."""
    if peer in OURS:
        return Path(sys.executable)
    folder = ENVIRONMENTS / peer
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    done = folder / "installed"
    if not done.exists():
        print(f"installing {peer} into {folder}", file=sys.stderr)
        venv.create(folder, with_pip=True, clear=True)
        constraints = () if peer in OLDER else ("-c", HERE.parent / "constraints.txt")
        install = (python, "-m", "pip", "install", "-q")
        subprocess.run([*install, *constraints, *PACKAGES[peer]], check=True)
        if peer in WITHOUT_NEEDS:
            subprocess.run([*install, "--no-deps", "--ignore-requires-python", WITHOUT_NEEDS[peer]], check=True)
        done.write_text("\n".join(PACKAGES[peer]))
    return python


def measured(python: Path | str, script: str, *arguments: object) -> dict[str, Any]:
    """Runs a script of this folder in a fresh process; its last line is JSON.

    Exits with the script's own words where it fails: a benchmark without its peer prints no ratio.
    """
    environment = {
        **os.environ,
        "OMP_WAIT_POLICY": "PASSIVE",
        "KERAS_BACKEND": "tensorflow",
        "TF_CPP_MIN_LOG_LEVEL": "3",
    }
    command = [str(python), str(HERE / script), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    if done.returncode:
        sys.exit(f"{' '.join(command)} failed:\n{done.stderr[-3000:]}")
    return json.loads(done.stdout.splitlines()[-1])


def guarded(main: Callable[[], object]) -> None:
    """Runs a benchmark; what the user can mend becomes one line and exit code 2."""
    from triptych.utils.checks import InputError  # not in the peers' environments

    try:
        main()
    except InputError as error:
        print(f"{Path(sys.argv[0]).name}: {error}", file=sys.stderr)
        sys.exit(2)


def median(turns: list[dict[str, Any]], name: str) -> float:
    return statistics.median(turn[name] for turn in turns)
