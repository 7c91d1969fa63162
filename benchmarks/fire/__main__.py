"""What `tronie run` makes of many files, hostile ones among them, of being killed, and of full disks (Linux).

    python -m benchmarks.fire load --photos FOLDER --good 1800 --hostile 200 --rate 3 --thin
    python -m benchmarks.fire load --photos FOLDER --good 14 --hostile 150 --seconds 120
    python -m benchmarks.fire kills --photos FOLDER --good 16 --count 50
    python -m benchmarks.fire kills --photos FOLDER --good 16 --count 20 --shards 2 --workers 1
    python -m benchmarks.fire full --photos FOLDER --good 12 --megabytes 40

FOLDER holds portraits with a face each. Options behind `--` are those of `tronie run`. Ends with 1 where something is
not as it should be.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

from benchmarks.fire.folders import Place
from benchmarks.fire.kills import full, kills
from benchmarks.fire.load import Bars, load


def main() -> int:
    mine = sys.argv[1 : sys.argv.index("--")] if "--" in sys.argv else sys.argv[1:]
    options = sys.argv[len(mine) + 2 :]
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.fire", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=("load", "kills", "full"))
    parser.add_argument("--photos", type=Path, required=True, help="folder of portraits")
    parser.add_argument("--good", type=int, default=16, help="so many copies of them (default: 16)")
    parser.add_argument("--hostile", type=int, default=0, help="so many hostile files beside them (default: none)")
    parser.add_argument("--workers", type=int, default=2, help="processes (default: 2)")
    parser.add_argument("--seed", type=int, default=0, help="another one takes other files and moments (default: 0)")
    parser.add_argument("--count", type=int, default=50, help="of kills (default: 50)")
    parser.add_argument("--shards", type=int, default=0, help="parts at once, one of which is killed (default: none)")
    parser.add_argument("--megabytes", type=float, default=40, help="of the disk that is full (default: 40)")
    parser.add_argument("--rate", type=float, help="files a second that are asked")
    parser.add_argument("--seconds", type=float, help="in all that are asked")
    parser.add_argument("--thin", action="store_true", help="take outputs away as they come: 2,000 photos have 35 GB")
    parser.add_argument("--work", type=Path, help="folder to work in, on a disk with room (default: a temporary one)")
    asked = parser.parse_args(mine)
    root = Path(tempfile.mkdtemp(prefix="fire-", dir=asked.work)).resolve()
    try:
        place = Place(root / "fire")
        good, hostile = place.fill(asked.photos, asked.good, asked.hostile, asked.seed)
        print(f"{len(good)} good files, {len(hostile)} hostile ones, {asked.workers} processes", flush=True)
        if asked.what == "load":
            wrong = load(place, good, hostile, asked.workers, Bars(asked.rate, asked.seconds, asked.thin), options)
        elif asked.what == "kills":
            wrong = kills(place, asked.count, asked.workers, asked.shards, options, asked.seed)
        else:
            wrong = full(place, asked.megabytes, asked.workers, options)
    finally:
        shutil.rmtree(root, ignore_errors=True)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
