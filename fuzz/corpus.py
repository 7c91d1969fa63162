"""A folder full of files that mean harm: python -m fuzz.corpus OUT [--count 320] [--seed 0]

What the tests of `tronie run` and of the web service are made of (claims of huge pictures, bombs, cut and changed files
of every format, names that are commands, pipes and links), then photos and videos with changes that the fuzzer makes.
The same seed, with the same libraries, writes the same files.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random

import hostile_files
from hostile_uploads import hostile_uploads

from fuzz.mutate import mutated
from fuzz.structure import either
from fuzz.targets.clips import films
from fuzz.targets.pictures import frame, moving, stills
from tronie.io.paths import safe_name
from tronie.io.video.signatures import HEAD, container_of
from tronie.service.inspection import _suffix

COUNT = 320


def write(out: Path, count: int = COUNT, seed: int = 0) -> list[str]:
    """At least `count` files (and 150 in any case); their names. `out` is new or empty."""
    out.mkdir(parents=True, exist_ok=True)
    names = hostile_files.write_hostile(out)
    for file in hostile_uploads():
        name = f"upload-{safe_name(file.name)}"
        if not (out / name).exists():
            (out / name).write_bytes(file.data)
            names.append(name)
    made = changed(seed)
    while len(names) < count:
        ending, data = next(made)
        names.append(f"changed-{len(names):05d}{ending}")
        (out / names[-1]).write_bytes(data)
    return names


def changed(seed: int) -> Iterator[tuple[str, bytes]]:
    """Without end: the ending of a valid photo or video, and that changed."""
    # Writers of Matroska put random numbers in.
    rng, seeds = Random(f"corpus {seed}"), [*stills(), *moving(), *(f for f in films() if f[:4] != b"\x1aE\xdf\xa3")]
    while True:
        data = rng.choice(seeds)
        container = container_of(data[:HEAD])
        ending = f".{container}" if container else ".y4m" if data[:3] == b"YUV" else _suffix(data)
        yield ending, either(rng, data, frame) if rng.random() < 0.5 else mutated(rng, data, seeds)


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m fuzz.corpus", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("out", type=Path, metavar="OUT", help="a folder that is not there yet, or empty")
    parser.add_argument("--count", type=int, default=COUNT, help=f"so many files, or more (default: {COUNT})")
    parser.add_argument("--seed", type=int, default=0, help="another one makes other files (default: 0)")
    options = parser.parse_args()
    if options.out.is_dir() and any(options.out.iterdir()):
        print(f"{options.out} is not empty.", file=sys.stderr)
        return 2
    names = write(options.out, options.count, options.seed)
    print(f"{len(names)} files in {options.out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
