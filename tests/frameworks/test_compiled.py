"""What JAX compiled is kept for the next process, and a run has the same bits with it and without."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib import util
from pathlib import Path

import pytest

from triptych.frameworks import xla

RUN = """
import sys
import triptych
from triptych.recipes import load_recipe

changes = {"steps": 240, "warm_up": 100, "batch_size": 8, "threads": int(sys.argv[1])}
result = triptych.train(triptych.override(load_recipe("cartpole"), changes), "jax", runs_dir=sys.argv[2], quiet=True)
print(result.path)
"""


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.setenv(name, str(tmp_path / "cache"))
    for name in xla.OWN:
        monkeypatch.delenv(name, raising=False)
    return tmp_path / "cache"


def weights_of_a_run(tmp_path: Path, number: int, threads: int = 1, **environment: str) -> bytes:
    command = [sys.executable, "-c", RUN, str(threads), str(tmp_path / f"runs{number}")]
    done = subprocess.run(command, capture_output=True, text=True, env=os.environ | environment)
    assert done.returncode == 0, done.stderr
    assert "cache" not in done.stderr
    return (Path(done.stdout.split()[-1]) / "checkpoints" / "weights-000000240.safetensors").read_bytes()


def last_used(cache: Path) -> int:
    """When the compiled update was last taken from the cache, or put there."""
    (file,) = cache.rglob("jit_step-*-atime")
    return int.from_bytes(file.read_bytes(), "little")


def test_the_next_process_finds_what_was_compiled_and_has_the_same_bits(tmp_path: Path, cache: Path) -> None:
    first = weights_of_a_run(tmp_path, 1)
    put = last_used(cache)
    assert weights_of_a_run(tmp_path, 2) == first
    taken = last_used(cache)
    assert taken > put
    assert weights_of_a_run(tmp_path, 3, JAX_ENABLE_COMPILATION_CACHE="false") == first
    assert last_used(cache) == taken


def test_each_processor_and_number_of_threads_has_a_folder(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folders = set()
    for threads, flags in (("1", "avx2"), ("2", "avx2"), ("1", "avx512f")):
        monkeypatch.setenv("NPROC", threads)
        monkeypatch.setattr(xla.machine, "cpuinfo", lambda flags=flags: {"flags": flags})
        folders.add(xla.cache_settings()["jax_compilation_cache_dir"])
    assert len(folders) == 3


@pytest.mark.parametrize("name", xla.OWN)
def test_a_user_who_tells_jax_himself_is_left_alone(name: str, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert xla.cache_settings()
    monkeypatch.setenv(name, "false")
    assert not xla.cache_settings()


def test_without_a_place_or_a_lock_nothing_is_kept(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache.write_text("a file where the folder should be")
    assert not xla.cache_settings()
    cache.unlink()
    monkeypatch.setattr(util, "find_spec", lambda name: None)
    assert not xla.cache_settings()
    assert not cache.exists()
