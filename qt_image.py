"""The window of `2Dface_to_3Dface`, kept by its name: python qt_image.py [PHOTO ...]"""

from __future__ import annotations

import sys


def main() -> None:
    try:
        from tronie.cli import main as tronie
    except ImportError:
        sys.exit(
            "qt_image.py: tronie is not installed for this Python; run `pip install '.[gui]'` in this folder first."
        )
    tronie(["gui", "--", *sys.argv[1:]])


if __name__ == "__main__":
    main()
