"""Records of earlier runs, settings, and what a user typed: files like any other, and they may come from anywhere."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from fuzz.structure import json_tree
from fuzz.target import Target
from tronie.settings import Settings


def _json(*values: Any) -> Iterator[bytes]:
    return (json.dumps(value).encode() for value in values)


def _manifests() -> Iterator[bytes]:
    import tempfile

    from tronie.io.listing import Listing
    from tronie.jobs.manifest import FILE, Manifest

    with tempfile.TemporaryDirectory() as name:
        out = Path(name, "out")
        manifest = Manifest.open(out, Settings())
        manifest.claim(Listing.of(Path(name, one) for one in ("a.jpg", "b.jpg", "b/a.jpg")))
        manifest.left_out = {".txt": 2}
        manifest.write()
        yield (out / FILE).read_bytes()


def _manifest(path: Path) -> None:
    """As the next run finds it: names in it are those of folders that may be replaced."""
    from tronie.io.listing import Listing
    from tronie.io.paths import is_safe
    from tronie.jobs.manifest import FILE, Manifest
    from tronie.jobs.plan import make_plan

    out = path.with_name("out")
    out.mkdir(exist_ok=True)
    (out / FILE).write_bytes(path.read_bytes())
    manifest = Manifest.open(out, Settings())
    assert all(is_safe(record.name) for record in manifest.records.values())
    plan = make_plan(Listing.of([path, path.with_name("b.jpg")]), manifest)
    assert all(task.folder.parent == out for task in plan.tasks)
    manifest.write()


def _people() -> Iterator[bytes]:
    from tronie.export.fingerprint import fingerprint

    photo = {"source": "a.jpg", "face": 1, "size": 5, "modified": 7}
    return _json({"settings": fingerprint(Settings()), "photos": [photo, photo]})


def _person(path: Path) -> None:
    from tronie.pipelines.person.files import FILE, done_before

    (path.parent / FILE).write_bytes(path.read_bytes())
    assert done_before(path.parent, [], Settings()) in (True, False)


def _faces() -> Iterator[bytes]:
    return _json({"photo": {"name": "party"}, "index": 2, "box": [1, 2, 3, 4.5], "score": 0.5, "warnings": ["a"]})


def _face(path: Path) -> None:
    """face.json, which names a face on pages: whatever it holds, the folder has a title."""
    from tronie.render.load import title

    (path.parent / "face.json").write_bytes(path.read_bytes())
    assert isinstance(title(path.parent), str)


HEADINGS = "state,box_x0,box_y0,box_x1,box_y1,yaw,pitch,confidence,gaze_right_pitch,jawOpen"


def _clips() -> Iterator[bytes]:
    return _json({"video": {"source": "film.mp4", "notes": ["a"]}, "people": [{"index": 1, "error": None}]})


def _clip_folder(folder: Path) -> None:
    (folder / "face-1").mkdir()
    (folder / "face-1" / "frames.csv").write_text(f"{HEADINGS}\nseen,1,2,3,4,5,6,0.5,1,0.3\nlost,,,,,,,,,\n")


def _clip(path: Path) -> None:
    from tronie.service.clip_tasks import followed

    known = followed(path.parent, Path("film.mp4"))
    assert known is None or all(person.folder.parent == path.parent for person in known.people)


def _tables() -> Iterator[bytes]:
    yield f"{HEADINGS}\nseen,1,2,3,4,5,6,0.5,1,0.3\nlost,,,,,,,,,\n".encode()


def _table_folder(folder: Path) -> None:
    (folder / "clip.json").write_bytes(next(_clips()))


def _table(path: Path) -> None:
    from tronie.service.clip_tasks import followed

    (path.parent / "face-1").mkdir(exist_ok=True)
    (path.parent / "face-1" / "frames.csv").write_bytes(path.read_bytes())
    followed(path.parent, Path("film.mp4"))


def _rows() -> Iterator[bytes]:
    from tronie.service.stored import FaceReport, PhotoReport, Report, ResultFile, Upload
    from tronie.service.stored_json import report_json, uploads_json

    face = FaceReport(1, (1.0, 2.0, 3.0, 4.0), 0.5, None, ("small",), {"head.glb": "a/face-1/head.glb"})
    report = Report((PhotoReport(0, "ok", faces=(face,)),), (ResultFile("a/face-1/head.glb", 5, "0" * 64),))
    yield report_json(report).encode()
    yield uploads_json([Upload("a.jpg", "001.jpg", "photo", 5, "0" * 64, 640, 480, 1.5)]).encode()


def _row(path: Path) -> None:
    from types import SimpleNamespace

    from tronie.service.stored_rows import BROKEN, job_of

    text = path.read_bytes().decode("utf-8", "replace")
    row = {"id": "a", "client": "b", "created": 1.0, "place": 0, "attempts": 0, "started": None, "ended": None}
    row |= {"expires": None, "reason": None, "result": None, "parent": None, "state": "done"}
    for column in ("settings", "uploads", "report"):
        job = job_of(SimpleNamespace(**row, **({"settings": "{}", "uploads": "[]", "report": None} | {column: text})))
        assert job.reason in (None, BROKEN)


def _trees() -> Iterator[bytes]:
    return _json(Settings().model_dump(mode="json"), {"portrait": {"crop": "passport"}}, {"outputs": ["obj"]}, {})


def _settings(path: Path) -> None:
    """As a client of the web service sends them. What comes out is within the service's bounds."""
    from tronie.errors import InputError
    from tronie.service.asked import settings_of
    from tronie.service.config import ServiceConfig

    config = ServiceConfig(data=path.parent, max_megapixels=50, max_seconds=60)
    try:
        tree = json.loads(path.read_bytes())
    except (ValueError, RecursionError):
        raise InputError("The settings are no JSON.") from None
    if not isinstance(tree, dict):
        raise InputError("The settings must be an object.")
    made = settings_of(tree, config)
    assert (made.read.max_megapixels or 99) <= 50
    assert (made.video.seconds or 99) <= 60
    assert settings_of(made.model_dump(mode="json"), config) == made


