"""Paths as users write them: a file under several names, links that lead nowhere; names for folders of outputs."""

from __future__ import annotations

import errno
import os
import re
import unicodedata
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import TypeVar

_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")


def is_address(path: str | os.PathLike[str]) -> bool:
    """Whether it is the address of something in a store, as `s3://bucket/photos`, rather than a path."""
    return isinstance(path, str) and _ADDRESS.match(path) is not None


def identity(path: str | os.PathLike[str]) -> str:
    """The same text for every way to write the path of one file."""
    return str(path) if is_address(path) else os.path.normcase(os.path.realpath(path))


def typed(text: str) -> Path:
    """A path as a user typed it. A `~` stands for his own folder; that of somebody who is not known here stays."""
    return Path(os.path.expanduser(text))


def leads_nowhere(path: str | os.PathLike[str]) -> str | None:
    """What is wrong with a link, as the end of a sentence that begins with its name; None where nothing is."""
    try:
        os.stat(path)
    except OSError as error:
        if not os.path.islink(path):
            return None
        if error.errno == errno.ELOOP:
            return "is a link that leads back to itself"
        return f"is a link to {os.readlink(path)}, which is not there" if error.errno == errno.ENOENT else None
    except ValueError:
        return None
    return None


# Folder names for photos: valid on every file system, and no two alike.

K = TypeVar("K")
LONGEST = 100
"""Bytes of UTF-8 in a name; file systems allow 255, Windows 260 characters for a whole path."""
_FORBIDDEN = re.compile(r'[<>:"/\\|?*\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]')
_RESERVED = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9¹²³])(\.|$)", re.IGNORECASE)
_OURS = frozenset({"manifest.json", "index.csv", "index.parquet"})


def safe_name(stem: str) -> str:
    """`stem` as a name that Windows, macOS and Linux accept; never empty, never hidden, never with a path in it."""
    name = _FORBIDDEN.sub("_", unicodedata.normalize("NFC", stem))
    name = name.lstrip(". ").rstrip(". ")
    if len(name.encode()) > LONGEST:
        name = name.encode()[:LONGEST].decode(errors="ignore").rstrip(". ")
    if _RESERVED.match(name) or fold(name) in _OURS:
        name = f"_{name}"
    return name or "photo"


def is_safe(name: str) -> bool:
    """Whether a name that was read from a file is one that `unique_names` could have given: no path, nothing hidden."""
    return (
        0 < len(name.encode(errors="replace")) < 256
        and name == name.strip(". ")
        and not _FORBIDDEN.search(name)
        and not _RESERVED.match(name)
        and fold(name) not in _OURS
    )


def _stem(path: Path) -> str:
    """A name without its ending; of `shot/walk_%04d.png`, which stands for many, `walk`, else the folder's name."""
    if not re.search(r"%\d*d", path.stem):
        return path.stem
    return re.sub(r"[\s._-]*%\d*d", "", path.stem) or path.parent.name


def fold(name: str) -> str:
    """The same text for names that some file system takes for the same."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", name).casefold())


def unique_names(
    paths: Iterable[str | os.PathLike[str]], *, taken: Collection[str] = ()
) -> dict[str | os.PathLike[str], str]:
    """A folder name for each path, from its stem: `a.jpg` and `b/A.png` become `a` and `A-2`.

    The first path with a stem keeps it plain, and a number is never added that makes another path's own name.
    `taken` are names that are in use already.
    """
    return distinct({path: wanted_name(path) for path in paths}, taken)


def wanted_name(path: str | os.PathLike[str]) -> str:
    """The name that a path would have if no other had it."""
    return safe_name(_stem(Path(path)))


def distinct(wanted: Mapping[K, str], taken: Collection[str] = ()) -> dict[K, str]:
    """The same names, those with a number that came before on a file system that does not tell them apart."""
    used = {fold(name) for name in taken}
    own = {fold(name) for name in wanted.values()}
    names: dict[K, str] = {}
    free: dict[str, int] = {}
    """Folded name -> the first number that may be free: there may be a hundred thousand of one name."""
    for key, name in wanted.items():
        chosen, folded = name, fold(name)
        number = free.get(folded, 2)
        while fold(chosen) in used or (chosen != name and fold(chosen) in own):
            chosen, number = f"{name}-{number}", number + 1
        free[folded] = number
        used.add(fold(chosen))
        names[key] = chosen
    return names
