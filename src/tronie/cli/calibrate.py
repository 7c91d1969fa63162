"""`tronie models calibrate`: what the user hears of it."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from tronie.cli.interrupt import interrupting
from tronie.cli.progress import Bars, JsonLines
from tronie.cli.say import duration, say, say_json
from tronie.errors import Cancelled
from tronie.importers.heads.calibrated import Calibrated, calibrated
from tronie.pipelines.calibration.job import calibrate
from tronie.runtime.job import Job

STAGES = {
    "landmarks": "finding where the landmarks lie on it",
    "textures": "reading the skins of the photos",
    "pictures": "drawing random people and looking at them",
    "learning": "learning",
}


def calibrate_head(
    name: str, pictures: int, photos: list[Path], workers: int, overwrite: bool, events: bool = False
) -> int:
    """Calibrate; the exit code. `events`: all that happens as lines of JSON."""
    from tronie.io.inputs import find_inputs
    from tronie.io.kinds import IMAGE_SUFFIXES

    if (done := calibrated().get(name)) is not None and not overwrite:
        _tell(name, done, f"{name} is calibrated already ({described(done.card)}); --overwrite does it again.", events)
        return 0
    skins = find_inputs([str(p) for p in photos], IMAGE_SUFFIXES).paths if photos else ()
    began = time.monotonic()
    with JsonLines() if events else Bars(STAGES) as shown:
        job = Job(shown)
        ending = "Stopping when the pictures in work are finished; Ctrl-C again stops at once."
        with interrupting(job, ending) as ended:
            try:
                done = calibrate(name, pictures=pictures, photos=list(skins), workers=workers, job=job)
            except (Cancelled, KeyboardInterrupt):
                done = None
    if done is None:
        say("Stopped; what is finished is kept. To go on, run the same command again.", problem=True)
        return ended.code
    _tell(name, done, f"{name} is calibrated, in {duration(time.monotonic() - began)}: {described(done.card)}.", events)
    if not events:
        say(f"Use it with: tronie run PHOTO --head {name}")
    return 0


def _tell(name: str, done: Calibrated, text: str, events: bool) -> None:
    if not events:
        say(text)
        return
    figures = done.card.get("held_out_figures", {})
    known = {key: figures.get(key) for key in ("error_mm", "share")}
    say_json({"event": "calibrated", "name": name, **known})


def described(card: dict[str, Any]) -> str:
    """Its figures in a few words."""
    f = card.get("held_out_figures", {})
    return (
        f"on people it had not seen its error is {f.get('error_mm', 0):.2f} mm, "
        f"{100 * f.get('share', 0):.0f} % of the mean head's"
    )
