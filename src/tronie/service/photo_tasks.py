"""The jobs on photos and faces: what the library does for the window, in the process beside it; see `server`."""

from __future__ import annotations

import math
import os
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tronie.arrays import Image
from tronie.errors import InputError, TronieError
from tronie.service.clip_people import saved_looks
from tronie.service.messages import (
    About,
    Card,
    HeadPicture,
    Opened,
    PreviewImages,
    ShownLandmarks,
    Sitter,
    Summary,
)
from tronie.service.server import InterfaceJob

if TYPE_CHECKING:
    from tronie.render.renderer import Scene
    from tronie.service.messages import Viewpoint
    from tronie.service.workspace import Key, Workspace
    from tronie.settings import ExportSettings, PortraitSettings, Settings
    from tronie.types import Face, Photo, Result

THUMB = 128
"""Side of the thumbnails, pixels."""


def about(workspace: Workspace, job: InterfaceJob) -> About:
    """What the window offers."""
    from tronie.io.kinds import IMAGE_SUFFIXES
    from tronie.io.video.clip import VIDEO_SUFFIXES
    from tronie.outputs import OUTPUTS

    offered = {output.name: output.text for output in OUTPUTS.values() if "photo" in output.of}
    films = {output.name: output.text for output in OUTPUTS.values() if output.of == ("clip",)}
    return About(offered, films, tuple(sorted(IMAGE_SUFFIXES | VIDEO_SUFFIXES)))


def warm_up(workspace: Workspace, job: InterfaceJob, settings: Settings) -> None:
    """Load what the first photo will want."""
    from tronie.io.images import read_photo  # noqa: F401

    pipeline = workspace.pipeline(settings)
    with job.stage("load"):
        pipeline.net.load()
        job.check()
        _ = pipeline.detector, pipeline.engine
        if settings.runs("texture"):
            pipeline.segmenter.load()


def open_photo(workspace: Workspace, job: InterfaceJob, path: Path, settings: Settings) -> Summary:
    """Read a photo and do its faces, unless they are there; tells `Opened` and a `Card` for each face."""
    if (kept := workspace.finished(path, settings)) is not None:
        job.emit(Opened(kept.photo.image, kept.photo.name))
        for face in kept.faces:
            job.emit(card(face))
        return Summary(len(kept.faces), kept.photo.notes)
    from tronie.io.images import read_photo
    from tronie.io.limits import Limits

    with job.stage("read"):
        photo = read_photo(path, Limits.of_megapixels(settings.read.max_megapixels))
    return faces_of(workspace, job, path, photo, settings)


def open_frame(workspace: Workspace, job: InterfaceJob, path: Path, settings: Settings) -> Summary:
    """The faces of the frame that the window shows of a clip or a camera."""
    from tronie.types import Photo

    frame = workspace.reader.last
    if frame is None or workspace.reader.path != path:
        raise InputError(f"No frame of {path.name} is shown.")
    photo = Photo(frame.image, name=f"{path.stem}-{frame.index:05d}", source=str(path))
    return faces_of(workspace, job, path, photo, settings)


def faces_of(workspace: Workspace, job: InterfaceJob, path: Path, photo: Photo, settings: Settings) -> Summary:
    job.emit(Opened(photo.image, photo.name))
    with job.stage("load"):
        workspace.begin(path, photo, settings)
        pipeline = workspace.pipeline(settings)

    def each(photo: Photo, face: Face) -> Face:
        face = workspace.put(path, face, settings)
        job.emit(card(face))
        return face

    from tronie.runtime.jit import telling

    with telling(job):
        result = pipeline.run(photo, each=each, job=job)
    workspace.results[path] = replace(result, faces=())
    return Summary(len(result.faces), result.photo.notes)


def forget(workspace: Workspace, job: InterfaceJob, paths: list[Path]) -> None:
    """Photos that were taken from the window's list."""
    for path in paths:
        workspace.forget(path)


def card(face: Face) -> Card:
    return Card(
        face.index,
        face.box,
        face.score,
        tuple(map(str, face.warnings)),
        face.error,
        face.head is not None,
        face.portrait is not None,
        face.enhanced is not None,
        pinned=face.landmarks is not None and bool(face.landmarks.pins),
    )


