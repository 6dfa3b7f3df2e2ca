"""The typing errors of a newcomer: what was typed, and what is answered. No framework is loaded for any of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.test_cli import call
from triptych.cli.main import COMMANDS
from triptych.cli.parse import parse
from triptych.cli.runs import Train

# What was typed behind `triptych`; what the one line must say. All of them end with exit code 2.
REFUSED = """
trian cartpole                                   | command is 'trian'; did you mean train?
evalute run                                      | command is 'evalute'; did you mean evaluate?
cartpole                                         | command is 'cartpole', a recipe; did you mean triptych train cartpole?
fly                                              | command is 'fly'; allowed: recipes, envs, train, check
tain                                             | did you mean train?
--framework torch                                | command is '--framework'; allowed: recipes, envs, train
train                                            | RECIPE is missing; allowed: a name that `triptych recipes` lists
compare                                          | RECIPE is missing
evaluate                                         | RUN is missing; allowed: a run folder
resume                                           | RUN is missing
study                                            | NAME is missing; allowed: atari57
report                                           | RUN is missing
report --columns ret=steps my.csv                | --columns is 'my.csv'; allowed: THEIRS=ours
report my.csv --columns a=steps a=frames         | columns gives 'a' two meanings, steps and frames; allowed: one
evaluate runs/there-is-none                      | run is 'runs/there-is-none': no such folder
train cartpol                                    | recipe is 'cartpol'; did you mean cartpole
train cart_pole                                  | recipe is 'cart_pole'; did you mean cartpole
train --seed 3 cartpol                           | recipe is 'cartpol'; did you mean cartpole
train space-invader                              | did you mean space-invaders
train Space_Invader                              | did you mean space-invaders
train CartPole-v1                                | recipe is 'CartPole-v1', an environment; did you mean --env CartPole-v1?
train cartpole-v1                                | recipe is 'cartpole-v1', an environment; did you mean --env CartPole-v1?
train ALE/Pong-v5                                | recipe is 'ALE/Pong-v5', an environment; did you mean --env ALE/Pong-v5?
train LunarLander-v3                             | did you mean --env LunarLander-v3?
train nothing-like-it                            | allowed: a recipe's name (`triptych recipes` lists them), a Python file, a run, or --env
train mine.py                                    | recipe is 'mine.py': there is no such file
train --env Pong                                 | --env is 'Pong'; did you mean ALE/Pong-v5?
train --env pong-v5                              | --env is 'pong-v5'; did you mean ALE/Pong-v5?
train --env Breakout-v5                          | --env is 'Breakout-v5'; did you mean ALE/Breakout-v5?
train --env cartpole-v1                          | --env is 'cartpole-v1'; did you mean CartPole-v1?
train --env CartPole                             | --env is 'CartPole'; did you mean CartPole-v1?
train --env CartPole-v7                          | CartPole-v1
train --env LunarLandr-v3                        | --env is 'LunarLandr-v3'; did you mean LunarLander-v3?
train --env Nonsense                             | --env is 'Nonsense'; allowed: a registered Gymnasium id
train cartpole --framwork torch                  | flag '--framwork' is not known; did you mean --framework?
train cartpole --framework mxnet                 | --framework is 'mxnet'; allowed: torch, jax, keras
train cartpole --framework troch                 | --framework is 'troch'; allowed: torch, jax, keras; did you mean torch?
train cartpole --frameworks torch                | flag '--frameworks' is not known; did you mean --framework?
compare cartpole --framework torch               | flag '--framework' is not known; did you mean --frameworks?
compare cartpole --frameworks torch,keas         | allowed: torch, jax, keras; did you mean keras?
train cartpole --gamma 0.9                       | flag '--gamma' is not known; did you mean --algorithm.gamma?
train cartpole --algorithm.gama 0.9              | flag '--algorithm.gama' is not known; did you mean --algorithm.gamma?
train cartpole --algorithm.gamma 9               | --algorithm.gamma is 9.0; allowed: 0 to 1
train cartpole --epsilon-end 0.1                 | did you mean --algorithm.epsilon-end?
train cartpole --units 64                        | did you mean --network.dense-1.units or --network.dense-2.units?
train cartpole --network.dense-3.units 64        | is not known; did you mean --network.dense-
train cartpole --buffer-size 1000                | did you mean --algorithm.replay-size?
train cartpole --learning-starts 100             | did you mean --warm-up?
train cartpole --n-envs 8                        | did you mean --num-envs?
train cartpole --timesteps 1000                  | did you mean --steps?
train cartpole --max-grad-norm 5                 | did you mean --optimiser.max-norm?
train cartpole --buffersize=1000                 | flag '--buffersize' is not known; did you mean --algorithm.replay-size?
train cartpole -steps 100                        | flag '-steps' is not known; did you mean --steps?
train cartpole -s 100                            | flag '-s' is not known
train cartpole --steps                           | --steps has no value; allowed: --steps INT
train cartpole --steps --seed 3                  | --steps has no value; allowed: --steps INT
train cartpole --steps 0                         | --steps is 0; allowed: above 0
train cartpole --steps -5                        | --steps is -5; allowed: above 0
train cartpole --steps many                      | --steps is 'many'; allowed: a whole number
train cartpole --steps 10,000                    | --steps is '10,000'; allowed: a whole number
train cartpole --steps=1.5                       | --steps is '1.5'; allowed: a whole number
train cartpole --total_timesteps x               | --total_timesteps is 'x'; allowed: a whole number
train cartpole --seed abc                        | --seed is 'abc'; allowed: a whole number
train cartpole --seed -1                         | --seed is -1; allowed: 0 or more
train cartpole --threads 0                       | --threads is 0; allowed: above 0
train cartpole --lr fast                         | --lr is 'fast'; allowed: a number
train cartpole --lr 0,001                        | --lr is '0,001'; allowed: a number
train cartpole --lr 0                            | --lr is 0.0; allowed: above 0
train cartpole --batch_size -1                   | --batch_size is -1; allowed: above 0
train cartpole --quiet maybe                     | 'maybe' is a word too many
train cartpole --quiet=maybe                     | --quiet is 'maybe'; allowed: True or False
train cartpole 5000                              | '5000' is a word too many
train cartpole --memory lsmt                     | --memory is 'lsmt'; allowed: none, stack, rnn, gru, lstm, attention, visual_attention, neural_map
train drqn-cartpole --memory lsmt                | did you mean lstm?
train drqn-cartpole --memory transformer         | --memory is 'transformer'; allowed: none, stack
train cartpole --precision float46               | allowed: float32, float64, bfloat16; did you mean float64?
train cartpole --device gpu                      | --device is 'gpu'; allowed: auto, cpu, cuda, cuda:1
train breakout --env-size 84                     | flag '--env-size' is not known; did you mean --env.size?
train breakout --env.size huge                   | --env.size is 'huge'; allowed: a whole number, or INT INT, with spaces or commas between them, or None
train breakout --env_size=84                     | flag '--env_size' is not known; did you mean --env.size?
train breakout --env.crop 0 1                    | --env.crop is '0 1'; allowed: FLOAT FLOAT FLOAT FLOAT
train breakout --env.stack 0                     | --env.stack is 0; allowed: above 0
train cartpole --env.observe everything          | --env.observe is 'everything'; allowed: all, positions, speeds
train cartpole --env.noop-max 4                  | --env.noop-max is not read by these games; allowed: --env.flicker, --env.
train breakout --env.kwargs {}                   | --env.kwargs is not read by these games; allowed: --env.flicker, --env.
train cartpole --algorithm.warm-up much          | --algorithm.warm-up is 'much'; allowed: a whole number
train cartpole --algorithm.target-every 500      | --algorithm.target-every is '500'; allowed: INT {steps,episodes,updates}
compare cartpole cartpol                         | recipe is 'cartpol'; did you mean cartpole
compare cartpole --seeds two                     | --seeds is 'two'; allowed: a whole number
lockstep cartpole --frameworks torch             | --frameworks is 'torch'; allowed: two or more
study memory-kind                                | study is 'memory-kind'; allowed: atari57
study memory-kind                                | did you mean memory-kinds?
evaluate no-such-run                             | no-such-run': no such folder
evaluate no-such-run --episodes 5                | flag '--episodes' is not known; did you mean --games?
evaluate x --game 5                              | did you mean --games?
evaluate x --weights newest                      | --weights is 'newest'; allowed: best, latest
resume no-such-run                               | no such folder
look cartpole --frame 3                          | flag '--frame' is not known; did you mean --frames?
show cartpole --write                            | --write has no value; allowed: --write PATH|None
--print-completion csh                           | shell is 'csh'; allowed: bash, zsh, fish
"""

# What was typed behind `triptych train`; the field of the recipe or of the command, and what it is then.
TAKEN = """
Cartpole                                         | name                  | 'cartpole'
cartpole --framework pytorch                     | framework             | 'torch'
cartpole --framework PyTorch                     | framework             | 'torch'
cartpole --framework tensorflow                  | framework             | 'keras'
cartpole --framework tf                          | framework             | 'keras'
cartpole --framework Flax                        | framework             | 'jax'
cartpole --lr 1e-4                               | optimiser.learning_rate | 0.0001
cartpole --learning_rate=0.01                    | optimiser.learning_rate | 0.01
cartpole --batch_size 32                         | algorithm.batch_size  | 32
cartpole --steps 1e5                             | steps                 | 100000
cartpole --steps 10k                             | steps                 | 10000
cartpole --steps 1_000_000                       | steps                 | 1000000
cartpole --steps 1M                              | steps                 | 1000000
cartpole --total-timesteps 1.5k                  | steps                 | 1500
--env-id Acrobot-v1                              | env.id                | 'Acrobot-v1'
cartpole --quiet True                            | quiet                 | True
cartpole --quiet=no                              | quiet                 | False
cartpole --no-quiet                              | quiet                 | False
cartpole --algorithm.double True                 | algorithm.double      | True
cartpole --algorithm.double FALSE                | algorithm.double      | False
cartpole --algorithm.no-double                   | algorithm.double      | False
cartpole --env.observe ALL                       | env.observe           | 'all'
cartpole --precision Float64                     | precision             | 'float64'
cartpole --threads none                          | threads               | None
cartpole --network.dense_1.units 64              | network.0.units       | 64
cartpole --algorithm.target-every 5,Episodes     | algorithm.target_every | (5, 'episodes')
breakout --env.size 40,90                        | env.size              | (40, 90)
breakout --env.size 40 90                        | env.size              | (40, 90)
--seed 3 cartpole                                | seed                  | 3
drqn-cartpole --memory GRU                       | network.1.kind        | 'gru'
"""


def rows(table: str) -> list[list[str]]:
    return [[cell.strip() for cell in row.split(" | ")] for row in table.strip().splitlines()]


@pytest.mark.parametrize(
    ("typed", "said"), rows(REFUSED), ids=[row[0] + " " * index for index, row in enumerate(rows(REFUSED))]
)
def test_what_a_newcomer_types_is_answered_in_one_line(
    typed: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.chdir(tmp_path)
    assert call(*typed.split()) == 2
    captured = capsys.readouterr()
    assert len(captured.err.strip().splitlines()) == 1, captured.err
    assert said in captured.err
    assert len(captured.err) < 300, "no wall of names"
    assert captured.out == ""
    assert not list(tmp_path.iterdir()), "nothing was begun"


@pytest.mark.parametrize(("typed", "path", "value"), rows(TAKEN), ids=[row[0] for row in rows(TAKEN)])
def test_what_people_type_is_taken(typed: str, path: str, value: str) -> None:
    found = parse(Train, "train", typed.split())
    for name in path.split(".") if hasattr(found, path) else ["recipe", *path.split(".")]:
        found = found[int(name)] if name.isdigit() else getattr(found, name)
    assert repr(found) == value


def test_there_are_sixty_and_more() -> None:
    assert len(rows(REFUSED)) >= 60
    assert all(row[0].split()[0] in COMMANDS for row in rows(REFUSED)[6:-1])


def test_frameworks_are_separated_by_spaces_or_commas() -> None:
    for typed in (["torch", "jax"], ["torch,jax"], ["PyTorch,", "flax"]):
        assert parse(COMMANDS["compare"], "compare", ["cartpole", "--frameworks", *typed]).frameworks == (
            "torch",
            "jax",
        )


@pytest.mark.parametrize("letters", [400, 5_000])
@pytest.mark.parametrize(
    "before", [[], ["cartpole", "--run-name"], ["cartpole", "--steps"], ["cartpole", "--callback"], ["--env"]]
)
def test_a_value_of_many_letters_is_answered_at_once(
    before: list[str], letters: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    monkeypatch.chdir(tmp_path)
    for long in ("a" * letters, "9" * letters, "." * letters, "e+" * (letters // 2), "[" * letters):
        assert call("train", *before, long, "--threads", "0") == 2
        line = capsys.readouterr().err
        assert len(line) < 500
        assert len(line.splitlines()) == 1
