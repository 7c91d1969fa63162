"""The library's sentences as the window says them: with what can be done here, in the user's language."""

from __future__ import annotations

import re

from tronie.gui.i18n import tr

HERE = (
    (
        re.compile(r"; use --overwrite to replace it|; --overwrite replaces it"),
        "; tick “Replace what was exported before”",
    ),
    (re.compile(r"; make it smaller, or allow more.*?(?=\.$|$)"), "; make it smaller, or allow more (Settings, Read)"),
    (re.compile(r" \(`tronie models` says where it is from\)"), " (Models says where it is from)"),
    (re.compile(r"`tronie models` lists them"), "Models lists them"),
)  # fmt: skip
"""What a command line advises -> what there is in the window."""
SENTENCES = (
    "{path} does not exist.",
    "{path} is empty (0 bytes).",
    "{path} is empty.",
    "{path} is a folder, not a photo.",
    "{path} is not an ordinary file.",
    "{path} is not a photo, or of a kind that is not supported.",
    "{path} is damaged or cut off: no picture in it can be read.",
    "{path} is damaged or cut off.",
    "{path} is damaged, or a TIFF of a kind that is not supported.",
    "{path} is of a kind that is not read ({kind}).",
    "{path} needs more memory than there is.",
    "{path} cannot be opened as a video: it is cut off, damaged or none.",
    "{path} cannot be opened as a moving picture.",
    "{path} cannot be read: {why}.",
    "{path} changed while it was worked on; run this again.",
    "{path} has {found} megapixels and at most {most} are read; make it smaller, or allow more (Settings, Read).",
    "Cannot write {path}: it exists already; tick “Replace what was exported before”.",
    "Cannot write {path}: the disk is full.",
    "Cannot write {path}: no permission.",
    "Cannot write {path}: the disk is read-only.",
    "Cannot write {path}: it is a file, not a folder.",
    "Cannot read {path}: {why}.",
    "Cannot write {path}: {why}.",
    "Camera {number} cannot be opened; is it connected, and used by no other program?",
    "No frame of {path} is shown.",
    "There is no face in any of the photos.",
    "There is no face in {path}.",
    "There is nothing to export yet.",
    "There is not enough memory for it.",
    "Only a face that was fitted can be corrected.",
    "Only fits of tronie's own engine can be corrected.",
    "The clip could not be done.",
    "The faces make no person: {why}.",
    "The model {name} is not installed; put its file at {path} (Models says where it is from).",
    "The model file {path} is missing; {what}.",
    "The model file {path} is damaged; {what}.",
    "The work ended unexpectedly, perhaps for want of memory. Try again.",
)
"""The first that fits is taken; what stands in braces is kept as it is."""


def _pattern(sentence: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>.+)", re.escape(sentence)), re.DOTALL)


PATTERNS = tuple((_pattern(sentence), sentence) for sentence in SENTENCES)


def plain(sentence: str) -> str:
    """A sentence of the library for somebody at the window."""
    for command, here in HERE:
        sentence = command.sub(here, sentence)
    for pattern, known in PATTERNS:
        if found := pattern.fullmatch(sentence):
            return tr(known).format(**found.groupdict())
    return sentence
