"""How a job's files come home from a node, with a node that is made up: Ray itself is not needed."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from triptych.experiments import ray_task
from triptych.experiments.ray_host import Host
from triptych.experiments.ray_task import RayJob


class Node(Host):
    """A host whose file is replaced after so many pieces were read."""

    def __init__(self, run: Path, replaced_after: int):
        self.run, self.left = run, replaced_after

    def ask(self, method: str, *arguments: Any) -> Any:
        answer = getattr(self, method)(*arguments)
        self.left -= 1
        if self.left == 0:
            new = self.run / "new"
            new.write_bytes(b"B" * 10)
            new.replace(self.run / arguments[0])
        return answer


@pytest.mark.parametrize(
    ("name", "replaced_after", "comes"),
    [("store", 99, True), ("store", 1, False), ("store", 2, False), ("episodes.csv", 1, True)],
)
def test_pieces_of_two_versions_of_a_file_are_never_put_together(
    name: str, replaced_after: int, comes: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ray_task, "CHUNK", 4)
    (tmp_path / name).write_bytes(b"A" * 10)
    node: Any = Node(tmp_path, replaced_after)
    assert RayJob.read(node, name, tmp_path / "home") == comes


def test_a_run_whose_files_never_come_home_whole_is_no_result(tmp_path: Path) -> None:
    said: list[Any] = []
    job: Any = SimpleNamespace(
        shared=False, brought=0.0, steps=0, reward=None, name="a", node="far",
        bring=lambda ended: False, conclude=lambda *how: said.append(how),
    )  # fmt: skip
    RayJob.take(job, {"said": [], "code": 0, "answer": {"path": "x"}})
    [(code, found)] = said
    assert code == 1
    assert "changed on far while they were copied" in found["failed"]
