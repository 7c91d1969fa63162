"""The command `tronie live`: ARKit's values of a face, from a camera or a clip, to another program as they come."""

from __future__ import annotations

import os
import sys
import time
import uuid
from collections.abc import Callable
from contextlib import ExitStack, closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from tronie.cli.options import settings_from, with_options
from tronie.cli.say import say

if TYPE_CHECKING:
    from tronie.export.packets import FaceValues
    from tronie.pipelines.video.performance import Performer
    from tronie.runtime.datagrams import Destination
    from tronie.settings import Settings

VMC_PORT, LIVE_LINK_PORT = 39539, 11111
LONGEST_SUBJECT = 100
AGAIN = 1.0
"""Seconds of rest after Enter, where none are asked for at the beginning."""


@dataclass(frozen=True, slots=True)
class LiveHow:
    """What is sent where."""

    vmc: list[Destination]
    live_link: list[Destination]
    subject: str
    """Live Link's name of the face."""
    head_turn: bool
    """Turn the head by VMC, too."""
    person: int | None
    gains: dict[str, float]
    rest_for: float
    """Seconds."""
    quiet: bool


@with_options("detector", "min_face", "max_faces", "min_score", "focal", "device", "fps", "seconds", "smooth")
def live(
    context: typer.Context,
    clip: Annotated[
        str | None,
        typer.Argument(
            metavar="CLIP", show_default=False, help="A video, or a pattern of pictures, played at its own pace."
        ),
    ] = None,
    camera: Annotated[
        int | None,
        typer.Option(min=0, metavar="NUMBER", show_default=False, help="A camera of this machine; 0 is the first."),
    ] = None,
    osc: Annotated[
        list[str] | None,
        typer.Option(
            metavar="HOST[:PORT]",
            show_default=False,
            help=f"Send Open Sound Control (VMC) there; port {VMC_PORT} unless one is named.",
        ),
    ] = None,
    livelink: Annotated[
        list[str] | None,
        typer.Option(
            metavar="HOST[:PORT]",
            show_default=False,
            help=f"Send what the app Live Link Face sends, for Unreal; port {LIVE_LINK_PORT} unless one is named.",
        ),
    ] = None,
    gain: Annotated[
        list[str] | None,
        typer.Option(
            metavar="UNIT=FACTOR",
            show_default=False,
            help="Make a unit larger or smaller, as browInnerUp=1.5; may be given more than once.",
        ),
    ] = None,
    rest_for: Annotated[
        float,
        typer.Option(
            "--neutral",
            min=0,
            max=60,
            metavar="SECONDS",
            help="So long the face is at rest at first and counts as nothing; 0: no.",
        ),
    ] = 1.0,
    person: Annotated[
        int | None,
        typer.Option(
            min=1,
            metavar="NUMBER",
            show_default=False,
            help="Only the one who came as this one [dim](default: the largest face)[/dim]",
        ),
    ] = None,
    subject: Annotated[str, typer.Option(help="What Live Link calls the face.")] = "tronie",
    head_turn: Annotated[bool, typer.Option(help="With OSC, turn the head too.")] = True,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Tell problems only.")] = False,
) -> None:
    """Send the 52 units and the turns of head and eyes of one face to another program, from a camera or a CLIP.

    Enter, with the face at rest, takes a new neutral pose; Ctrl-C ends. Nothing is received.
    """
    if (clip is None) == (camera is None):
        raise typer.BadParameter("Name a video, or --camera 0.")
    if not osc and not livelink:
        raise typer.BadParameter("Say where to: --osc HOST:PORT, --livelink HOST, or both.")
    if not 0 < len(subject) <= LONGEST_SUBJECT or not subject.isprintable():
        raise typer.BadParameter(f"--subject should be a name of at most {LONGEST_SUBJECT} characters.")
    settings = settings_from(context.params)

    from tronie.errors import InputError
    from tronie.io.video.clip import CAMERA
    from tronie.pipelines.video.performance import parse_gains
    from tronie.runtime.datagrams import Destination

    try:
        gains = parse_gains(gain or [])
        by_vmc = [Destination.parse(text, VMC_PORT) for text in osc or []]
        by_live_link = [Destination.parse(text, LIVE_LINK_PORT) for text in livelink or []]
    except InputError as error:
        raise typer.BadParameter(str(error)) from None
    source = f"{CAMERA}{camera}" if clip is None else clip
    how = LiveHow(by_vmc, by_live_link, subject, head_turn, person, gains, rest_for, quiet)
    raise typer.Exit(_stream(source, settings, how))


