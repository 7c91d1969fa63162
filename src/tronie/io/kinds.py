"""Kinds of picture files by their names: those that are read, and those that are known but not read, with what their
owner can do. Brings no decoder, so that who only deals out work starts sooner."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.util import find_spec

IMAGE_SUFFIXES: frozenset[str] = frozenset(
    f".{ending}"
    for ending in (
        *("jpg", "jpeg", "jpe", "jfif", "mpo", "png", "apng", "webp", "gif", "bmp", "dib", "tif", "tiff"),
        *("heic", "heif", "hif", "avif", "jp2", "j2k", "jpx", "ppm", "pgm", "pbm", "pnm"),
        *(("jxl",) if find_spec("imagecodecs") else ()),
    )
)
"""Lower-case endings of the files taken from a folder. Reading itself goes by the content, not by the name."""


@dataclass(frozen=True, slots=True)
class FileKind:
    """Files that other programs open."""

    name: str
    advice: str
    """What to do, as a clause."""
    endings: frozenset[str]
    """Lower case, with the dot."""


def _file_kind(name: str, advice: str, endings: str) -> FileKind:
    return FileKind(name, advice, frozenset(f".{ending}" for ending in endings.split()))


RAW = _file_kind(
    "camera raw",
    "export as JPEG or TIFF",
    "cr2 cr3 crw nef nrw arw srf sr2 dng orf rw2 raf pef srw 3fr fff iiq mef mos mrw x3f erf kdc dcr rwl gpr raw",
)
"""Several look like TIFF but hold only a thumbnail that a TIFF reader could open."""
KINDS = (
    RAW,
    _file_kind("JPEG XL", "pip install 'tronie[jxl]' reads it", "jxl"),
    _file_kind("layers", "export as PNG or TIFF", "psd psb xcf kra clip afphoto ora"),
    _file_kind("drawing or document", "export as PNG", "svg svgz pdf eps ps ai"),
    _file_kind("high dynamic range", "save as AVIF, PNG or TIFF", "exr hdr pic"),
)


def known(ending: str) -> FileKind | None:
    """The kind of an ending (lower case, with the dot)."""
    return next((kind for kind in KINDS if ending in kind.endings), None)


# What lies in a folder beside its photos and videos and is left out: how many files of which kind, and what to do.

BESIDE = frozenset(
    f".{ending}"
    for ending in (
        *("xmp", "aae", "thm", "json", "txt", "md", "csv", "tsv", "ini", "db", "html", "htm", "xml", "log", "yaml"),
        *("yml", "lnk", "url", "nfo", "py", "sh", "bat", "part", "tmp", "zip"),
    )
)
"""Endings of what lies beside photos and is none: nobody misses it."""
OTHER, NONE = "others", "no ending"
"""How kinds are named that have a strange ending, or none."""
LIVE = "clips of live photos"
"""How films are counted whose moment a photo beside them shows."""
_SENSIBLE = re.compile(r"\.[a-z0-9_+-]{1,10}")


def kind_of(name: str) -> str | None:
    """What a file that was not taken is counted as; None for what nobody misses."""
    ending = os.path.splitext(name)[1].lower()
    if ending in BESIDE or name.startswith("."):
        return None
    if not ending:
        return NONE
    return ending if _SENSIBLE.fullmatch(ending) else OTHER


def counted(names: Iterable[str]) -> Counter[str]:
    """How many files of each kind."""
    return Counter(kind for kind in map(kind_of, names) if kind is not None)


def left_out_sentence(left_out: Mapping[str, int]) -> str | None:
    """One sentence that tells of them; None if there are none."""
    if not left_out:
        return None
    total = sum(left_out.values())
    kinds = sorted(left_out.items(), key=lambda item: (-item[1], item[0]))
    parts = []
    for kind, number in kinds:
        what = known(kind)
        if kind == LIVE:
            parts.append(f"{number} {'clip of a live photo' if number == 1 else kind} (the photo beside it is taken)")
        else:
            parts.append(f"{number} {kind}" + (f" ({what.name}: {what.advice})" if what else ""))
    files = "1 file was" if total == 1 else f"{total} files were"
    of = "" if set(left_out) == {LIVE} else ", of kinds that are not read"
    return f"{files} left out{of}: {', '.join(parts)}."
