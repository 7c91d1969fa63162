"""What a shell offers when Tab is pressed."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tronie.cli.options import completion
from tronie.pipelines.choices import NAMED


def offered(words: str) -> list[str]:
    """What bash is told to offer at the end of that line."""
    known = {"_TRONIE_COMPLETE": "complete_bash", "COMP_WORDS": words, "COMP_CWORD": str(words.count(" "))}
    done = subprocess.run(
        [sys.executable, "-m", "tronie"], env={**os.environ, **known}, capture_output=True, text=True, check=False
    )
    assert not done.stderr
    return done.stdout.split()


def test_options_and_their_values_are_offered() -> None:
    assert offered("tronie run --detector ") == ["centerface", "mtcnn", "dlib"]
    assert offered("tronie run --engine ") == ["calibrated", "deep3d"]
    assert offered("tronie run --outputs glb,por") == ["glb,portrait"]
    assert offered("tronie run --textu") == ["--texture-size"]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_script_for_the_shell_is_shown(shell: str) -> None:
    known = {"_TRONIE_COMPLETE": f"source_{shell}"}
    done = subprocess.run(
        [sys.executable, "-m", "tronie"], env={**os.environ, **known}, capture_output=True, text=True, check=False
    )
    assert "_TRONIE_COMPLETE" in done.stdout


def test_values_alone_are_offered_and_imported_names_when_they_are_asked_for() -> None:
    assert completion("auto", "off", "NAME", more=lambda: ["own", "auto"])("") == ["auto", "off", "own"]
    assert completion("auto", "off", "NAME")("o") == ["off"]
    assert completion(512, 1024)("1") == ["1024"]
    assert set(NAMED) == {"enhance.mode", "head.name"}
    assert "tronie" in NAMED["enhance.mode"]()
    assert "tronie" in NAMED["head.name"]()


def test_what_cannot_be_looked_up_is_left_out() -> None:
    def broken() -> list[str]:
        raise OSError

    assert completion("auto", more=broken)("") == ["auto"]
