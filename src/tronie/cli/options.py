"""Options that stand for a place in the settings tree: their type, default and help come from there."""

from __future__ import annotations

import functools
import inspect
import types
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import typer
from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from tronie.errors import InputError
from tronie.outputs import OUTPUTS, USUAL, Subject, in_order
from tronie.pipelines.choices import FIXED, NAMED
from tronie.pipelines.engines import engine_info
from tronie.runtime import crash_report
from tronie.settings import Settings
from tronie.stages.enhance import MODES

PLACES: dict[str, str] = {
    "max_megapixels": "read.max_megapixels",
    "detector": "detect.detector",
    "min_face": "detect.min_face",
    "max_faces": "detect.max_faces",
    "min_score": "detect.min_score",
    "enhance": "enhance.mode",
    "enhance_for": "enhance.faces",
    "enhance_limit": "enhance.limit",
    "enhance_look": "enhance.look",
    "reference": "enhance.reference",
    "head": "head.name",
    "subdivide": "head.subdivide",
    "folds": "head.folds",
    "bust": "head.bust",
    "engine": "fit.engine",
    "focal": "fit.focal",
    "outline": "fit.outline",
    "hair": "hair.mode",
    "glasses": "hair.glasses",
    "lashes": "hair.lashes",
    "texture_size": "texture.size",
    "base_color": "light.base_color",
    "frontal_size": "portrait.size",
    "rig": "export.rig",
    "morph_normals": "export.morph_normals",
    "crop": "portrait.crop",
    "background": "portrait.background",
    "expression": "portrait.expression",
    "gaze": "portrait.gaze",
    "identity": "portrait.identity",
    "damage": "restore.damage",
    "keep_tone": "restore.keep_tone",
    "colour": "restore.colour",
    "device": "compute.device",
    "only": "only",
    "detect_every": "video.every",
    "smooth": "video.smooth",
    "neutral": "video.neutral",
    "bridge": "video.bridge",
    "fps": "video.fps",
    "start": "video.start",
    "seconds": "video.seconds",
}
"""Parameter of the command -> place in the settings tree."""

KINDS = ("turntable", "reel", "stills")
FORMATS = ("mp4", "webm", "gif", "png")
"""`tronie.io.video.writer.FORMATS`."""
RENDER_MODES = ("textured", "clay", "wireframe", "provenance", "uncertainty", "normals")
"""`tronie.render.renderer.MODES`."""
LIGHTS = ("photo", "studio", "rim", "soft")
"""Of `tronie.render.lights.PRESETS`, those for textures."""
BACKGROUNDS = ("auto", "light", "dark", "white", "black", "clear")


def option(parameter: str) -> Any:
    """The typer option for a parameter of PLACES; None as its value means that the user did not give it."""
    info = _field(PLACES[parameter])
    place = PLACES[parameter]
    offered: tuple[Any, ...] = _choices(info.annotation) or FIXED.get(place, ())
    if place in NAMED:
        offered = (*offered, "NAME")
    default = "" if info.default in (None, False, True) else f" [dim](default: {info.default})[/dim]"
    name = parameter.replace("_", "-")
    return typer.Option(
        f"--{name}/--no-{name}" if info.default is True else f"--{name}",
        help=(info.description or "") + default,
        metavar="|".join(map(str, offered)) or None,
        show_default=False,
        rich_help_panel="Video" if place.startswith("video.") else "Method",
        autocompletion=completion(*offered, more=NAMED.get(place)) if offered else None,
    )


def outputs_of(*subjects: Subject) -> tuple[str, ...]:
    """The parameters by which outputs of these are chosen, for `with_options`."""
    return ("outputs", *(output.name for output in OUTPUTS.values() if not set(subjects).isdisjoint(output.of)))


FILMS = tuple(output.name for output in OUTPUTS.values() if output.of == ("clip",))
"""Outputs of videos alone."""


def output_option(name: str) -> Any:
    """`--NAME` and `--no-NAME`; of usual outputs the help of `--outputs` tells."""
    output, dashed = OUTPUTS[name], name.replace("_", "-")
    return typer.Option(
        f"--{dashed}/--no-{dashed}" if output.usual else f"--{dashed}",
        help=output.text,
        show_default=False,
        rich_help_panel="Video" if output.of == ("clip",) else "Outputs",
        hidden=output.usual and output.of != ("clip",),
    )


def complete_outputs(incomplete: str) -> list[str]:
    """What a shell offers after the last comma of a list of outputs."""
    before, comma, begun = incomplete.rpartition(",")
    given = before.split(",")
    return [before + comma + name for name in OUTPUTS if name.startswith(begun) and name not in given]


LIST = typer.Option(
    "--outputs",
    metavar="NAME,...",
    help=f"Only these: {', '.join(OUTPUTS)}; --no-NAME leaves one out [dim](default: {', '.join(USUAL)})[/dim]",
    show_default=False,
    rich_help_panel="Outputs",
    autocompletion=complete_outputs,
)


def _outputs(parameters: Mapping[str, Any]) -> tuple[str, ...]:
    """The outputs that the given parameters ask for; an unknown one is wrong usage."""
    given: str | None = parameters.get("outputs")
    names = [name.strip().replace("-", "_") for name in given.split(",")] if given is not None else list(USUAL)
    try:
        chosen = in_order(name for name in names if name)
    except ValueError as error:
        raise typer.BadParameter(f"--outputs: {error}.") from None
    if given is not None and not chosen:
        raise typer.BadParameter("--outputs names none.")
    asked = {name: value for name in OUTPUTS if isinstance(value := parameters.get(name), bool)}
    if not (left := tuple(name for name in OUTPUTS if asked.get(name, name in chosen))):
        raise typer.BadParameter("--outputs and --no-NAME leave nothing.")
    return left


