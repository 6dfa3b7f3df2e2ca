"""The live page's server: which runs there are, logs that grow, how a run stands, and who is not answered."""

from __future__ import annotations

import asyncio
import gzip
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import numpy as np
import pytest

from tests.report.test_page import made, write_run
from triptych.cli.main import guarded, run
from triptych.report.dashboard import files, plotted, serve
from triptych.report.dashboard.app import app_of
from triptych.report.dashboard.files import LOCKS, locked
from triptych.report.dashboard.find import find
from triptych.report.dashboard.live import Live, UnknownRunError
from triptych.report.dashboard.seen import frames_of
from triptych.report.dashboard.status import signature, status_of
from triptych.report.dashboard.tail import Tail, ending, parsed
from triptych.report.dashboard.warnings import warnings
from triptych.runs.folder import RunFolder
from triptych.runs.now import Now, part_of, write_now
from triptych.utils.checks import InputError

HEADER = "episode,steps,updates,episode_reward,running_reward,loss,seconds\n"


def row(number: int, loss: str = "0.5") -> str:
    return f"{number},{20 * number},{5 * number},{number % 7},{number / 10},{loss},{number * 0.5}\n"


def log(path: Path, rows: int, start: int = 1) -> Path:
    path.write_text(HEADER + "".join(row(number) for number in range(start, start + rows)))
    return path


def a_run(folder: Path, rows: int = 30, config: dict[str, Any] | None = None, **summary: Any) -> Path:
    """A run folder of hand, without what nobody here reads."""
    folder.mkdir(parents=True)
    recipe = {"steps": 1000, "seed": 3, "env": {"id": "CartPole-v1"}, "algorithm": {"kind": "dqn"}}
    (folder / "config.json").write_text(
        json.dumps({"framework": "torch", "recipe": recipe} if config is None else config)
    )
    log(folder / "episodes.csv", rows)
    if summary:
        (folder / "summary.json").write_text(json.dumps(summary))
    return folder


def aged(folder: Path, seconds: float) -> Path:
    """As if all of it had been written so long ago."""
    then = time.time() - seconds
    for file in folder.rglob("*"):
        os.utime(file, (then, then))
    return folder


def get(app: Any, address: str, **headers: str) -> tuple[int, dict[str, str], bytes]:
    """What the application answers: status, headers, body. Without a server: as one would call it."""
    path, _, query = address.partition("?")
    given = {"host": "127.0.0.1:7007"} | {name.replace("_", "-"): value for name, value in headers.items()}
    method = given.pop("method", "GET")
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method, "scheme": "http", "path": path,
        "raw_path": path.encode(), "query_string": query.encode(), "root_path": "", "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 7007), "headers": [(name.encode(), value.encode()) for name, value in given.items()],
    }  # fmt: skip
    told: list[Any] = []
    asked: list[str] = []

    async def receive() -> dict[str, Any]:
        if asked:
            await asyncio.Event().wait()  # nobody hangs up
        asked.append(path)
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        told.append(message)

    asyncio.run(app(scope, receive, send))
    body = b"".join(message.get("body", b"") for message in told[1:])
    return told[0]["status"], {name.decode(): value.decode() for name, value in told[0]["headers"]}, body


# Logs that grow


def test_only_what_was_appended_is_read(tmp_path: Path) -> None:
    file = log(tmp_path / "episodes.csv", 3)
    tail = Tail(file)
    tail.refresh()
    assert tail.count == 3
    version, offset = tail.version, tail.offset
    with open(file, "a") as text:
        text.write(row(4) + "5,100,2")
    tail.refresh()
    assert tail.column("episode").tolist() == [1, 2, 3, 4]  # type: ignore[union-attr]
    assert tail.version != version
    assert tail.offset == offset + len(row(4)), "a row that is being written is none yet"
    with open(file, "a") as text:
        text.write("5,3,0.4,0.5,2.5\n")
    tail.refresh()
    assert (tail.count, tail.torn) == (5, 0)


