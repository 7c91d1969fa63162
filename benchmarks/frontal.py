"""Do portraits look like the person, and straight ahead?

    python -m benchmarks.frontal                           # portraits and known heads of the CC0 faces
    python -m benchmarks.frontal --limit 40 --only photos
    python -m benchmarks.frontal --photos FOLDER photo.jpg  # the largest face of photos of yours
    python -m benchmarks.frontal --lfw FOLDER --cfp FOLDER  # verification before and after, on folders of yours

Photos: the recogniser's distance between the photo's face and its portrait, and the pose
that our own fit finds in the portrait. A mere alignment of the photo has distance 0 there, so it says nothing.
Known heads: heads reconstructed from frontal photos are rendered turned; every method sees that picture only and is
compared with the same head rendered from the front. `aligned`: the turned picture, moved, scaled and rolled; `texture`:
the head alone with its completed texture (`--background plain` without the photo); `turned`: the portrait.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import numpy as np

from benchmarks.turned import known, pairs
from benchmarks.turned.judge import Judge, Judged, table
from tronie.stages.landmarks import recognizer as identity

PORTRAITS = Path(__file__).resolve().parents[2] / "shared" / "faces_cc0"
SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=Path, nargs="+", metavar="PATH", help="photos or folders, instead of the CC0")
    parser.add_argument("--only", choices=["photos", "known"])
    parser.add_argument("--limit", type=int, help="only so many photos, evenly chosen")
    parser.add_argument("--heads", type=int, default=30, help="known heads (default: %(default)s)")
    parser.add_argument("--lfw", type=Path, metavar="FOLDER")
    parser.add_argument("--cfp", type=Path, metavar="FOLDER")
    parser.add_argument("--size", type=int, default=512, choices=[256, 512, 1024])
    parser.add_argument("--out", type=Path, metavar="DIR", help="write frontal.md and frontal.json there")
    options = parser.parse_args()
    judge = Judge(size=options.size)
    text: list[str] = []
    record: dict[str, object] = {}

    def say(title: str, body: str, data: object) -> None:
        text.append(f"## {title}\n\n{body}")
        record[title] = data
        print(f"\n{text[-1]}", flush=True)

    folders: list[tuple[str, Path | None, Callable[[Path], list[pairs.Pair]]]] = [
        ("LFW", options.lfw, pairs.lfw),
        ("CFP-FP", options.cfp, pairs.cfp_fp),
    ]
    for name, folder, reader in folders:
        if folder is not None:
            some = reader(folder)
            some = some[:: max(1, len(some) // options.limit)] if options.limit else some
            figures = verified(judge, some)
            say(f"{name}, {len(some)} pairs", "\n".join(f"- {k}: {v}" for k, v in figures.items()), figures)
    if not (options.lfw or options.cfp):
        paths = pictures(options.photos or [PORTRAITS])
        if options.limit:
            paths = [paths[k] for k in np.linspace(0, len(paths) - 1, min(options.limit, len(paths))).astype(int)]
        rows, heads = [], []
        for path in paths:
            found = judge.largest(path)
            if found is None:
                continue
            photo, face = found
            if options.only != "known":
                rows.append(judge.judge(path.stem, photo, face))
            if options.only != "photos" and len(heads) < options.heads and known.is_frontal(face):
                heads.append((path.stem, face))
        if rows:
            say(f"Photos, {len(rows)} faces", table(rows), [asdict(r) for r in rows])
        turned = of_known(judge, heads)
        if turned:
            say(f"Known heads, {len(heads)}", table(turned), [asdict(r) for r in turned])
    if options.out:
        options.out.mkdir(parents=True, exist_ok=True)
        (options.out / "frontal.md").write_text("\n\n".join(text) + "\n")
        (options.out / "frontal.json").write_text(json.dumps(record))


def pictures(paths: list[Path]) -> list[Path]:
    found: list[Path] = []
    for path in paths:
        found += sorted(p for p in path.iterdir() if p.suffix.lower() in SUFFIXES) if path.is_dir() else [path]
    return found


def of_known(judge: Judge, heads: list[tuple[str, object]]) -> list[Judged]:
    rows = []
    for k, (name, face) in enumerate(heads):
        straight = known.picture(face, 0.0)  # type: ignore[arg-type]
        reference, _ = judge.look(straight)
        if reference is None:
            continue
        for yaw in known.turns(k):
            found = judge.largest(known.picture(face, yaw))  # type: ignore[arg-type]
            if found is not None:
                row = judge.judge(name, *found, reference)
                rows.append(Judged(row.name, yaw, row.pose, row.distances, row.shares))
    return rows


def verified(judge: Judge, some: list[pairs.Pair]) -> dict[str, str]:
    """Accuracy on the photos as they are and on their portraits; without a face a pair counts as different."""
    cache: dict[Path, tuple[np.ndarray | None, np.ndarray | None]] = {}

    def both(path: Path) -> tuple[np.ndarray | None, np.ndarray | None]:
        if path not in cache:
            found = judge.largest(path)
            if found is None or found[1].landmarks is None:
                cache[path] = (None, None)
            else:
                own = identity.embedding_of(found[0].image, found[1].landmarks)
                portrait, _ = judge.look(judge.portraits(*found)["turned"].image)
                cache[path] = (own, own if portrait is None else portrait)
        return cache[path]

    far = 2.0
    distances = np.full((2, len(some)), far)
    for n, pair in enumerate(some):
        for k, (a, b) in enumerate(zip(both(pair.one), both(pair.other), strict=True)):
            if a is not None and b is not None:
                distances[k, n] = identity.distance(a, b)
    same, fold = np.array([p.same for p in some]), np.array([p.fold for p in some])
    said = {}
    for method, d in zip(("aligned photos", "portraits"), distances, strict=True):
        mean, spread = pairs.accuracy(d, same, fold)
        said[method] = f"{100 * mean:.2f} % ± {100 * spread:.2f}"
    said["pairs with a face missing"] = str(int((distances[0] == far).sum()))
    return said


if __name__ == "__main__":
    main()
