"""What every test shares: threads set before a framework loads, JAX's rank check on, small settings."""

from __future__ import annotations

import pytest

from triptych import frameworks

frameworks.set_threads(2)
NAMES = tuple(frameworks.FRAMEWORKS)


def pytest_configure() -> None:
    # [B] against [B, 1] broadcasts silently elsewhere; the JAX column turns it into an error.
    import jax

    jax.config.update("jax_numpy_rank_promotion", "raise")


@pytest.fixture(autouse=True)
def two_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """A run in this process may leave another number behind; batches of pictures are to be cut in every test."""
    monkeypatch.setattr(frameworks, "THREADS", 2)


@pytest.fixture(params=NAMES)
def framework(request: pytest.FixtureRequest) -> str:
    return request.param
