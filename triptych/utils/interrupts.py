"""Ctrl-C, SIGTERM and SIGHUP as a flag."""

from __future__ import annotations

import contextlib
import os
import signal
from typing import Any

HANGUP = getattr(signal, "SIGHUP", None)  # the terminal was closed; Windows has no such signal
SIGNALS = [number for number in (signal.SIGINT, signal.SIGTERM, HANGUP) if number is not None]


class Interrupted(KeyboardInterrupt):
    """One of these signals; `number` says which."""

    def __init__(self, number: int | None = None):
        super().__init__(number)
        self.number = number or signal.SIGINT


class Interrupts:
    """While this is entered, the first signal sets `asked`; a second one interrupts at once, whatever is going on.

    A closed terminal may send SIGHUP twice, so that one asks only. Where it is ignored (`nohup`) it stays so.

    `answer` is printed on standard error at the first one.
    """

    def __init__(self, answer: str = "") -> None:
        self.answer = answer
        self.number: int | None = None  # the first one
        self.before: dict[int, Any] = {}

    @property
    def asked(self) -> bool:
        return self.number is not None

    def ask(self, number: int, frame: Any) -> None:
        if self.asked:
            if number == HANGUP:
                return
            raise Interrupted(number)
        self.number = number
        if self.answer:  # not through print: the interrupted code may be printing itself
            with contextlib.suppress(OSError):  # whoever read it may have gone
                os.write(2, f"\n{self.answer}\n".encode())

    def __enter__(self) -> Interrupts:
        try:
            for number in SIGNALS:
                if number != HANGUP or signal.getsignal(number) != signal.SIG_IGN:
                    self.before[number] = signal.signal(number, self.ask)
        except ValueError:  # not the main thread: whoever owns the signals handles them
            pass
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self.before.items():
            signal.signal(number, handler)
