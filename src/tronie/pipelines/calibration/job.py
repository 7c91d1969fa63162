"""The whole calibration of a user's head model: laying on, finding the points, drawing pictures, learning.

What is finished lies in `NAME.work` beside the other heads, so that the same command goes on where it was stopped.
"""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tronie.arrays import Image
from tronie.errors import WeightsError
from tronie.head.model import HeadModel, default_head
from tronie.importers.heads.calibrated import CALIBRATION, CARD, HEAD, Calibrated, find, folder_of, made_of
from tronie.runtime.atomic_files import make_folder, new_folder, sweep, write_file
from tronie.runtime.child_process import Crash
from tronie.runtime.hardware import cores
from tronie.runtime.job import Job
from tronie.runtime.json_text import parsed
from tronie.runtime.model_store import Imported, imported
from tronie.runtime.processes import run_in_processes
from tronie.version import __version__

PICTURES = 20_000
"""Random pictures to learn from; each is looked at twice, as it is and mirrored."""
SHARD = 100
"""Pictures in one file of work."""
SKINS, SKIN_SIDE = 48, 512
"""Textures of each kind, and their side."""
HELD = 10
"""One shard of so many is not learned from: the figures are of it."""
DRAWN, PLAN, PHOTOS = "drawn.npz", "plan.json", "photos.npy"
MOST_CRASHES = 3
"""Crashes of worker processes after which the work ends."""


@dataclass(frozen=True, slots=True)
class Painter:
    """What a worker process does: shards of pictures, looked at."""

    work: Path
    seed: int
    shard: int
    """Pictures in one."""

    def __call__(self, job: Job) -> Callable[[int], int]:
        from threadpoolctl import threadpool_limits

        from tronie.pipelines.calibration.synthetic import FIELDS, Own, draw, look, units_of
        from tronie.stages.fit.basis import mirror_map
        from tronie.stages.landmarks.net import LandmarkNet

        threadpool_limits(1)
        model = HeadModel.load(self.work / DRAWN)
        people, units, twin, net = Own(model), units_of(model), mirror_map(model), LandmarkNet(threads=1)
        kinds = skins(self.work)

        def shard(number: int) -> int:
            rng = np.random.default_rng((self.seed, number))
            samples = []
            for _ in range(self.shard):
                picture = draw(people, kinds[rng.integers(len(kinds))], units, rng)
                samples += look(picture, net, twin, rng)
            data = {name: np.array([getattr(s, name) for s in samples]) for name in FIELDS}
            write_file(shard_file(self.work, number), npz(narrow(data)))
            return len(samples)

        return shard


