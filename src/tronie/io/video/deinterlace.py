"""Interlaced clips: two moments in the lines of one picture, which show as combs where something moves.

FFmpeg's filters know it from the file; here it is told by the pictures themselves, for readers and files that do not
say. Pictures are (H, W, 3) uint8.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction
from itertools import pairwise
from typing import Any, TypeVar

import numpy as np

from tronie.arrays import Image

COLUMNS = 5
"""Every so manyth column is looked at to tell."""
MOVES = 1.0
"""Mean change, grey levels, that the pictures must have come to before they tell anything."""
WOVEN = 0.4
"""How lopsided the fields are in time (0: not at all, as in whole pictures; 1: as between fields) to be two moments."""
SURE = 60.0
"""Sum of such changes from which on the clip is settled."""


FILTERS = ("bwdif", "yadif")
"""Of FFmpeg, the better one first."""

T = TypeVar("T")


class FieldFilter:
    """PyAV's frames, those that say that they are interlaced made whole by FFmpeg: the moment of the field that is
    first, the other one interpolated from the pictures before and after."""

    def __init__(self) -> None:
        self.made = 0
        """Frames that were deinterlaced."""
        self._kind: tuple[int, int, str] | None = None
        """Of the frames that the graph takes."""
        self._graph: Any = None

    def whole(self, frames: Iterable[Any]) -> Iterator[Any]:
        """From the first interlaced frame on all go through the filter, which is late by a frame."""
        for frame in frames:
            kind = frame.width, frame.height, frame.format.name
            if self._graph is not None and kind != self._kind:
                yield from self._pulled(None)
                self._graph = None
            if self._graph is None and frame.interlaced_frame:
                self._graph, self._kind = _graph(frame), kind
            if self._graph is None:
                yield frame
            else:
                self.made += frame.interlaced_frame
                yield from self._pulled(frame)
        if self._graph is not None:
            yield from self._pulled(None)

    def _pulled(self, frame: Any) -> Iterator[Any]:
        """What the filter has after a frame, or at the end."""
        from av.error import BlockingIOError as NothingYet
        from av.error import EOFError as NoMore

        self._graph.push(frame)
        while True:
            try:
                yield self._graph.pull()
            except (NothingYet, NoMore):
                return


def _graph(frame: Any) -> Any:
    """None where FFmpeg was built without such filters."""
    from av.filter import Graph, filters_available

    name = next((name for name in FILTERS if name in filters_available), None)
    if name is None:
        return None
    graph = Graph()
    into = graph.add_buffer(
        width=frame.width, height=frame.height, format=frame.format, time_base=frame.time_base or Fraction(1, 1000)
    )
    filters = graph.add(name, "mode=send_frame:parity=auto:deint=interlaced"), graph.add("buffersink")
    for one, following in pairwise((into, *filters)):
        one.link_to(following)
    graph.configure()
    return graph


class Fields:
    """Tells from a clip's pictures whether they are interlaced and which field is first, and makes them whole.

    In whole pictures the even lines of a picture are as unlike the odd lines of the one before as the odd ones are
    unlike the even ones. In pictures woven of fields one of the two pairs lies one field apart in time and the other
    three.
    """

    def __init__(self) -> None:
        self.made = 0
        """Pictures that were deinterlaced."""
        self._sums = np.zeros(2)

    def whole(self, pictures: Iterable[tuple[T, Image]]) -> Iterator[tuple[T, Image]]:
        """Pictures, each with whatever belongs to it, without combs; a picture late, until it is settled that they
        have none."""
        before: Image | None = None
        held: tuple[T, Image] | None = None
        for picture in pictures:
            if held is not None:
                if self._sums[1] < SURE and held[1].shape == picture[1].shape:
                    self._sums += apart(held[1], picture[1])
                yield held[0], self._one(held[1], before)
                before = held[1]
            held = picture
            if self._sums[1] >= SURE and self._first is None:
                yield held
                held = before = None
        if held is not None:
            yield held[0], self._one(held[1], before)

    def _one(self, image: Image, before: Image | None) -> Image:
        if self._first is None:
            return image
        self.made += 1
        return deinterlaced(image, before, self._first)

    @property
    def _first(self) -> int | None:
        """Parity of the lines that come first; None of whole pictures, and while it is not told."""
        lopsided, much = self._sums
        if much < MOVES or abs(lopsided) < WOVEN * much:
            return None
        return 0 if lopsided > 0 else 1


def said_of(made: int) -> list[str]:
    """What to say of so many pictures that were made whole."""
    return ["it is interlaced: of the two moments in each picture the first was used"] if made else []


def apart(before: Image, image: Image) -> np.ndarray:
    """Two numbers, grey levels: how much further in time the even lines before are from the odd ones now than the odd
    ones before from the even ones now, and what there is of such change in all."""
    old, new = (picture[..., 1][:, ::COLUMNS].astype(np.int16) for picture in (before, image))
    around = new[:-2] + new[2:]
    cost = [np.abs(around - 2 * lines[1:-1]) for lines in (old, new)]
    even, odd = (float(cost[0][start::2].mean()) / 2 for start in (1, 0))  # row 0 of these is line 1
    detail = float(cost[1].mean()) / 2
    return np.array([even - odd, max(even + odd - 2 * detail, 0.0)])


def deinterlaced(image: Image, before: Image | None, first: int) -> Image:
    """The moment of the lines of parity `first`. The others are interpolated where something moves (against the
    picture before, None: everywhere) and stay where nothing does, as in the method of yadif: the mean of the lines
    above and below, held within the change in time about that line's own mean over time."""
    import cv2

    kept, lines = image[first::2], image[1 - first :: 2]
    if not len(lines):
        return image
    row = np.arange(len(lines))
    above, below = (np.clip(row + k - first, 0, len(kept) - 1) for k in (0, 1))
    guess = cv2.addWeighted(kept[above], 0.5, kept[below], 0.5, 0)
    if before is not None and before.shape == image.shape:
        lines_before = before[1 - first :: 2]
        moved = cv2.absdiff(kept, before[first::2])
        beside = cv2.addWeighted(moved[above], 0.5, moved[below], 0.5, 0)
        change = cv2.max(beside, cv2.absdiff(lines, lines_before) // 2)
        usual = cv2.addWeighted(lines, 0.5, lines_before, 0.5, 0)
        guess = cv2.max(cv2.min(guess, cv2.add(usual, change)), cv2.subtract(usual, change))
    out = image.copy()
    out[1 - first :: 2] = guess
    return out
