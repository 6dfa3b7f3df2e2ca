"""Which Atari game can one picture not tell? Checks the candidates and draws one of those that pass, with a fixed seed.

python benchmarks/one_frame.py --out results/studies/drqn-vs-a3c/games.md

The candidates, the rule, its limits and the seed stand here before anything is measured. No agent plays: only chance, and
players that press one button for ever.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from triptych import envs
from triptych.envs.games import Games
from triptych.envs.play import play_games
from triptych.report.random_play import RandomPlay
from triptych.utils import machine
from triptych.utils.files import write_whole
from triptych.utils.seeds import game_seeds, generator

# Of the 57 games of the published table: those in which something moves freely whose way or speed a still picture does not
# show, and the nine that Hausknecht and Stone (2015) tested DRQN on, as they call them partially observable.
CANDIDATES = {
    "asteroids": "rocks drift either way, the ship glides on (also Hausknecht and Stone)",
    "beam_rider": "Hausknecht and Stone",
    "bowling": "the ball's way (also Hausknecht and Stone)",
    "breakout": "the ball's way",
    "centipede": "Hausknecht and Stone",
    "chopper_command": "Hausknecht and Stone",
    "double_dunk": "the ball's way (also Hausknecht and Stone)",
    "frostbite": "Hausknecht and Stone",
    "gravitar": "the ship glides on",
    "ice_hockey": "the puck's way (also Hausknecht and Stone)",
    "kung_fu_master": "thrown things fly either way",
    "ms_pacman": "the ghosts' way (also Hausknecht and Stone)",
    "pong": "the ball's way",
    "space_invaders": "shots that are seen every other frame only",
    "tennis": "the ball's way",
    "video_pinball": "the ball's way",
}
SEED = 21  # of the draw among those that pass, in the order above

# The rule: a game passes where all of these hold.
MOST_STEPS = 1_500  # of the mean random game: else a run of some hundred thousand steps has no learning curve
LEAST_REWARDS = (
    2.0  # steps of random play with a reward above 0, of a thousand: else so short a run has nothing to learn from
)
LEAST_CHANGED = (
    0.9  # share of the steps of random play after which the picture is another one: no screen that stands still
)
LONGEST = 5_000  # steps within which a game ends, whichever one button is pressed for ever: no test game without an end
LEAST_UNSURE = 0.05  # how often one picture and an action, met again, are followed by another picture
MOST_LEFT = 0.5  # of that, how much the last four pictures may leave: else memory would not tell it either
LEAST_MET = (
    200  # times that they were met again; with fewer the two shares above are not known, and the game does not pass
)

RANDOM_GAMES, GAMES, STEPS = 20, 20, 2_000  # of random play; at once, and steps of each, for the pictures


@dataclass(frozen=True)
class Checked:
    """What was found of a game; a step is an action, of four frames."""

    game: str
    score: float  # of random play, mean raw reward
    length: float  # of random play, mean steps
    rewards: float  # steps with a reward above 0, of a thousand of random play
    changed: float  # share of steps
    endless: list[int]  # the buttons whose game does not end
    met: tuple[int, int]  # times that one picture, and four, were met again with the same action
    unsure: tuple[float, float]  # how often another picture followed then

    @property
    def fails(self) -> list[str]:
        """What it does not pass by, in words."""
        known = min(self.met) >= LEAST_MET
        tests = {
            "long games": self.length <= MOST_STEPS,
            "rare rewards": self.rewards >= LEAST_REWARDS,
            "a still picture": self.changed >= LEAST_CHANGED,
            "endless games": not self.endless,
            "pictures met too rarely": known,
            "one picture tells": not known or self.unsure[0] >= LEAST_UNSURE,
            "four tell no more": not known or self.unsure[1] <= MOST_LEFT * self.unsure[0],
        }
        return [words for words, passed in tests.items() if not passed]


def env_of(game: str) -> Any:
    """The game as the study shows it: a step is four frames, one small grey picture, no action repeated by chance."""
    name = "".join(word.capitalize() for word in game.split("_"))
    return envs.EnvConfig(f"{name}NoFrameskip-v4", frame_skip=4, size=42, stack=1, sticky=0.0)


def check(game: str) -> Checked:
    config = env_of(game)
    with_games = envs.make(config, RANDOM_GAMES, machine.cores())
    player = RandomPlay(with_games.num_actions)
    played = play_games(player, with_games, game_seeds(0, "random play", 0, RANDOM_GAMES))
    rewards, changed, seen = follow(with_games)
    with_games.close()
    return Checked(
        game,
        score=float(np.mean([one.reward for one in played])),
        length=float(np.mean([one.length for one in played])),
        rewards=1_000 * rewards,
        changed=changed,
        endless=endless(config, player.num_actions),
        met=(met_again(seen[1])[0], met_again(seen[4])[0]),
        unsure=(met_again(seen[1])[1], met_again(seen[4])[1]),
    )


Seen = dict[tuple[bytes, int], Counter[bytes]]  # pictures and an action -> how often which picture followed


def follow(games: Games) -> tuple[float, float, dict[int, Seen]]:
    """Random play: the shares of steps with a reward above 0 and with another picture, and what followed one picture, and four.

    A step after which the picture is the same counts for the share alone: it would only tell how long a screen stands.
    """
    rng = generator(0, "one frame")
    obs = games.reset(game_seeds(0, "one frame", 0, GAMES)).reshape(GAMES, -1)
    last: list[list[bytes]] = [[picture.tobytes()] for picture in obs]
    begins = np.zeros(GAMES, bool)  # the step begins the next episode, whatever the action
    seen: dict[int, Seen] = {1: defaultdict(Counter), 4: defaultdict(Counter)}
    steps = rewarded = changed = 0
    for _ in range(STEPS):
        actions = rng.integers(games.num_actions, size=GAMES)
        games.send(actions)
        step = games.recv()
        for place, picture in enumerate(step.obs.reshape(GAMES, -1)):
            follows = picture.tobytes()
            if begins[place]:
                last[place] = [follows]
                continue
            steps += 1
            rewarded += step.reward[place] > 0
            if follows != last[place][-1]:
                changed += 1
                for count, table in seen.items():
                    if len(last[place]) >= count:
                        table[b"".join(last[place][-count:]), int(actions[place])][follows] += 1
            last[place] = [*last[place][-3:], follows]
        begins = step.terminated | step.truncated
    return float(rewarded) / steps, changed / steps, seen


def met_again(seen: Seen) -> tuple[int, float]:
    """How often pictures and an action were met that were met before or later, too, and the chance that two such times are
    followed by different pictures, each time counted alike."""
    met, unlike = 0, 0.0
    for followed in seen.values():
        times = followed.total()
        if times > 1:
            alike = sum(count * (count - 1) for count in followed.values()) / (times * (times - 1))
            met, unlike = met + times, unlike + times * (1 - alike)
    return met, unlike / met if met else 0.0


def endless(config: Any, num_actions: int) -> list[int]:
    """The actions that, taken for ever, end no game within the longest time."""
    games = envs.make(config, num_actions, machine.cores())
    games.reset(game_seeds(0, "one button", 0, num_actions))
    running = np.ones(num_actions, bool)
    for _ in range(LONGEST):
        games.send(np.arange(num_actions))
        step = games.recv()
        running &= ~(step.terminated | step.truncated)
        if not running.any():
            break
    games.close()
    return np.flatnonzero(running).tolist()


def draw(found: list[Checked]) -> str | None:
    """One of the games that pass; None where there is none."""
    passed = [one.game for one in found if not one.fails]
    return passed[int(np.random.default_rng(SEED).integers(len(passed)))] if passed else None


def table(found: list[Checked]) -> str:
    """What was found, as a page."""
    head = (
        "| game | why a candidate | random play | steps of a game | rewards in 1,000 steps | picture changes | buttons without an end |"
        " one picture, met again | another followed | four pictures, met again | another followed | does not pass by |"
    )
    rows = [
        f"| {one.game} | {CANDIDATES[one.game]} | {one.score:,.1f} | {one.length:,.0f} | {one.rewards:.1f} | {one.changed:.0%} | "
        f"{', '.join(map(str, one.endless)) or '-'} | {one.met[0]:,} | {one.unsure[0]:.1%} | {one.met[1]:,} | {one.unsure[1]:.1%} | "
        f"{', '.join(one.fails) or '**passes**'} |"
        for one in found
    ]
    return "\n".join([head, "|" + "---|" * head.count(" |"), *rows])


def page(found: list[Checked], drawn: str | None) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in machine.versions().items())
    return f"""# The game that DRQN and A3C both play

