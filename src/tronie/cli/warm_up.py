"""Compile every numeric kernel now, so that no option waits for one at its first use."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from tronie.geometry import rigid, rotation_matrix
from tronie.outputs import USUAL
from tronie.runtime.atomic_files import scratch
from tronie.settings import ExportSettings, Settings

STEPS = ("heads, textures, portraits", "light, relief, files, levels of detail", "pictures of heads")
"""What is done one after the other with the small portrait that comes with the package."""

TURNED = 0.7
"""Radians by which the head in it is taken to be turned, for a portrait that is made as those of turned heads are."""


def warm() -> Iterator[str]:
    """Use all kernels once; yields the name of each of STEPS before it begins."""
    from tronie.export.writer import save
    from tronie.pipelines.photo import Pipeline
    from tronie.render.figure import figure_of
    from tronie.render.lights import preset
    from tronie.render.renderer import MODES, Look, Scene, render
    from tronie.stages.portrait.camera import portrait_camera

    outputs = (*USUAL, "lod", "albedo", "detail", "maps")
    export = ExportSettings(rig=True, morph_normals=True)
    photo = Path(__file__).parents[1] / "assets" / "selftest.jpg"
    yield STEPS[0]
    pipeline = Pipeline()
    seen = pipeline.run(photo)
    for face in seen.faces[:1]:
        if face.fit is not None and face.texture is not None:
            # As if the head were turned: its portrait is made otherwise.
            turned = face.fit.head_to_camera @ rigid(rotation_matrix([0, TURNED, 0]), [0, 0, 0])
            pipeline.portrait(seen.photo, replace(face, fit=replace(face.fit, head_to_camera=turned)))
    yield STEPS[1]
    result = Pipeline(Settings(outputs=outputs, export=export)).run(photo)
    with scratch() as folder:
        save(result, Path(folder, "out"), outputs=outputs, export=export)
    yield STEPS[2]
    for face in result.faces[:1]:
        if face.head is not None:
            camera, pose = portrait_camera(face.head, 128, "square")
            for mode in MODES:
                render(Scene(figure_of(face), camera, pose, Look(mode, preset("studio"))))


def warmed(told: Callable[[str], None], step: Callable[[str], None]) -> int:
    """`warm`, in which `told` hears of each kernel that is compiled and `step` of each step; how many kernels."""
    from tronie.runtime.jit import compiling

    names: list[str] = []

    def hear(name: str) -> None:
        names.append(name)
        told(name)

    with compiling(hear):
        for name in warm():
            step(name)
    return len(names)
