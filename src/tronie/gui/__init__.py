"""The window. It holds no rule of the pipeline: what it shows is made by the library, in a process of its own.

In the window's process: `layout` lays the parts out, `commands` is what a user can ask for, `window` joins both to
the session: `shown` knows what is shown, `session` asks for it through `client`. The other files are one part each.
What the process beside the window does is in `tronie.service`. The window imports neither numba nor the nets' runtime.
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
