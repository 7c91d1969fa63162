"""Pages that show heads: all is in them, nothing foreign is asked for, names cannot break out."""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from places import ROOT
from samples import make_head, make_result, make_shell

from tronie.cli.view import view_result
from tronie.errors import InputError
from tronie.export.gltf import glb as make_glb
from tronie.export.html import PageFace, head_page, page_faces, viewer_files
from tronie.export.page_glb import split_glb
from tronie.export.writer import save
from tronie.head.model import HeadModel

HOSTILE = [
    "</script><script>alert(1)</script>",
    "<!--<script>",
    '"><img src=x onerror=alert(1)>',
    "{0}{policy}",
    "a\u2028b\u202e\udc80",
    "한국어 ünï",
]


class _Page(HTMLParser):
    """The elements of a page, with the text of scripts, styles and the title."""

    def __init__(self, data: bytes) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.inside = False
        self.feed(data.decode("utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self.texts.append("")
        self.inside = True

    def handle_endtag(self, tag: str) -> None:
        self.inside = False

    def handle_data(self, data: str) -> None:
        if self.inside:
            self.texts[-1] += data

    def text(self, tag: str, **attributes: str) -> str:
        return next(
            text
            for (name, own), text in zip(self.elements, self.texts, strict=True)
            if name == tag and all(own.get(key) == value for key, value in attributes.items())
        )

    @property
    def told(self) -> Any:
        return json.loads(self.text("script", id="faces"))

    def block(self, number: int) -> bytes:
        return gzip.decompress(base64.b64decode(self.text("script", id=f"data-{number}")))


def _parts(glb: bytes) -> tuple[Any, bytes]:
    assert int.from_bytes(glb[8:12], "little") == len(glb)
    length = int.from_bytes(glb[12:16], "little")
    return json.loads(glb[20 : 20 + length]), glb[28 + length :]


def _view(document: Any, binary: bytes, number: int) -> bytes:
    view = document["bufferViews"][number]
    return binary[view["byteOffset"] : view["byteOffset"] + view["byteLength"]]


def _same_head(slim: bytes, whole: bytes, left_out: set[str]) -> None:
    """All that a browser needs is the same: vertices, movements, triangles, materials, pictures."""
    (document, binary), (other, theirs) = _parts(slim), _parts(whole)
    assert len(binary) == len(theirs)
    gone = set()
    for mesh in other["meshes"]:
        for primitive in mesh["primitives"]:
            for name in left_out & set(primitive["attributes"]):
                gone.add(other["accessors"][primitive["attributes"].pop(name)]["bufferView"])
    for image, before in zip(document.get("images", ()), other.get("images", ()), strict=True):
        place = before["bufferView"]
        if image.pop("mimeType") == "image/webp":
            gone.add(place)
            mine, old = (
                np.asarray(Image.open(io.BytesIO(_view(*one, place)))).astype(int)
                for one in ((document, binary), (other, theirs))
            )
            assert np.array_equal(mine[..., 3], old[..., 3])
            assert np.abs(mine - old).mean() < 4
            document["bufferViews"][place] = other["bufferViews"][place]
        del before["mimeType"]
    assert document == other
    for number in set(range(len(other["bufferViews"]))) - gone:
        assert _view(document, binary, number) == _view(other, theirs, number)


def test_hair_gets_smaller_and_stays_the_same(tiny_head: HeadModel) -> None:
    rng, shell = np.random.default_rng(1), make_shell(size=512)
    noise = rng.integers(-9, 9, (*shell.image.shape[:2], 3))
    image = shell.image.copy()
    image[..., :3] = np.clip(image[..., :3] + noise, 0, 255)
    glb = b"".join(make_glb(make_head(tiny_head), {}, None, shells=(replace(shell, image=image),)))
    head, binary = split_glb("a", glb, has_provenance=False)
    assert b"image/webp" in head
    assert len(gzip.compress(binary)) < 0.8 * len(gzip.compress(_parts(glb)[1]))
    _same_head(head + binary, glb, left_out=set())


def test_a_glb_of_somebody_else_stays_as_it_is() -> None:
    glb = _glb({"asset": {"generator": "other"}, "meshes": [{"primitives": [{"attributes": {"TANGENT": 0}}]}]})
    assert b"".join(split_glb("a", glb, has_provenance=True)) == glb
    tangents = [{"primitives": [{"attributes": {"TANGENT": 0}}]}]
    for rest in ({}, {"accessors": [{"bufferView": 0}], "bufferViews": [[]]}, {"accessors": [[]]}, {"accessors": 7}):
        damaged = _glb({"asset": {"generator": "tronie 1"}, "meshes": tangents, **rest})
        assert len(b"".join(split_glb("a", damaged, has_provenance=True))) == len(damaged)


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory, tiny_head: HeadModel) -> Path:
    """A photo's folder with two faces."""
    outputs = ("glb", "provenance", "portrait")
    return save(make_result(tiny_head, faces=2), tmp_path_factory.mktemp("out"), outputs=outputs)


def test_a_page_holds_all_faces_as_they_are(done: Path) -> None:
    name, faces = page_faces(done)
    page = _Page(head_page(faces, name))
    assert page.told["name"] == name == "someone"
    assert [face["name"] for face in page.told["faces"]] == ["someone face 1", "someone face 2"]
    shared = page.block(page.told["shared"])
    for told, place in zip(page.told["faces"], (done / "face-1", done / "face-2"), strict=True):
        glb = page.block(told["head"]) + shared + page.block(told["rest"])
        _same_head(glb, (place / "head.glb").read_bytes(), left_out={"_PROVENANCE"})
        assert page.block(told["provenance"]) == (place / "provenance.png").read_bytes()
        assert page.block(told["portrait"]).startswith(b"\xff\xd8")
    assert len(shared) > 0.4 * len(glb), "what heads of a model share is there once"


def test_a_page_for_each_face_is_an_output(tiny_head: HeadModel, tmp_path: Path) -> None:
    place = save(make_result(tiny_head), tmp_path, outputs=("glb", "html")) / "face-1"
    page = _Page((place / "head.html").read_bytes())
    (told,) = page.told["faces"]
    glb = page.block(told["head"]) + page.block(0) + page.block(told["rest"])
    _same_head(glb, (place / "head.glb").read_bytes(), left_out={"_PROVENANCE"})
    assert "head.html" in json.loads((place / "face.json").read_bytes())["files"]


def test_a_page_asks_for_nothing(done: Path) -> None:
    name, faces = page_faces(done)
    page = _Page(head_page(faces, name))
    for tag, attributes in page.elements:
        for key in ("src", "href", "action", "data", "srcset"):
            assert (attributes.get(key) or "data:").startswith("data:"), tag
        assert not [key for key in attributes if key.startswith("on") or key == "style"]
    policy = next(own["content"] for tag, own in page.elements if own.get("http-equiv") == "Content-Security-Policy")
    assert policy is not None
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules["default-src"] == "'none'"
    for rule, values in rules.items():
        for value in values.split():
            assert value in ("'none'", "data:", "blob:") or value.startswith("'sha256-"), rule
    assert rules["connect-src"] == "blob:"
    for text, rule in (
        (page.text("script", type="importmap"), "script-src"),
        (page.text("script", type="module"), "script-src"),
        (page.text("style"), "style-src"),
    ):
        assert f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'" in rules[rule]


@pytest.mark.parametrize("name", HOSTILE)
def test_names_cannot_break_out(name: str, done: Path) -> None:
    glb = (done / "face-1" / "head.glb").read_bytes()
    harmless, page = (_Page(head_page([PageFace(text, glb)], text)) for text in ("a", name))
    assert [tag for tag, _ in page.elements] == [tag for tag, _ in harmless.elements]
    assert page.told["faces"][0]["name"] == name
    assert page.text("title") == name.encode("utf-8", "replace").decode()


def test_same_heads_same_page(done: Path) -> None:
    name, faces = page_faces(done)
    assert head_page(faces, name) == head_page(faces, name)


def test_results_of_every_kind_are_found(done: Path, tmp_path: Path) -> None:
    glb = (done / "face-1" / "head.glb").read_bytes()
    for place in ("person-1", "clip/face-1"):
        (tmp_path / place).mkdir(parents=True)
        (tmp_path / place / "head.glb").write_bytes(glb)
    (tmp_path / "other.glb").write_bytes(glb)
    found = {
        done / "face-2": ("someone face 2", 1),
        done / "face-2" / "head.glb": ("someone face 2", 1),
        done.parent: ("someone", 2),
        tmp_path / "person-1": ("person-1", 1),
        tmp_path / "clip": ("clip", 1),
        tmp_path / "other.glb": ("other", 1),
    }
    for path, (name, count) in found.items():
        named, faces = page_faces(path)
        assert (named, len(faces)) == (name, count), path


def _glb(document: Any) -> bytes:
    text = json.dumps(document).encode()
    text += b" " * (-len(text) % 4)
    head = b"glTF" + np.array([2, 28 + len(text), len(text)], "<u4").tobytes()
    return head + b"JSON" + text + np.array([0], "<u4").tobytes() + b"BIN\0"


@pytest.mark.parametrize(
    "data",
    [b"", b"glTF", b"PK\3\4" * 20, _glb({})[:-12], _glb([]), _glb({"buffers": [{"uri": "https://example.org/a.bin"}]})],
)
def test_what_is_no_head_gets_one_sentence(data: bytes) -> None:
    with pytest.raises(InputError, match=r"^Cannot (read|show) a: [^.]+(\.glb)?[^.]*\.$"):
        head_page([PageFace("a", data)], "a")


def test_the_command_writes_a_file(done: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "new" / "page.html"
    assert view_result(str(done), out, overwrite=False, opens=False) == 0
    said = capsys.readouterr().out
    assert "2 heads" in said
    assert f"{out.stat().st_size / 1e6:.1f} MB" in said
    assert view_result(str(done), out, overwrite=False, opens=False) == 1
    assert "use --overwrite" in capsys.readouterr().err
    assert view_result(str(done), out, overwrite=True, opens=False) == 0
    for wrong in (tmp_path / "nothing", out, tmp_path):
        assert view_result(str(wrong), None, overwrite=False, opens=False) == 1
        assert capsys.readouterr().err.count("\n") == 1


def test_the_browser_gets_a_file_that_only_its_owner_reads(
    done: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    monkeypatch.setattr("webbrowser.open", lambda address: bool(opened.append(address)) or True)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert view_result(str(done / "face-1"), None, overwrite=False, opens=True) == 0
    (page,) = tmp_path.glob("*/*.html")
    assert opened == [page.as_uri()]
    assert page.parent.stat().st_mode & 0o077 == 0


def test_vendored_files_are_those_of_the_licences() -> None:
    licences = (ROOT / "LICENSES.md").read_text(encoding="utf-8")
    vendored = {name: data for name, data in viewer_files().items() if name.startswith("vendor/")}
    assert b"three.js authors" in vendored.pop("vendor/LICENSE")
    for name, data in vendored.items():
        short = name.removeprefix("vendor/")
        row = re.search(rf"`{re.escape(short)}` \| [^|]+ \| ([\d,]+) \| `(\w{{64}})`", licences)
        assert row is not None, name
        assert int(row[1].replace(",", "")) == len(data)
        assert row[2] == hashlib.sha256(data).hexdigest()
