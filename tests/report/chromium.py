"""A browser for tests that must wait for a page, press keys and look again: Chromium's own protocol, over two pipes."""

from __future__ import annotations

import base64
import json
import os
import select
import shutil
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Any

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
PATIENCE = 240.0  # seconds for an answer, or for what is waited for
# Chromium reads from the file descriptor 3 and writes to 4. Shells know numbers of one digit alone.
AS_3_AND_4 = """
import fcntl, os, sys
given = [fcntl.fcntl(int(number), fcntl.F_DUPFD, 10) for number in sys.argv[1:3]]
for number, wanted in zip(given, (3, 4)):
    os.dup2(number, wanted)
os.execv(sys.argv[3], sys.argv[3:])
"""


class Browser:
    """One page in headless Chromium. `trouble` is what its console complained of. A context manager."""

    def __init__(self, folder: Path):
        assert CHROMIUM is not None, "Chromium is not installed"
        self.trouble: list[str] = []
        self.number, self.buffer, self.session = 0, b"", ""
        commands, self.to = os.pipe()
        self.source, answers = os.pipe()
        flags = [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-background-networking",
            "--remote-debugging-pipe",
        ]
        words = [CHROMIUM, *flags, f"--user-data-dir={folder}", "about:blank"]
        numbers = (commands, answers)
        self.process = subprocess.Popen(
            [sys.executable, "-c", AS_3_AND_4, *map(str, numbers), *words],
            pass_fds=numbers, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        os.close(commands)
        os.close(answers)

    def __enter__(self) -> Browser:
        targets = self.call("Target.getTargets")["targetInfos"]
        page = next(one["targetId"] for one in targets if one["type"] == "page")
        self.session = self.call("Target.attachToTarget", targetId=page, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self.to)
        os.close(self.source)

    def call(self, method: str, **given: Any) -> Any:
        """A command of the protocol, and its result."""
        self.number += 1
        message = {"id": self.number, "method": method, "params": given}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.to, json.dumps(message).encode() + b"\0")
        while True:
            found = self.next()
            if found.get("id") == self.number:
                assert "error" not in found, (method, found["error"])
                return found["result"]

    def next(self) -> dict[str, Any]:
        """The next message. What the page complains of is noted."""
        end = time.monotonic() + PATIENCE
        while b"\0" not in self.buffer:
            ready, _, _ = select.select([self.source], [], [], max(0.0, end - time.monotonic()))
            assert ready, "the browser does not answer"
            self.buffer += os.read(self.source, 1 << 20)
        line, _, self.buffer = self.buffer.partition(b"\0")
        found: dict[str, Any] = json.loads(line)
        self.note(found.get("method"), found.get("params", {}))
        return found

    def note(self, method: str | None, told: dict[str, Any]) -> None:
        if method == "Runtime.exceptionThrown":
            details = told["exceptionDetails"]
            self.trouble.append(details.get("exception", {}).get("description") or details["text"])
        elif method == "Log.entryAdded" and told["entry"]["level"] in ("error", "warning"):
            self.trouble.append(f"{told['entry']['text']} {told['entry'].get('url', '')}")
        elif method == "Runtime.consoleAPICalled" and told["type"] in ("error", "warning"):
            self.trouble.append(" ".join(str(one.get("value")) for one in told["args"]))

    def size(self, width: int, height: int = 900, scheme: str = "light") -> None:
        """Makes the screen so large, in pixels, and the system light or dark."""
        self.call(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600
        )
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])

    def open(self, address: str) -> None:
        """Goes to a page, and waits until it is loaded."""
        self.call("Page.navigate", url=address)
        self.wait("location.href !== 'about:blank' && document.readyState === 'complete'")

    def value(self, script: str) -> Any:
        """What an expression of JavaScript comes to; a promise is waited for."""
        found = self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in found, found["exceptionDetails"]
        return found["result"].get("value")

    def wait(self, script: str) -> Any:
        """The value of an expression once it is true."""
        end = time.monotonic() + PATIENCE
        while not (value := self.value(script)):
            assert time.monotonic() < end, f"never true: {script}; the page says: {self.trouble or 'nothing'}"
            time.sleep(0.2)
        return value

    def press(self, key: str) -> None:
        """A key, as if somebody had typed it."""
        letters = {"text": key} if len(key) == 1 else {}
        for kind in ("keyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", type=kind, key=key, **(letters if kind == "keyDown" else {}))

    def picture(self, file: Path, whole: bool = False) -> None:
        """A PNG of what is seen, or of the whole page."""
        found = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=whole)
        file.write_bytes(base64.b64decode(found["data"]))
