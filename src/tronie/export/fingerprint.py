"""What tells whether outputs are those of the same settings, and paths as they stand in records."""

from __future__ import annotations

import hashlib
from pathlib import Path

from tronie.settings import Settings


def fingerprint(settings: Settings) -> str:
    """A short text that is the same for the same settings."""
    return hashlib.sha256(settings.model_dump_json().encode()).hexdigest()[:16]


def text(path: str | Path) -> str:
    """A path as it can be written down: bytes in a file name that are no UTF-8 become question marks."""
    return str(path).encode("utf-8", errors="replace").decode()
