"""`tronie view`: the heads of a result as one HTML file, and the browser to look at it."""

from __future__ import annotations

import tempfile
from pathlib import Path

from tronie.cli.say import count, say
from tronie.errors import TronieError

MAILABLE = 20 << 20
"""Bytes beyond which many mail servers refuse a file."""


def view_result(given: str, out: Path | None, overwrite: bool, opens: bool) -> int:
    """Write the page of a result and open it; the exit code."""
    from tronie.export.html import head_page, page_faces
    from tronie.io.paths import safe_name
    from tronie.runtime.atomic_files import make_folder, taken, write_file

    try:
        name, faces = page_faces(Path(given))
        if out is None:
            # Only its owner may look into it: it shows a face.
            out = Path(tempfile.mkdtemp(prefix="tronie-view-")) / f"{safe_name(name)}.html"
        taken(out, overwrite)
        data = head_page(faces, name)
        make_folder(out.parent)
        write_file(out, data, overwrite=overwrite)
    except TronieError as error:
        say(str(error), problem=True)
        return 1
    except OSError as error:
        say(f"Cannot make a temporary folder: {error.strerror or error}.", problem=True)
        return 1
    large = ", too large for most mail servers" if len(data) > MAILABLE else ""
    say(f"{out}  {count(len(faces), 'head')}, {len(data) / 1e6:.1f} MB{large}")
    if opens and not _open(out):
        say("No browser could be started: open the file in one.", problem=True)
    return 0


def _open(path: Path) -> bool:
    import webbrowser

    try:
        return webbrowser.open(path.resolve().as_uri())
    except (OSError, webbrowser.Error):
        return False
