"""The commands and their options; what they do lies in the library."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any, cast

import typer

from tronie import __version__
from tronie.cli.options import BACKGROUNDS, FORMATS, KINDS, LIGHTS, MODES, option, settings_from

DEFAULT_OUT, RENDER_OUT, PERSON_OUT = Path("tronie-out"), Path("tronie-render"), Path("tronie-person")

app = typer.Typer(
    name="tronie",
    help="Every face of a photo as a textured 3D head and a frontal portrait.",
    epilog="Example: tronie run photo.jpg -o out",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        print(f"tronie {__version__}")
        raise typer.Exit


@app.callback()
def common(
    version: Annotated[
        bool, typer.Option("--version", "-V", callback=_version, is_eager=True, help="Say the version and end.")
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show where in the code an error came from.")] = False,
) -> None:
    """Every face of a photo as a textured 3D head and a frontal portrait."""


@app.command(epilog="Exit code: 0 if a photo worked, 1 if none did, 2 for wrong usage, 130 after Ctrl-C.")
def run(
    context: typer.Context,
    photos: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="PHOTO|VIDEO|FOLDER|GLOB", help="Photos, videos, folders of them, or patterns.", show_default=False
        ),
    ] = None,
    out: Annotated[
        Path, typer.Option("-o", "--out", metavar="OUT", help="Folder for the outputs; made if it is missing.")
    ] = DEFAULT_OUT,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace the outputs of photos that were done before.")
    ] = False,
    recursive: Annotated[bool, typer.Option("-r", "--recursive", help="Look into folders inside folders.")] = False,
    workers: Annotated[
        int, typer.Option("--workers", "-j", min=0, help="Processes; 0 chooses by cores, memory and photos.")
    ] = 0,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Tell problems only.")] = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="A line for each photo, with its times.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One line of JSON for each photo, on stdout.")] = False,
    detector: Annotated[str | None, option("detector")] = None,
    min_face: Annotated[float | None, option("min_face")] = None,
    max_faces: Annotated[int | None, option("max_faces")] = None,
    min_score: Annotated[float | None, option("min_score")] = None,
    enhance: Annotated[str | None, option("enhance")] = None,
    enhance_limit: Annotated[float | None, option("enhance_limit")] = None,
    enhanced_photo: Annotated[bool | None, option("enhanced_photo")] = None,
    engine: Annotated[str | None, option("engine")] = None,
    mat: Annotated[bool | None, option("mat")] = None,
    focal: Annotated[float | None, option("focal")] = None,
    head: Annotated[str | None, option("head")] = None,
    subdivide: Annotated[int | None, option("subdivide")] = None,
    texture_size: Annotated[int | None, option("texture_size")] = None,
    albedo: Annotated[bool | None, option("albedo")] = None,
    detail: Annotated[bool | None, option("detail")] = None,
    base_color: Annotated[str | None, option("base_color")] = None,
    frontal_size: Annotated[int | None, option("frontal_size")] = None,
    crop: Annotated[str | None, option("crop")] = None,
    background: Annotated[str | None, option("background")] = None,
    expression: Annotated[str | None, option("expression")] = None,
    gaze: Annotated[str | None, option("gaze")] = None,
    identity: Annotated[bool | None, option("identity")] = None,
    max_megapixels: Annotated[
        float | None,
        typer.Option(
            min=0.001,
            max=999_999,
            metavar="<float>",
            help="Refuse larger photos [dim](default: 120, baseline JPEG 1000)[/dim]",
            rich_help_panel="Method",
        ),
    ] = None,
    rig: Annotated[bool | None, option("rig")] = None,
    lod: Annotated[bool | None, option("lod")] = None,
    maps: Annotated[bool | None, option("maps")] = None,
    morph_normals: Annotated[bool | None, option("morph_normals")] = None,
    usd: Annotated[bool | None, option("usd")] = None,
    only: Annotated[str | None, option("only")] = None,
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
    fps: Annotated[float | None, option("fps")] = None,
    seconds: Annotated[float | None, option("seconds")] = None,
    smooth: Annotated[float | None, option("smooth")] = None,
    bridge: Annotated[float | None, option("bridge")] = None,
    detect_every: Annotated[int | None, option("detect_every")] = None,
    overlay_film: Annotated[bool | None, option("overlay_film")] = None,
    talking_film: Annotated[bool | None, option("talking_film")] = None,
) -> None:
    """Make a textured 3D head and a frontal portrait of every face in PHOTOs; of VIDEOs also how the heads move.

    A run that was stopped goes on where it ended when the same command is given again.
    """
    if quiet and verbose:
        raise typer.BadParameter("--quiet and --verbose contradict each other.")
    if not photos and camera is None:
        raise typer.BadParameter("Name a photo, a video, a folder or a pattern, or --camera 0.")
    if max_megapixels is not None:
        os.environ["TRONIE_MAX_MEGAPIXELS"] = str(max_megapixels)  # the reader's setting; worker processes inherit it
    from tronie.cli.run import run_photos

    raise typer.Exit(
        run_photos(
            photos or [],
            out,
            settings_from(context.params),
            overwrite=overwrite,
            recursive=recursive,
            camera=camera,
            sequences=sequence,
            workers=workers,
            detail="quiet" if quiet else "verbose" if verbose else "normal",
            as_json=as_json,
        )
    )


@app.command(epilog="Example: tronie person anna-1.jpg anna-2.jpg anna-3.jpg -o anna")
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
    detector: Annotated[str | None, option("detector")] = None,
    min_face: Annotated[float | None, option("min_face")] = None,
    min_score: Annotated[float | None, option("min_score")] = None,
    focal: Annotated[float | None, option("focal")] = None,
    head: Annotated[str | None, option("head")] = None,
    subdivide: Annotated[int | None, option("subdivide")] = None,
    texture_size: Annotated[int | None, option("texture_size")] = None,
    albedo: Annotated[bool | None, option("albedo")] = None,
    detail: Annotated[bool | None, option("detail")] = None,
    base_color: Annotated[str | None, option("base_color")] = None,
    frontal_size: Annotated[int | None, option("frontal_size")] = None,
    crop: Annotated[str | None, option("crop")] = None,
    background: Annotated[str | None, option("background")] = None,
    expression: Annotated[str | None, option("expression")] = None,
    gaze: Annotated[str | None, option("gaze")] = None,
    rig: Annotated[bool | None, option("rig")] = None,
    lod: Annotated[bool | None, option("lod")] = None,
    maps: Annotated[bool | None, option("maps")] = None,
    usd: Annotated[bool | None, option("usd")] = None,
    only: Annotated[str | None, option("only")] = None,
) -> None:
    """Many photos of one person into one head, with one texture of them all.

    Photos with several faces are sorted by person, with the extra `identity`.
    """
    from tronie.cli.person import make_people

    settings = settings_from({name: value for name, value in context.params.items() if name != "people"})
    raise typer.Exit(
        make_people(photos, out, settings, people=people, overwrite=overwrite, recursive=recursive, quiet=quiet)
    )


def _one_of(choices: tuple[str, ...], default: str, text: str, *names: str) -> Any:
    """An option with a fixed choice of words."""

    def check(value: str) -> str:
        if value not in choices:
            raise typer.BadParameter(f"should be one of {', '.join(choices)}, not {value!r}.")
        return value

    shown = f"{text} [dim](default: {default})[/dim]"
    return typer.Option(*names, metavar="|".join(choices), callback=check, help=shown, show_default=False)


@app.command(epilog="Example: tronie render tronie-out/photo --make turntable --make reel")
def render(
    inputs: Annotated[
        list[str],
        typer.Argument(metavar="FACE|PHOTO...", help="Folders that `tronie run` made, .glb files, or photos."),
    ],
    out: Annotated[Path, typer.Option("-o", "--out", metavar="OUT", help="Folder for the outputs.")] = RENDER_OUT,
    make: Annotated[
        list[str] | None,
        typer.Option(
            "--make",
            "-m",
            metavar="|".join(KINDS),
            show_default=False,
            help="A film of the turning head, one of all expressions, or pictures; may be given more than once "
            "[dim](default: turntable)[/dim]",
        ),
    ] = None,
    format: Annotated[
        str,
        _one_of(("auto", *FORMATS), "mp4, or webm without the extra video", "Of films; png is a folder.", "--format"),
    ] = "auto",
    size: Annotated[int, typer.Option("--size", min=64, max=4096, help="Side of the pictures, pixels.")] = 512,
    seconds: Annotated[
        float | None,
        typer.Option(min=0.1, max=3600, help="Length of a film [dim](default: turntable 6, reel 44)[/dim]"),
    ] = None,
    fps: Annotated[
        float | None, typer.Option(min=1, max=120, help="Pictures per second [dim](default: 30, gif 20)[/dim]")
    ] = None,
    views: Annotated[
        str, typer.Option(metavar="DEGREES,...", help="How far the head is turned in each still.")
    ] = "0,40",
    light: Annotated[
        list[str] | None,
        typer.Option(
            "--light",
            "-l",
            metavar="|".join((*LIGHTS, "FILE")),
            show_default=False,
            help="Light, or a panorama (.hdr, .png, .jpg); for stills more than one [dim](default: photo; "
            "for stills studio, rim and soft)[/dim]",
        ),
    ] = None,
    turn: Annotated[float, typer.Option(help="Turn a panorama by so many degrees.")] = 0.0,
    exposure: Annotated[float, typer.Option(min=-8, max=8, help="Brighten a panorama by so many stops.")] = 0.0,
    mode: Annotated[str, _one_of(MODES, "textured", "What the surface shows.", "--mode")] = "textured",
    background: Annotated[
        str, _one_of(BACKGROUNDS, "auto", "What is behind; clear is transparent, for gif and png.", "--background")
    ] = "auto",
    neutral: Annotated[bool, typer.Option("--neutral", help="At rest, not with the photo's expression.")] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace what was made before.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Tell problems only.")] = False,
) -> None:
    """Films and pictures of finished heads: turning, with every expression, in other light."""
    kinds = tuple(dict.fromkeys(make or ["turntable"]))
    if unknown := [kind for kind in kinds if kind not in KINDS]:
        raise typer.BadParameter(f"--make should be one of {', '.join(KINDS)}, not {unknown[0]!r}.")
    try:
        angles = tuple(float(word) for word in views.split(","))
    except ValueError:
        raise typer.BadParameter(f"--views should be angles such as 0,40,-40, not {views!r}.") from None
    if background == "clear" and format not in ("gif", "png") and kinds != ("stills",):
        raise typer.BadParameter("--background clear needs --format gif or png; other films have no transparency.")
    from tronie.cli.render import Wanted, render_inputs

    wanted = Wanted(
        kinds, format, size, seconds, fps, angles, tuple(light or ()), turn, exposure, cast(Any, mode), background,
        neutral, overwrite,
    )  # fmt: skip
    raise typer.Exit(render_inputs(inputs, out, wanted, quiet))


@app.command()
def gui(
    photos: Annotated[
        list[str] | None, typer.Argument(metavar="PHOTO|FOLDER", help="What to open at once.", show_default=False)
    ] = None,
) -> None:
    """Open the window: faces, heads from all sides, portraits, export (needs the extra [dim]gui[/dim])."""
    from tronie.gui import main as window

    raise typer.Exit(window(photos or []))


models_app = typer.Typer(rich_markup_mode="rich")
app.add_typer(models_app, name="models")


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
) -> None:
    """Learn on this machine how to fit a head model that you imported: about 15 minutes on two cores.

    Work that was stopped goes on where it ended when the same command is given again.
    """
    from tronie.cli.calibrate import calibrate_head

    raise typer.Exit(calibrate_head(name, pictures, photos or [], workers, overwrite))


@app.command("blender-script", epilog="Then: blender --background --python FILE -- head.glb --save head.blend")
def blender_script(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Where to write it; - for stdout.")] = Path(
        "tronie_blender_import.py"
    ),
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the file if it is there.")] = False,
) -> None:
    """Write the script that sets up a head in Blender: materials, shape keys, eyes, FBX."""
    from tronie.cli.blender import write_script

    raise typer.Exit(write_script(file, overwrite))


@app.command()
def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
    self_test: Annotated[bool, typer.Option(help="Reconstruct a small portrait that comes with tronie.")] = True,
) -> None:
    """Check whether this machine is ready, and what is fast or slow on it."""
    from tronie.cli.report import doctor as show

    raise typer.Exit(show(as_json, self_test))
