"""The readers of public benchmarks, on tiny invented folders of the right structure: the truth has no error."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from benchmarks.accuracy import aflw2000, facescape, now, realy
from benchmarks.accuracy.evaluate import expressed_of, neutral_of
from benchmarks.accuracy.files import read_box, read_obj, read_points
from benchmarks.accuracy.heads import face_triangles
from benchmarks.accuracy.methods import fit_of
from benchmarks.accuracy.observe import Observation
from tronie.geometry import HEAD_TO_CAMERA_AXES, Camera, rigid, rotation_from_euler, transform
from tronie.head.model import default_head
from tronie.types import Detection, Landmarks

SIZE = 256


@pytest.fixture(scope="module")
def person():
    """Model, true fit, head at rest and with expression."""
    model = default_head()
    rng = np.random.default_rng(0)
    camera = Camera(1200.0, (SIZE / 2, SIZE / 2), (SIZE, SIZE))
    turn = rotation_from_euler(12, -6, 4)
    pose = rigid(turn, np.array([3.0, -4.0, 1300.0]))
    fit = fit_of(model, rng.normal(size=len(model.identity)), rng.uniform(0, 0.2, 52), pose, camera)
    return model, fit, neutral_of(model, fit), expressed_of(model, fit)


@pytest.fixture
def seen(monkeypatch):
    """The face is found wherever it is looked for."""
    blank = Observation(
        Detection((60, 60, 200, 200), np.zeros((5, 2)), 1.0),
        Landmarks(np.zeros((478, 3)), np.zeros(52), 1.0),
        (SIZE, SIZE),
        None,
    )
    for module in (aflw2000, facescape, now, realy):
        monkeypatch.setattr(module, "face_in", lambda *_: blank)
    return blank


def grey(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full((SIZE, SIZE, 3), 128, np.uint8)).save(path)


def write_obj(path, vertices, triangles=()):
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = [f"v {x:.6f} {y:.6f} {z:.6f}" for x, y, z in vertices]
    rows += [f"f {a + 1}/1 {b + 1}/1 {c + 1}/1" for a, b, c in triangles]
    path.write_text("\n".join(["# mesh", *rows]) + "\n")


def picked(points):
    inner = "\n".join(
        f' <point x="{x:.6f}" y="{y:.6f}" z="{z:.6f}" name="{k}" active="1"/>' for k, (x, y, z) in enumerate(points)
    )
    return f"<!DOCTYPE PickedPoints>\n<PickedPoints>\n <DocumentData/>\n{inner}\n</PickedPoints>\n"


def moved(vertices, scale=1.0):
    turn = rotation_from_euler(-20, 15, 30)
    return scale * vertices @ turn.T + [30.0, -50.0, 20.0]


def now_folder(root, person, ending=".pp"):
    model, _, neutral, _ = person
    name = "FaMoS_000001_00001_TA/multiview_neutral/IMG_0001.jpg"
    base = root / "final_release_version"
    grey(base / "iphone_pictures" / name)
    box = base / "detected_face" / Path(name).with_suffix(".npy")
    box.parent.mkdir(parents=True)
    np.save(box, np.array({"left": 10, "top": 20, "right": 110, "bottom": 140}, dtype=object), allow_pickle=True)
    (root / "imagepathsvalidation.txt").write_text(name + "\n")
    used, packed = np.unique(face_triangles(model, 1), return_inverse=True)
    write_obj(root / "scans" / "FaMoS_000001_00001_TA" / "scan.obj", moved(neutral)[used], packed.reshape(-1, 3))
    points = moved(model.level(1).points68(neutral)[list(now.SEVEN)])
    marks = root / "scans_lmks_onlypp" / "FaMoS_000001_00001_TA" / f"scan_picked_points{ending}"
    marks.parent.mkdir(parents=True)
    marks.write_text(picked(points) if ending == ".pp" else "\n".join(" ".join(map(str, p)) for p in points))
    return root


@pytest.mark.parametrize("ending", [".pp", ".txt"])
def test_now(tmp_path, person, seen, ending):
    root = now_folder(tmp_path, person, ending)
    (shot,) = now.shots(root)
    assert shot.box == (10, 20, 110, 140)
    assert shot.challenge == "multiview_neutral"
    figures = now.run(root, lambda _: person[1])
    assert figures["photos"] == 1
    assert figures["missed"] == 0
    assert figures["all median"] < 1e-3
    assert figures["multiview_neutral mean"] < 1e-3
    model = person[0]
    other = fit_of(model, np.zeros(len(model.identity)), np.zeros(52), person[1].head_to_camera, person[1].camera)
    assert now.run(root, lambda _: other)["all mean"] > 0.3
    assert now.run(root, lambda _: other, metrical=True)["all mean"] > now.run(root, lambda _: other)["all mean"]


def test_the_disc_of_a_scan():
    points = np.array([[-45, 0, 0], [-17, 0, 0], [17, 0, 0], [45, 0, 0], [0, -50, 10], [-25, -80, 0], [25, -80, 0.0]])
    centre, radius = now.face_disc(points)
    np.testing.assert_allclose(centre, [0, -35, 7])
    assert radius == pytest.approx(1.4 * (90 + np.hypot(50, 10)) / 2)


def test_realy(tmp_path, person, seen):
    model, fit, neutral, _ = person
    grey(tmp_path / "REALY_image" / "frontal" / "7_view.jpg")
    scan = moved(neutral, 0.02)  # the benchmark's heads have a unit of their own
    triangles = face_triangles(model, 1)
    points = model.level(1).points68(scan)
    write_obj(tmp_path / "REALY_HIFI3D_keypoints" / "7.obj", np.concatenate([points, np.zeros((17, 3))]))
    for region, which in realy.POINTS.items():
        near = np.linalg.norm(scan[:, None] - points[list(which)][None], axis=2).min(axis=1) < 0.3
        kept = triangles[near[triangles].all(axis=1)]
        used, packed = np.unique(kept, return_inverse=True)
        write_obj(tmp_path / "REALY_scan_region" / "7" / f"{region}.obj", scan[used], packed.reshape(-1, 3))
    (tmp_path / "metrical_scale.txt").write_text("\n".join(["50.0"] * 7))
    images = tmp_path / "REALY_image" / "frontal"
    figures = realy.run(tmp_path, images, lambda _: fit)
    assert figures["photos"] == 1
    assert all(figures[region] < 2e-3 for region in (*realy.POINTS, "all"))
    other = fit_of(model, np.zeros(len(model.identity)), np.zeros(52), fit.head_to_camera, fit.camera)
    assert 0.2 < realy.run(tmp_path, images, lambda _: other)["all"] < 6
    assert realy.write_meshes(images, tmp_path / "out", lambda _: fit) == 1
    vertices, faces = read_obj(tmp_path / "out" / "7_view.obj")
    np.testing.assert_allclose(vertices, neutral, atol=1e-3)
    np.testing.assert_array_equal(faces, model.level(1).triangles)


@given(st.tuples(*[st.floats(-85, 85)] * 3))
def test_angles_of_the_annotation(a):
    np.testing.assert_allclose(aflw2000.angles(aflw2000.rotation(*a)), a, atol=1e-6)


def test_the_annotation_looks_where_it_says():
    forward = np.array([0, 0, 1.0])
    assert (aflw2000.rotation(30, 0, 0) @ forward)[0] < 0  # image left
    assert (aflw2000.rotation(0, 30, 0) @ forward)[1] > 0  # up
    assert (aflw2000.rotation(0, 0, 30) @ [0, 1.0, 0])[0] > 0  # the crown leans to the image's right


def test_aflw2000(tmp_path, person, seen):
    from scipy.io import savemat

    model, fit, _, expressed = person
    points = model.level(1).points68(expressed).astype(float)
    pixels = fit.camera.project(transform(fit.head_to_camera, points))
    turn = HEAD_TO_CAMERA_AXES.T @ fit.head_to_camera[:3, :3]
    yaw, pitch, roll = aflw2000.angles(turn)
    assert yaw == pytest.approx(-12, abs=1.5)  # our yaw counts the other way
    pose = np.radians([[pitch, yaw, roll, 0, 0, 0, 1]])
    for name in ("image00002", "image00004"):
        grey(tmp_path / f"{name}.jpg")
        matlab = np.concatenate([pixels.T + 0.5, np.zeros((1, 68))])
        savemat(tmp_path / f"{name}.mat", {"pt3d_68": matlab, "Pose_Para": pose})
    savemat(tmp_path / "alone.mat", {"pt3d_68": matlab, "Pose_Para": pose})  # without a picture
    figures = aflw2000.run(tmp_path, lambda _: fit)
    assert figures["photos"] == 2
    for name in ("nme68", "nme68 0-30", "yaw", "pitch", "roll", "geodesic", "geodesic without offset"):
        assert figures[name] == pytest.approx(0, abs=1e-3), name
    said = pixels + np.array([3.0, 4.0])
    width, height = np.ptp(pixels, axis=0)
    assert aflw2000.nme(said, pixels) == pytest.approx(5 / np.sqrt(width * height))


def test_a_constant_offset_of_rotations_can_be_taken_out():
    rng = np.random.default_rng(0)
    true = np.array([aflw2000.rotation(*rng.uniform(-40, 40, 3)) for _ in range(20)])
    found = aflw2000.pose_errors(true @ aflw2000.rotation(0, 5, 0), true)
    assert found["geodesic"] == pytest.approx(5, abs=1e-6)
    assert found["geodesic without offset"] == pytest.approx(0, abs=1e-6)
    assert found["offset"] == pytest.approx(5, abs=1e-6)


def test_facescape(tmp_path, person, seen):
    model, fit, _, expressed = person
    triangles = face_triangles(model, 1)
    camera = np.array([[1200.0, 0, SIZE / 2], [0, 1200.0, SIZE / 2], [0, 0, 1]])
    world = expressed / facescape.PUPILS_MM
    pose = fit.head_to_camera[:3].copy()
    write_obj(tmp_path / "data" / "lab_gt_mesh" / "00.obj", world, triangles)
    (tmp_path / "data" / "lab_cam").mkdir()
    held = pose.copy()
    held[:, 3] /= facescape.PUPILS_MM
    (tmp_path / "data" / "lab_cam" / "00_0_00.json").write_text(json.dumps([camera.tolist(), held.tolist()]))
    grey(tmp_path / "data" / "lab_img" / "00_0_00.jpg")
    predef = tmp_path / "code" / "predef"
    predef.mkdir(parents=True)
    np.save(predef / "lab_rotations.npy", pose[None, :, :3])
    np.save(predef / "lab_head_centers.npy", (pose[:, 3] + pose[:, :3] @ [0, -40, -70])[None])
    figures = facescape.run(tmp_path, lambda _: fit)
    assert figures["photos"] == 1
    assert figures["CD"] < 1e-2
    assert figures["CR"] == pytest.approx(1)
    turned = pose[:, :3] @ rotation_from_euler(8, 0, 0) @ HEAD_TO_CAMERA_AXES
    other = fit_of(model, fit.identity, np.zeros(52), rigid(turned, pose[:, 3]), fit.camera)
    assert facescape.run(tmp_path, lambda _: other)["CD"] > 0.5


def test_cylinder_of_a_tube():
    """A tube of radius 60 from -50 to 50 mm is a band of 60 in the map, seam included."""
    angle = np.linspace(0, 2 * np.pi, 90, endpoint=False)
    ring = np.column_stack([60 * np.sin(angle), np.zeros(90), 60 * np.cos(angle)])
    v = np.concatenate([ring + np.array([0, 50, 0]), ring - np.array([0, 50, 0])])
    k = np.arange(90)
    n = (k + 1) % 90
    triangles = np.concatenate([np.column_stack([k, n, k + 90]), np.column_stack([n, n + 90, k + 90])])
    found = facescape.cylinder(v, triangles)
    rows = np.flatnonzero((found > 0).all(axis=1))
    assert len(rows) == pytest.approx(100 / 300 * 255, abs=2)
    np.testing.assert_allclose(found[rows], 60, atol=0.1)
    assert not found[: rows[0] - 2].any()
    points, faces = facescape.sheet(found)
    assert len(faces) > 0
    np.testing.assert_allclose(np.hypot(points[:, 0], points[:, 2]), 60, atol=0.1)


class Trap:
    def __reduce__(self):
        return Path.write_text, (Path("/nonexistent"), "x")


def test_a_box_file_runs_no_code(tmp_path):
    np.save(tmp_path / "bad.npy", np.array({"left": Trap()}, dtype=object), allow_pickle=True)
    with pytest.raises(pickle.UnpicklingError):
        read_box(tmp_path / "bad.npy")
    np.save(tmp_path / "plain.npy", np.array([1.0, 2, 3, 4]))
    assert read_box(tmp_path / "plain.npy") == (1, 2, 3, 4)


def test_obj_with_polygons_and_counting_from_the_end(tmp_path):
    (tmp_path / "a.obj").write_text(
        "v 0 0 0 1 1 1\nv 1 0 0\nv 1 1 0\nv 0 1 0\nvn 0 0 1\nf 1//1 2//1 3//1 4//1\nf -4 -3 -2\n"
    )
    vertices, triangles = read_obj(tmp_path / "a.obj")
    assert vertices.shape == (4, 3)
    np.testing.assert_array_equal(triangles, [[0, 1, 2], [0, 2, 3], [0, 1, 2]])
    np.save(tmp_path / "p.npy", vertices)
    np.testing.assert_array_equal(read_points(tmp_path / "p.npy"), vertices)
