"""How long the window stands still at what a user does, and what memory it holds as many photos are looked at.

    QT_QPA_PLATFORM=offscreen python -m benchmarks.window actions CLIP [CLIP ...]
    QT_QPA_PLATFORM=offscreen python -m benchmarks.window memory FOLDER [--count 200] [--every 10]

`actions` opens the example photos and the clips, tracks the first one, exports, switches faces, drags a landmark. For
each it prints the longest turn of the window's loop by the clock, and the most processor time of the window's own
thread in one: where other work keeps the processors busy the clock says more of that.
`memory` opens every photo as a click in the list opens it, and leaves it when its portrait and its head are shown.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

EXAMPLES = Path(__file__).parents[1] / "examples"
SECONDS = 300.0
"""That one photo or step may take."""


def held(pid: int) -> tuple[float, float]:
    """Memory that a process has: what is only its own, and with the files it looks into, MB. Linux only."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    sizes = {line.split(":")[0]: int(line.split()[1]) / 1024 for line in lines if line.endswith("kB")}
    return sizes["RssAnon"], sizes["VmRSS"]


class Driven:
    """A window whose loop is watched."""

    def __init__(self, folder: str) -> None:
        from PySide6.QtCore import QSettings

        from tronie.gui.app import make_application, use_language
        from tronie.gui.theme import use_scheme
        from tronie.gui.window import Window

        self.application = make_application()
        use_scheme("light")
        use_language("en")
        self.clock = self.processor = 0.0
        """The longest turn of the loop, seconds by the clock, and the most processor time in one."""
        self.window = Window(QSettings(f"{folder}/window.ini", QSettings.Format.IniFormat))
        self.window.exports.folder.setText(f"{folder}/out")
        self.window.resize(1280, 800)
        self.window.show()
        self.until(lambda: self.window.exports.ticks)

    def until(self, ready: Callable[[], object]) -> bool:
        """Let the loop turn."""
        end = time.monotonic() + SECONDS
        while not ready() and time.monotonic() < end:
            clock, processor = time.perf_counter(), time.thread_time()
            self.application.processEvents()
            self.clock = max(self.clock, time.perf_counter() - clock)
            self.processor = max(self.processor, time.thread_time() - processor)
            time.sleep(0.002)
        return bool(ready())

    def shown(self, path: Path) -> bool:
        """Whether a photo's faces are done, and the chosen one's head and portrait can be seen."""
        window, session = self.window, self.window.session
        if session.path != path or session.summary is None or session.working or session.pictures.busy:
            return False
        return not session.cards or (window.portrait.looks is not None and window.head.view.image is not None)

    @contextmanager
    def action(self, name: str) -> Iterator[None]:
        """Print the longest turn of all in it."""
        self.clock = self.processor = 0.0
        yield
        load = os.getloadavg()[0]
        print(f"{name:44s} {1e3 * self.clock:7.0f} {1e3 * self.processor:7.0f} {load:7.1f}")
        sys.stdout.flush()


def actions(driven: Driven, clips: list[Path]) -> None:
    """Everything that may take long."""
    window = driven.window
    session, player = window.session, window.player
    print(f"{'longest turn of the loop, ms':44s}   clock    cpu    load")
    group, astronaut = EXAMPLES / "group.jpg", EXAMPLES / "astronaut.jpg"

    def done(action: Callable[[], Any], ready: Callable[[], object]) -> None:
        """Do it within the watched loop, as its slot would be."""
        from PySide6.QtCore import QTimer

        QTimer.singleShot(0, action)
        if not driven.until(ready):
            raise TimeoutError("this was not done in time")

    with driven.action("a first photo, models and kernels loaded"):
        done(lambda: window.add([str(group)]), lambda: driven.shown(group))
    with driven.action("another photo"):
        done(lambda: window.add([str(astronaut)]), lambda: driven.shown(astronaut))
    with driven.action("back to a photo that is done"):
        done(lambda: window.photos.choose(group), lambda: driven.shown(group))
    with driven.action("from face to face, six times"):
        for face in (2, 3, 1, 4, 2, 1):
            done(
                lambda face=face: window.faces.choose(face),
                lambda face=face: session.key == (group, face) and driven.shown(group),
            )
    with driven.action("files of a face written"):
        done(lambda: window.export(False), lambda: "Written" in window.exports.message.text())
    window.tabs.setCurrentWidget(window.head)
    done(lambda: window.photos.choose(astronaut), lambda: driven.shown(astronaut))
    with driven.action("points of the fit, and one dragged"):
        done(lambda: window.correction.edit(True), lambda: window.correction.points is not None)
        points = window.correction.points
        points.take(61)
        for k in range(1, 21):
            seen = len(window.correction.seconds)
            done(lambda k=k: points.drag(-k, -0.5 * k, 10.0), lambda seen=seen: len(window.correction.seconds) > seen)
        done(points.drop, lambda: session.working)
        driven.until(lambda: not session.working)
    times = sorted(window.correction.seconds)
    print(f"{'  the fit that follows a drag, median':44s} {1e3 * times[len(times) // 2]:7.0f}")
    window.correction.edit(False)
    for clip in clips:
        with driven.action(f"open {clip.name}"):
            done(lambda clip=clip: window.add([str(clip)]), lambda clip=clip: player.path == clip and player.frame)
        with driven.action("  play two seconds"):
            done(player.toggle, passed(2))
            player.pause()
        with driven.action("  seek ten times"):
            last = max(player.timeline.count - 2, 1)
            for k in range(10):
                frame = last * (k * 7 % 10) // 10
                done(lambda frame=frame: player.seek(frame), lambda frame=frame: player.frame.index == frame)
    if clips:
        window.photos.choose(clips[0])
        driven.until(lambda: player.path == clips[0] and player.frame)
        with driven.action(f"track {clips[0].name}"):
            done(player.track.click, lambda: session.tracked is not None or "damaged" in window.stage.text())
        with driven.action("  play what was tracked, two seconds"):
            done(player.toggle, passed(2))
            player.pause()


def passed(seconds: float) -> Callable[[], bool]:
    """Whether so much time has passed since now."""
    end = time.monotonic() + seconds
    return lambda: time.monotonic() > end


def memory(driven: Driven, folder: Path, count: int, every: int) -> None:
    """Of the window and of the process beside it."""
    window = driven.window
    window.add([str(folder)])
    driven.until(lambda: window.photos.count() > 0)
    paths = window.photos.all_paths()[:count]
    print("photos  window MB  with files  beside MB  with files  longest standstill, ms")
    for done, path in enumerate(paths, 1):
        if done > 1:
            window.photos.choose(path)
        if not driven.until(lambda path=path: driven.shown(path)):
            raise TimeoutError(f"{path.name}: not done within {SECONDS:.0f} s")
        if done == 1 or done % every == 0:
            one, other = held(os.getpid()), held(window.session.bench.process.pid)
            sizes = f"{one[0]:10.0f} {one[1]:11.0f} {other[0]:10.0f} {other[1]:11.0f}"
            print(f"{done:6d} {sizes} {1e3 * driven.clock:12.0f}")
            sys.stdout.flush()
            driven.clock = 0.0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("actions", "memory"))
    parser.add_argument("paths", type=Path, nargs="*")
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--every", type=int, default=10)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        driven = Driven(folder)
        try:
            if given.what == "actions":
                actions(driven, given.paths)
            else:
                memory(driven, given.paths[0], given.count, given.every)
        except TimeoutError as error:
            print(error, file=sys.stderr)
            return 1
        finally:
            driven.window.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
