"""The two libraries that people reach for beside tronie, on the same photos: eos and MediaPipe.

    pip install eos-py mediapipe
    python -m benchmarks.neighbours FOLDER --eos EOS/share --task face_landmarker.task
    python -m benchmarks.neighbours FOLDER --eos ... --task ... --ict ../shared/ict/ict_facekit.npz --scan FOLDER

EOS/share is the folder of that name in eos's repository (the Surrey face model), the task file is MediaPipe's own.
Timed is what a program does that keeps its models: from pixels to one mesh a face, no files. eos has no eyes of its
own, so it is given the landmarks of MediaPipe, whose time counts. With --ict or --scan the shapes are judged, too: on
photos with truth (docs/accuracy.md), where all three start from the same 478 points. MediaPipe's mesh has no face at
rest: it is judged as it comes, and people of --ict make faces, those of --scan do not.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.accuracy import subject
from benchmarks.accuracy.cache import CACHE
from benchmarks.accuracy.evaluate import neutral_of
from benchmarks.accuracy.methods import Default
from benchmarks.accuracy.metric import Surface, compare
from benchmarks.accuracy.observe import Observation
from benchmarks.accuracy.scan import load_scans
from benchmarks.accuracy.synthetic import Renders, cache_path, load_renders, make_renders
from benchmarks.accuracy.truth import Truth
from tronie import Pipeline, Settings
from tronie.arrays import Image
from tronie.io.images import read_photo
from tronie.pipelines.calibration.landmark_embedding import IBUG_FROM_478, SKIN_POINTS

Array = NDArray[np.floating]
Size = tuple[int, int]

PICTURES = {".webp", ".jpg", ".jpeg", ".png"}
JAW = 17
"""iBUG's first points lie on the outline; eos finds those on its model itself."""


@dataclass(frozen=True, eq=False)
class Shape:
    """A face at rest as somebody says it is."""

    vertices: Array
    """(V, 3)."""
    triangles: NDArray[np.integer[Any]]
    """(T, 3)."""
    marks: dict[int, Array]
    """Some of iBUG's points on it: (3,) each."""

    def error(self, truth: Truth) -> float:
        """mm, true inner face to all of this surface."""
        shared = [k for k, n in enumerate(truth.ibug) if n in self.marks]
        start = np.array([self.marks[truth.ibug[k]] for k in shared])
        surface = Surface.of(self.vertices, self.triangles)
        points = truth.points[truth.counted]
        return compare(points, surface, landmarks=start, true_landmarks=truth.marks[shared]).mean


@dataclass(eq=False)
class MediaPipe:
    task: Path
    net: Any = field(init=False)
    triangles: NDArray[np.intp] = field(init=False)

    def __post_init__(self) -> None:
        from mediapipe.tasks import python as tasks
        from mediapipe.tasks.python import vision

        options = vision.FaceLandmarkerOptions(
            base_options=tasks.BaseOptions(model_asset_path=str(self.task)),
            output_face_blendshapes=True,
            output_facial_transformation_matrixes=True,
            num_faces=4,
        )
        self.net = vision.FaceLandmarker.create_from_options(options)
        edges = vision.FaceLandmarksConnections.FACE_LANDMARKS_TESSELATION
        self.triangles = np.array([edge.start for edge in edges]).reshape(-1, 3)  # listed triangle by triangle

    def __call__(self, image: Image) -> list[Array]:
        """(478, 3) pixels for each face."""
        import mediapipe

        found = self.net.detect(mediapipe.Image(image_format=mediapipe.ImageFormat.SRGB, data=image))
        width, height = image.shape[1], image.shape[0]
        unit = np.array([width, height, width])
        return [np.array([(p.x, p.y, p.z) for p in face]) * unit for face in found.face_landmarks]

    def shape(self, seen: Observation) -> Shape:
        points = np.asarray(seen.landmarks.points, np.float64)
        marks = {n: points[i] for n, i in enumerate(IBUG_FROM_478) if n >= JAW}
        return Shape(points[:SKIN_POINTS], self.triangles, marks)