def _stream(source: str, settings: Settings, how: LiveHow) -> int:
    """Send until the source ends or Ctrl-C; the exit code."""
    from tronie.cli.interrupt import interrupting
    from tronie.io.video.clip import CAMERA, Limited
    from tronie.pipelines.photo import Pipeline
    from tronie.pipelines.video.job import open_source
    from tronie.pipelines.video.performance import Performer, perform
    from tronie.runtime.job import Job

    def tell(text: str) -> None:
        if not how.quiet:
            say(text)

    job = Job()
    with ExitStack() as held, interrupting(job, "Stopping.") as interrupted:
        clip = held.enter_context(closing(open_source(source, settings)))
        wires = held.enter_context(closing(_Wires(how)))
        pipeline = Pipeline(settings, threads=1)
        performer = Performer(pipeline.model, person=how.person, gains=how.gains, rest_for=how.rest_for)
        console = _Console(performer, how.rest_for, tell)

        def send(at: float, face: FaceValues | None) -> None:
            wires.send(at, face, not performer.calibrating)
            console.look()

        tell(f"Sending to {' and '.join(sender.to.text for sender in wires.senders)}; Ctrl-C ends.")
        went = perform(Limited(clip, settings.video.seconds), pipeline, performer, send, job)
        for sender in wires.senders:
            if sender.lost:
                say(f"{sender.lost} packets to {sender.to.text} were lost: {sender.reason}.", problem=True)
    rate = went.frames / max(went.seconds, 1e-6)
    tell(f"{went.frames} frames in {went.seconds:.1f} s, {rate:.0f} a second; {went.missed} left out for newer ones.")
    if went.frames and not went.seen:
        say("No face was seen." if how.person is None else f"Person {how.person} was not seen.", problem=True)
    if interrupted.signal and not source.startswith(CAMERA):
        return interrupted.code
    return 0 if went.seen else 1


class _Wires:
    """All who are sent to, each in its own format."""

    def __init__(self, how: LiveHow) -> None:
        from tronie.runtime.datagrams import Sender

        self._how = how
        self._vmc, self._live_link = ([Sender(to) for to in several] for several in (how.vmc, how.live_link))
        self.senders = [*self._vmc, *self._live_link]
        self._device = str(uuid.uuid4()).upper()
        self._began: float | None = None

    def send(self, at: float, face: FaceValues | None, calibrated: bool) -> None:
        from tronie.export.packets import live_link_packet, vmc_packets

        if self._began is None:
            self._began = _time_of_day() - at
        if self._vmc:
            for packet in vmc_packets(at, face, calibrated=calibrated, head=self._how.head_turn):
                for sender in self._vmc:
                    sender.send(packet)
        if self._live_link:
            packet = live_link_packet(self._how.subject, self._device, self._began + at, face)
            for sender in self._live_link:
                sender.send(packet)

    def close(self) -> None:
        for sender in self.senders:
            sender.close()


class _Console:
    """Looks whether Enter was pressed, and says how the neutral pose stands."""

    def __init__(self, performer: Performer, neutral: float, tell: Callable[[str], None]) -> None:
        self._performer, self._neutral, self._tell = performer, neutral, tell
        self._terminal = sys.stdin is not None and sys.stdin.isatty()
        self._was = False

    def look(self) -> None:
        performer = self._performer
        if self._terminal and _enter_pressed():
            performer.rest(self._neutral or AGAIN)
            self._was = False
        if performer.calibrating != self._was:
            self._was = performer.calibrating
            again = "; Enter takes another." if self._terminal else "."
            self._tell(
                "Look straight ahead, with the face at rest." if self._was else f"The neutral pose is taken{again}"
            )


def _time_of_day() -> float:
    """Seconds since midnight, by the clock on the wall."""
    now = time.time()
    at = time.localtime(now)
    return at.tm_hour * 3600 + at.tm_min * 60 + at.tm_sec + now % 1


def _enter_pressed() -> bool:
    """Whether a line was finished on the terminal since the last look."""
    if os.name == "nt":
        import msvcrt

        pressed = False
        while msvcrt.kbhit():  # type: ignore[attr-defined,unused-ignore]
            pressed |= msvcrt.getwch() in "\r\n"  # type: ignore[attr-defined,unused-ignore]
        return pressed
    import select

    if not select.select([sys.stdin], [], [], 0)[0]:
        return False
    return b"\n" in os.read(sys.stdin.fileno(), 4096)
