"""Which lines of tronie have run: an input that leads to a new one is worth changing further."""

from __future__ import annotations

import sys
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import tronie

PACKAGE = str(Path(tronie.__file__).parent)
DULL = 300
"""Calls of a function without a new line after which it is no longer watched (Python 3.11)."""


TOOL = 4
"""Of the numbers that Python has for tools, one that no well-known tool takes."""


class Coverage:
    """Watches while it is armed. Python 3.12 and later tell each line once, which costs next to nothing; in 3.11 every
    line is traced, but only of functions that still bring something new."""

    def __init__(self) -> None:
        self.lines: set[tuple[str, int]] = set()
        self._calls: dict[CodeType, int] = {}
        self._begun = False

    def arm(self) -> None:
        if sys.version_info < (3, 12):
            sys.settrace(self._call)
        elif not self._begun:  # to begin and end it each time would cost more than all lines
            self._begun = True
            sys.monitoring.use_tool_id(TOOL, "tronie fuzz")
            sys.monitoring.register_callback(TOOL, sys.monitoring.events.LINE, self._line)
            sys.monitoring.set_events(TOOL, sys.monitoring.events.LINE)
            sys.monitoring.restart_events()

    def disarm(self) -> None:
        if sys.version_info < (3, 12):
            sys.settrace(None)

    def close(self) -> None:
        if self._begun:
            sys.monitoring.set_events(TOOL, 0)
            sys.monitoring.free_tool_id(TOOL)

    def _line(self, code: CodeType, number: int) -> Any:
        if code.co_filename.startswith(PACKAGE):
            self.lines.add((code.co_filename, number))
        return sys.monitoring.DISABLE

    def _call(self, frame: FrameType, event: str, argument: Any) -> Any:
        code = frame.f_code
        if not code.co_filename.startswith(PACKAGE):
            return None
        calls = self._calls[code] = self._calls.get(code, 0) + 1
        return None if calls > DULL else self._local

    def _local(self, frame: FrameType, event: str, argument: Any) -> Any:
        if event == "line":
            place = (frame.f_code.co_filename, frame.f_lineno)
            if place not in self.lines:
                self.lines.add(place)
                self._calls[frame.f_code] = 0
        return self._local