def calibrate(
    name: str,
    *,
    pictures: int = PICTURES,
    photos: Sequence[Path] = (),
    workers: int = 0,
    seed: int = 1,
    shard: int = SHARD,
    job: Job | None = None,
) -> Calibrated:
    """Calibrate the imported head model `name`. The skins of the faces in `photos` are used beside invented ones.
    `shard` pictures are drawn between two moments at which the work can be stopped. `job` is told of the stages
    `landmarks`, `textures` (whose steps are photos), `pictures` (shards) and `learning`.

    Raises WeightsError when it is not imported or the result is useless, OutputError when the store cannot be written;
    Cancelled when the job is, or when it drains before the last picture is drawn: what is finished is kept.
    """
    job = job or Job()
    record = imported_head(name)
    work = begin(record, {"seed": seed, "shard": shard, "photos": [str(p) for p in photos]})
    sweep(work)
    if not (work / HEAD).exists():
        prepare(record, work, job)
    job.check(new=True)
    if photos and not (work / PHOTOS).exists():
        write_file(work / PHOTOS, npy(np.array(baked(photos, job))))
    count = max(2 * HELD, -(-pictures // shard))
    _draw(record.name, Painter(work, seed, shard), count, workers, job)
    finish(record, work, count, seed, pictures, job)
    shutil.rmtree(work, ignore_errors=True)
    return find(name)


def _draw(name: str, painter: Painter, count: int, workers: int, job: Job) -> None:
    """Every shard of pictures that is not there yet."""

    def missing() -> list[int]:
        return [n for n in range(count) if not shard_file(painter.work, n).exists()]

    crashes = 0
    with job.stage("pictures", count, count - len(missing())) as stage:
        while wanted := missing():
            job.check(new=True)
            crew = min(workers or cores(), len(wanted))
            with closing(run_in_processes(painter, wanted, crew, job=job)) as answers:
                for _, answer in answers:
                    if isinstance(answer, Crash):
                        crashes += 1
                        if crashes >= MOST_CRASHES:
                            raise WeightsError(f"The calibration of {name} cannot go on: {answer.reason}.")
                    else:
                        stage.advance()
    job.check(new=True)


def imported_head(name: str) -> Imported:
    """The record of an imported head model. Raises WeightsError with what to do."""
    from tronie.importers.heads import families

    record = imported().get(name)
    if record is None or name not in families():
        find(name)  # says what is missing
        raise WeightsError(f"{name} is no head model.")
    return record


def begin(record: Imported, plan: dict[str, Any]) -> Path:
    """The folder of work, emptied where it belongs to another plan or file."""
    work = folder_of(record.name + ".work")
    plan = {**made_of(record), "version": __version__, **plan}
    with suppress(OSError, ValueError):
        if parsed((work / PLAN).read_bytes()) != plan:
            shutil.rmtree(work, ignore_errors=True)
    make_folder(work)
    write_file(work / PLAN, json.dumps(plan).encode())
    return work


def prepare(record: Imported, work: Path, job: Job) -> None:
    """The model laid onto our head, with the landmarks that the net itself points at."""
    from tronie.head.morphable import Morphable
    from tronie.head.retarget import head_model
    from tronie.pipelines.calibration.landmark_embedding import PEOPLE, VIEWS, carried, embed
    from tronie.pipelines.calibration.registration import in_our_texture, moved
    from tronie.stages.landmarks.net import LandmarkNet
    from tronie.stages.landmarks.squares import square as net_square

    ours, net = default_head(), LandmarkNet(threads=0)
    model = carried(moved(head_model(Morphable.load(record.path)), ours), ours)
    drawn = in_our_texture(model, ours)

    def detect(picture: Image) -> NDArray[Any]:
        side = len(picture)
        return net.look(picture, net_square(np.full(2, side / 2), side, 0.0)).points

    with job.stage("landmarks", PEOPLE * VIEWS) as stage:
        found = embed(drawn, [t for kind in skins(work) for t in kind], detect, tick=stage.advance)
    write_file(work / DRAWN, npz_of(found))
    write_file(work / HEAD, npz_of(replace(model, embeddings=found.embeddings)))


def npz_of(model: HeadModel) -> bytes:
    out = io.BytesIO()
    model.save(out)
    return out.getvalue()


def skins(work: Path) -> list[list[Image]]:
    """Kinds of textures in our atlas: painted ones, some drawn from the statistics of skin, and those of the user's
    photos where there are any."""
    from tronie.pipelines.calibration.skins import painted_skins
    from tronie.stages.texture.random_skin import random_texture

    rng = np.random.default_rng(0)
    kinds = [painted_skins(default_head(), SKINS, SKIN_SIDE), [random_texture(rng, SKIN_SIDE) for _ in range(SKINS)]]
    if (work / PHOTOS).exists():
        kinds.append(list(np.load(work / PHOTOS, allow_pickle=False)))
    return [kind for kind in kinds if kind]


def baked(photos: Sequence[Path], job: Job) -> list[Image]:
    """(S, S, 3) textures of the largest faces of photos; a photo without one is left out."""
    from tronie.errors import TronieError
    from tronie.pipelines.photo import Pipeline
    from tronie.settings import Settings

    tree = {"texture": {"size": SKIN_SIDE}, "only": "texture", "detect": {"max_faces": 1}, "enhance": {"mode": "off"}}
    pipeline, out = Pipeline(Settings.model_validate(tree)), []
    job = job.part(finishes=False)
    with job.stage("textures", len(photos)) as stage:
        for photo in photos:
            with suppress(TronieError):
                out += [face.texture.image for face in pipeline.run(photo, job=job).faces if face.texture is not None]
            stage.advance()
    return out


def finish(record: Imported, work: Path, count: int, seed: int, pictures: int, job: Job) -> None:
    """Learn, and put the result into its place."""
    from tronie.pipelines.calibration.train import EPOCHS, learn
    from tronie.stages.fit.regressor import default_calibration

    model = HeadModel.load(work / HEAD)
    shards = [dict(np.load(shard_file(work, n), allow_pickle=False)) for n in range(count)]
    data = {name: np.concatenate([s[name] for s in shards]) for name in shards[0]}
    held = np.concatenate([np.full(len(s["focal"]), n % HELD == HELD - 1) for n, s in enumerate(shards)])
    with job.stage("learning", EPOCHS) as stage:
        found, figures = learn(model, data, held, default_calibration(), seed=seed, tick=stage.advance)
    card = {
        "name": record.name,
        "licence": record.licence,
        **made_of(record),
        "version": __version__,
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "seed": seed,
        "pictures": pictures,
        "held_out_figures": asdict(figures),
    }
    with new_folder(folder_of(record.name), overwrite=True) as folder:
        shutil.copy(work / HEAD, folder / HEAD)
        (folder / CALIBRATION).write_bytes(npz(found.arrays()))
        (folder / CARD).write_text(json.dumps(card, indent=2) + "\n", encoding="utf-8")


def shard_file(work: Path, number: int) -> Path:
    return work / f"shard-{number:04d}.npz"


def narrow(data: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    return {n: a.astype(np.float32) if a.dtype == np.float64 else a for n, a in data.items()}


def npz(arrays: dict[str, NDArray[Any]]) -> bytes:
    out = io.BytesIO()
    np.savez(out, **arrays)  # type: ignore[arg-type]  # its stubs know only the flag
    return out.getvalue()


def npy(array: NDArray[Any]) -> bytes:
    out = io.BytesIO()
    np.save(out, array)
    return out.getvalue()
