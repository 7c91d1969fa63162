"""A restored photo as files: the picture, what of it was changed, on request one in colours, a sheet, and the record.

What was done, and what of it is invented, stands in each picture too: as its comment, and as the kind of source that
photo programs know (IPTC's Digital Source Type, in XMP).
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np

from tronie.arrays import Image
from tronie.export.before_after import sheet
from tronie.export.outputs import File
from tronie.export.records import enhancement_record, photo_record, rounded, to_json, unmeasured_records, used_records
from tronie.export.schemas import ColoursRecord, RestoredFaceRecord, RestoredRecord, ToneRecord
from tronie.io import encode
from tronie.io.paths import safe_name
from tronie.io.png_writer import encode_png, xmp_chunk
from tronie.runtime.atomic_files import explain, new_folder
from tronie.stages.enhance.restoration import CHANGES, COLOURED, Restoration
from tronie.types import Face
from tronie.version import __version__

RECORD = "restored.json"
SOURCES = "http://cv.iptc.org/newscodes/digitalsourcetype/"
ALTERED, COMPOSED = f"{SOURCES}algorithmicallyEnhanced", f"{SOURCES}compositeWithTrainedAlgorithmicMedia"
"""A photo that was made better by rules; one of which some was invented by nets, or from statistics of others."""
INVENTED = "The colours of this picture are invented: the photo is grey."
CHANGE_COLOURS = np.array([(0, 0, 0), (251, 140, 0), (0, 188, 212)], np.uint8)
"""How a viewer shows changes.png, whose indices are those of CHANGES; and of colours.png those of COLOURED."""
PART_COLOURS = np.array(
    [(0, 0, 0), (222, 170, 140), (190, 70, 80), (120, 80, 40), (90, 140, 190), (120, 120, 135)], np.uint8
)


def save_restoration(result: Restoration, folder: Path, *, overwrite: bool = False, name: str | None = None) -> Path:
    """Write what became of an old photo to `folder / name` and return that path; `name` defaults to the photo's own.
    The folder appears when all of it is written; if it is there, it is replaced with `overwrite`, else OutputError is
    raised before anything is done. Raises OutputError too when something cannot be written."""
    name = safe_name(result.photo.name if name is None else name)
    if not overwrite and (folder / name).exists():
        raise explain(folder / name, FileExistsError(17, "exists"))
    with new_folder(folder / name, overwrite=overwrite) as work:
        written = []
        for file, make in files(result):
            data = make()
            (work / file).write_bytes(data if isinstance(data, bytes) else b"".join(data))
            written.append(file)
        (work / RECORD).write_bytes(to_json(restored_record(result, name, written)))
    return folder / name


def files(result: Restoration) -> Iterator[File]:
    """The files of a restored photo, but the record."""
    said = what_was_done(result)
    yield "restored.png", partial(_picture, result.image, said, invented=bool(result.enhanced))
    yield "changes.png", partial(_map, result.changes, CHANGES, CHANGE_COLOURS)
    if result.colouring is not None:
        yield "coloured.png", partial(_picture, result.colouring.image, f"{INVENTED} {said}", invented=True)
        yield "colours.png", partial(_map, result.colouring.parts, COLOURED, PART_COLOURS)
    yield "sheet.jpg", lambda: encode.jpeg(sheet(result, said), 90)


def what_was_done(result: Restoration) -> str:
    """In a sentence, for people."""
    fading, done = result.fading, []
    if result.damage > 0:
        done.append(f"damage filled in ({max(100 * result.damage, 0.1):.1f} %)")
    if fading.amount >= 0.05:
        done.append("faded tones taken back")
    if fading.toned and not fading.keeps_tone:
        done.append("its one tone taken away")
    if result.grain.changes:
        done.append("grain lightened")
    if count := len(result.enhanced):
        done.append(f"detail put into {count} {'face' if count == 1 else 'faces'} that the photo does not show")
    if result.factor > 1:
        done.append(f"{result.factor} times enlarged")
    return f"Restored with tronie {__version__}: {', '.join(done)}." if done else "Nothing had to be restored."


def restored_notes(result: Restoration, *, wanted_colour: bool) -> tuple[str, ...]:
    """What the photo's owner should know, for the manifest."""
    notes = [what_was_done(result)]
    if result.colouring is not None:
        notes.append("the colours of coloured.png are invented")
    elif wanted_colour:
        notes.append("not coloured: the photo has colours of its own")
    return tuple(notes)


def _picture(image: Image, said: str, *, invented: bool) -> bytes:
    texts = {"Software": f"tronie {__version__}", "Comment": said}
    return encode_png(image, texts=texts, chunks=[xmp_chunk(COMPOSED if invented else ALTERED, said)])


def _map(indices: Image, names: tuple[str, ...], palette: Image) -> bytes:
    return encode_png(indices, palette, {"Comment": ", ".join(f"{i} {name}" for i, name in enumerate(names))})


def restored_record(result: Restoration, name: str, files: list[str]) -> RestoredRecord:
    """What was done to an old photograph."""
    fading, image = result.fading, result.image
    tone = ToneRecord(
        monochrome=round(fading.monochrome, 3),
        toned=fading.toned,
        black=rounded(fading.black, 1),
        white=rounded(fading.white, 1),
        faded=round(fading.amount, 3),
        kept=fading.toned and fading.keeps_tone,
    )
    colours = None
    if result.colouring is not None:
        import cv2

        kinds = len(COLOURED)
        counts = cv2.calcHist([result.colouring.parts], [0], None, [kinds], [0, kinds]).ravel() / image[..., 0].size
        colours = ColoursRecord(
            parts={part: round(float(share), 4) for part, share in zip(COLOURED, counts, strict=True)}
        )
    return RestoredRecord(
        tronie=__version__,
        photo=photo_record(result.photo, name),
        width=image.shape[1],
        height=image.shape[0],
        factor=result.factor,
        filled=round(result.damage, 5),
        tone=tone,
        grain=round(result.grain.level, 2),
        faces=[_restored_face(face) for face in result.faces],
        unmeasured=unmeasured_records(result.unmeasured),
        colours=colours,
        models=used_records(dict.fromkeys(model for face in result.faces for model in face.models)),
        files=files,
        timings={key: round(float(value), 4) for key, value in result.timings.items()},
    )


def _restored_face(face: Face) -> RestoredFaceRecord:
    return RestoredFaceRecord(
        index=face.index,
        box=rounded(face.detection.box, 2),
        score=round(float(face.detection.score), 4),
        enhancement=None if face.enhanced is None else enhancement_record(face.enhanced),
        warnings=[caution.text for caution in face.warnings],
        warning_codes=[caution.code for caution in face.warnings],
    )
