"""How accurate are the heads? Synthetic photos with truth, or a public benchmark that you have.

    python -m benchmarks.accuracy --quick                                     # our own model, a minute
    python -m benchmarks.accuracy --ict ../shared/ict/ict_facekit.npz         # 300 ICT people, one photo each
    python -m benchmarks.accuracy --ict ... --people 60 --renders 5           # steadiness of the identity
    python -m benchmarks.accuracy --ict ... --people 30 --views 8             # several photos of each person, jointly
    python -m benchmarks.accuracy --ict ... --max-yaw 60 --out /tmp/accuracy  # json, tables and plots there
    python -m benchmarks.accuracy --ict ... --leak                            # puffs and smiles in the head at rest
    python -m benchmarks.accuracy --photos FOLDER                             # do copies of real photos agree?
    python -m benchmarks.accuracy --scan FOLDER FOLDER                        # real heads with truth (scan.py)
    python -m benchmarks.accuracy --now FOLDER                                # or --realy, --aflw2000, --facescape

The photos' landmarks and truth are kept in --cache, so that a second run only fits; docs/accuracy.md explains the
figures. To compare fits from Python, see the package next to this file (accuracy/__init__.py).
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.accuracy import leak, likeness, maps, report, subject
from benchmarks.accuracy.cache import CACHE
from benchmarks.accuracy.evaluate import Scores, evaluate
from benchmarks.accuracy.floor import Nearest
from benchmarks.accuracy.leak import leaks
from benchmarks.accuracy.methods import MEAN, PRIOR, TOGETHER, UNKNOWN_FOCAL, Method, methods
from benchmarks.accuracy.scan import load_scans
from benchmarks.accuracy.scene import SHOWN
from benchmarks.accuracy.synthetic import Renders, cache_path, load_renders, make_renders
from benchmarks.accuracy.views import Together
from tronie.importers.heads.calibrated import OWN

FLOOR = "best of the model"
FLOOR_ROWS = 60
"""It takes a second a head, and its mean is known well after so many."""
PEOPLE, LEAK_PEOPLE = 300, 20
QUICK = 40
"""People of a quick run."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ict", type=Path, help="ICT-FaceKit's npz; without it the truth comes from our own model")
    parser.add_argument("--head", default=OWN, metavar="NAME", help="judge a head model that you calibrated")
    parser.add_argument("--people", type=int, help=f"default: {PEOPLE}, or {LEAK_PEOPLE} with --leak")
    parser.add_argument("--renders", type=int, default=1, help="photos of each person")
    parser.add_argument("--views", type=int, metavar="N", help="judge joint fits to 1 ... N photos of each person")
    parser.add_argument("--quick", action="store_true", help=f"{QUICK} people")
    parser.add_argument("--max-yaw", type=float, default=40.0, help="degrees")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--methods", nargs="+", metavar="NAME", help="default: all")
    parser.add_argument("--cache", type=Path, default=CACHE, help="folder of the rendered photos' landmarks and truth")
    parser.add_argument("--out", type=Path, help="folder for accuracy.json, accuracy.md and the plots")
    parser.add_argument("--leak", action="store_true", help="what of a puff, a smile, ... gets into the head at rest")
    parser.add_argument("--photos", type=Path, metavar="FOLDER", help="do mirror images, crops and copies agree?")
    parser.add_argument("--scan", type=Path, nargs="+", metavar="FOLDER", help="scanned heads, one folder for each")
    public = parser.add_argument_group("public benchmarks (folders as their authors hand them out)")
    public.add_argument("--now", type=Path, metavar="FOLDER", help="NoW challenge: median, mean, std of scan-to-mesh")
    public.add_argument("--metrical", action="store_true", help="NoW without scale")
    public.add_argument("--realy", type=Path, metavar="FOLDER", help="REALY: error by region")
    public.add_argument("--images", type=Path, help="REALY's folder of pictures, e.g. .../REALY_image/<one view>")
    public.add_argument("--aflw2000", type=Path, metavar="FOLDER", help="AFLW2000-3D: NME of 68 points, pose")
    public.add_argument("--given-boxes", action="store_true", help="AFLW2000-3D: faces by annotation, not by detector")
    public.add_argument("--facescape", type=Path, metavar="FOLDER", help="FaceScape's benchmark (laboratory): CD, CR")
    public.add_argument("--limit", type=int, help="only the first so many photos")
    options = parser.parse_args()
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):  # for the worker processes: their matrices are small
        os.environ.setdefault(name, "1")
    os.environ[subject.NAME] = options.head
    wanted = {n: m for n, m in methods().items() if not options.methods or n in options.methods}
    if not wanted and not {FLOOR, TOGETHER} & set(options.methods or ()):
        parser.error(f"no such method; there are: {', '.join(methods())}")
    if options.realy and not options.images:
        parser.error("--realy needs --images")
    if any((options.now, options.realy, options.aflw2000, options.facescape)):
        public_benchmarks(options, {n: m for n, m in wanted.items() if n != UNKNOWN_FOCAL} or wanted)
    elif options.photos:
        photos(options, {n: m for n, m in wanted.items() if n in (PRIOR, UNKNOWN_FOCAL)})
    elif options.scan:
        scans(options, wanted)
    else:
        synthetic(options, wanted)


