"""A sheet to judge likeness by: whose head is it? Beside each photo six clay heads, turned by 40 degrees, one its own.

    python -m benchmarks.pick_the_head ../shared/faces_cc0 --out sheet.jpg    # and sheet.json, the answers

The heads are at rest, without hair and texture, in one light, of one size, and shuffled. All of a row are of the
photo's sex, where the files' names begin with it (female_80.webp), so that one has to look at the face. Photos with
numbers from 80 on are held out: nothing is learned from them. Pick a letter for each row, then look into the answers;
by chance one in six is right.
"""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from benchmarks.accuracy import subject
from benchmarks.accuracy.methods import UNKNOWN_FOCAL, Method, methods
from benchmarks.accuracy.observe import Observation, face_in
from tronie.arrays import Image
from tronie.geometry import Camera, rigid, rotation_from_euler
from tronie.head.model import HeadModel
from tronie.io.encode import jpeg
from tronie.io.images import read_photo
from tronie.render.figure import Figure, figure_of_head
from tronie.render.lights import preset
from tronie.render.renderer import Look, Scene, render
from tronie.runtime.threads import single_blas_thread
from tronie.stages.fit.engine import make_head

SIDE, CHOICES, HELD_OUT = 200, 6, 80
YAW, DISTANCE_MM, HEIGHT_MM = 40.0, 1500.0, 208.0
"""Of the clay heads: how far they are turned, seen from where, and what a picture's height shows."""
MIDDLE_MM = (0.0, -28.0, -5.0)
"""The point of the head in the middle of its picture."""
QUALITY = 85


@dataclass(frozen=True, eq=False)
class Candidate:
    name: str
    photo: Image
    """(SIDE, SIDE, 3)."""
    clay: Image
    """(SIDE, SIDE, 3)."""


@dataclass(frozen=True)
class Row:
    photo: str
    choices: tuple[str, ...]
    """Whose heads, from left to right."""

    @property
    def answer(self) -> str:
        """The letter of its own."""
        return chr(ord("A") + self.choices.index(self.photo))


def draw_rows(names: Sequence[str], count: int, rng: np.random.Generator, mixed: bool = False) -> list[Row]:
    """As many from each group of names as from others. Raises ValueError where a group is too small."""
    groups: dict[str, list[str]] = {}
    for name in names:
        groups.setdefault("" if mixed else re.sub(r"_?\d+$", "", name), []).append(name)
    rows = []
    for k, group in enumerate(groups.values()):
        if len(group) < CHOICES:
            raise ValueError(f"six heads are needed to choose from, there are {len(group)}")
        share = count // len(groups) + (k < count % len(groups))
        for own in rng.permutation(group)[:share]:
            others = rng.permutation([n for n in group if n != own])[: CHOICES - 1]
            rows.append(Row(str(own), tuple(map(str, rng.permutation([own, *others])))))
    return [rows[k] for k in rng.permutation(len(rows))]


def candidate(name: str, image: Image, seen: Observation, method: Method, model: HeadModel) -> Candidate:
    x0, y0, x1, y1 = seen.detection.box
    side = 1.35 * max(x1 - x0, y1 - y0)
    corner = np.array([(x0 + x1) / 2, y0 + 0.45 * (y1 - y0)]) - side / 2
    shrink = np.array([[SIDE / side, 0, -corner[0] * SIDE / side], [0, SIDE / side, -corner[1] * SIDE / side]])
    photo = cv2.warpAffine(image, shrink, (SIDE, SIDE), flags=cv2.INTER_AREA, borderMode=cv2.BORDER_REPLICATE)
    head = make_head(model, method(seen), model.usual_level)
    level = model.level(model.usual_level)
    corners = [level.points68(v)[[36, 45]].astype(float) for v in (head.neutral, level.apply(model.mean))]
    size, usual = (float(np.linalg.norm(b - a)) for a, b in corners)
    return Candidate(name, np.asarray(photo, np.uint8), clay(figure_of_head(head), size / usual))


def clay(figure: Figure, size: float) -> Image:
    """A head at rest that is `size` times as large as usual, drawn as large as others."""
    turn = rotation_from_euler(YAW, 0, 0)
    camera = Camera(SIDE / HEIGHT_MM * DISTANCE_MM / size, (SIDE / 2, SIDE / 2), (SIDE, SIDE))
    pose = rigid(turn, np.array([0, 0, DISTANCE_MM]) - turn @ (np.array(MIDDLE_MM) * size))
    return render(Scene(figure, camera, pose, Look("clay", preset("clay"), samples=4)))


def sheet(rows: Sequence[Row], people: dict[str, Candidate]) -> Image:
    """Photos and heads with their numbers and letters."""
    lines = []
    for number, row in enumerate(rows, start=1):
        tiles = [_marked(people[row.photo].photo, str(number))]
        tiles += [_marked(people[name].clay, chr(ord("A") + k)) for k, name in enumerate(row.choices)]
        lines.append(np.concatenate(tiles, axis=1))
    return np.concatenate(lines)


def _marked(tile: Image, text: str) -> Image:
    out = tile.copy()
    for colour, width in (((255, 255, 255), 4), ((20, 20, 20), 1)):
        cv2.putText(out, text, (7, 22), cv2.FONT_HERSHEY_SIMPLEX, 0.65, colour, width, cv2.LINE_AA)
    return out


def held_out(folder: Path) -> list[Path]:
    """Pictures whose number is HELD_OUT or more; all where none has such a number."""
    files = sorted(p for p in folder.iterdir() if p.suffix.lower() in (".webp", ".png", ".jpg", ".jpeg"))
    late = [p for p in files if int((re.findall(r"\d+$", p.stem) or ["0"])[0]) >= HELD_OUT]
    return late or files


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rows", type=int, default=12)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--mixed", action="store_true", help="heads of both sexes in one row")
    parser.add_argument("--out", type=Path, default=Path("pick_the_head.jpg"))
    options = parser.parse_args()
    files = {p.stem: p for p in held_out(options.folder)}
    rows = draw_rows(list(files), options.rows, np.random.default_rng(options.seed), options.mixed)
    wanted = sorted({name for row in rows for name in row.choices})
    method, model, people = methods()[UNKNOWN_FOCAL], subject.model(), {}
    for name in wanted:
        image = np.ascontiguousarray(read_photo(files[name]).image)
        seen = face_in(image, None)
        if seen is None:
            parser.error(f"no face in {files[name].name}")
        with single_blas_thread():
            people[name] = candidate(name, image, seen, method, model)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_bytes(jpeg(sheet(rows, people), QUALITY))
    answers = {str(k): {"photo": r.photo, "heads": r.choices, "own": r.answer} for k, r in enumerate(rows, start=1)}
    options.out.with_suffix(".json").write_text(json.dumps({"seed": options.seed, "rows": answers}, indent=1) + "\n")
    print(f"{options.out} and its answers: {len(rows)} photos, {len(people)} heads")


if __name__ == "__main__":
    main()
