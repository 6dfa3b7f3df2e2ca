"""Whatever stands in a file of others: a log whose columns fit together, or one line."""

from __future__ import annotations

import json
import struct
import tempfile
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.report.logs.test_tools import EVENTS, PROGRESS, WANDB
from triptych.report.logs import Log, read
from triptych.report.logs.events import masked
from triptych.utils.checks import InputError

NAMES = (
    "progress.csv", "monitor.csv", "x.csv", "progress.txt", "result.json", "x.json", "run-a-tag-b.csv", "events.out.tfevents.1.a",
)  # fmt: skip
WAYS = ("{file}", "{folder}", "{file}+{file}")
SEEDS = (
    PROGRESS, WANDB, '#{"t_start": 1}\nr,l,t\n1,2,3\n4,5,6\n', "Wall time,Step,Value\n1,2,3\n4,5,6\n", "seed,step,reward\n1,1,2\n2,1,3\n",
    '{"training_iteration": 1, "episode_reward_mean": 2.5, "timesteps_total": 10}\n', '{"iteration_0": {"train_episode_returns": [1, 2]}}',
    "Epoch\tAverageEpRet\tTotalEnvInteracts\n0\t1\t2\n",
)  # fmt: skip
FIELDS = st.sampled_from(
    [
        "1",
        "nan",
        "-inf",
        "1e999",
        "",
        '"',
        "x",
        "1_0",
        "\0",
        "9" * 400,
        "{",
        "[]",
        "\r",
        "\xff",
        ",",
        ";",
        "\n",
        "\t",
        "step,reward\n",
        "#{",
        " - ",
    ]
)


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """A log with some of it cut out, doubled, or replaced."""
    content = bytearray(draw(st.sampled_from([*map(str.encode, SEEDS), EVENTS.read_bytes()])))
    for _ in range(draw(st.integers(0, 4))):
        place = draw(st.integers(0, len(content)))
        end = min(len(content), place + draw(st.integers(0, 12)))
        content[place:end] = draw(
            st.one_of(
                FIELDS.map(lambda text: text.encode("latin-1")),
                st.binary(max_size=8),
                st.just(bytes(content[place:end]) * 3),
            )
        )
    return bytes(content)


def read_or_say(name: str, content: bytes, argument: str = "{file}") -> list[Log] | str:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "run" / name
        file.parent.mkdir()
        file.write_bytes(content)
        try:
            return read(argument.format(file=file, folder=file.parent), Path(folder))
        except InputError as error:
            return str(error)


@settings(max_examples=600, deadline=None)
@given(st.sampled_from(NAMES), st.one_of(mutated(), st.binary(max_size=200)), st.sampled_from(WAYS))
@example("x.json", b"[" * 100_000, "{file}")
@example("x.json", b'{"step": ' + b"9" * 5_000 + b', "reward": 1}', "{folder}")
@example("x.csv", b"step,reward\n1,2\n" + b'"' * 9, "{file}+{file}")
@example("monitor.csv", PROGRESS.encode(), "{folder}")
@example("x.csv", b"\0" + WANDB.encode(), "{file}")
def test_any_bytes_are_a_log_or_one_line(name: str, content: bytes, argument: str) -> None:
    found = read_or_say(name, content, argument)
    if isinstance(found, str):
        assert "\n" not in found
        assert len(found) < 500
        return
    assert found, "nothing is read without a word"
    for log in found:
        assert any(log.parts)
        assert all(len({len(values) for values in part.values()}) <= 1 for part in log.parts)
        assert all(
            value is None or abs(value) < float("inf")
            for part in log.parts
            for values in part.values()
            for value in values
        )


def record(event: bytes) -> bytes:
    length = struct.pack("<Q", len(event))
    return length + struct.pack("<I", masked(length)) + event + struct.pack("<I", masked(event))


@settings(max_examples=600, deadline=None)
@given(st.lists(st.binary(max_size=60), max_size=4))
def test_any_event_under_a_right_checksum_is_a_log_or_one_line(events: list[bytes]) -> None:
    found = read_or_say("events.out.tfevents.1.a", EVENTS.read_bytes() + b"".join(map(record, events)))
    assert isinstance(found, list), "what stands before is whole"
    assert found[0].columns["episode_reward"][:3] == [10, 11, 12]


@pytest.mark.parametrize("value", ["1e308", "-1e308"])
def test_a_mean_that_no_float_holds_is_left_out(value: str) -> None:
    found = read_or_say("x.csv", b"episode,reward\n" + b"".join(f"{n},{value}\n".encode() for n in range(1, 150)))
    assert isinstance(found, list)
    json.dumps([list(values) for values in found[0].columns.values()], allow_nan=False)