def public_benchmarks(options: argparse.Namespace, wanted: dict[str, Method]) -> None:
    """Photos tell their focal length by EXIF or do not: `full fit, focal known` is what the pipeline does with them."""
    from benchmarks.accuracy import aflw2000, facescape, now, realy

    runs: dict[str, Callable[[Method], dict[str, float]]] = {}
    if options.now:
        runs["NoW"] = lambda m: now.run(options.now, m, metrical=options.metrical, limit=options.limit)
    if options.realy:
        runs["REALY"] = lambda m: realy.run(options.realy, options.images, m, limit=options.limit)
    if options.aflw2000:
        runs["AFLW2000-3D"] = lambda m: aflw2000.run(
            options.aflw2000, m, given_boxes=options.given_boxes, limit=options.limit
        )
    if options.facescape:
        runs["FaceScape"] = lambda m: facescape.run(options.facescape, m, limit=options.limit)
    for title, run in runs.items():
        print(f"\n{title}\n")
        print(report.plain_table({name: run(method) for name, method in wanted.items()}), flush=True)


def several(renders: Renders, options: argparse.Namespace) -> None:
    from benchmarks.accuracy import views

    write(views.markdown(views.evaluate_views(renders, options.views)), "views", options)


def synthetic(options: argparse.Namespace, wanted: dict[str, Method]) -> None:
    people = QUICK if options.quick else options.people or (LEAK_PEOPLE if options.leak else PEOPLE)
    options.renders = max(options.renders, options.views or 1)
    ict = str(options.ict.resolve()) if options.ict else None
    takes = len(SHOWN) if options.leak else options.renders
    path = cache_path(ict, options.seed, people, takes, options.max_yaw, options.cache, shown=options.leak)
    began = time.perf_counter()
    if not path.exists():
        make_renders(
            path,
            ict,
            people=people,
            takes=takes,
            seed=options.seed,
            max_yaw=options.max_yaw,
            workers=options.workers,
            shown=options.leak,
        )
        print(f"{people * takes} photos made in {time.perf_counter() - began:.0f} s: {path}", flush=True)
    renders = load_renders(path)
    if options.views:
        several(renders, options)
        return
    if options.leak:
        some = {n: m for n, m in wanted.items() if n in (MEAN, PRIOR, UNKNOWN_FOCAL)}
        found = {n: leaks(evaluate(m, renders, name=n, workers=options.workers)) for n, m in some.items()}
        write(leak.markdown(found), "leak", options)
        return
    results = judged(wanted, renders, options)
    about = {"people": people, "renders": options.renders, "seed": options.seed, "max_yaw": options.max_yaw}
    tell(results, renders, about, began, options)
    if options.out:
        from benchmarks.accuracy import plots

        plots.all_plots(results, options.out)


def scans(options: argparse.Namespace, wanted: dict[str, Method]) -> None:
    began = time.perf_counter()
    renders = load_scans(options.scan, options.cache)
    if not options.methods or TOGETHER in options.methods:
        wanted |= {TOGETHER: Together(renders)}
    results = judged(wanted, renders, options)
    tell(results, renders, {"people": renders.people}, began, options, name="scan")
    if options.out:
        maps.scan_maps(results, options.out / "scan.png")


def photos(options: argparse.Namespace, wanted: dict[str, Method]) -> None:
    write(report.plain_table(likeness.run(options.photos, wanted, options.cache, options.limit)), "photos", options)


def write(table: str, name: str, options: argparse.Namespace) -> None:
    print(f"\n{table}", flush=True)
    if options.out:
        options.out.mkdir(parents=True, exist_ok=True)
        (options.out / f"{name}.md").write_text(table)


def judged(wanted: dict[str, Method], renders: Renders, options: argparse.Namespace) -> list[Scores]:
    if not options.methods or FLOOR in options.methods:
        wanted |= {FLOOR: Nearest(subject.model(), renders)}
    results = []
    for name, method in wanted.items():
        limit = FLOOR_ROWS if name == FLOOR else None
        results.append(evaluate(method, renders, name=name, workers=options.workers, limit=limit))
        print(f"{name}: {results[-1].error:.3f} mm", flush=True)
    return results


def tell(
    results: list[Scores],
    renders: Renders,
    about: dict[str, object],
    began: float,
    options: argparse.Namespace,
    name: str = "accuracy",
) -> None:
    found, missed = report.figures(results), len(renders.missed)
    print(
        f"\n{report.markdown(found)}\nfaces not found: {missed} of {missed + len(renders.items)}; "
        f"{time.perf_counter() - began:.0f} s"
    )
    if options.out:
        about = {"source": renders.source, **about, "missed": missed}
        report.write_json(options.out / f"{name}.json", found, about)
        (options.out / f"{name}.md").write_text(report.markdown(found))


if __name__ == "__main__":
    main()