def _typed() -> Iterator[bytes]:
    for text in ("input", "*.jpg", "**/[a-c]*.png", "shot/%04d.png", "~/x", "camera:0", "a[1].jpg", "./../x", "a\0b"):
        yield text.encode()


def _inputs(path: Path) -> None:
    """A path or pattern as a user typed it, below an empty folder; and names made of it."""
    from tronie.io.inputs import find_inputs, stamp
    from tronie.io.paths import is_safe, safe_name, unique_names
    from tronie.io.video import is_clip
    from tronie.service.uploads import shown_name

    text = path.read_bytes()[:2000].decode("utf-8", "surrogateescape")
    # A pattern over the whole disk may take its time: that is what was asked for.
    below = f"{path.parent}/empty/{text.replace('..', '').lstrip('/')}"
    for recursive in (False, True):
        found = find_inputs([below], {".jpg", ".png"}, recursive=recursive, sequences=recursive)
        assert all(problem.reason for problem in found.problems)
    stamp(below)
    is_clip(below)
    name = safe_name(text)
    assert is_safe(name)
    assert safe_name(name) == name
    names = unique_names([Path(text.replace("\0", "") or "a"), Path("a"), Path("A")])
    assert len({one.casefold() for one in names.values()}) == len(names)
    shown = shown_name(text)
    assert shown
    assert "/" not in shown
    assert shown_name(shown) == shown
    assert len(shown) <= 120


def _empty(folder: Path) -> None:
    (folder / "empty").mkdir()


def _megapixels() -> Iterator[bytes]:
    return iter((b"50", b"1e3", b"0.5", b"nan"))


def _environment(path: Path) -> None:
    import os

    from tronie.io.limits import Limits

    try:
        os.environ["TRONIE_MAX_MEGAPIXELS"] = path.read_bytes().decode("utf-8", "replace").replace("\0", "")[:5000]
        assert 0 <= Limits.default().pixels <= 10**12
    finally:
        del os.environ["TRONIE_MAX_MEGAPIXELS"]


TARGETS = (
    Target("manifest", _manifests, _manifest, structure=json_tree),
    Target("person", _people, _person, structure=json_tree),
    Target("face", _faces, _face, structure=json_tree),
    Target("clip", _clips, _clip, "clip.json", structure=json_tree, beside=_clip_folder),
    Target("frames", _tables, _table, beside=_table_folder),
    Target("row", _rows, _row, structure=json_tree),
    Target("settings", _trees, _settings, structure=json_tree),
    Target("inputs", _typed, _inputs, beside=_empty),
    Target("environment", _megapixels, _environment),
)
