"""What is measured under fire: the folder that is made, what counts as the same, how a worker's growth is told."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.fire.folders import Place, differences, made
from benchmarks.fire.watch import Sizes, Watch

MEGA = 1_000_000


def test_copies_differ_and_stay_what_they_were(tmp_path: Path) -> None:
    portraits = tmp_path / "portraits"
    portraits.mkdir()
    for name in ("a.jpg", "b.webp", "letter.txt"):
        (portraits / name).write_bytes(name.encode())
    place = Place(tmp_path / "fire")
    good, hostile = place.fill(portraits, 7, 0, 0)
    files = {path.name: path.read_bytes() for path in place.photos.iterdir()}
    assert sorted(good) == sorted(files)
    assert not hostile
    assert len(set(files.values())) == 7
    assert all(data.startswith((b"a.jpg", b"b.webp")) for data in files.values())


def test_only_times_may_differ(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    record = tmp_path / "a" / "face.json"
    record.write_text(json.dumps({"yaw": 1, "timings": {"fit": 1}, "inputs": [{"seconds": 3, "name": "b"}]}))
    before = made(tmp_path)
    record.write_text(json.dumps({"yaw": 1, "timings": {"fit": 2}, "inputs": [{"seconds": 4, "name": "b"}]}))
    assert not differences(made(tmp_path), before)
    record.write_text(json.dumps({"yaw": 2, "timings": {"fit": 2}, "inputs": [{"seconds": 4, "name": "b"}]}))
    (tmp_path / ".left").touch()
    assert differences(made(tmp_path), before) == [".left", "a/face.json"]


@pytest.mark.parametrize("per_photo", [0, 20_000, -5_000])
def test_growth_is_told_per_hundred_photos(per_photo: int) -> None:
    watch = Watch(1)
    seconds = [float(second) for second in range(400)]
    watch.sizes[1] = Sizes(seconds, [50 * MEGA] * 400, 50 * MEGA)
    watch.sizes[2] = Sizes(seconds, [700 * MEGA + per_photo * second for second in range(400)], 0)
    watch.sizes[3] = Sizes(seconds[:50], [MEGA] * 50, 900 * MEGA)  # did not live long
    done = [second / 2 for second in range(800)]  # two workers with a photo a second each
    ((_, grown),) = watch.growth(done, workers=2)
    assert grown == pytest.approx(100 * per_photo, rel=0.02)
    assert watch.largest == 900 * MEGA
    assert watch.parents() == [50 * MEGA] * 10