def test_a_log_that_was_cut_back_is_read_anew(tmp_path: Path) -> None:
    file = log(tmp_path / "episodes.csv", 10)
    tail = Tail(file)
    tail.refresh()
    before = tail.version
    log(file, 4)
    tail.refresh()
    assert tail.count == 4
    assert tail.version != before
    # Cut back, and grown past where it was before anybody looked again.
    log(file, 6)
    with open(file, "a") as text:
        text.write("".join(row(number, "0.25") for number in range(7, 20)))
    tail.refresh()
    assert tail.count == 19
    assert tail.column("loss")[5:8].tolist() == [0.5, 0.25, 0.25]  # type: ignore[index]


@pytest.mark.parametrize(
    ("text", "rows", "torn"),
    [
        (b"1,2\n3,\n", [[1, 2], [3, None]], 0),
        (b",\n1,,\n5,6\n", [[None, None], [5, 6]], 1),
        (b"1,nan\n2,inf\n", [[1, None], [2, None]], 0),
        (b"1,2\r\n3,4\r\n", [[1, 2], [3, 4]], 0),
        (b"1,hello\n1,2,3\n\n07,.5\n", [[1, None], [7, 0.5]], 1),
        (b"\xff\xfe\x00,1\n2,3\n", [[None, 1], [2, 3]], 0),
        (b'"1\n2,3\n', [[2, 3]], 1),
    ],
)
def test_each_field_is_its_number_or_none(text: bytes, rows: list[list[float | None]], torn: int) -> None:
    found, left_out = parsed(text, 2)
    assert [[None if value != value else value for value in one] for one in found.tolist()] == rows
    assert left_out == torn


def test_the_quick_reader_and_the_patient_one_agree() -> None:
    numbers = np.random.default_rng(0).normal(size=(500, 3)) * 10.0 ** np.random.default_rng(1).integers(
        -12, 12, (500, 3)
    )
    text = "".join(",".join(map(repr, one)) + "\n" for one in numbers.tolist()).encode()
    assert np.array_equal(parsed(text, 3)[0], numbers)
    assert np.array_equal(parsed(text + b"x,,\n", 3)[0][:-1], numbers)


@pytest.mark.parametrize(
    "content", [b"", b"\n", b"a,b", b"\0" * 5000, b"x" * 50, b"a,b\n1,2,3\n", b'\xff\x00,\n"\n\x80']
)
def test_no_file_is_too_broken(content: bytes, tmp_path: Path) -> None:
    file = tmp_path / "metrics.csv"
    file.write_bytes(content)
    tail = Tail(file)
    tail.refresh()
    assert tail.count == ending(file).count == 0


def test_the_end_of_a_long_log_is_found_without_the_rest(tmp_path: Path) -> None:
    found = ending(log(tmp_path / "episodes.csv", 5000))
    assert found.column("episode")[-1] == 5000  # type: ignore[index]
    assert 100 < found.count < 2000
    assert found.torn == 0


# Curves


def test_thinned_curves_keep_their_peaks() -> None:
    y = np.zeros(10_000)
    y[1234], y[7777] = 5.0, -3.0
    kept = plotted.thin(y, 100)
    assert len(kept) <= 100
    assert {0, 1234, 7777, 9999} <= set(kept.tolist())


def test_smoothing_is_the_mean_of_the_rows_before() -> None:
    assert plotted.running_mean(np.array([2.0, 4.0, 6.0, 8.0]), 2).tolist() == [2.0, 3.0, 5.0, 7.0]


def test_a_column_is_drawn_over_what_the_other_log_counts(tmp_path: Path) -> None:
    episodes = Tail(log(tmp_path / "episodes.csv", 10))
    (tmp_path / "metrics.csv").write_text("steps,loss,seconds\n40,0.1,1\n110,0.2,2\n")
    metrics = Tail(tmp_path / "metrics.csv")
    episodes.refresh()
    metrics.refresh()
    found = plotted.curve(episodes, metrics, "loss", "episode", 1, 100)
    assert found == {"x": [2, 5.5], "y": [0.1, 0.2]}
    assert plotted.curve(episodes, metrics, "steps_per_second", "steps", 1, 100) == {"x": [110], "y": [70]}
    assert plotted.curve(episodes, metrics, "no such", "steps", 1, 100) == {"x": [], "y": []}