@dataclass(eq=False)
class Eos:
    share: Path
    landmarks: MediaPipe
    parts: tuple[Any, ...] = field(init=False)
    rows: dict[int, int] = field(init=False)
    """iBUG's point -> vertex."""

    def __post_init__(self) -> None:
        import eos

        model = eos.morphablemodel.load_model(str(self.share / "sfm_shape_3448.bin"))
        shapes = eos.morphablemodel.load_blendshapes(str(self.share / "expression_blendshapes_3448.bin"))
        whole = eos.morphablemodel.MorphableModel(
            model.get_shape_model(),
            shapes,
            color_model=eos.morphablemodel.PcaModel(),
            vertex_definitions=None,
            texture_coordinates=model.get_texture_coordinates(),
        )
        mapping = str(self.share / "ibug_to_sfm.txt")
        mapper = eos.core.LandmarkMapper(mapping)
        edges = eos.morphablemodel.load_edge_topology(str(self.share / "sfm_3448_edge_topology.json"))
        outline = eos.fitting.ContourLandmarks.load(mapping)
        contour = eos.fitting.ModelContour.load(str(self.share / "sfm_model_contours.json"))
        self.parts = (whole, mapper, edges, outline, contour)
        self.rows = {n - 1: int(row) for n in range(JAW + 1, 69) if (row := mapper.convert(str(n))) is not None}

    def fit(self, points: Array, size: Size) -> Any:
        """(mesh, pose, shape coefficients, expression coefficients) of iBUG's (68, 2) pixels."""
        import eos

        whole, mapper, edges, outline, contour = self.parts
        marks = [eos.core.Landmark(str(n + 1), [float(x), float(y)]) for n, (x, y) in enumerate(points)]
        return eos.fitting.fit_shape_and_pose(whole, marks, mapper, size[0], size[1], edges, outline, contour)

    def __call__(self, image: Image) -> list[Any]:
        size = (image.shape[1], image.shape[0])
        return [self.fit(points[list(IBUG_FROM_478), :2], size) for points in self.landmarks(image)]

    def shape(self, seen: Observation) -> Shape:
        mesh, _, coefficients, _ = self.fit(seen.landmarks.points[list(IBUG_FROM_478), :2], seen.size)
        shape = self.parts[0].get_shape_model()
        vertices = np.asarray(shape.draw_sample(coefficients), np.float64).reshape(-1, 3)
        marks = {n: vertices[row] for n, row in self.rows.items()}
        return Shape(vertices, np.asarray(mesh.tvi), marks)


@dataclass(eq=False)
class Tronie:
    pipeline: Pipeline = field(default_factory=lambda: Pipeline(Settings(only="mesh"), threads=1))
    method: Default = field(default_factory=lambda: Default(subject.model()))

    def __call__(self, image: Image) -> Sequence[Any]:
        return [face for face in self.pipeline.run(image).faces if face.head is not None]

    def shape(self, seen: Observation) -> Shape:
        return self.of(neutral_of(subject.model(), self.method(seen)))

    @staticmethod
    def of(vertices: Array) -> Shape:
        level = subject.model().level(subject.model().usual_level)
        return Shape(vertices, level.triangles, dict(enumerate(level.points68(vertices))))


def timed(find: Callable[[Image], Sequence[Any]], photos: Sequence[Image]) -> tuple[float, int]:
    """Median milliseconds of a photo, and in how many exactly one face was found."""
    find(photos[0])
    seconds, right = [], 0
    for photo in photos:
        start = time.perf_counter()
        right += len(find(photo)) == 1
        seconds.append(time.perf_counter() - start)
    return statistics.median(seconds) * 1000, right


def synthetic(ict: Path, people: int) -> Renders:
    """A photo of each of so many people."""
    path = cache_path(str(ict), 0, people, 1, 40.0, CACHE)
    if not path.exists():
        make_renders(path, str(ict), people=people, takes=1)
    return load_renders(path)


def judge(tools: Mapping[str, Any], renders: Renders) -> None:
    """Print everybody's mean error, and that of our mean head for all."""
    model = subject.model()
    mean = Tronie.of(model.level(model.usual_level).apply(model.mean))
    shapes = {"mean head": lambda seen: mean} | {name: tool.shape for name, tool in tools.items()}
    print(f"{len(renders.items)} photos with truth")
    for name, says in shapes.items():
        errors = [says(item).error(renders.truths[item.person]) for item in renders.items]
        print(f"{name:20} {np.mean(errors):6.2f} mm")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="portraits, one person each")
    parser.add_argument("--eos", type=Path, required=True, metavar="FOLDER", help="eos's folder `share`")
    parser.add_argument("--task", type=Path, required=True, metavar="FILE", help="MediaPipe's face_landmarker.task")
    parser.add_argument("--count", type=int, default=50, help="photos (default: 50)")
    parser.add_argument("--ict", type=Path, help="ICT-FaceKit's npz: judge shapes")
    parser.add_argument("--people", type=int, default=100, help="of these (default: 100)")
    parser.add_argument("--scan", type=Path, nargs="+", help="scanned heads (accuracy/scan.py): judge shapes")
    options = parser.parse_args()
    paths = sorted(p for p in options.folder.iterdir() if p.suffix.lower() in PICTURES)[: options.count]
    photos = [np.ascontiguousarray(read_photo(path).image) for path in paths]
    points = MediaPipe(options.task)
    tools: dict[str, Any] = {
        "tronie --only mesh": Tronie(),
        "MediaPipe": points,
        "MediaPipe + eos": Eos(options.eos, points),
    }
    print(f"{len(photos)} photos")
    for name, tool in tools.items():
        milliseconds, right = timed(tool, photos)
        print(f"{name:20} {milliseconds:6.0f} ms   one face in {right}")
    if options.ict:
        judge(tools, synthetic(options.ict, options.people))
    if options.scan:
        judge(tools, load_scans(options.scan))


if __name__ == "__main__":
    main()
