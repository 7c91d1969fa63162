"""What a job can write: the outputs by name, the files of each, the stages it needs, and the sets that `--only` means.

What makes their contents lies above: `tronie.export.outputs` for faces and photos, the pipelines for clips and persons.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Literal

Stage = Literal["texture", "hair", "light", "portrait"]
"""What may be left out of a job. Hair, light and portrait are all made with the texture; the mesh is always there."""
Only = Literal["mesh", "texture", "portrait"]
Subject = Literal["photo", "person", "clip"]
EVERY: tuple[Subject, ...] = ("photo", "person", "clip")
MESH: tuple[Only, ...] = ("mesh", "texture")
TEXTURE: tuple[Only, ...] = ("texture",)
PORTRAIT: tuple[Only, ...] = ("portrait",)

ONLY: dict[Only, tuple[str, tuple[Stage, ...]]] = {
    "mesh": ("bare heads, and what needs no texture", ()),
    "texture": ("all but portraits", ("texture", "hair", "light")),
    "portrait": ("portraits and their films", ("texture", "hair", "portrait")),
}
"""Value of `--only` -> what it means, and the stages that may run: without a texture head.glb is bare."""


@dataclass(frozen=True, slots=True)
class Output:
    """One output: a file or some that belong together."""

    name: str
    text: str
    """What it is, for the help: one sentence."""
    files: tuple[str, ...]
    needs: Stage | None = None
    """The stage that makes what it shows; None: the mesh is enough."""
    usual: bool = True
    """Whether it is written where nobody chooses."""
    only: tuple[Only, ...] = MESH
    """The sets of ONLY that it is in."""
    of: tuple[Subject, ...] = EVERY
    extra: str | None = None
    """The extra of the package that it wants."""
    brings: tuple[str, ...] = ()
    """Outputs whose files it refers to: they are written too."""


OUTPUTS: dict[str, Output] = {
    output.name: output
    for output in (
        Output("glb", "The head as glTF, with its texture and the 52 expressions.", ("head.glb",), "texture"),
        Output(
            "lod",
            "Also head_lod1.glb and head_lod2.glb, with about 8,000 and 2,000 triangles.",
            ("head_lod1.glb", "head_lod2.glb"),
            "texture",
            usual=False,
        ),
        Output(
            "usd",
            "Also head.usdz, for USD and AR viewers; usd-core is an extra.",
            ("head.usdz",),
            "texture",
            usual=False,
            extra="usd",
        ),
        Output(
            "html",
            "Also head.html, a page with the head in 3D that opens without a network and can be mailed.",
            ("head.html",),
            "texture",
            usual=False,
        ),
        Output(
            "obj",
            "The head with the photo's expression, and its texture.",
            (
                "head.obj",
                "head.mtl",
                "roughness.png",
                "hair.png",
                "covering.png",
                "glasses.png",
                "lashes.png",
                "neck.png",
                "bust.png",
            ),
            "texture",
            brings=("texture", "albedo"),
        ),
        Output("ply", "The same with a colour for each vertex.", ("head.ply",), "texture"),
        Output(
            "flat",
            "Also one .obj a face beside the photos' folders, coloured by vertex.",
            ("../PHOTO_face-1.obj",),
            "texture",
            usual=False,
            of=("photo", "clip"),
        ),
        Output(
            "deep3d",
            "With the engine deep3d: its own mesh.",
            ("deep3d.obj", "deep3d_posed.obj"),
            of=("photo",),
        ),
        Output(
            "mat",
            "Also save what deep3d found as the .mat files of both official programs.",
            ("deep3d.mat", "deep3d_pytorch.mat"),
            usual=False,
            of=("photo",),
        ),
        Output("texture", "The texture, without loss.", ("texture.png",), "texture", only=TEXTURE),
        Output(
            "albedo",
            "Also save the texture without the photo's light, and that light.",
            ("albedo.png", "light.hdr"),
            "light",
            usual=False,
            only=TEXTURE,
        ),
        Output(
            "detail",
            "Also save wrinkles and pores as a normal map, and put it into head.glb.",
            ("normal.png",),
            "light",
            usual=False,
            only=TEXTURE,
        ),
        Output("provenance", "Where each texel comes from.", ("provenance.png",), "texture", only=TEXTURE),
        Output(
            "portrait",
            "The portrait from the front, and where its pixels come from.",
            ("frontal.png", "frontal_neutral.png", "frontal_mask.png"),
            "portrait",
            only=PORTRAIT,
        ),
        Output(
            "enhanced",
            "Of an enhanced face: its crop before and after, as it most likely was, and how far off that may be.",
            ("crop.png", "enhanced.png", "enhanced_faithful.png", "enhanced_doubt.png"),
        ),
        Output(
            "maps",
            "Also how unsure the surface is, and where colours come from, as pictures.",
            ("sigma.png", "sigma_color.png", "uncertainty.jpg", "provenance.jpg"),
            "texture",
            usual=False,
        ),
        Output("overlay", "The fit drawn over the photo.", ("overlay.jpg",)),
        Output("sheet", "All faces at a glance.", ("sheet.jpg",), "texture"),
        Output(
            "enhanced_photo",
            "Also save the whole photo with its enhanced faces.",
            ("enhanced_photo.png",),
            usual=False,
            only=(*MESH, *PORTRAIT),
            of=("photo", "person"),
        ),
        Output(
            "sources",
            "Of a person: which photo each texel is from.",
            ("photos.png",),
            "texture",
            only=TEXTURE,
            of=("person",),
        ),
        Output(
            "motion",
            "Of a video: how the heads move, as tables.",
            ("livelink.csv", "head.bvh", "frames.csv", "frames.parquet"),
            of=("clip",),
        ),
        Output("overlay_film", "Of a video: the heads drawn over it, overlay.mp4.", ("overlay.mp4",), of=("clip",)),
        Output(
            "talking_film",
            "Of a video: each head from the front as a film, frontal.mp4.",
            ("frontal.mp4",),
            "texture",
            only=PORTRAIT,
            of=("clip",),
        ),
    )
}
"""By name, in the order in which files are listed. face.json, clip.json and person.json are always written."""

USUAL: tuple[str, ...] = tuple(output.name for output in OUTPUTS.values() if output.usual)
WORN: tuple[str, ...] = ("glb", "lod", "usd", "html", "obj")
"""They wear the albedo where that is asked for."""
HAIRY: tuple[str, ...] = (*WORN, "ply", "flat", "sheet", "talking_film")
"""They show what lies over the head: hair, a covering, glasses."""


def in_order(names: Iterable[str]) -> tuple[str, ...]:
    """Each once, in the order of OUTPUTS. Raises ValueError for one that is not there."""
    given = set(names)
    if unknown := sorted(given - set(OUTPUTS)):
        raise ValueError(f"there is no output {' or '.join(unknown)}; there are {', '.join(OUTPUTS)}")
    return tuple(name for name in OUTPUTS if name in given)


def wanted(names: Collection[str], only: Only | None, *, wear_albedo: bool = False) -> frozenset[str]:
    """The outputs that a job writes, of those that were named: those of the set `only`. Heads that wear the albedo
    want it written too."""
    chosen = set(names)
    if wear_albedo and not chosen.isdisjoint(WORN):
        chosen.add("albedo")
    return frozenset(name for name in chosen if only is None or only in OUTPUTS[name].only)


def stages(names: Collection[str], only: Only | None) -> frozenset[Stage]:
    """The stages that these outputs need, as far as the set `only` lets them run."""
    needed: set[Stage] = {stage for name in names if (stage := OUTPUTS[name].needs) is not None}
    if needed:
        needed.add("texture")
    if not set(names).isdisjoint(HAIRY):
        needed.add("hair")
    return frozenset(needed if only is None else needed.intersection(ONLY[only][1]))
