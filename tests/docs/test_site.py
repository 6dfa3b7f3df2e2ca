"""The documentation is built once, with warnings as errors, and looked at as it lies on the disk: tests/docs/test_snippets.py has the commands on it."""

from __future__ import annotations

import fcntl
import os
import re
import subprocess
import sys
from html import unescape
from pathlib import Path
from urllib.parse import unquote

import pytest

import triptych
from triptych.cli.main import COMMANDS

ROOT = Path(__file__).parents[2]
IS_CHECKOUT = not (ROOT / "PKG-INFO").exists()
pytestmark = pytest.mark.skipif(not IS_CHECKOUT, reason="the source distribution has no runs, which pages link to")
BUILD = """
import sys
from sphinx.cmd.build import main
code = main(["-c", "docs", "-W", "--keep-going", "-q", ".", sys.argv[1]])
loaded = {"torch", "jax", "tensorflow", "keras", "flax"} & set(sys.modules)
sys.exit(f"the build imported {loaded}" if loaded else code)
"""
LINK = re.compile(r'<(?:a|link|img|script|source|video|iframe)\b[^>]*?\b(?:href|src)="([^"]*)"')
FETCHED = re.compile(
    r'<(?:link|img|script|source|video|iframe)\b[^>]*?\b(?:href|src)="(https?:)?//|@import|url\(["\']?(?:https?:)?//'
)


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built pages. Several processes of the tests share them: the first one builds, the others wait."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base  # above it lie the folders of earlier tests
    out = shared / "site"
    with open(shared / "site.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not out.exists():
            command = [sys.executable, "-c", BUILD, str(out)]
            done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
            assert done.returncode == 0, (done.stdout + done.stderr)[-3000:]
    return out


def pages(site: Path) -> dict[Path, str]:
    return {path: path.read_text(encoding="utf-8") for path in sorted(site.rglob("*.html"))}


def test_it_builds_without_a_warning_and_without_a_framework(site: Path) -> None:
    assert (site / "docs" / "index.html").exists()
    assert 'url=docs/index.html"' in (site / "index.html").read_text()


def test_nothing_is_fetched_from_elsewhere(site: Path) -> None:
    """Pages open from disk, without a network: no script, font, style or picture has an address."""
    files = [*site.rglob("*.html"), *(path for path in site.rglob("*.css"))]
    found = {path.name: FETCHED.findall(path.read_text(encoding="utf-8")) for path in files}
    assert {name: hits for name, hits in found.items() if hits} == {}


def test_the_search_reads_no_other_page(site: Path) -> None:
    """From disk a browser would not let it."""
    options = (site / "_static" / "documentation_options.js").read_text(encoding="utf-8")
    assert "SHOW_SEARCH_SUMMARY: false" in options


def test_every_link_leads_somewhere(site: Path) -> None:
    """To a file, and where a link names a place in it, to that place: those to lines of the source too."""
    texts = pages(site)
    ids = {path: set(re.findall(r'\bid="([^"]+)"', text)) | set(re.findall(r'name="([^"]+)"', text)) for path, text in texts.items()}  # fmt: skip
    broken = []
    for path, text in texts.items():
        for link in {unescape(link) for link in LINK.findall(text)}:
            if re.match(r"\w+:", link) or not link:
                continue
            target, _, place = link.partition("#")
            file = (path.parent / unquote(target.partition("?")[0])).resolve() if target else path
            if not file.exists() or (place and file in ids and unquote(place) not in ids[file]):
                broken.append(f"{path.relative_to(site)}: {link}")
    assert broken == []


def test_formulas_are_drawn_by_the_browser(site: Path) -> None:
    page = (site / "docs" / "algorithms" / "dqn.html").read_text(encoding="utf-8")
    assert '<math xmlns="http://www.w3.org/1998/Math/MathML" display="block">' in page
    assert "MathJax" not in page


def test_a_line_of_code_is_linked_where_it_stands(site: Path) -> None:
    page = (site / "docs" / "algorithms" / "dqn.html").read_text(encoding="utf-8")
    source = ROOT / "triptych" / "losses" / "value.py"
    numbers = [n for n, line in enumerate(source.read_text().splitlines(), 1) if line.startswith("def q_learning")]
    assert f'href="../../source/triptych.losses.value.py.html#L-{numbers[0]}"' in page


def test_the_reference_has_every_public_name(site: Path) -> None:
    page = (site / "docs" / "python.html").read_text(encoding="utf-8")
    assert [name for name in triptych.__all__ if f'id="triptych.{name}"' not in page] == []


def test_every_command_has_its_flags(site: Path) -> None:
    page = (site / "docs" / "commands.html").read_text(encoding="utf-8")
    assert [name for name in COMMANDS if f'<section id="{name}">' not in page] == []
    for flag in ("--framework", "--algorithm.gamma", "--seeds-per-trial", "--question", "--sticky"):
        assert flag in page
