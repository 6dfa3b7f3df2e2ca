"""Ctrl-C and SIGTERM as a flag."""

from __future__ import annotations

import os
import signal
from typing import Any


class Interrupts:
    """While this is entered, the first Ctrl-C or SIGTERM sets `asked`; a second one interrupts at once.

    `answer` is printed on standard error at the first one.
    """

    def __init__(self, answer: str = "") -> None:
        self.asked, self.answer = False, answer
        self.before: dict[int, Any] = {}

    def ask(self, number: int, frame: Any) -> None:
        if self.asked:
            raise KeyboardInterrupt
        self.asked = True
        if self.answer:  # not through print: the interrupted code may be printing itself
            os.write(2, f"\n{self.answer}\n".encode())

    def __enter__(self) -> Interrupts:
        try:
            for number in (signal.SIGINT, signal.SIGTERM):
                self.before[number] = signal.signal(number, self.ask)
        except ValueError:  # not the main thread: whoever owns the signals handles them
            pass
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self.before.items():
            signal.signal(number, handler)
