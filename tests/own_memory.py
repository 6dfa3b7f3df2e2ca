"""The memory kind that docs/examples/own_memory.py registers, where tests and their recipe files can import it."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

SOURCE = Path(__file__).parents[1] / "docs" / "examples" / "own_memory.py"

found = importlib.util.spec_from_file_location("own_memory_example", SOURCE)
assert found is not None
assert found.loader is not None
example = importlib.util.module_from_spec(found)
sys.modules[found.name] = example  # where a dataclass looks for the names in its annotations
found.loader.exec_module(example)

Average = example.Average
