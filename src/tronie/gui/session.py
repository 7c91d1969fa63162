"""What can be asked for: work on what is shown, for the process beside the window. No widgets here."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject

from tronie.gui.i18n import stage_text, tr
from tronie.gui.shown import Shown
from tronie.service import clip_people, clip_tasks, fit_tasks, person_tasks, photo_tasks
from tronie.service.messages import FrameShown, PhotoState

if TYPE_CHECKING:
    from tronie.settings import Settings


class WindowSession(Shown):
    """Work on another photo ends what is in work."""

    def __init__(self, settings: Callable[[], Settings], parent: QObject | None = None) -> None:
        super().__init__(settings, parent)
        self.pictures.stale.connect(self.frontal_changed)

    # Photos

    def open(self, path: Path) -> None:
        """A photo, whose faces are done unless that is done; of a clip only the player knows."""
        self._line.cancel()
        self.path = path
        self.said.emit("")
        still = path not in self.moving
        working = tr("The faces are being worked on …") if still else ""
        self.clear(tr("Reading {name} …").format(name=path.name), working)
        if still:
            self.noted.emit(path, "", PhotoState.WORKING, None)
            if path in self.people:
                photos = self.people[path]
                pins = {row: some for row, photo in enumerate(photos) if (some := self.pins.get((photo, 1)))}
                self._work(("photo", path), person_tasks.open_person, path, photos, pins, self.settings())
            else:
                self._work(("photo", path), photo_tasks.open_photo, path, self.settings())

    def one_person(self, photos: Sequence[Path]) -> Path:
        """What a head made of several photos is known by, to be opened as a photo is."""
        name = tr("{name} and {n} more").format(name=photos[0].stem, n=len(photos) - 1)
        known = next((path for path, of in self.people.items() if of == tuple(photos)), None)
        path = known or Path(name if Path(name) not in self.people else f"{name} ({len(self.people) + 1})")
        self.people[path] = tuple(photos)
        return path

    def drop(self, paths: Sequence[Path]) -> None:
        """Photos that were taken from the list."""
        self.intake.moving -= set(paths)
        if self.path in paths:
            self._line.cancel()
            self.path = None
            self.clear(tr("Drop photos, videos or folders here, or press Ctrl+O."))

    def film(self, source: Path) -> None:
        """A camera, or a clip in its place, live."""
        self._line.cancel()
        self.path = source
        self.moving.add(source)
        self.clear(tr("Waiting for the camera …"))
        self._work(("film", source), clip_tasks.film, source, self.settings())

    # Clips

    def capture(self) -> None:
        """The faces of the frame that is shown."""
        path = self.path
        assert path is not None
        self._line.cancel()
        self.clear("", tr("The faces are being worked on …"))
        self._work(("photo", path), photo_tasks.open_frame, path, self.settings())

    def follow(self, folder: Path, overwrite: bool, part: Mapping[str, float]) -> None:
        """Everybody in the clip, or in a part of it: `start` and `seconds`."""
        assert self.path is not None
        self._line.cancel()
        following = f"{stage_text('follow')} …"
        self.clear("", following)
        self.said.emit(following)
        self.noted.emit(self.path, "", PhotoState.WORKING, None)
        settings = self.settings()
        settings = settings.model_copy(update={"video": settings.video.model_copy(update=dict(part))})
        self._work(("clip", self.path), clip_tasks.follow, self.path, folder, settings, overwrite)

    def regroup(self, edits: Sequence[tuple[str, int, int]]) -> None:
        """The clip's people put right by hand: with all these edits."""
        if self.tracked is None or self.path is None:
            return
        self._line.cancel()
        folder = self.tracked.folder.parent
        self._work(("regroup", self.path), clip_tasks.regroup, self.path, folder, self.settings(), tuple(edits))

    def at(self, picture: FrameShown) -> None:
        """Another frame of the clip is shown."""
        self.frame = picture.index
        if self.tracked is None:
            if self.cards or self.working:
                self._line.cancel()
                self.clear("")
            return
        self.cards = {
            track.number: card for track in self.tracked.people if (card := track.card(picture.index)) is not None
        }

    # The chosen face

    def frontal_changed(self) -> None:
        """The portrait is wanted with other options."""
        if self.key is not None and (self.track is not None or (self.card is not None and self.card.portrait)):
            self._work(("portrait", self.key), photo_tasks.portrait, self.key, self.settings())

    def refit(self, key: tuple[Path, int], pins: Mapping[int, tuple[float, float]]) -> None:
        """Make a face anew with landmarks that were put where they belong."""
        self._work(("refit", key), fit_tasks.refit, key, pins)

    def stop_refit(self) -> None:
        """A correction that goes on: what is made of its last state is in vain."""
        if self._line.keys and all(key[0] == "refit" for key in self._line.keys):
            self._line.cancel()

    def save(self, everything: bool, folder: Path, outputs: set[str], overwrite: bool) -> None:
        """Write the chosen face, or all of the photo's or clip's."""
        how = folder, outputs, self.settings(), overwrite
        if self.tracked is not None:
            people = [track.number for track in self.tracked.people]
            numbers = tuple(number for number in people if everything or number == self.index)
            self.files.save(folder, clip_people.hand_on, self.tracked.folder, numbers, *how)
        else:
            self.files.save(folder, photo_tasks.save, self.path, None if everything else self.index, *how)

    # The work

    def _work(self, key: Any, function: Callable[..., Any], *given: Any) -> None:
        self._line.submit(key, function, *given)
        self.busied.emit(True)

    def cancel(self) -> None:
        """Stop what is in work at its next step."""
        self._line.cancel()
        self.files.cancel()

    def close(self) -> None:
        self.bench.close()
