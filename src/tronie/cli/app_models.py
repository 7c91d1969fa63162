"""The commands `tronie models ...`; what they do lies in the library."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tronie.cli.events import JsonEvents

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
