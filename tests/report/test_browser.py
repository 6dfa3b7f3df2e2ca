"""Pages as a browser draws them: every figure has its curves, on a screen and on paper. Needs Chromium: `make test-browser`."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from tests.report.test_page import made, write_run
from triptych.frameworks import FRAMEWORKS
from triptych.report.page import report

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = pytest.mark.browser  # asked for with `make test-browser`: not every machine has one

# Says, once all is drawn, what there is: of each figure its lines, its width and the colour of its text.
TELL = """<script>addEventListener("load", () => setTimeout(() => {
  if (PRINT) dispatchEvent(new Event("beforeprint"));
  const lines = figure => figure.querySelectorAll(".scatterlayer .js-line, .scatterlayer .point").length;
  const told = [...document.querySelectorAll(".figure")].map(figure => ({ lines: lines(figure),
    width: figure.querySelector(".main-svg")?.width.baseVal.value, ink: getComputedStyle(figure.querySelector(".xtick text")).fill,
    ticks: [...figure.querySelectorAll(".ytick text, .xtick text")].map(text => text.textContent) }));
  const page = { figures: told, folded: document.querySelectorAll("details:not([open])").length };
  document.body.innerHTML = `<pre id="told">${JSON.stringify(page)}</pre>`;
}, 6000));</script>"""


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Seven runs: three seeds in two frameworks, and one of another algorithm."""
    folder = tmp_path_factory.mktemp("runs")
    for name in list(FRAMEWORKS)[:2]:
        for seed in range(3):
            write_run(folder / f"{name}-{seed}", made(f"{name}-{seed}", name, seed=seed))
    write_run(folder / "ppo", made("ppo", recipe="cartpole-ppo"))
    return report([str(folder)], out=folder / "page.html")


def drawn(page: Path, folder: Path, *flags: str, printed: bool = False) -> dict[str, Any]:
    """What the page's figures are once a browser has drawn them."""
    assert CHROMIUM is not None, "Chromium is not installed"
    copy = folder / "copy.html"
    copy.write_text(page.read_text(encoding="utf-8").replace("</body>", TELL.replace("PRINT", str(printed).lower())))
    command = [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    command += [
        f"--user-data-dir={folder / 'profile'}",
        "--virtual-time-budget=20000",
        "--dump-dom",
        *flags,
        copy.as_uri(),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=True)
    found = re.search(r'<pre id="told">(.*?)</pre>', done.stdout, re.S)
    assert found is not None, done.stderr
    return json.loads(unescape(found[1]))


def test_every_figure_has_its_curves_and_plain_numbers(page: Path, tmp_path: Path) -> None:
    figures = drawn(page, tmp_path)["figures"]
    assert len(figures) > 8
    assert all(figure["lines"] >= 3 for figure in figures), figures
    ticks = [tick for figure in figures for tick in figure["ticks"]]
    assert len(ticks) > 40
    assert all(re.fullmatch(r"[\u2212-]?[\d,]+(\.\d+)?", tick) for tick in ticks), ticks


def test_on_paper_every_figure_is_there_light_and_no_wider_than_the_sheet(page: Path, tmp_path: Path) -> None:
    found = drawn(page, tmp_path, "--blink-settings=preferredColorScheme=0", printed=True)
    assert all(figure["lines"] >= 3 for figure in found["figures"])
    assert all(0 < figure["width"] <= 690 for figure in found["figures"])
    assert {figure["ink"] for figure in found["figures"]} == {"rgb(28, 29, 33)"}
    assert found["folded"] == 0, "nothing stays folded up"


def test_in_the_dark_the_text_is_light(page: Path, tmp_path: Path) -> None:
    found = drawn(page, tmp_path, "--blink-settings=preferredColorScheme=0")
    assert {figure["ink"] for figure in found["figures"]} == {"rgb(232, 233, 236)"}
