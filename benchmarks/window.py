"""How long the window stands still, and what memory it and the process beside it hold, as photos are looked at.

    QT_QPA_PLATFORM=offscreen python -m benchmarks.window FOLDER [--count 200] [--every 10]

Every photo is opened as a click in the list opens it, and left when its portrait and its head are shown.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

SECONDS = 300.0
"""That one photo may take."""


def held(pid: int) -> tuple[float, float]:
    """Memory that a process has: what is only its own, and with the files it looks into, MB. Linux only."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    sizes = {line.split(":")[0]: int(line.split()[1]) / 1024 for line in lines if line.endswith("kB")}
    return sizes["RssAnon"], sizes["VmRSS"]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--every", type=int, default=10)
    given = parser.parse_args()

    from PySide6.QtCore import QSettings, QTimer

    from tronie.gui.app import make_application, use_language
    from tronie.gui.photo_list import KEY
    from tronie.gui.theme import use_scheme
    from tronie.gui.window import Window

    application = make_application()
    use_scheme("light")
    use_language("en")
    with tempfile.TemporaryDirectory() as folder:
        window = Window(QSettings(f"{folder}/window.ini", QSettings.Format.IniFormat))
        window.resize(1280, 800)
        window.show()
        beats = [time.perf_counter()]
        longest = 0.0

        def beat() -> None:
            nonlocal longest
            now = time.perf_counter()
            longest = max(longest, now - beats[0])
            beats[0] = now

        timer = QTimer()
        timer.timeout.connect(beat)
        timer.start(5)

        def until(ready: Callable[[], object]) -> bool:
            end = time.monotonic() + SECONDS
            while not ready() and time.monotonic() < end:
                application.processEvents()
                time.sleep(0.002)
            return bool(ready())

        until(lambda: window.exports.ticks)
        window.add([str(given.folder)])
        until(lambda: window.photos.count() > 0)
        paths = [window.photos.item(k).data(KEY) for k in range(min(given.count, window.photos.count()))]
        print("photos  window MB  with files  beside MB  with files  longest standstill, ms")
        for done, path in enumerate(paths, 1):
            if done > 1:
                window.photos.setCurrentRow(done - 1)
            path = Path(path)

            def shown(path: Path = path) -> bool:
                view, session = window.head.view, window.session
                if session.path != path or session.summary is None or session.working:
                    return False
                looked = not session.cards or window.portrait.looks is not None
                return looked and (not session.cards or view.image is not None) and not session.pictures.busy

            if not until(shown):
                print(f"{path.name}: not done within {SECONDS:.0f} s", file=sys.stderr)
                return 1
            if done == 1 or done % given.every == 0:
                one, other = held(os.getpid()), held(window.session.bench.process.pid)
                print(
                    f"{done:6d} {one[0]:10.0f} {one[1]:11.0f} {other[0]:10.0f} {other[1]:11.0f} {1e3 * longest:12.0f}"
                )
                sys.stdout.flush()
                longest = 0.0
        window.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
