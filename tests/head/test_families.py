"""Files of every family come in as they are, in our axes and millimetres; wrong and hostile ones are refused."""

from __future__ import annotations

import io
import json
import os
import pickle
import shutil
import zipfile
from contextlib import suppress
from pathlib import Path
from typing import Any

import made_models as made
import numpy as np
import pytest
from places import DOCS, SHARED

from tronie import cli
from tronie.errors import OutputError, WeightsError
from tronie.formats.numpy_pickle import read_array_pickle
from tronie.formats.safety import Refused
from tronie.head.model import default_head
from tronie.head.morphable import NOSE_TIP, Morphable, place
from tronie.importers import import_file
from tronie.importers.heads import FAMILIES, families, imported_heads
from tronie.importers.heads.family import Family

FACE = made.face()
ICT = SHARED / "ict" / "ict_facekit.npz"
each = pytest.mark.parametrize("written", made.WRITERS)


@pytest.fixture(autouse=True)
def _own_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRONIE_HOME", str(tmp_path / "home"))


def write(written: str, folder: Path) -> tuple[Family, made.Made]:
    if written in ("bfm-2017", "bfm-2019"):
        pytest.importorskip("h5py")
    name, writer = made.WRITERS[written]
    folder.mkdir(exist_ok=True)
    return FAMILIES[name], writer(folder, FACE)


def refusal(family: Family, file: Path) -> str:
    """The sentence with which a file is refused."""
    with pytest.raises(WeightsError) as caught:
        family.load(file)
    text = str(caught.value)
    assert text.endswith(".")
    assert "\n" not in text
    assert str(file) in text
    return text


@each
def test_a_file_is_read_as_it_was_written(written: str, tmp_path: Path) -> None:
    family, wanted = write(written, tmp_path)
    model = family.load(wanted.file)
    np.testing.assert_allclose(model.identity, wanted.identity, atol=2e-3)
    np.testing.assert_allclose(model.expression, wanted.expression, atol=2e-3)
    shift = model.mean - wanted.mean
    assert np.abs(shift - shift[0]).max() < 1e-3
    assert (model.licence, model.commercial_use) == (family.licence, family.commercial_use)
    assert not model.expression_names or len(model.expression_names) == len(model.expression)


