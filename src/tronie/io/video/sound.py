"""The sound of a video file beside the pictures of a film that is made of it; by PyAV."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Any

from tronie.io.video.container import open_container

COPIED = frozenset(("aac", "mp3", "ac3", "eac3", "alac", "opus", "flac"))
"""Codecs that an MP4 holds and players know: their packets are taken as they are. Others become AAC."""
RATES = (48_000, 44_100, 32_000, 24_000, 16_000, 22_050, 12_000, 11_025, 8_000)
"""Samples a second that AAC knows; what has another one gets the first."""


@dataclass(frozen=True, slots=True)
class Sound:
    """Where a film's sound comes from."""

    source: str
    """A video file."""
    begins: float
    """Seconds on the file's clock at which the film begins: the time of its first picture."""


class SoundTrack:
    """The first sound of a file on its way into an MP4 that is being written: `until` what the pictures have come to.

    Sound that is damaged, or of a kind that cannot be read, ends where it does; it never costs a film.
    """

    def __init__(self, out: Any, sound: Sound) -> None:
        import av

        self._out, self._av = out, av
        self._errors = (av.FFmpegError, ValueError, OSError)
        self._ahead: Any = None
        self._packets: Iterator[Any] = iter(())
        self._container: Any = None
        try:
            self._container = open_container(sound.source)
            if self._container.streams.audio:
                self._begin(self._container.streams.audio[0], sound.begins)
        except self._errors:
            self._packets = iter(())

    def until(self, seconds: float) -> None:
        """Write what begins before this time of the film."""
        try:
            while (packet := self._ahead or next(self._packets, None)) is not None:
                self._ahead = packet
                if packet.dts * packet.time_base >= seconds:
                    return
                self._ahead = None
                self._out.mux(packet)
        except self._errors:
            self._ahead, self._packets = None, iter(())

    def close(self) -> None:
        if self._container is not None:
            self._container.close()

    def _begin(self, stored: Any, begins: float) -> None:
        """Look at the first packet, so that there is no track without any."""
        make = self._copied if stored.codec_context.name in COPIED else self._encoded
        packets = make(stored, begins)
        first = next(packets, None)
        if first is not None:
            self._packets = chain((first,), packets)

    def _copied(self, stored: Any, begins: float) -> Iterator[Any]:
        shift = round(begins / stored.time_base)
        into: Any = None
        for packet in self._container.demux(stored):
            if packet.dts is None or packet.pts is None:
                continue
            packet.pts, packet.dts = packet.pts - shift, packet.dts - shift
            if packet.pts + (packet.duration or 1) <= 0:
                continue
            if into is None:
                into = self._out.add_stream_from_template(stored)
            packet.stream = into
            yield packet

    def _encoded(self, stored: Any, begins: float) -> Iterator[Any]:
        into: Any = None
        for frame in self._decoded(stored):
            if frame.pts is None:
                continue
            frame.pts -= round(begins / frame.time_base)
            if (frame.pts + frame.samples / frame.sample_rate / frame.time_base) <= 0:
                continue
            if into is None:
                rate = frame.sample_rate if frame.sample_rate in RATES else RATES[0]
                layout = "mono" if frame.layout.nb_channels == 1 else "stereo"
                into = self._out.add_stream("aac", rate=rate, layout=layout)
                resampler = self._av.AudioResampler(format="fltp", layout=layout, rate=rate)
            for made in resampler.resample(frame):
                yield from into.encode(made)
        if into is not None:
            yield from into.encode()

    def _decoded(self, stored: Any) -> Iterator[Any]:
        """A packet that cannot be decoded is left out."""
        for packet in self._container.demux(stored):
            try:
                frames = packet.decode()
            except self._av.error.EOFError:
                return
            except self._errors:
                continue
            yield from frames
