"""The commands and their options; what they do lies in the library."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from tronie.cli.app_render import render
from tronie.cli.events import JsonEvents, WithEvents
from tronie.cli.live import live
from tronie.cli.options import FILMS, LOOKS, outputs_of, settings_from, with_options
from tronie.cli.restore import restore
from tronie.cli.serve import serve
from tronie.version import __version__

DEFAULT_OUT, PERSON_OUT = "tronie-out", Path("tronie-person")

app = typer.Typer(
    name="tronie",
    help="Every face of a photo as a textured 3D head and a frontal portrait.",
    epilog="Example: tronie run photo.jpg -o out",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"tronie {__version__}")
        raise typer.Exit


@app.callback()
def common(
    version: Annotated[
        bool, typer.Option("--version", "-V", callback=_version, is_eager=True, help="Say the version and end.")
    ] = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Tell what is done inside, too.")] = False,
    debug: Annotated[
        bool, typer.Option("--debug", help="Write down what went on inside, and where errors came from.")
    ] = False,
) -> None:
    """Every face of a photo as a textured 3D head and a frontal portrait."""


@app.command(
    cls=WithEvents, epilog="Exit code: 0 if a photo worked, 1 if none did, 2 for wrong usage, 130 after Ctrl-C."
)
@with_options(
    "detector",
    "min_face",
    "max_faces",
    "min_score",
    "enhance",
    "enhance_for",
    "enhance_look",
    "enhance_limit",
    "engine",
    *LOOKS,
    "identity",
    "max_megapixels",
    "rig",
    "morph_normals",
    "only",
    *outputs_of("photo"),
    "camera",
    "sequence",
    "fps",
    "start",
    "seconds",
    "smooth",
    "neutral",
    "bridge",
    "detect_every",
    *FILMS,
)
def run(
    context: typer.Context,
    photos: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="PHOTO|VIDEO|FOLDER|GLOB", help="Photos, videos, folders of them, or patterns.", show_default=False
        ),
    ] = None,
    out: Annotated[
        str, typer.Option("-o", "--out", metavar="OUT", help="Folder for the outputs; made if it is missing.")
    ] = DEFAULT_OUT,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace the outputs of photos that were done before.")
    ] = False,
    update: Annotated[
        bool,
        typer.Option("--update", help="Do again what was done with other settings or of another version of a photo."),
    ] = False,
    recursive: Annotated[bool, typer.Option("-r", "--recursive", help="Look into folders inside folders.")] = False,
    shard: Annotated[
        str | None,
        typer.Option(
            metavar="I/N", show_default=False, help="Only part I of N, for jobs on many machines into one OUT."
        ),
    ] = None,
    cluster: Annotated[
        str | None,
        typer.Option(
            metavar="ADDRESS",
            show_default=False,
            help="Work on the machines of a Ray cluster, which share a disk or a store: its address, auto, or local.",
        ),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", "-n", help="Say what would be done; write nothing.")] = False,
    workers: Annotated[
        int, typer.Option("--workers", "-j", min=0, help="Processes; 0 chooses by cores, memory and photos.")
    ] = 0,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Tell problems only.")] = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="A line for each photo, with its times.")] = False,
    as_json: Annotated[
        bool,
        typer.Option("--json", help="One line of JSON for each photo, on stdout; --json events: for all that happens."),
    ] = False,
    events: Annotated[bool, typer.Option("--json-events", hidden=True)] = False,
    timeout: Annotated[
        float,
        typer.Option(
            min=0,
            metavar="SECONDS",
            rich_help_panel="Limits of a file",
            help="For a photo, and a quarter more for each face after the first; of a video for the next frame, five "
            "times that for a step after the last. 0: no limit.",
        ),
    ] = 120,
    memory: Annotated[
        float | None,
        typer.Option(
            min=0,
            metavar="GIGABYTES",
            rich_help_panel="Limits of a file",
            help="For reading it; twice that for later steps, three times for a video; 0: no limit "
            "[dim](default: 2, more with a large net of yours)[/dim]",
        ),
    ] = None,
    camera: Annotated[
        int | None,
        typer.Option(
            min=0,
            metavar="NUMBER",
            rich_help_panel="Video",
            show_default=False,
            help="Film with a camera of this machine (0 is the first) until --seconds or Ctrl-C.",
        ),
    ] = None,
    sequence: Annotated[
        bool,
        typer.Option("--sequence", rich_help_panel="Video", help="A folder or pattern is one video's pictures."),
    ] = False,
) -> None:
    """Make a textured 3D head and a frontal portrait of every face in PHOTOs; of VIDEOs also how the heads move.

    A run that was stopped goes on where it ended when the same command is given again.
    """
    if quiet and verbose:
        raise typer.BadParameter("--quiet and --verbose contradict each other.")
    if not photos and camera is None:
        raise typer.BadParameter("Name a photo, a video, a folder or a pattern, or --camera 0.")
    from tronie.cli.run import How, run_photos
    from tronie.jobs.shards import Shard
    from tronie.jobs.worker import Bounds

    try:
        part = None if shard is None else Shard.parse(shard)
    except ValueError as error:
        raise typer.BadParameter(f"--shard {error}.") from None
    if part is not None and camera is not None:
        raise typer.BadParameter("--shard divides files; a camera has none.")
    if cluster is not None and camera is not None:
        raise typer.BadParameter("--cluster and --camera contradict each other.")
    settings = settings_from(context.params)
    memory = Bounds.usual_memory(settings) if memory is None else memory
    how = How(
        overwrite=overwrite,
        update=update,
        dry=dry_run,
        shard=part,
        recursive=recursive,
        cluster=cluster,
        camera=camera,
        sequences=sequence,
        workers=workers,
        detail="quiet" if quiet else "verbose" if verbose else "normal",
        as_json="events" if events else "records" if as_json else None,
        bounds=Bounds(timeout or None, memory or None),
    )
    raise typer.Exit(run_photos(photos or [], out, settings, how))


@app.command(epilog="Example: tronie person anna-1.jpg anna-2.jpg anna-3.jpg -o anna")
@with_options(
    "detector", "min_face", "min_score", "enhance", "enhance_limit", "enhance_look", "reference", *LOOKS, "rig", "only",
    *outputs_of("person"),
)  # fmt: skip
def person(
    context: typer.Context,
    photos: Annotated[
        list[str], typer.Argument(metavar="PHOTO|FOLDER|GLOB", help="Photos of one person, or of the same people.")
    ],
    out: Annotated[Path, typer.Option("-o", "--out", metavar="OUT", help="Folder for the outputs.")] = PERSON_OUT,
    people: Annotated[
        Path | None,
        typer.Option("--people", metavar="FILE", help="Which face is whose: a people.txt that you corrected."),
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace what was made before.")] = False,
    recursive: Annotated[bool, typer.Option("-r", "--recursive", help="Look into folders inside folders.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Tell problems only.")] = False,
    events: JsonEvents = None,
) -> None:
    """Many photos of one person into one head, with one texture of them all.

    Photos with several faces are sorted by person.
    """
    from tronie.cli.person import person as make_people

    settings = settings_from({name: value for name, value in context.params.items() if name != "people"})
    raise typer.Exit(
        make_people(
            photos,
            out,
            settings,
            people=people,
            overwrite=overwrite,
            recursive=recursive,
            quiet=quiet,
            events=events is not None,
        )
    )


app.command(
    cls=WithEvents,
    epilog="Example: tronie restore grandmother.jpg album -o restored --colour",
)(restore)
app.command(epilog="Example: tronie render tronie-out/photo --make turntable --make reel")(render)


@app.command(epilog="Example: tronie view tronie-out/photo -o photo.html")
def view(
    result: Annotated[
        str,
        typer.Argument(
            metavar="RESULT", help="The folder of a photo, a face, a person or a clip that tronie made, or a .glb."
        ),
    ],
    out: Annotated[
        Path | None,
        typer.Option("-o", "--out", metavar="FILE", help="Where to write it [dim](default: a temporary file)[/dim]"),
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the file if it is there.")] = False,
    no_open: Annotated[bool, typer.Option("--no-open", help="Only write it; do not start the browser.")] = False,
) -> None:
    """Look at a result in the browser: one HTML file with all heads in it, that needs no network and can be mailed."""
    from tronie.cli.view import view_result

    raise typer.Exit(view_result(result, out, overwrite, opens=not no_open))


@app.command(epilog="Example: tronie index tronie-out -o faces.parquet")
def index(
    out: Annotated[str, typer.Argument(metavar="OUT", help="A folder of outputs.")] = DEFAULT_OUT,
    file: Annotated[
        Path | None,
        typer.Option("-o", "--out", metavar="FILE", help="A .csv or .parquet [dim](default: OUT/index.csv)[/dim]"),
    ] = None,
) -> None:
    """All faces of a folder of outputs as one table: a row each, with box, pose, quality and warnings.

    Parquet needs the extra [dim]parquet[/dim].
    """
    from tronie.cli.index import index_faces

    raise typer.Exit(index_faces(out, file))


@app.command()
def gui(
    photos: Annotated[
        list[str] | None, typer.Argument(metavar="PHOTO|FOLDER", help="What to open at once.", show_default=False)
    ] = None,
) -> None:
    """Open the window: faces, heads from all sides, portraits, export (needs the extra [dim]gui[/dim])."""
    from tronie.gui import main as window

    raise typer.Exit(window(photos or []))


app.command(epilog="Example: tronie live --camera 0 --livelink 192.168.1.20")(live)
app.command(epilog="Example: tronie serve --open")(serve)


models_app = typer.Typer(rich_markup_mode="rich")


@models_app.callback(invoke_without_command=True)
def models(
    context: typer.Context,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON, with origins and paths.")] = False,
) -> None:
    """List the model files: what each is for, whether it is installed, its licence.

    With `import`: add a published one that tronie may not ship, and that you downloaded.
    """
    if context.invoked_subcommand is None:
        from tronie.cli.report import models as show

        raise typer.Exit(show(as_json))


@models_app.command("import", epilog="Example: tronie models import sparnet SPARNetHD_V4_Attn2D_net_H-epoch10.pth")
def import_model(
    kind: Annotated[str, typer.Argument(metavar="KIND", help="What it is: a name from the list of `tronie models`.")],
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The file you downloaded, or its folder.")],
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace an earlier import.")] = False,
) -> None:
    """Read a published net or head into your own model files. Nothing in FILE is run."""
    from tronie.cli.report import import_model as bring

    raise typer.Exit(bring(kind, file, overwrite))


@models_app.command("calibrate", epilog="Then: tronie run PHOTO --head NAME")
def calibrate_model(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A head model that you imported.")],
    pictures: Annotated[
        int, typer.Option("--pictures", min=2000, help="Random pictures to learn from; more take longer.")
    ] = 20_000,
    photos: Annotated[
        list[Path] | None,
        typer.Option("--photos", metavar="FOLDER", help="Portraits whose skins random people wear too."),
    ] = None,
    workers: Annotated[int, typer.Option("--workers", "-j", min=0, help="Processes; 0: one for each core.")] = 0,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Calibrate again what is calibrated.")] = False,
    events: JsonEvents = None,
) -> None:
    """Learn on this machine how to fit a head model that you imported: about 15 minutes on two cores.

    Work that was stopped goes on where it ended when the same command is given again.
    """
    from tronie.cli.calibrate import calibrate_head

    raise typer.Exit(calibrate_head(name, pictures, photos or [], workers, overwrite, events is not None))


app.add_typer(models_app, name="models")


@app.command("blender-script", epilog="Then: blender --background --python FILE -- head.glb --save head.blend")
def blender_script(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Where to write it; - for stdout.")] = Path(
        "tronie_blender_import.py"
    ),
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the file if it is there.")] = False,
) -> None:
    """Write the script that sets up a head in Blender: materials, shape keys, eyes, FBX."""
    from importlib.resources import files

    from tronie.cli.say import say

    text = files("tronie.export").joinpath("tronie_blender_import.py").read_text(encoding="utf-8")
    if str(file) == "-":
        sys.stdout.write(text)
        return
    try:
        with open(file, "w" if overwrite else "x", encoding="utf-8") as out:
            out.write(text)
    except FileExistsError:
        say(f"{file} is there already; --overwrite replaces it.", problem=True)
        raise typer.Exit(1) from None
    except OSError as error:
        say(f"Cannot write {file}: {error.strerror}.", problem=True)
        raise typer.Exit(1) from None
    say(str(file))


@app.command()
def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
    self_test: Annotated[bool, typer.Option(help="Reconstruct a small portrait that comes with tronie.")] = True,
    warm: Annotated[
        bool, typer.Option("--warm", help="Only compile all numeric kernels, so that no option waits for it later.")
    ] = False,
) -> None:
    """Check whether this machine is ready, and what is fast or slow on it."""
    from tronie.cli.report import doctor as show
    from tronie.cli.report import warm as compile_all

    if warm:
        raise typer.Exit(compile_all())
    raise typer.Exit(show(as_json, self_test))


@app.command(epilog="Its last line can be put into a report as it stands.")
@with_options("device")
def bench(
    context: typer.Context,
    photo: Annotated[
        Path | None,
        typer.Argument(metavar="PHOTO", help="Of this one, not of the portrait that comes along.", show_default=False),
    ] = None,
    runs: Annotated[int, typer.Option("--runs", min=1, help="Medians are of so many.")] = 5,
    workers: Annotated[int, typer.Option("--workers", "-j", min=0, help="Processes for a folder; 0 chooses.")] = 0,
    folder: Annotated[bool, typer.Option(help="Measure a folder with several processes, too.")] = True,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """Measure how fast this machine is: a photo by stage, photos per second, memory. Close other programs first."""
    from tronie.cli.bench import bench as measure

    raise typer.Exit(measure(photo, runs, workers, folder, as_json, settings_from(context.params)))