Made by `{shown_command()}`: candidates, rule and seed stand in [the script](../../../benchmarks/one_frame.py), written before this was measured.

A game passes where the mean random game has at most {MOST_STEPS:,} steps, chance gets a reward above 0 in at least {LEAST_REWARDS:g} of 1,000 steps, the picture changes in at least {LEAST_CHANGED:.0%} of them,
a game ends within {LONGEST:,} steps whichever button is pressed for ever, and one picture does not tell what follows: met again with the same action, it is followed by another
picture at least {LEAST_UNSURE:.0%} of the time, and the last four pictures at most {MOST_LEFT:.0%} as often as that. Both must have been met again {LEAST_MET} times or more. A step is an action, of four frames;
a picture is 42 by 42 pixels, grey. Steps after which the picture stays the same are left out of the last four columns but one.

{table(found)}

Drawn among the {sum(not one.fails for one in found)} that pass, with seed {SEED}: **{drawn or "nothing"}**.

{RANDOM_GAMES} random games each, and {GAMES} games of {STEPS:,} random steps for the pictures. {machine.processor()}; {versions}.
"""


def shown_command() -> str:
    return " ".join(["python benchmarks/one_frame.py", *sys.argv[1:]])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--games", nargs="+", default=list(CANDIDATES), choices=list(CANDIDATES), metavar="GAME")
    parser.add_argument("--out", type=Path, help="the page to write")
    parser.add_argument("--json", action="store_true", help="one JSON object as the last line")
    asked = parser.parse_args()
    found = []
    for game in asked.games:
        found.append(check(game))
        print(f"{game}: {', '.join(found[-1].fails) or 'passes'}", flush=True)
    drawn = draw(found) if asked.games == list(CANDIDATES) else None  # a draw among all, or none
    print(f"drawn: {drawn or 'nothing'}")
    if asked.out:
        text = page(found, drawn)
        asked.out.parent.mkdir(parents=True, exist_ok=True)
        write_whole(asked.out, lambda temporary: temporary.write_text(text, encoding="utf-8"))
    if asked.json:
        told = [vars(one) | {"fails": one.fails} for one in found]
        print(json.dumps({"drawn": drawn, "seed": SEED, "games": told, "versions": machine.versions()}))


if __name__ == "__main__":
    main()
