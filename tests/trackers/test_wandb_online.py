"""W&B online: its own client against as much of its server as a run needs. Slow to start, as W&B's own process is W&B's real one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.trackers.runs import HandMade
from tests.trackers.wandb_server import Server
from triptych.trackers.base import FILM, ROW
from triptych.trackers.mirror import Mirror
from triptych.trackers.track import track


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    import wandb

    wandb.teardown()  # which has read its settings already, where another test came first
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy", "WANDB_MODE", "WANDB_DIR", "WANDB_SERVICE"):
        monkeypatch.delenv(name, raising=False)
    for name in ("WANDB_DATA_DIR", "WANDB_CACHE_DIR", "WANDB_CONFIG_DIR"):
        monkeypatch.setenv(name, str(tmp_path))
    monkeypatch.setenv("WANDB_API_KEY", "a" * 40)
    with Server() as found:
        monkeypatch.setenv("WANDB_BASE_URL", found.address)
        yield found
        wandb.teardown()


def steps_of(run: HandMade) -> list[int]:
    return sorted(int(row["steps"]) for table in ("episodes", "metrics") for row in run.rows(table))


def test_a_run_is_shown_once_though_the_server_has_less_of_it_than_was_sent(server: Server, tmp_path: Path) -> None:
    run = HandMade(tmp_path / "r").play(100).save().play(50)
    (run.path / "videos").mkdir()
    (run.path / "videos" / "update-000000025.mp4").write_bytes(b"film")
    mirror = Mirror(run.path, "wandb", group="all")
    mirror.go_on()
    mirror.tracker.close()
    mirror.lock.close()  # the mirror was killed: the folder does not know of the end
    (name,) = server.runs
    shown = server.runs[name]
    assert (shown["displayName"], shown["groupName"]) == ("r", "all")
    assert '"algorithm.gamma":{"value":0.99}' in shown["config"]
    assert len(shown["history"]) == 12 + 1
    # As where all processes were killed: the last rows were on their way, and the film. The summary is not as old as the history.
    shown["history"] = shown["history"][:9]
    shown["summary"] |= {ROW: 9, "_step": 8}
    run.go_back().play(100).save()
    (told,) = track(run.path, ["wandb"])
    assert (told.run, told.rows, told.where) == (name, 25, f"{server.address}/me/triptych/runs/{name}")
    assert list(server.runs) == [name]
    rows = [row for row in shown["history"] if ROW in row]
    assert [row["global_step"] for row in rows] == steps_of(run)
    assert [row[ROW] for row in rows] == list(range(25))
    assert [row[FILM] for row in shown["history"] if FILM in row] == ["update-000000025.mp4"]
    assert [row["_step"] for row in shown["history"]] == list(range(26))
    assert [{one["alias"] for one in artifact["aliases"]} for artifact in server.artifacts] == [
        {"latest", "best"},
        {"latest"},
    ]