def looks(workspace: Workspace, job: InterfaceJob, key: Key, frontal: PortraitSettings) -> PreviewImages:
    """The face's pictures as they are."""
    from tronie.render.overlay import cut_out, face_region, overlay

    if key not in workspace.faces:
        return saved_looks(workspace, job, key[0])
    face, photo = workspace.faces[key], workspace.photos[key[0]]
    made = face.portrait
    before = after = rest = over = None
    if made is not None:
        after, rest = made.image, made.neutral
        height, width = after.shape[:2]
        before = cut_out(photo.image, face_region(face), height)
        if width < height:
            before = before[:, (height - width) // 2 :][:, :width]
    if face.head is not None:
        over = overlay(photo.image, face, 640)
    shown = PreviewImages(before, after, rest, over, stale=made is not None and workspace.frontals.get(key) != frontal)
    if (found := face.enhanced) is None:
        return shown
    return replace(
        shown, small=found.before, large=found.after, factor=found.factor, enhancer=found.name, note=found.note or ""
    )


def portrait(workspace: Workspace, job: InterfaceJob, key: Key, settings: Settings) -> PreviewImages:
    """The face's pictures with the portrait made anew."""
    with job.stage("frontal"):
        face = workspace.pipeline(settings).portrait(workspace.photos[key[0]], workspace.faces[key])
    workspace.faces[key] = face
    workspace.frontals[key] = settings.portrait
    return looks(workspace, job, key, settings.portrait)


def sitter(workspace: Workspace, job: InterfaceJob, key: Key) -> Sitter:
    """The head, ready to be drawn."""
    from tronie.geometry import euler_degrees
    from tronie.io.encode import PROVENANCE_COLORS
    from tronie.render.film import EXPRESSIONS
    from tronie.render.renderer import UNCERTAIN_MM, heat_srgb
    from tronie.types import PROVENANCE

    figure = workspace.figure(key)
    face, pose = workspace.faces.get(key), (0.0, 0.0)
    if face is not None and face.fit is not None:
        pose = euler_degrees(face.fit.head_to_camera[:3, :3])[:2]
    red, green, blue = np.round(heat_srgb()[np.linspace(0, 255, 5).round().astype(int)]).astype(int).T.tolist()
    return Sitter(
        key,
        figure.names,
        dict(figure.weights or {}),
        pose,
        {title: weights for title, weights in EXPRESSIONS.items() if set(weights) <= set(figure.names)},
        # The rest is of portraits only.
        tuple((name, PROVENANCE_COLORS[name]) for name in PROVENANCE[1:7]),
        tuple(zip(red, green, blue, strict=True)),
        UNCERTAIN_MM,
    )


def picture(
    workspace: Workspace, job: InterfaceJob, key: Key, view: Viewpoint, size: tuple[int, int], samples: int
) -> HeadPicture:
    """What a view of a head shows, `size` wide and high."""
    from tronie.render.film import orbit
    from tronie.render.lights import light_name, preset
    from tronie.render.renderer import Look, Scene, render

    figure = workspace.figure(key)
    light = preset(light_name(view.mode, view.light))
    if view.lamp is not None:
        right, up = (math.radians(angle) for angle in view.lamp)
        light = light.aimed((math.sin(right) * math.cos(up), -math.sin(up), -math.cos(right) * math.cos(up)))
    camera, pose = orbit(figure, size, view.yaw, view.pitch, view.zoom)
    background = (44, 45, 48) if view.dark else (232, 232, 235)
    look = Look(view.mode, light, background, samples)  # type: ignore[arg-type]
    scene = Scene(figure, camera, pose, look, view.weights)
    image = render(scene, threads=min(4, os.cpu_count() or 1))
    return HeadPicture(image, shown_landmarks(workspace.faces.get(key), scene) if view.landmarks else None)


def shown_landmarks(face: Face | None, scene: Scene) -> ShownLandmarks | None:
    """Those of a face whose head is drawn; None where a hand cannot place them."""
    from tronie.geometry import transform
    from tronie.render.picking import photo_moves, seen_points

    if face is None or face.head is None or face.fit is None or not face.fit.expression:
        return None
    figure, camera, pose = scene.figure, scene.camera, scene.head_to_camera
    vertices = figure.posed(scene.weights)
    points = face.head.points478(vertices).astype(np.float64)
    return ShownLandmarks(
        camera.project(transform(pose, points)).astype(np.float32),
        seen_points(points, vertices, figure.triangles, camera, pose, figure.both_sides),
        photo_moves(points, camera, pose, face.fit.camera, face.fit.head_to_camera).astype(np.float32),
    )


def save(
    workspace: Workspace,
    job: InterfaceJob,
    path: Path,
    only: int | None,
    folder: Path,
    outputs: set[str],
    settings: Settings,
    overwrite: bool,
) -> Path:
    """Write the outputs of a photo, or of one of its faces; the photo's folder."""
    result = workspace.finished(path, workspace.made_with[path]) if path in workspace.made_with else None
    if result is None:
        raise TronieError("There is nothing to export yet.")
    if path in workspace.people:
        from tronie.api import save as save_whole

        return save_whole(workspace.people[path], folder, overwrite=overwrite, outputs=outputs, name=path.name)
    if only is not None:
        result = replace(result, faces=(workspace.faces[path, only],))
    return written(job, result, folder, outputs, settings.export, overwrite)


def written(
    job: InterfaceJob, result: Result, folder: Path, outputs: set[str], export: ExportSettings, overwrite: bool
) -> Path:
    from tronie.export.writer import photo_folder
    from tronie.io.paths import safe_name

    name = safe_name(result.photo.name)
    with photo_folder(folder, name, overwrite=overwrite, outputs=outputs, export=export) as writer:
        for face in result.faces:
            with job.part(face=face.index).stage("save"):
                writer.add(result.photo, face)
        writer.finish(result)
    return folder / name


def lend(workspace: Workspace, job: InterfaceJob, key: Key, export: ExportSettings) -> Path:
    """head.glb of a face, in a folder that goes with the window."""
    from tronie.types import Result

    if (whole := key[0] / "head.glb").is_file():  # of a clip's person, who moves in there
        return whole
    face = workspace.faces[key]
    folder = written(job, Result(workspace.photos[key[0]], (face,)), workspace.scratch(), {"glb"}, export, True)
    return folder / f"face-{face.index}" / "head.glb"


def thumbnail(workspace: Workspace, job: InterfaceJob, path: Path) -> Image:
    """(N, M, 3) RGB, small; of a clip its first frame."""
    from PIL import Image as Pillow

    from tronie.io.images import read_photo
    from tronie.io.video import is_clip, open_clip

    with job.stage("read"):
        if is_clip(path):
            with closing(open_clip(path)) as clip:
                small = Pillow.fromarray(next(clip.frames()).image)
        else:
            small = Pillow.fromarray(read_photo(path).image)
    small.thumbnail((2 * THUMB, 2 * THUMB))
    return np.asarray(small)


def find(workspace: Workspace, job: InterfaceJob, given: list[str]) -> tuple[list[tuple[Path, bool]], list[str]]:
    """The photos that files and folders stand for, each with whether it moves, and a sentence for what cannot be
    used."""
    from tronie.io.inputs import find_inputs
    from tronie.io.kinds import IMAGE_SUFFIXES, left_out_sentence
    from tronie.io.video import is_clip
    from tronie.io.video.clip import VIDEO_SUFFIXES

    found = find_inputs(given, IMAGE_SUFFIXES | VIDEO_SUFFIXES, recursive=True)
    told = left_out_sentence(found.left_out)
    problems = [f"{p.source}: {p.reason}." for p in found.problems] + ([told] if told else [])
    return [(path, is_clip(path)) for path in found.paths], problems


def models(workspace: Workspace, job: InterfaceJob) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """What is used, and what a user may bring along; see `tronie.importers.catalog`."""
    from tronie.importers.catalog import catalog

    return catalog()


def import_model(workspace: Workspace, job: InterfaceJob, kind: str, file: Path) -> Any:
    """The record of the imported model."""
    from tronie.importers import import_file

    job.check()
    if not file.exists():
        raise TronieError(f"{file} does not exist.")
    return import_file(kind, file, overwrite=True)
