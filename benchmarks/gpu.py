"""What a GPU gives: the tests for it, steps a second, and Space Invaders as far as some minutes go. One command, no network.

python benchmarks/gpu.py --wheels wheels --out found        # packages that are missing there are installed from this folder
python benchmarks/gpu.py --device cpu --short               # tries the command itself, on a processor, in two or three minutes

The long run has the network and the settings of `space-invaders` in bfloat16, but many games at once, the replay on the device and no stop rule. Its
best weights play 100 whole games, with 5 % random moves and without. The table is printed last; --out also keeps it, with everything as found.json.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
RECIPE = "space-invaders"
GRACE = 60  # seconds that a run may take to save once it was told to stop
NEVER = 1e9  # a running reward that no game reaches


def install(wheels: Path, site: Path) -> None:
    """Wheels alone, without their needs: what the machine has already (a PyTorch built for its GPU, say) stays."""
    files = sorted(map(str, wheels.glob("*.whl")))
    if not files:
        sys.exit(f"--wheels is {wheels}; allowed: a folder that holds .whl files")
    options = ("-q", "--no-index", "--no-deps", "--upgrade", "--target", str(site))
    subprocess.run([sys.executable, "-m", "pip", "install", *options, *files], check=True)


def environment(site: Path) -> dict[str, str]:
    paths = [str(ROOT), str(site), os.environ.get("PYTHONPATH", "")]
    # JAX takes three quarters of a GPU's memory unless told; here frameworks take turns, and one of them may not be ours.
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths)), "XLA_PYTHON_CLIENT_PREALLOCATE": "false"}


def triptych(env: dict[str, str], *arguments: object, limit: float | None = None) -> dict[str, Any]:
    """The command's JSON object. A run that is not done after `limit` seconds is stopped as by Ctrl-C: it saves, and says what it reached."""
    command = [sys.executable, "-m", "triptych", *map(str, arguments), "--json"]
    process = subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True)
    try:
        output, _ = process.communicate(timeout=limit)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate(timeout=GRACE)
    lines = output.strip().splitlines()
    if not lines or process.returncode not in (0, 130):
        return {"failed": f"{' '.join(command[2:])}: exit code {process.returncode}"}
    found: dict[str, Any] = json.loads(lines[-1])
    return found


def tests(env: dict[str, str]) -> str:
    """The last line of the tests that are marked `gpu`."""
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-m",
        "gpu",
        "-p",
        "no:cacheprovider",
        "tests/parity/test_ladder.py",
    ]
    done = subprocess.run(command, env=env, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    lines = done.stdout.strip().splitlines()
    return lines[-1] if lines else f"exit code {done.returncode}"


def train(env: dict[str, str], runs: Path, name: str, words: str, limit: float | None = None) -> dict[str, Any]:
    """A run of the recipe, its replay on the device, without tests and films on the way."""
    common = f"--runs-dir {runs} --run-name {name} --evaluate-every 0 --no-video --algorithm.replay-on-device"
    return triptych(env, "train", RECIPE, *common.split(), *words.split(), limit=limit)


def speeds(env: dict[str, str], args: argparse.Namespace, runs: Path) -> list[dict[str, Any]]:
    """Steps a second of each framework, precision and number of games, compilation apart, on the recipe's own work."""
    rows: list[dict[str, Any]] = []
    for games in args.table_games:
        small = f"--steps {args.table_steps * max(1, games // 4)} --warm-up 200 --algorithm.replay-size 50000"
        for precision in ("float32", "bfloat16"):
            for framework in args.frameworks:  # in turn, so that a machine's moods meet all of them
                work = (
                    f"--framework {framework} --device {args.device} --precision {precision} --num-envs {games} {small}"
                )
                found = train(env, runs, f"{framework}-{precision}-{games}", work)
                rows.append({"framework": framework, "precision": precision, "games": games, **found})
    return rows


def long_run(env: dict[str, str], args: argparse.Namespace, runs: Path) -> dict[str, Any]:
    framework = args.frameworks[0]
    work = f"--framework {framework} --device {args.device} --precision bfloat16 --num-envs {args.games} --solved-at {NEVER}"
    found = train(env, runs, "long", work, limit=60 * args.minutes)
    scores = {}
    for epsilon in (0.05, 0.0):
        play = f"evaluate long --runs-dir {runs} --games {args.test_games} --seed 1 --epsilon {epsilon} --device {args.device}"
        scores[epsilon] = triptych(env, *play.split())
    return {"framework": framework, "games": args.games, "minutes": args.minutes, "run": found, "scores": scores}


def table(found: dict[str, Any]) -> str:
    lines = [f"device: {found['device']}", f"tests marked gpu: {found['tests']}", ""]
    lines += ["| framework | numbers | games | steps/s | updates/s |", "|---|---|---|---|---|"]
    for row in found["speeds"]:
        speed = row.get("failed") or f"{row['steps_per_second']:,.0f} | {row['updates_per_second']:,.0f}"
        lines.append(f"| {row['framework']} | {row['precision']} | {row['games']} | {speed} |")
    long = found["long"]
    run = long["run"]
    if "failed" in run:
        return "\n".join([*lines, "", run["failed"]])
    reached = f"{run['steps']:,} steps, {run['updates']:,} updates in {run['seconds'] / 60:.1f} minutes"
    lines += [
        "",
        f"{RECIPE}, {long['framework']}, bfloat16, {long['games']} games at once: {reached}, running reward {run['running_reward']:.0f}",
    ]
    for epsilon, score in long["scores"].items():
        said = (
            score.get("failed")
            or f"{score['mean']:,.0f} ({score['low']:,.0f} to {score['high']:,.0f}) over {score['games']} whole games"
        )
        lines.append(f"best weights, epsilon {epsilon}: {said}")
    return "\n".join(lines)


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--wheels", type=Path, help="folder of wheels to install first; nothing is fetched")
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--frameworks", nargs="+", default=["torch", "jax"], choices=["torch", "jax", "keras"])
    parser.add_argument("--games", type=int, default=64, help="games at once in the long run")
    parser.add_argument(
        "--minutes", type=float, default=6.5, help="how long the long run may take; saving and tests come on top"
    )
    parser.add_argument("--short", action="store_true", help="small numbers, to try the command itself")
    parser.add_argument("--out", type=Path, help="folder for table.md and found.json")
    args = parser.parse_args()
    args.table_games, args.table_steps, args.test_games = ((1, 64), 3_000, 100)
    if args.short:
        args.table_games, args.table_steps, args.test_games, args.games, args.minutes = (2,), 400, 2, 4, 1.5
    return args


def main() -> None:
    args, began = options(), time.time()
    with tempfile.TemporaryDirectory() as folder:
        site, runs = Path(folder) / "site", Path(folder) / "runs"
        if args.wheels:
            install(args.wheels, site)
        env = environment(site)
        found: dict[str, Any] = {"device": args.device, "tests": tests(env), "speeds": speeds(env, args, runs)}
        found["long"] = long_run(env, args, runs)
        found["seconds"] = time.time() - began
        text = table(found)
        if args.out:
            args.out.mkdir(parents=True, exist_ok=True)
            (args.out / "table.md").write_text(text + "\n", encoding="utf-8")
            (args.out / "found.json").write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