def test_only_the_log_that_a_curve_is_made_of_is_read(tmp_path: Path) -> None:
    """Fifty long runs open in a second less."""
    folder = a_run(tmp_path / "one")
    (folder / "metrics.csv").write_text("steps,q_mean,loss,seconds\n40,7,0.1,1\n110,8,0.2,2\n")
    live = Live(tmp_path)

    def rows(column: str, axis: str) -> tuple[int, int]:
        live.logs.clear()
        found = live.curves(["one"], [], column, axis, 1, 100)["one"]
        assert found["x"], column
        episodes, metrics = live.logs["one"]
        return episodes.count, metrics.count

    assert rows("running_reward", "steps") == (30, 0)
    assert rows("q_mean", "seconds") == (0, 2)
    assert rows("q_mean", "episode") == (30, 2), "an axis that the other log counts"
    assert rows("loss", "steps") == (30, 2), "in both"
    assert rows("steps_per_second", "steps") == (30, 2)


# Which runs there are, and how they stand


def test_runs_are_found_in_folders_of_studies_too_and_behind_no_link(tmp_path: Path) -> None:
    a_run(tmp_path / "runs" / "one")
    a_run(tmp_path / "runs" / "studies" / "memory" / "lstm-0")
    a_run(tmp_path / "elsewhere")
    (tmp_path / "runs" / "link").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "runs" / "empty").mkdir()
    assert set(find(tmp_path / "runs").runs) == {"one", "studies/memory/lstm-0"}
    assert set(find(tmp_path / "runs" / "one").runs) == {"one"}


def test_fetched_weights_are_no_run_to_watch(tmp_path: Path) -> None:
    a_run(tmp_path / "one")
    (tmp_path / "fetched" / "checkpoints").mkdir(parents=True)
    (tmp_path / "fetched" / "config.json").write_text("{}")
    (tmp_path / "fetched" / "checkpoints" / "best.safetensors").write_bytes(b"weights")
    assert set(find(tmp_path).runs) == {"one"}


def test_a_killed_run_is_told_the_command_that_goes_on_with_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for folder, command in (("runs", "triptych resume k1"), ("my runs", "triptych resume k1 --runs-dir 'my runs'")):
        aged(a_run(tmp_path / folder / "k1"), 500)
        run = Live(Path(folder)).run("k1")
        assert run["warnings"][0].endswith(f"Go on with: {command}")
        assert command in run["said"]


def test_a_run_that_is_locked_goes_on_and_says_when_it_ends(tmp_path: Path) -> None:
    folder = aged(a_run(tmp_path / "one"), 5)
    if not LOCKS.exists():
        pytest.skip("only Linux tells which files are locked")
    with RunFolder(folder):
        found = status_of("one", folder, locked())
    assert (found.state, found.done, found.total) == ("running", 600, 1000)
    assert found.speed == pytest.approx(40)
    assert found.ends == pytest.approx(found.written + 400 / 40, abs=1)


@pytest.mark.parametrize(
    ("summary", "state"),
    [
        ({"stopped_by": "steps", "steps": 600}, "finished"),
        ({"stopped_by": "interrupted"}, "stopped"),
        ({"stopped_by": "failed", "why": "the game broke"}, "failed"),
        ({"stopped_by": "diverged"}, "diverged"),
        ({}, "killed"),
    ],
)
def test_how_a_run_ended(summary: dict[str, Any], state: str, tmp_path: Path) -> None:
    folder = aged(a_run(tmp_path / "one", **summary), 500)
    assert status_of("one", folder, set()).state == state


def test_a_resumed_run_that_was_killed_is_not_finished(tmp_path: Path) -> None:
    folder = aged(a_run(tmp_path / "one", stopped_by="interrupted"), 500)
    os.utime(folder / "episodes.csv", (time.time() - 100,) * 2)
    assert status_of("one", folder, set()).state == "killed"


