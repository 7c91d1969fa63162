"""The command `tronie render` and its options; what it does lies in the library."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, cast

import typer

from tronie.cli.events import JsonEvents
from tronie.cli.options import BACKGROUNDS, FORMATS, KINDS, LIGHTS, RENDER_MODES, completion

RENDER_OUT = Path("tronie-render")


def _one_of(choices: tuple[str, ...], default: str, text: str, *names: str) -> Any:
    """An option with a fixed choice of words."""

    def check(value: str) -> str:
        if value not in choices:
            raise typer.BadParameter(f"should be one of {', '.join(choices)}, not {value!r}.")
        return value

    shown = f"{text} [dim](default: {default})[/dim]"
    return typer.Option(
        *names,
        metavar="|".join(choices),
        callback=check,
        help=shown,
        show_default=False,
        autocompletion=completion(*choices),
    )


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
            autocompletion=completion(*KINDS),
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
            autocompletion=completion(*LIGHTS),
            show_default=False,
            help="Light, or a panorama (.hdr, .png, .jpg); for stills more than one [dim](default: photo; "
            "for stills studio, rim and soft)[/dim]",
        ),
    ] = None,
    turn: Annotated[float, typer.Option(help="Turn a panorama by so many degrees.")] = 0.0,
    exposure: Annotated[float, typer.Option(min=-8, max=8, help="Brighten a panorama by so many stops.")] = 0.0,
    mode: Annotated[str, _one_of(RENDER_MODES, "textured", "What the surface shows.", "--mode")] = "textured",
    background: Annotated[
        str, _one_of(BACKGROUNDS, "auto", "What is behind; clear is transparent, for gif and png.", "--background")
    ] = "auto",
    neutral: Annotated[bool, typer.Option("--neutral", help="At rest, not with the photo's expression.")] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace what was made before.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Tell problems only.")] = False,
    events: JsonEvents = None,
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
        kinds,
        format,
        size,
        seconds,
        fps,
        angles,
        tuple(light or ()),
        turn,
        exposure,
        cast(Any, mode),
        background,
        neutral,
        overwrite,
    )
    raise typer.Exit(render_inputs(inputs, out, wanted, quiet, events is not None))
