"""A page as PDF: printed by a browser that is there. It draws the page's own figures, so that the sheet shows what the screen does.

A library that sets HTML would draw none of them: they are made by the page's script.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from triptych.utils.checks import InputError
from triptych.utils.console import shortened
from triptych.utils.files import write_whole

NAMES = (
    "chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "microsoft-edge", "microsoft-edge-stable", "msedge",
)  # fmt: skip
MAC = ("Google Chrome", "Chromium", "Microsoft Edge")
WINDOWS = (
    "Google/Chrome/Application/chrome.exe",
    "Microsoft/Edge/Application/msedge.exe",
    "Chromium/Application/chrome.exe",
)
GIVEN = "TRIPTYCH_BROWSER"  # the environment variable that names one
SECONDS = 600  # that it may take
DRAWING = 30_000  # milliseconds of the page's own time until it is printed
FLAGS = (
    "--headless", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-extensions", "--no-pdf-header-footer",
    "--generate-pdf-document-outline", f"--virtual-time-budget={DRAWING}",
)  # fmt: skip


def browser() -> str:
    """The program that prints.

    Raises:
        InputError: none is found, or the one that is named is not there.
    """
    given = os.environ.get(GIVEN, "")
    if given:
        found = shutil.which(given)
        if found is None:
            raise InputError(f"{GIVEN} is {given!r}, and no such program is there; allowed: Chromium, Chrome or Edge")
        return found
    found = next(filter(None, map(shutil.which, NAMES)), None) or next(
        (str(path) for path in places() if path.is_file()), None
    )
    if found is None:
        raise InputError(
            f"a PDF needs Chromium, Chrome or Edge, and none is found; allowed: one of them (or {GIVEN}=ITS PATH), or an .html file, which any browser prints"
        )
    return found


def places() -> list[Path]:
    """Where browsers lie that no path leads to."""
    if sys.platform == "darwin":
        return [Path(f"/Applications/{name}.app/Contents/MacOS/{name}") for name in MAC]
    folders = [os.environ[name] for name in ("PROGRAMFILES", "PROGRAMFILES(X86)", "LOCALAPPDATA") if name in os.environ]
    return [Path(folder) / rest for folder in folders for rest in WINDOWS] if os.name == "nt" else []


def write_pdf(path: Path, page: str) -> None:
    """Prints a page's HTML, whole or not at all.

    Raises:
        InputError: there is no browser, or it prints nothing.
    """
    program = browser()
    with tempfile.TemporaryDirectory(prefix="triptych-", ignore_cleanup_errors=True) as folder:
        html, pdf = Path(folder) / "page.html", Path(folder) / "page.pdf"
        html.write_text(page, encoding="utf-8")
        command = [program, *FLAGS, f"--user-data-dir={folder}/profile", f"--print-to-pdf={pdf}"]
        if hasattr(os, "geteuid") and os.geteuid() == 0:
            command.append("--no-sandbox")  # Chromium has none for root; the page is our own and loads nothing
        try:
            done = subprocess.run(
                [*command, html.as_uri()],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=SECONDS,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise InputError(
                f"{program} prints no PDF ({type(error).__name__}); allowed: Chromium, Chrome or Edge of 2023 or newer"
            ) from None
        if not (pdf.is_file() and pdf.read_bytes().startswith(b"%PDF")):
            said = shortened(" ".join(done.stderr.split()), 200)
            raise InputError(
                f"{program} prints no PDF ({said or f'exit code {done.returncode}'}); allowed: Chromium, Chrome or Edge of 2023 or newer"
            )
        content = pdf.read_bytes()
    write_whole(path, lambda temporary: temporary.write_bytes(content))