@each
def test_faces_are_wound_outwards_and_the_eyes_or_the_nose_are_in_place(written: str, tmp_path: Path) -> None:
    family, wanted = write(written, tmp_path)
    model = family.load(wanted.file)
    p = model.mean[model.triangles[: len(FACE.quads) // 3]]  # of the mask
    assert (np.cross(p[:, 1] - p[:, 0], p[:, 2] - p[:, 0])[:, 2] > 0).all()
    assert model.faces.shape[1] == 4
    assert set(np.unique(model.part)) <= {0, 1, 2}
    if (model.part == 1).any():
        left, right = (model.mean[model.vertices_of(n)].mean(axis=0) for n in ("eye_left", "eye_right"))
        assert left[0] > 0 > right[0]
        assert np.abs(left + right).max() < 6  # sphere fits see the rear half only
    else:
        np.testing.assert_allclose(model.mean[model.mean[:, 2].argmax()], NOSE_TIP, atol=1e-3)


@each
def test_the_imported_model_is_the_same_one(written: str, tmp_path: Path) -> None:
    family, wanted = write(written, tmp_path / "in")
    record = import_file(family.name, wanted.file)
    direct, stored = family.load(wanted.file), Morphable.load(record.path)
    assert record.licence == family.licence
    assert imported_heads()[family.name] == record
    for key in ("mean", "faces", "part", "uv", "face_uv", "landmarks68", "albedo"):
        a, b = getattr(direct, key), getattr(stored, key)
        assert (a is None and b is None) or np.array_equal(a, b)
    np.testing.assert_allclose(stored.identity, direct.identity, atol=5e-3)
    np.testing.assert_allclose(stored.expression, direct.expression, atol=5e-3)
    assert (stored.joints is None) == (direct.joints is None)
    with pytest.raises(OutputError):
        import_file(family.name, wanted.file)
    import_file(family.name, wanted.file, overwrite=True)


def test_the_folder_of_the_file_will_do(tmp_path: Path) -> None:
    for written in ("flame pkl", "sfm", "gnm", "3ddfa", "ict npz", "ict folder"):
        family, _wanted = write(written, tmp_path / written)
        assert family.load(tmp_path / written).name == family.name
    family = FAMILIES["ict-facekit"]
    (neutral,) = (tmp_path / "ict folder").rglob(family.files[0])
    assert family.load(neutral).name == family.name, "the folder is meant when the user names the first of its files"
    with pytest.raises(WeightsError, match=r"there is no gnm_head\.npz; get it from"):
        FAMILIES["gnm"].load(tmp_path / "sfm")


@each
def test_files_of_other_families_are_refused(written: str, tmp_path: Path) -> None:
    family, wanted = write(written, tmp_path)
    reads = {id(family.read)}
    for other in FAMILIES.values():
        if id(other.read) not in reads:
            reads.add(id(other.read))
            refusal(other, wanted.file)


@each
def test_cut_files_are_refused(written: str, tmp_path: Path) -> None:
    family, wanted = write(written, tmp_path)
    if wanted.file.is_dir():
        (wanted.file / "identity001.obj").write_text("v 1 2 3\n")
        refusal(family, wanted.file)
        return
    whole = wanted.file.read_bytes()
    for share in (0.0, 0.01, 0.3, 0.7, 0.98):
        wanted.file.write_bytes(whole[: int(share * len(whole))])
        refusal(family, wanted.file)


@pytest.mark.parametrize("written", ["bfm-2009", "bfm-2017", "flame pkl", "gnm", "3ddfa", "sfm", "ict npz"])
def test_damaged_files_are_refused_or_read(written: str, tmp_path: Path) -> None:
    family, wanted = write(written, tmp_path)
    whole, rng = wanted.file.read_bytes(), np.random.default_rng(0)
    for _ in range(40):
        broken = bytearray(whole)
        for at in rng.integers(0, min(len(whole), 4000), 4):
            broken[at] = rng.integers(256)
        wanted.file.write_bytes(broken)
        # Anything but a WeightsError fails.
        with np.errstate(all="ignore"), suppress(WeightsError):
            family.load(wanted.file)


class Harm:
    """Its pickle makes a folder when it is read by Python's own reader."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> Any:
        return os.mkdir, (str(self.mark),)


def test_only_the_open_edition_of_flame_may_be_used_commercially() -> None:
    terms = {f.name: f.commercial_use for f in FAMILIES.values() if f.name.startswith("flame")}
    assert terms == {"flame-2023-open": True, "flame-2023": False, "flame-2020": False}
    assert FAMILIES["flame-2023-open"].files == ("flame2023_Open.pkl",)
    assert not set(FAMILIES["flame-2023"].files) & set(FAMILIES["flame-2023-open"].files)


@pytest.mark.parametrize("name", ["flame-2020", "flame-2023", "3ddfa"])
def test_a_pickle_that_runs_code_is_refused_and_not_run(name: str, tmp_path: Path) -> None:
    mark, file = tmp_path / "harmed", tmp_path / "model.pkl"
    for protocol in range(6):
        content = {**made.flame_arrays(FACE), "u": Harm(mark)}
        file.write_bytes(pickle.dumps(content, protocol))
        refusal(FAMILIES[name], file)
        assert not mark.exists()
    made.write_tddfa(tmp_path, FACE)
    (tmp_path / "tri.pkl").write_bytes(pickle.dumps(Harm(mark), 4))
    with pytest.raises(WeightsError, match=r"only arrays of numbers are allowed"):
        FAMILIES["3ddfa"].load(tmp_path)
    assert not mark.exists()


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_pickled_arrays_are_those_that_python_reads(protocol: int, tmp_path: Path) -> None:
    content = {
        "a": np.arange(12.0).reshape(3, 4),
        "b": np.asfortranarray(np.arange(6, dtype=">i2").reshape(2, 3)),
        "c": np.float32(2.5),
        "d": np.zeros((0, 3), np.uint8),
        "e": "text",
        "f": np.array([True, False]),
        "g": [1],
        "h": 7,
    }
    file = tmp_path / "x.pkl"
    file.write_bytes(pickle.dumps(content, protocol))
    found = read_array_pickle(file)
    for key, value in content.items():
        if isinstance(value, np.ndarray):
            assert found[key].shape == value.shape
            assert np.array_equal(found[key], value)
        elif key != "g":  # containers inside are of no use
            assert found[key] == value


def test_arrays_and_wrappings_of_python_2_are_read(tmp_path: Path) -> None:
    numbers = np.array([1.0, -2.0, 250.5])
    array = (
        b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85U\x01b\x87R(K\x01K\x03\x85cnumpy\ndtype\n"
        b"U\x02f8K\x00K\x01\x87R(K\x03U\x01<NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89"
        b"T\x18\x00\x00\x00" + numbers.tobytes() + b"tb"
    )
    wrapped = b"ccopy_reg\n_reconstructor\ncchumpy.ch\nCh\nc__builtin__\nobject\nN\x87R}(U\x01x" + array
    wrapped += b"U\x0b_dirty_varsc__builtin__\nset\n]\x85Rub"
    file = tmp_path / "x.pkl"
    file.write_bytes(b"\x80\x02}(U\x05plain" + array + b"U\x07wrapped" + wrapped + b"u.")
    found = read_array_pickle(file)
    assert np.array_equal(found["plain"], numbers)
    assert np.array_equal(found["wrapped"], numbers)


def test_sparse_matrices_are_written_out(tmp_path: Path) -> None:
    sparse = pytest.importorskip("scipy.sparse")
    dense = np.random.default_rng(0).normal(size=(4, 7)) * (np.random.default_rng(1).uniform(size=(4, 7)) > 0.6)
    file = tmp_path / "x.pkl"
    file.write_bytes(pickle.dumps({"c": sparse.csc_matrix(dense), "r": sparse.csr_matrix(dense)}, 2))
    found = read_array_pickle(file)
    assert np.array_equal(found["c"], dense)
    assert np.array_equal(found["r"], dense)
    huge = sparse.csc_matrix(dense)
    huge._shape = (10**9, 7)
    file.write_bytes(pickle.dumps({"c": huge}, 2))
    with pytest.raises(WeightsError, match="far larger than it is"):
        read_array_pickle(file)


def test_a_pickled_array_is_never_larger_than_its_bytes(tmp_path: Path) -> None:
    file = tmp_path / "x.pkl"
    data = pickle.dumps({"a": np.arange(3.0)}, 2)
    file.write_bytes(data.replace(b"(K\x01K\x03\x85", b"(K\x01J\xff\xff\xff\x7f\x85"))
    with pytest.raises(WeightsError, match=r"longer or shorter"):
        read_array_pickle(file)


@pytest.mark.parametrize("name", ["gnm", "ict-facekit", "flame-2023"])
def test_an_npz_with_objects_is_refused(name: str, tmp_path: Path) -> None:
    mark, file = tmp_path / "harmed", tmp_path / "model.npz"
    objects = np.array([Harm(mark), None], dtype=object)
    np.savez(file, mean=objects, v_template=objects, template_vertex_positions=objects)
    assert "Python objects" in refusal(FAMILIES[name], file)
    assert not mark.exists()


def test_an_npz_whose_array_claims_too_much_is_refused(tmp_path: Path) -> None:
    head = io.BytesIO()
    np.lib.format.write_array_header_1_0(head, {"descr": "<f8", "fortran_order": False, "shape": (10**12, 3)})
    with zipfile.ZipFile(tmp_path / "x.npz", "w") as archive:
        archive.writestr("mean.npy", head.getvalue() + bytes(64))
    assert "longer or shorter" in refusal(FAMILIES["ict-facekit"], tmp_path / "x.npz")


def test_a_zip_of_the_folder_is_read_and_one_with_paths_outwards_is_refused(tmp_path: Path) -> None:
    family, wanted = write("ict folder", tmp_path)
    file = Path(shutil.make_archive(str(tmp_path / "FaceXModel"), "zip", tmp_path, "FaceXModel"))
    assert np.array_equal(family.load(file).identity, family.load(wanted.file).identity)
    for path in ("../evil.obj", "/evil.obj", "a/../../evil.obj", "..\\evil.obj", "C:\\evil.obj"):
        bad = tmp_path / "bad.zip"
        shutil.copy(file, bad)
        with zipfile.ZipFile(bad, "a") as archive:
            archive.writestr(path, "v 1 2 3\n")
        assert "leads out of its own folder" in refusal(family, bad)
    assert not list(tmp_path.parent.glob("evil*"))


def test_hdf5_with_absurd_shapes_or_links_is_refused(tmp_path: Path) -> None:
    h5py = pytest.importorskip("h5py")
    family, wanted = write("bfm-2017", tmp_path)

    def spoiled(change: Any) -> str:
        bad = tmp_path / "bad.h5"
        shutil.copy(wanted.file, bad)
        with h5py.File(bad, "a") as h5:
            del h5["shape/model/mean"]
            change(h5["shape/model"])
        return refusal(family, bad)

    assert "larger" in spoiled(lambda g: g.create_dataset("mean", (10**13,), "f4", chunks=(1000,)))
    assert "larger" in spoiled(lambda g: g.create_dataset("mean", (10**8,), "f4", chunks=(1000,)))
    assert "link" in spoiled(lambda g: g.__setitem__("mean", h5py.ExternalLink(str(wanted.file), "shape/model/mean")))
    assert "link" in spoiled(lambda g: g.__setitem__("mean", h5py.SoftLink("/shape/model/pcaBasis")))
    outside = [(str(tmp_path / "other.bin"), 0, 400)]
    assert "another file" in spoiled(lambda g: g.create_dataset("mean", (100,), "f4", external=outside))
    assert "not an array of numbers" in spoiled(lambda g: g.create_dataset("mean", data=["text"]))


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda a: a | {"faces": a["faces"] + 1000}, "vertices that it does not have"),
        (lambda a: a | {"mm": 1.0}, "is no face"),
        (lambda a: a | {"mean": a["mean"] * np.nan}, "are not numbers"),
        (lambda a: a | {"identity": a["identity"][:, :-1]}, "do not fit"),
        (lambda a: a | {"expression_names": ("one",)}, "do not fit"),
        (lambda a: a | {"identity": a["identity"][:0]}, "do not fit"),
    ],
)
def test_arrays_that_make_no_face_are_refused(spoil: Any, reason: str) -> None:
    arrays = {
        "name": "x",
        "licence": "x",
        "commercial_use": False,
        "mean": FACE.mean / 1e3,
        "identity": FACE.modes(2, 0),
        "expression": FACE.modes(2, 1),
        "faces": FACE.triangles,
        "mm": 1e3,
    }
    assert place(**arrays).mean.shape == FACE.mean.shape
    with pytest.raises(Refused, match=reason):
        place(**spoil(arrays))


def test_3ddfa_says_which_file_is_missing_beside_it(tmp_path: Path) -> None:
    family, wanted = write("3ddfa", tmp_path)
    (tmp_path / "tri.pkl").unlink()
    assert "needs tri.pkl beside it" in refusal(family, wanted.file)


def test_flame_has_its_joints(tmp_path: Path) -> None:
    family, wanted = write("flame pkl", tmp_path)
    j = family.load(wanted.file).joints
    assert j is not None
    assert j.names == ("root", "neck", "jaw", "eye_left", "eye_right")
    assert j.parents.tolist() == [-1, 0, 1, 1, 1]
    np.testing.assert_allclose(j.mean[3], [32, 0, 0], atol=3)
    rows = np.flatnonzero(FACE.label == 1)
    np.testing.assert_allclose(j.identity[:, 3], wanted.identity[:, rows].mean(axis=1), atol=1e-3)


def test_families_of_other_packages_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    class Point:
        def __init__(self, thing: Any) -> None:
            self.thing = thing

        def load(self) -> Any:
            if self.thing is None:
                raise ImportError
            return self.thing

    mine = Family("mine", "made up", "CC0-1.0", True, "nowhere", ("mine.npz",), FAMILIES["gnm"].read)
    points = [Point(None), Point("no family"), Point(mine)]
    monkeypatch.setattr("tronie.importers.heads.entry_points", lambda group: points if group == "tronie.heads" else [])
    assert set(families()) == {*FAMILIES, "mine"}


def test_the_example_of_the_documentation_reads_a_file(tmp_path: Path) -> None:
    page = (DOCS / "models.md").read_text(encoding="utf-8")
    names: dict[str, Any] = {}
    exec(page.split("```python\n")[1].split("```")[0], names)
    file = tmp_path / "my_head.npz"
    shapes, expressions = FACE.modes(2, 0), FACE.modes(1, 1)
    np.savez(file, mean=FACE.mean / 1e3, shapes=shapes / 1e3, expressions=expressions / 1e3, triangles=FACE.triangles)
    np.testing.assert_allclose(names["FAMILY"].load(file).identity, shapes, atol=1e-3)
    assert "example.org/head" in refusal_of_empty(names["FAMILY"], tmp_path / "empty")


def refusal_of_empty(family: Family, folder: Path) -> str:
    folder.mkdir()
    with pytest.raises(WeightsError) as caught:
        family.load(folder)
    return str(caught.value)


def test_every_family_is_listed_with_its_terms(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, wanted = write("sfm", tmp_path)
    assert cli.execute(["models", "import", "sfm", str(wanted.file)]) == 0
    said = capsys.readouterr().out
    assert "no commercial use" in said
    assert cli.execute(["models"]) == 0
    table = capsys.readouterr().out
    for family in FAMILIES.values():
        line = next(line for line in table.splitlines() if line.startswith(family.name + " "))
        assert family.licence in line
        assert family.ask in line
        assert ("not allowed" in line) != family.commercial_use
        assert (" not calibrated " in line) == (family.name == "sfm")
    assert cli.execute(["models", "--json"]) == 0
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)}
    assert rows["sfm"]["installed"]
    assert not rows["gnm"]["installed"]
    assert set(FAMILIES) <= set(rows)
    assert cli.execute(["models", "import", "gnm", str(wanted.file)]) != 0


@pytest.mark.skipif(not ICT.is_file(), reason="ICT-FaceKit is not in ../shared/ict")
def test_ict_facekit_lies_as_our_own_head_does() -> None:
    model, ours = FAMILIES["ict-facekit"].load(ICT), default_head()
    left, right = (model.mean[model.vertices_of(n)] for n in ("eye_left", "eye_right"))
    centres = np.array([left.mean(axis=0), right.mean(axis=0)])
    assert 57 < centres[0, 0] - centres[1, 0] < 68
    assert left[:, 0].min() > 0 > right[:, 0].max()
    tip, our_tip = (m[m[:, 2].argmax()] for m in (model.mean, ours.mean[ours.vertices_of("skin")]))
    assert np.linalg.norm(tip - our_tip) < 5
    teeth = [model.mean[model.vertices_of(n)][:, 1] for n in ("teeth_upper", "teeth_lower")]
    assert teeth[0].mean() > teeth[1].mean()
    assert len(model.identity) == 100
    assert "jawOpen" in model.expression_names
    assert not model.expression_is_pca
    opened = model.expression[model.expression_names.index("jawOpen")]
    assert opened[model.vertices_of("teeth_lower"), 1].mean() < -5
    assert np.abs(opened[model.vertices_of("teeth_upper")]).max() < 0.5


def test_licences_are_not_cut_off_in_a_narrow_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from rich.console import Console

    monkeypatch.setattr("tronie.cli.report._console", lambda: Console(width=80))
    assert cli.execute(["models"]) == 0
    said = capsys.readouterr().out
    for family in FAMILIES.values():
        use = "allowed" if family.commercial_use else "not allowed"
        assert f"{family.licence}; commercial use {use}; {family.ask}" in said
