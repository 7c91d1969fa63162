"""A user's whole way through the page, in a real browser: from a dropped photo to a deleted job."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from node_tools import BROWSER, validator_home, wants_browser
from places import EXAMPLES, TESTS

pytest.importorskip("fastapi")
pytest.importorskip("av")

import trimesh
from running_service import running

HERE = Path(__file__).parent
SIZES = {"desktop": (1280, 800, "light", "en"), "phone": (390, 844, "dark", "en")}


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running(tmp_path_factory.mktemp("service")) as address:
        yield address


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return sway(tmp_path_factory.mktemp("clip") / "sway.mp4")


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A group photo that does not take long."""
    path = tmp_path_factory.mktemp("photo") / "group.jpg"
    cv2.imwrite(str(path), cv2.imread(str(EXAMPLES / "group.jpg"))[190:560, 180:640])
    return path


def sway(path: Path) -> Path:
    """A film of somewhat less than a second: somebody who sways the head."""
    photo = cv2.resize(cv2.imread(str(EXAMPLES / "astronaut.jpg")), (480, 480))
    film = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), 12, (480, 480))
    for frame in range(10):
        turn = cv2.getRotationMatrix2D((240, 240), 8 * np.sin(frame / 3), 1.0)
        film.write(cv2.warpAffine(photo, turn, (480, 480)))
    film.release()
    return path


@pytest.mark.slow
@wants_browser
@pytest.mark.parametrize("size", SIZES)
def test_from_a_dropped_photo_to_a_deleted_job(
    size: str, service: str, three: Path, clip: Path, tmp_path: Path
) -> None:
    assert BROWSER is not None
    width, height, theme, locale = SIZES[size]
    asked = {
        "url": service,
        "photo": str(three),
        "clip": str(clip),
        "shots": str(tmp_path),
        "width": width,
        "height": height,
        "theme": theme,
        "locale": locale,
        "chromium": BROWSER.chromium,
    }
    command = [BROWSER.node, str(HERE / "journey.mjs"), str(BROWSER.tools), json.dumps(asked)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=900)
    assert done.stdout, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    assert "failed" not in found, (found["failed"], found["steps"], found["errors"])
    assert found["errors"] == []
    assert found["foreign"] == []
    assert [one for one in found["axe"] if one["impact"] in ("serious", "critical")] == []
    check_head(Path(found["glb"]))


def check_head(path: Path) -> None:
    """What was downloaded is whole, by readers that are not ours."""
    head = trimesh.load(path)
    assert sum(len(mesh.faces) for mesh in head.geometry.values()) > 10_000
    if BROWSER is not None and (home := validator_home()) is not None:
        script = TESTS / "tools" / "validate_gltf.mjs"
        said = subprocess.run([BROWSER.node, script, home, path], capture_output=True, text=True, check=True)
        report = json.loads(said.stdout)
        assert (report["errors"], report["warnings"]) == (0, 0), said.stdout
