"""How whoever runs this Triptych installs what is missing: from a checkout, from an index, or from where else it came."""

from __future__ import annotations

import importlib.util
import json
import sys
from importlib import metadata
from pathlib import Path

from triptych.utils.checks import InputError

PACKAGE = Path(__file__).resolve().parents[1]


def install_hint(extra: str) -> str:
    """The command that installs an extra, `pip install "triptych[pixels]"`: double quotes, which every shell knows."""
    checkout = PACKAGE.parent
    if (checkout / "pyproject.toml").is_file():
        return f'pip install -e "{"." if is_here(checkout) else checkout}[{extra}]"'
    came_from = source()
    return f'pip install "triptych[{extra}]{f" @ {came_from}" if came_from else ""}"'


def check_package(package: str, extra: str, what: str) -> None:
    """Refuses where a package is not installed, without importing it.

    Args:
        what: needs it, in words.

    Raises:
        InputError: the line names the extra that installs it.
    """
    if importlib.util.find_spec(package) is None:
        raise InputError(f"{what} needs {package}, which is not installed: {install_hint(extra)}")


def version() -> str:
    """Of the Triptych that runs here."""
    return str(sys.modules[__name__.partition(".")[0]].__version__)


def is_here(folder: Path) -> bool:
    try:
        return folder.samefile(Path.cwd())
    except OSError:  # the current folder has been removed
        return False


def source() -> str:
    """Where an installed Triptych came from, if not from an index: a repository's or a file's address (PEP 610)."""
    try:
        text = metadata.distribution("triptych").read_text("direct_url.json")
        found = json.loads(text) if text else {}
        vcs = found.get("vcs_info")
        return f"{vcs['vcs']}+{found['url']}@{vcs['commit_id']}" if vcs else found.get("url", "")
    except (metadata.PackageNotFoundError, ValueError, KeyError, AttributeError, TypeError):
        return ""  # put there by hand, or by an installer that writes something else
