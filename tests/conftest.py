"""What every test shares: threads set before a framework loads, JAX's rank check on, small settings."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest

from tests import forks
from triptych import frameworks
from triptych.frameworks import xla
from triptych.utils import processes
from triptych.utils.console import LOGGER

frameworks.set_threads(2)
NAMES = tuple(frameworks.FRAMEWORKS)


def pytest_configure() -> None:
    if hasattr(signal, "SIGHUP"):  # under nohup it is ignored, here and in the tests' own processes
        signal.signal(signal.SIGHUP, signal.SIG_DFL)
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # so it is in the background of a shell
        signal.signal(signal.SIGINT, signal.default_int_handler)
    # [B] against [B, 1] broadcasts silently elsewhere; the JAX column turns it into an error.
    import jax

    jax.config.update("jax_numpy_rank_promotion", "raise")


@pytest.fixture(autouse=True, scope="session")
def own_key(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The key that marks a run as this user's, and the cache, lie where the tests may write, in their processes too."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("XDG_CONFIG_HOME", "APPDATA", "XDG_CACHE_HOME", "LOCALAPPDATA"):
            patch.setenv(name, str(tmp_path_factory.mktemp("config")))
        yield


@pytest.fixture(autouse=True, scope="session")
def compiled_once(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """XLA compiles what several tests, or their processes, trace alike once: compiling was most of what a short JAX session took."""
    import jax

    ours = tmp_path_factory.getbasetemp()
    shared = ours.parent if "PYTEST_XDIST_WORKER" in os.environ else ours  # all of pytest's processes have one
    cache = {
        "jax_compilation_cache_dir": str(shared / "xla"),
        "jax_persistent_cache_min_compile_time_secs": 0,
        "jax_persistent_cache_min_entry_size_bytes": -1,
    }
    with pytest.MonkeyPatch.context() as patch:
        for name, value in cache.items():
            jax.config.update(name, value)
            patch.setenv(name.upper(), str(value))
        yield


USUAL_LEVEL = LOGGER.level


@pytest.fixture(autouse=True)
def told_alike() -> Iterator[None]:
    """What is made for a process of its own, and called here, may leave another level of output behind.

    A module's fixtures are set up before this one: so it goes back to the level from before any test.
    """
    LOGGER.setLevel(USUAL_LEVEL)
    yield
    LOGGER.setLevel(USUAL_LEVEL)


@pytest.fixture(autouse=True)
def no_films(monkeypatch: pytest.MonkeyPatch) -> None:
    """A film takes seconds; tests/experiments/test_film.py has them."""
    monkeypatch.setenv("TRIPTYCH_NO_VIDEO", "1")


@pytest.fixture(autouse=True)
def strict_checkup(monkeypatch: pytest.MonkeyPatch) -> None:
    """A monitor that fails in a test's run turns it red, in the test's processes too; a user's run goes on without it."""
    monkeypatch.setenv("TRIPTYCH_STRICT_CHECKUP", "1")


@pytest.fixture(autouse=True)
def as_new_runs_are(monkeypatch: pytest.MonkeyPatch) -> None:
    """A run in this process may leave another number behind; batches of pictures are to be cut in every test."""
    monkeypatch.setattr(frameworks, "THREADS", 2)
    monkeypatch.setattr(xla, "CONVOLUTIONS", xla.usual())


@pytest.fixture(params=NAMES)
def framework(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def forked(monkeypatch: pytest.MonkeyPatch) -> None:
    """The jobs of `compare`, `study` and the like have processes of their own that import nothing anew."""
    monkeypatch.setattr(processes, "start", forks.start_job)
