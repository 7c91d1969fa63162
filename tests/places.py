"""Where the repository's parts lie, for tests in any folder."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
EXAMPLES = ROOT / "examples"
DOCS = ROOT / "docs"
TESTS = ROOT / "tests"
SHARED = ROOT.parent / "shared"
"""Material beside the repository; tests that want it are skipped where it is not."""