@pytest.mark.parametrize(
    "config", ["", "[]", '{"recipe": 3, "framework": {}}', '{"recipe": {"steps": "x", "env": []}}', "{"]
)
def test_a_damaged_config_costs_its_own_run_nothing_more(config: str, tmp_path: Path) -> None:
    folder = a_run(tmp_path / "one")
    (folder / "config.json").write_text(config)
    a_run(tmp_path / "two")
    live = Live(tmp_path)
    assert {run["name"] for run in live.runs()["runs"]} == {"one", "two"}
    assert live.run("one")["steps"] == 600
    assert json.dumps(live.run("one"))


def test_runs_that_go_on_keep_their_places(tmp_path: Path) -> None:
    for name, begun, written in (("a", 300, 1), ("b", 100, 9), ("c", 200, 5), ("over", 50, 500), ("older", 40, 900)):
        folder = aged(a_run(tmp_path / name, **({} if written < 100 else {"stopped_by": "steps"})), written)
        os.utime(folder / "config.json", (time.time() - begun,) * 2)
    assert [run["name"] for run in Live(tmp_path).runs()["runs"]] == ["b", "c", "a", "over", "older"]


def test_what_is_wrong_is_told(tmp_path: Path) -> None:
    folder = a_run(tmp_path / "one", rows=0, stopped_by="failed", why="the game broke")
    rewards = [*range(300), *range(300, 100, -1)]
    rows = [f"{n},{n},0,1,{reward},0.5,{n}\n" for n, reward in enumerate(rewards, 1)]
    (folder / "episodes.csv").write_text(HEADER + "".join(rows) + "1,2\n")
    aged(folder, 500)
    live = Live(tmp_path)
    told = live.run("one")["warnings"]
    assert told[0] == "It failed: the game broke"
    assert any("was 300.0 199 episodes ago, and is 101.0 now" in line for line in told), told
    assert any("1 line cannot be read" in line for line in told), told


def test_a_run_without_trouble_has_no_warning(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "one", made("one"))
    status = status_of("one", aged(folder, 500), set())
    episodes, metrics = Tail(folder / "episodes.csv"), Tail(folder / "metrics.csv")
    assert status.state == "killed"
    status.state = "finished"
    assert warnings(status, episodes, metrics) == []


def test_nothing_is_read_again_that_has_not_changed(tmp_path: Path) -> None:
    folder = aged(a_run(tmp_path / "one"), 500)
    live = Live(tmp_path)
    first, again = (live.status("one", folder, set()) for _ in range(2))
    assert again is first
    before = signature(folder, set())
    with open(folder / "episodes.csv", "a") as text:
        text.write(row(31))
    assert signature(folder, set()) != before
    assert live.status("one", folder, set()).steps == 620


def test_a_name_that_is_no_text_hides_no_run(tmp_path: Path) -> None:
    """Of a disk of another system: the bytes are told as question marks, and the run can be asked for by that name."""
    for name in (b"caf\xe9", b"caf\xe8", "日本"):
        a_run(tmp_path / os.fsdecode(name), stopped_by="steps")
    (tmp_path / os.fsdecode(b"caf\xe9") / "videos").mkdir()
    (tmp_path / os.fsdecode(b"caf\xe9") / "videos" / os.fsdecode(b"b\xff.mp4")).write_bytes(b"film")
    app = app_of(Live(tmp_path))
    names = {run["name"] for run in json.loads(get(app, "/api/runs")[2])["runs"]}
    assert names == {"caf?", "caf? (2)", "日本"}
    found = [json.loads(get(app, "/api/run?" + urlencode({"run": name}))[2]) for name in sorted(names)]
    assert [one["steps"] for one in found] == [600] * 3
    films = [(one["name"], one["film"]["file"]) for one in found if one["film"]]
    assert [file for _, file in films] == ["b?.mp4"]
    assert get(app, "/film?" + urlencode({"run": films[0][0], "file": "b?.mp4"}))[2] == b"film"