def completion(*choices: Any, more: Callable[[], Iterable[str]] | None = None) -> Callable[[str], list[str]]:
    """What a shell offers as an option's value: the choices that are values, and names that `more` looks up then."""

    def complete(incomplete: str) -> list[str]:
        values = [str(choice) for choice in choices if not str(choice).isupper()]
        if more is not None:
            with suppress(Exception):  # a shell that asks wants no error
                values += [name for name in more() if name not in values]
        return [value for value in values if value.startswith(incomplete)]

    return complete


LOOKS = (
    "focal", "outline", "head", "subdivide", "folds", "bust", "hair", "glasses", "lashes", "texture_size",
    "base_color", "frontal_size", "crop", "background", "expression", "gaze", "device",
)  # fmt: skip
"""Parameters of PLACES that every command has which reconstructs heads."""


def with_options(*parameters: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """A command that also takes these parameters: of PLACES, names of OUTPUTS, and `outputs`. It finds them in its
    context, for `settings_from`.

    They are shown in this order, after the command's own parameters. Of these some may be named too, to be shown there.
    """

    def wider(command: Callable[..., None]) -> Callable[..., None]:
        own = dict(inspect.signature(command, eval_str=True).parameters)

        @functools.wraps(command)
        def wrapped(**given: Any) -> None:
            command(**{name: value for name, value in given.items() if name in own})

        shown = [own[name] for name in own if name not in parameters]
        for name in parameters:
            kind: Any = None
            if name in PLACES:
                kind = Annotated[_type(_field(PLACES[name]).annotation) | None, option(name)]
            elif name in OUTPUTS or name == "outputs":
                kind = Annotated[bool | None, output_option(name)] if name in OUTPUTS else Annotated[str | None, LIST]
            added = inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=kind)
            shown.append(own.get(name, added))
        keyword = [parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY) for parameter in shown]
        wrapped.__signature__ = inspect.Signature(keyword, return_annotation=None)  # type: ignore[attr-defined]
        wrapped.__annotations__ = {parameter.name: parameter.annotation for parameter in keyword}
        return wrapped

    return wider


def settings_from(parameters: Mapping[str, Any]) -> Settings:
    """The settings that the given parameters ask for; a value out of bounds is wrong usage."""
    for parameter in ("detector", "engine"):
        value, known = parameters.get(parameter), FIXED[PLACES[parameter]]
        if value is not None and value not in known:
            raise typer.BadParameter(f"--{parameter} should be one of {', '.join(known)}, not {value!r}.")
    if (mode := parameters.get("enhance")) is not None and mode not in MODES:
        from tronie.stages.enhance import enhancer_names
        from tronie.stages.enhance.published import how_to_get

        if mode not in (names := enhancer_names()):
            if said := how_to_get(mode):
                raise typer.BadParameter(said)
            raise typer.BadParameter(f"--enhance should be {', '.join(MODES)} or {' or '.join(names)}, not {mode!r}.")
    if (head := parameters.get("head")) is not None:
        from tronie.errors import WeightsError
        from tronie.importers.heads.calibrated import OWN, find

        if (engine := parameters.get("engine")) is not None and engine_info(engine).own_head:
            raise typer.BadParameter(f"--engine {engine} has a head of its own; leave --head out.")
        try:
            _ = head == OWN or find(head)
        except WeightsError as error:
            raise typer.BadParameter(str(error)) from None
    if (device := parameters.get("device")) is not None:
        from tronie.runtime.inference import require

        try:
            require(device)
        except InputError as error:
            raise typer.BadParameter(str(error)) from None
    tree: dict[str, Any] = {}
    for parameter, place in PLACES.items():
        if (value := parameters.get(parameter)) is not None:
            *branches, leaf = place.split(".")
            node = tree
            for branch in branches:
                node = node.setdefault(branch, {})
            node[leaf] = value
    if parameters.get("outputs") is not None and parameters.get("only") is not None:
        raise typer.BadParameter("--only and --outputs contradict each other; leave one out.")
    tree["outputs"] = _outputs(parameters)
    try:
        settings = Settings.model_validate(tree)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        name = next((p for p, known in PLACES.items() if known == place), place)
        message = first["msg"].replace("Input should be", "should be")
        raise typer.BadParameter(f"--{name.replace('_', '-')} {message}, not {first['input']!r}.") from None
    crash_report.about(settings=settings.model_dump(mode="json", exclude_defaults=True))
    return settings


def _field(place: str) -> FieldInfo:
    model: type[BaseModel] = Settings
    *branches, leaf = place.split(".")
    for branch in branches:
        annotation = model.model_fields[branch].annotation
        assert isinstance(annotation, type)
        assert issubclass(annotation, BaseModel)
        model = annotation
    return model.model_fields[leaf]


def _type(annotation: Any) -> Any:
    """What a value on the command line is read as."""
    if choices := _choices(annotation):
        return type(choices[0])
    if get_origin(annotation) in (Union, types.UnionType):
        return next(part for part in get_args(annotation) if part is not type(None))
    return annotation


def _choices(annotation: Any) -> tuple[Any, ...]:
    """The values of a Literal, also inside `Literal[...] | None`."""
    if get_origin(annotation) is Literal:
        return get_args(annotation)
    if get_origin(annotation) in (Union, types.UnionType):
        return tuple(value for part in get_args(annotation) for value in _choices(part))
    return ()
