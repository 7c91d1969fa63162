"""The window. It holds no rule of the pipeline: what it shows is made by the library, in threads of their own.

`lines` runs work beside the window, `window` holds the parts together, the other files are one part each. Heavy
modules are imported where they are needed, so that the window is there before they are.
"""

from __future__ import annotations

from collections.abc import Sequence

from tronie.errors import TronieError


def main(photos: Sequence[str] = ()) -> int:
    """Open the window and stay until it is closed; the exit code. Raises TronieError where Qt is not installed."""
    try:
        from tronie.gui.app import run
    except ImportError as error:
        if "PySide6" not in str(error) and "lib" not in str(error):
            raise
        raise TronieError(
            f"The window needs Qt ({error}); run `pip install 'tronie[gui]'`, on a server also its system libraries."
        ) from error
    return run(photos)