def test_a_lock_is_seen_where_files_have_no_device_of_their_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On btrfs, overlays and NFS the system tells another device of a file than of its lock."""
    lock = tmp_path / ".lock"
    lock.touch()
    told = os.stat_result((*lock.stat()[:2], os.makedev(0, 45), *lock.stat()[3:10]))
    monkeypatch.setattr(files, "told_of", lambda file: told)
    assert files.is_held(lock, {("00:2d", told.st_ino)})
    assert files.is_held(lock, {("00:21", told.st_ino)}), "another number of the same device"
    assert not files.is_held(lock, {("00:21", told.st_ino + 1)})


def test_steps_that_were_not_learned_from_are_told(tmp_path: Path) -> None:
    told = "g: the reward is nan in game 0, at step 20 of the run"
    aged(a_run(tmp_path / "one", stopped_by="steps", broken_steps=2, broken_first=told), 500)
    aged(a_run(tmp_path / "odd", stopped_by="steps", broken_steps="x", broken_first=3), 500)
    line = "2 steps were not learned from, as a reward or an observation was not finite. The first: "
    live = Live(tmp_path)
    assert live.run("one")["warnings"] == [line + told]
    assert live.run("odd")["warnings"] == []
    write_now(tmp_path / "one", snapshot(broken_steps=2))
    assert live.now("one")["broken_steps"] == 2


# What the agent sees


def snapshot(**changes: Any) -> Now:
    found: dict[str, Any] = {
        "steps": 7, "updates": 1, "episode": 2, "length": 3, "reward": 1.5, "actions": ["left", "right"], "is_policy": False, "values": [0.5, 2.0], "value": None,
        "obs": {"": part_of(np.arange(4 * 6 * 5, dtype=np.uint8).reshape(4, 6, 5))},
    }  # fmt: skip
    return found | changes  # type: ignore[return-value]


def test_the_pictures_of_a_stack_and_the_values_are_shown(tmp_path: Path) -> None:
    folder = a_run(tmp_path / "one")
    write_now(folder, snapshot())
    now = Live(tmp_path).now("one")
    assert [(picture["width"], picture["height"], picture["channels"]) for picture in now["pictures"]] == [
        (5, 6, 1)
    ] * 4
    assert (now["values"], now["value"], now["actions"]) == ([0.5, 2.0], None, ["left", "right"])
    write_now(
        folder, snapshot(is_policy=True, values=[0.1, 0.9], value=9.0, obs={"": part_of(np.array([0.25, np.nan]))})
    )
    now = Live(tmp_path).now("one")
    assert (now["values"], now["value"]) == ([0.1, 0.9], 9.0)
    assert now["numbers"] == [{"name": "", "values": [0.25, None]}]


def test_coloured_frames_stay_coloured() -> None:
    assert [frame.shape for frame in frames_of(np.zeros((2, 6, 5, 3), np.uint8), colour=True)] == [(6, 5, 3)] * 2
    assert [frame.shape for frame in frames_of(np.zeros((1, 6, 5, 4), np.uint8), colour=False)] == [(6, 5, 1)] * 4


@pytest.mark.parametrize("text", ["", "{", "[]", '{"steps": 1}', "LARGE"])
def test_a_damaged_snapshot_is_an_error_of_one_line_and_no_more(text: str, tmp_path: Path) -> None:
    folder = a_run(tmp_path / "one")
    write_now(folder, snapshot())
    content = json.loads((folder / "now.json").read_text())
    content["obs"][""]["shape"] = [100_000, 100_000]
    (folder / "now.json").write_text(json.dumps(content) if text == "LARGE" else text)
    with pytest.raises(InputError):
        Live(tmp_path).now("one")
    assert get(app_of(Live(tmp_path)), "/api/now?run=one")[0] == 400


# Who is answered, and with what


@pytest.fixture
def app(tmp_path: Path) -> Any:
    folder = a_run(tmp_path / "runs" / "one")
    (folder / "videos").mkdir()
    (folder / "videos" / "update-000000100.mp4").write_bytes(b"film" * 100)
    (tmp_path / "secret.mp4").write_bytes(b"secret")
    (tmp_path / "secret.csv").write_text(HEADER + row(1))
    return app_of(Live(tmp_path / "runs"))


def test_another_pages_name_is_not_answered(app: Any) -> None:
    for host in ("evil.example", "evil.example:7007", "127.0.0.1.evil.example", "", "0.0.0.0:7007"):
        assert get(app, "/api/runs", host=host)[0] == 400, host
    for host in ("127.0.0.1:7007", "localhost:7007", "localhost"):
        assert get(app, "/api/runs", host=host)[0] == 200, host


def test_nothing_can_be_written(app: Any) -> None:
    for method in ("POST", "PUT", "DELETE", "PATCH"):
        assert get(app, "/api/runs", method=method)[0] == 405


@pytest.mark.parametrize("address", ["/", "/api/runs", "/nowhere", "/film?run=one&file=no", "/main.js"])
def test_every_answer_lets_no_script_in_but_the_pages_own(address: str, app: Any) -> None:
    headers = get(app, address)[1]
    policy = dict(part.strip().split(" ", 1) for part in headers["content-security-policy"].split(";"))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == "'self'"
    assert policy["frame-ancestors"] == "'none'"
    assert headers["x-content-type-options"] == "nosniff"


def test_no_file_outside_the_folder_is_served(app: Any, tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    (runs / "one" / "videos" / "update-000000200.mp4").symlink_to(tmp_path / "secret.mp4")
    for name, file in (
        ("one", "update-000000200.mp4"),
        ("one", "../../../secret.mp4"),
        ("..", "secret.mp4"),
        ("one", "../episodes.csv"),
    ):
        assert get(app, f"/film?{urlencode({'run': name, 'file': file})}")[0] == 404, (name, file)
    for path in ("/../secret.mp4", "/%2e%2e/secret.mp4", "/film/../../secret.mp4", "//etc/passwd"):
        assert get(app, path)[0] == 404, path
    assert get(app, "/api/run?run=../runs/one")[0] == 404


@pytest.mark.parametrize("name", ["episodes.csv", "metrics.csv", "config.json", "now.json", "error.txt"])
def test_what_a_link_in_a_run_names_is_not_read(name: str, tmp_path: Path) -> None:
    folder = a_run(tmp_path / "runs" / "one", stopped_by="failed", why="x")
    secret = tmp_path / "secret"
    secret.write_text(
        HEADER + "4242,4242,4242,4242,4242,4242,4242\n" if name.endswith("csv") else '{"recipe": {"steps": 4242}}'
    )
    (folder / name).unlink(missing_ok=True)
    (folder / name).symlink_to(secret)
    app = app_of(Live(tmp_path / "runs"))
    told = [get(app, f"/api/{what}?run=one&column=loss")[2] for what in ("runs", "run", "now", "curves")]
    assert not any(b"4242" in one for one in told), told


def test_a_film_is_sent_in_pieces(app: Any) -> None:
    status, headers, body = get(app, "/film?run=one&file=update-000000100.mp4", range="bytes=4-11")
    assert (status, body, headers["content-type"]) == (206, b"filmfilm", "video/mp4")


def test_only_curves_that_have_changed_are_sent_again(app: Any, tmp_path: Path) -> None:
    _, _, body = get(app, "/api/curves?run=one&column=running_reward&axis=episode")
    first = json.loads(body)["one"]
    assert first["x"][-1] == 30
    assert first["y"][-1] == 3.0
    again = f"/api/curves?run=one&version={first['version']}&column=running_reward&axis=episode"
    assert json.loads(get(app, again)[2]) == {"one": {"version": first["version"]}}
    with open(tmp_path / "runs" / "one" / "episodes.csv", "a") as text:
        text.write(row(31))
    assert json.loads(get(app, again)[2])["one"]["x"][-1] == 31


def test_the_mean_of_seeds_is_the_reports(tmp_path: Path) -> None:
    for seed, more in enumerate((0, 2)):
        recipe = {"steps": 100, "seed": seed, "env": {"id": "CartPole-v1"}, "algorithm": {"kind": "dqn"}}
        folder = a_run(tmp_path / f"seed{seed}", rows=0, config={"framework": "jax", "recipe": recipe})
        rows = [f"{n},{n},0,{n + more},{n + more},0.5,{n}\n" for n in range(1, 11)]
        (folder / "episodes.csv").write_text(HEADER + "".join(rows))
    for name in ("other", "again"):  # the same seed twice is no second seed
        a_run(tmp_path / name)
    app = app_of(Live(tmp_path))
    query = "run=seed0&run=other&run=again&run=seed1&column=running_reward&axis=episode"
    found = json.loads(get(app, f"/api/means?{query}")[2])
    assert set(found) == {"seed0"}
    assert (found["seed0"]["x"][0], found["seed0"]["mean"][0]) == (1, 2)
    assert (found["seed0"]["x"][-1], found["seed0"]["low"][-1], found["seed0"]["high"][-1]) == (10, 10, 12)
    again = f"/api/means?{query}&known=seed0&version={found['seed0']['version']}"
    assert json.loads(get(app, again)[2]) == {"seed0": {"version": found["seed0"]["version"]}}
    assert get(app, f"/api/means?{query}&axis=no")[0] == 400


@pytest.mark.parametrize("query", ["axis=nonsense", "smooth=x", "smooth=nan", "points=-1", "smooth=1e999"])
def test_nonsense_is_answered_with_a_line(query: str, app: Any) -> None:
    status, _, body = get(app, f"/api/curves?run=one&column=loss&{query}")
    assert status == 400
    assert len(body.splitlines()) == 1


def test_answers_are_compressed(app: Any) -> None:
    status, headers, body = get(app, "/main.js", accept_encoding="gzip")
    assert (status, headers["content-encoding"]) == (200, "gzip")
    assert gzip.decompress(body).startswith(b"//")
    status, headers, body = get(app, "/plotly.js")
    assert headers["content-encoding"] == "gzip"
    assert b"plotly.js" in gzip.decompress(body)[:200]


def test_a_run_that_is_gone_is_not_there(app: Any) -> None:
    assert get(app, "/api/run?run=no")[0] == 404
    with pytest.raises(UnknownRunError):
        Live(Path("nowhere")).run("one")


# The command


def test_a_folder_that_is_not_there_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert guarded(lambda: run(["dashboard", str(tmp_path / "no")])) == 2
    assert capsys.readouterr().err == f"triptych: runs are {str(tmp_path / 'no')!r}: no such folder; allowed: a folder of runs, or a run's name or folder\n"  # fmt: skip


def test_a_port_in_use_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert guarded(lambda: run(["dashboard", str(tmp_path), "--port", str(port)])) == 2
    assert capsys.readouterr().err == f"triptych: --port is {port}, which is in use; allowed: another --port, or --port 0 for any that is free\n"  # fmt: skip


def test_what_is_not_installed_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "starlette", None)
    assert guarded(lambda: run(["dashboard", str(tmp_path)])) == 2
    told = capsys.readouterr().err
    assert told.startswith("triptych: dashboard needs starlette, which is not installed: pip install")
    assert "[dashboard]" in told


def test_the_command_serves_until_it_is_stopped(tmp_path: Path) -> None:
    a_run(tmp_path / "one")
    command = [sys.executable, "-m", "triptych", "dashboard", str(tmp_path), "--port", "0", "--no-open", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        address = process.stdout.readline().strip()
        assert json.loads(process.stdout.readline()) == {"address": address}
        with urllib.request.urlopen(f"{address}/api/runs", timeout=60) as answer:
            assert [run["name"] for run in json.load(answer)["runs"]] == ["one"]
        process.send_signal(signal.SIGINT)
        out, told = process.communicate(timeout=60)
    assert process.returncode == 130
    assert out == ""
    assert told.splitlines() == [f"shows {tmp_path}, on this machine alone; Ctrl-C ends it"]


def test_it_listens_on_this_machine_alone() -> None:
    with serve.listening(0) as here:
        assert here.getsockname()[0] == "127.0.0.1"
