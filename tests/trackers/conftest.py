"""What the tests of mirrors share."""

from __future__ import annotations

import pytest

from tests.trackers.shelf import OnShelf, Shelf
from triptych.trackers import mirror


@pytest.fixture
def shelf(monkeypatch: pytest.MonkeyPatch) -> Shelf:
    found = Shelf()
    monkeypatch.setattr(mirror, "open_run", lambda name, about: OnShelf(found, about))
    return found
