"""The live page as a browser shows it, over runs that grow. Needs Chromium: `make test-browser`."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import uvicorn

import triptych
from tests.report.chromium import Browser
from tests.report.test_dashboard import HEADER, a_run, row
from triptych.report.dashboard.app import app_of
from triptych.report.dashboard.live import Live
from triptych.report.dashboard.serve import listening

pytestmark = pytest.mark.browser  # asked for with `make test-browser`: not every machine has one
DRAWN = "document.querySelectorAll('#figure .scatterlayer .js-line').length"
EVIL = "<img src=x onerror=window.evil=1>"
# Every text that is seen, whose contrast is below what WCAG 2.2 AA asks for (1.4.3): 4.5, or 3 for large letters.
PALE = """(() => {
  const parse = colour => { const [r, g, b, a = 1] = colour.match(/[\\d.]+/g).map(Number); return [r, g, b, a]; };
  const light = ([r, g, b]) => { const [x, y, z] = [r, g, b].map(v => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * x + 0.7152 * y + 0.0722 * z; };
  const behind = one => { for (; one; one = one.parentElement) { const found = parse(getComputedStyle(one).backgroundColor); if (found[3] === 1) return found; }
    return [255, 255, 255, 1]; };
  const pale = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const text = walker.currentNode, one = text.parentElement, box = one.getBoundingClientRect();
    if (!text.textContent.trim() || !box.width || !one.checkVisibility() || one.closest("script, style, noscript, .modebar")) continue;
    const style = getComputedStyle(one), paint = parse(one.closest("svg") ? style.fill : style.color);
    const [high, low] = [light(paint), light(behind(one.closest("svg")?.parentElement || one))].sort((a, b) => b - a);
    const size = parseFloat(style.fontSize), large = size >= 24 || size >= 18.66 && Number(style.fontWeight) >= 700;
    const contrast = (high + 0.05) / (low + 0.05);
    if (contrast < (large ? 3 : 4.5)) pale.push(`${text.textContent.trim().slice(0, 40)}: ${contrast.toFixed(2)}`);
  }
  return pale;
})()"""


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that was trained, and what a stranger may have put beside it."""
    folder = tmp_path_factory.mktemp("runs")
    triptych.train("cartpole-a2c", runs_dir=folder, run_name="pole", steps=3000, log_every=100, video=False, quiet=True)
    a_run(
        folder / EVIL,
        rows=40,
        config={"framework": EVIL, "recipe": {"steps": 900, "env": {"id": EVIL}, EVIL: EVIL}},
        stopped_by="failed",
        why=EVIL,
    )
    (folder / EVIL / "error.txt").write_text(f"Traceback {EVIL}")
    (folder / EVIL / "metrics.csv").write_text(f"steps,{EVIL},seconds\n1,2,3\n4,5,6\n")
    (folder / "broken").mkdir()
    (folder / "broken" / "config.json").write_text("{")
    (folder / "broken" / "episodes.csv").write_bytes(b"\0\xff,\n\n,,,")
    return folder


@pytest.fixture(scope="module")
def address(runs: Path) -> Iterator[str]:
    """Of the page, served by this process."""
    here = listening(0)
    config = uvicorn.Config(app_of(Live(runs)), log_config=None, lifespan="off", ws="none", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [here]})
    thread.start()
    yield f"http://127.0.0.1:{here.getsockname()[1]}/"
    server.should_exit = True
    thread.join()
    here.close()


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[Browser]:
    with Browser(tmp_path / "profile") as found:
        yield found
        assert found.trouble == [], "the console stays empty"


def opened(browser: Browser, address: str, width: int = 1280, scheme: str = "light") -> None:
    browser.size(width, scheme=scheme)
    browser.open(address)
    browser.wait(DRAWN)


def test_rows_appear_while_a_log_grows(runs: Path, address: str, browser: Browser) -> None:
    folder = runs / "growing"
    a_run(folder, rows=20)
    browser.size(1280)
    browser.open(f"{address}#run=growing&axis=episode")
    last = "document.getElementById('figure').data?.[0]?.x.at(-1)"
    browser.wait(f"{last} === 20")
    with open(folder / "episodes.csv", "a") as text:
        text.write(row(21) + row(22)[:9])
    browser.wait(f"{last} === 21")
    (folder / "episodes.csv").write_text(HEADER + "".join(row(number) for number in range(1, 11)))
    browser.wait(f"{last} === 10")
    browser.wait("document.querySelector('[data-run=growing] .numbers').textContent.includes('200 steps')")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_a_real_run_is_seen_on_every_screen(width: int, scheme: str, address: str, browser: Browser) -> None:
    opened(browser, f"{address}#run=pole&focus=pole", width, scheme)
    browser.wait("document.querySelectorAll('.bars tr').length === 2")
    assert browser.value("document.documentElement.scrollWidth") <= width, "nothing is cut off at the side"
    assert browser.value(PALE) == []
    told: dict[str, Any] = json.loads(
        browser.value(
            "JSON.stringify({head: document.querySelector('#focus').innerText, figures: document.querySelectorAll('.panel').length})"
        )
    )
    assert "3,003 of 3,000 steps, 100 %" in told["head"]
    assert "all 3,003 steps are done" in told["head"]
    assert "Chance of each action" in told["head"]
    assert told["figures"] > 8
    assert "rgba" not in browser.value("getComputedStyle(document.body).backgroundColor")


def test_no_name_and_no_text_of_a_run_becomes_markup(address: str, browser: Browser) -> None:
    opened(browser, address + "#" + "&".join(["run=pole", f"run={EVIL}", f"focus={EVIL}"]))
    browser.wait("document.querySelector('#focus').innerText.includes('It failed')")
    assert browser.value("document.querySelectorAll('img').length") == 0
    assert browser.value("window.evil") is None
    assert EVIL in browser.value("document.querySelector('#focus h2').textContent")


def test_all_can_be_done_by_keys(address: str, browser: Browser) -> None:
    opened(browser, f"{address}#run=pole&focus=pole")
    column = browser.value("document.getElementById('column').value")
    browser.press("c")
    browser.wait(f"document.getElementById('column').value !== {json.dumps(column)}")
    browser.press("a")
    browser.wait("document.getElementById('axis').value === 'episode'")
    browser.press("t")
    browser.wait("document.documentElement.dataset.theme === 'dark'")
    browser.wait(f"{PALE}.length === 0")  # once the figures are drawn anew
    browser.press("x")
    browser.wait("document.querySelectorAll('#list input:checked').length === 0")
    browser.press("?")
    browser.wait("document.getElementById('help').open")
    assert browser.value("document.querySelectorAll('#help kbd').length") == 14
    browser.call("Input.dispatchKeyEvent", type="keyDown", key="Escape", code="Escape", windowsVirtualKeyCode=27)
    browser.wait("!document.getElementById('help').open")
    browser.press("/")
    browser.wait("document.activeElement.id === 'find'")
    assert browser.value("getComputedStyle(document.activeElement).outlineStyle") == "solid", "where one is, is seen"
    for letter in "finished":
        browser.press(letter)
    browser.wait("document.querySelectorAll('#list li').length === 1")
