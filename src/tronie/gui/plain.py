"""The library's sentences as the window says them: with what can be done here, in the user's language."""

from __future__ import annotations

import re

from tronie.gui.i18n import tr
from tronie.gui.sentences import SENTENCES

HERE = (
    (
        re.compile(r"; use --overwrite to replace it|; --overwrite replaces it"),
        "; tick “Replace what was exported before”",
    ),
    (re.compile(r"; make it smaller, or allow more.*?(?=\.$|$)"), "; make it smaller, or allow more (Settings, Read)"),
    (re.compile(r" \(`tronie models` says where it is from\)"), " (Models says where it is from)"),
    (re.compile(r"`tronie models` lists them"), "Models lists them"),
    (
        re.compile(r"--engine (\S+) works on photos only; leave it out for videos"),
        r"The engine \1 works on photos only; choose another one for videos (Settings, Fit)",
    ),
    (re.compile(r"or choose another folder with -o"), "or choose another folder"),
)  # fmt: skip
"""What a command line advises -> what there is in the window."""


def _pattern(sentence: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>.+)", re.escape(sentence)), re.DOTALL)


PATTERNS = tuple((_pattern(sentence), sentence) for sentence in SENTENCES)


def here(sentence: str) -> str:
    """A sentence with what can be done in the window in the place of what a command line advises."""
    for command, advice in HERE:
        sentence = command.sub(advice, sentence)
    return sentence


def plain(sentence: str) -> str:
    """A sentence of the library for somebody at the window."""
    sentence = here(sentence)
    for pattern, known in PATTERNS:
        if found := pattern.fullmatch(sentence):
            return tr(known).format(**found.groupdict())
    return sentence
