"""Kinds of picture files that are known but not read, and what their owner can do."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Kind:
    """Files that other programs open."""

    name: str
    advice: str
    """What to do, as a clause."""
    endings: frozenset[str]
    """Lower case, with the dot."""


def _kind(name: str, advice: str, endings: str) -> Kind:
    return Kind(name, advice, frozenset(f".{ending}" for ending in endings.split()))


RAW = _kind(
    "camera raw", "export as JPEG or TIFF",
    "cr2 cr3 crw nef nrw arw srf sr2 dng orf rw2 raf pef srw 3fr fff iiq mef mos mrw x3f erf kdc dcr rwl gpr raw",
)  # fmt: skip
"""Several look like TIFF but hold only a thumbnail that a TIFF reader could open."""
KINDS = (
    RAW,
    _kind("JPEG XL", "pip install 'tronie[jxl]' reads it", "jxl"),
    _kind("layers", "export as PNG or TIFF", "psd psb xcf kra clip afphoto ora"),
    _kind("drawing or document", "export as PNG", "svg svgz pdf eps ps ai"),
    _kind("high dynamic range", "save as AVIF, PNG or TIFF", "exr hdr pic"),
)


def known(ending: str) -> Kind | None:
    """The kind of an ending (lower case, with the dot)."""
    return next((kind for kind in KINDS if ending in kind.endings), None)
