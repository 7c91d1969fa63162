"""`tronie restore`: the command and its options; the work is that of `tronie run`."""

from __future__ import annotations

from typing import Annotated

import typer

from tronie.cli.options import settings_from, with_options

RESTORED_OUT = "tronie-restored"


@with_options(
    "damage", "keep_tone", "colour", "enhance", "enhance_look", "detector", "min_face", "min_score", "max_megapixels",
    "device",
)  # fmt: skip
def restore(
    context: typer.Context,
    photos: Annotated[list[str], typer.Argument(metavar="PHOTO|FOLDER|GLOB", help="Old photos, or folders of them.")],
    out: Annotated[
        str, typer.Option("-o", "--out", metavar="OUT", help="Folder for the outputs; made if it is missing.")
    ] = RESTORED_OUT,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace the outputs of photos that were done before.")
    ] = False,
    update: Annotated[
        bool,
        typer.Option("--update", help="Do again what was done with other settings or of another version of a photo."),
    ] = False,
    recursive: Annotated[bool, typer.Option("-r", "--recursive", help="Look into folders inside folders.")] = False,
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
        typer.Option(min=0, metavar="SECONDS", help="For a photo, and more for each face; 0: no limit."),
    ] = 120,
) -> None:
    """Restore old PHOTOs: damage, fading, grain, small and soft faces; with --colour also in colours.

    What was changed and what is invented stands beside each of them: changes.png, restored.json, sheet.jpg. A run that
    was stopped goes on where it ended when the same command is given again.
    """
    if quiet and verbose:
        raise typer.BadParameter("--quiet and --verbose contradict each other.")
    from tronie.cli.run import How, run_photos
    from tronie.jobs.worker import Bounds

    settings = settings_from(context.params).model_copy(update={"job": "restore"})
    how = How(
        overwrite=overwrite,
        update=update,
        dry=dry_run,
        recursive=recursive,
        workers=workers,
        detail="quiet" if quiet else "verbose" if verbose else "normal",
        as_json="events" if events else "records" if as_json else None,
        bounds=Bounds(timeout or None, Bounds.usual_memory(settings)),
    )
    raise typer.Exit(run_photos(photos, out, settings, how))
