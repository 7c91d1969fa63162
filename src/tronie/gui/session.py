"""What the window is about: the photo or clip, its faces, the chosen one. It gives the work on them to the process
beside the window and says what came of it; no widgets here."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Signal

from tronie.gui.client import Bench, Queue
from tronie.gui.face_pictures import FacePictures
from tronie.gui.files_out import FilesOut
from tronie.gui.i18n import stage_text, tr
from tronie.gui.intake import Intake
from tronie.gui.plain import plain
from tronie.gui.progress import StepCount
from tronie.runtime.job import Advanced, CompilingKernels, FacesFound, StageBegan
from tronie.service import clip_people, clip_tasks, fit_tasks, person_tasks, photo_tasks
from tronie.service.messages import Card, FramePassed, FrameShown, Opened, PhotoState, Summary, Track, Tracked

if TYPE_CHECKING:
    from tronie.settings import Settings


class WindowSession(QObject):
    """`settings` gives the library's settings as they are now."""

    noted = Signal(object, str, object, object)
    """A path, one sentence about it, its PhotoState, and how many faces it has, or None."""
    cleared = Signal(str)
    """Nothing is shown any more, for this reason."""
    opened = Signal(object)
    spotted = Signal(object)
    """A Card of a face that is found and waits for its turn."""
    compiling = Signal()
    """Kernels, once on a machine."""
    carded = Signal(object)
    refitted = Signal(object, object)
    """The key of a face that was corrected, and its Card."""
    finished = Signal(object)
    followed = Signal(object)
    """The people of the clip."""
    filmed = Signal(object)
    """A camera's picture."""
    passed = Signal(object)
    """A FramePassed of the clip that is being followed."""
    said = Signal(str)
    stepped = Signal(object)
    """How far a clip is: Advanced."""
    busied = Signal(bool)

    def __init__(self, settings: Callable[[], Settings], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.settings = settings
        self.bench = Bench(self)
        self.intake, self.pictures = Intake(self.bench, self), FacePictures(self.bench, self)
        self.files = FilesOut(self.bench, self)
        self.path: Path | None = None
        self.people: dict[Path, tuple[Path, ...]] = {}
        """What people are known by who are made of several photos, with those."""
        self.pins: dict[tuple[Path, int], dict[int, tuple[float, float]]] = {}
        """Landmarks put right, of every face that was corrected: by number, where in the photo."""
        self.cards: dict[int, Card] = {}
        self.summary: Summary | None = None
        self.tracked: Tracked | None = None
        self.frame = -1
        """Of the clip, the one that is shown."""
        self.index: int | None = None
        self._steps = StepCount()
        self._line = Queue(self.bench, "work", self)
        self._line.told.connect(self._told)
        self._line.done.connect(self._done)
        self._line.failed.connect(self._failed)
        self._line.stopped.connect(self._stopped)
        self.intake.said.connect(self.said)
        self.intake.begun.connect(lambda _: self._line.submit(("warm", None), photo_tasks.warm_up, self.settings()))
        self.intake.unreadable.connect(lambda path, why: self.noted.emit(path, why, PhotoState.FAILED, None))
        self.pictures.stale.connect(self.frontal_changed)
        self.files.changed.connect(self._busy)
        self.files.said.connect(self.said)

    @property
    def moving(self) -> set[Path]:
        """Paths that are clips."""
        return self.intake.moving

    @property
    def working(self) -> bool:
        """Whether faces are in work."""
        return any(key[0] != "warm" for key in self._line.keys)

    @property
    def following(self) -> bool:
        """Whether people of a clip are in work, which would be lost by going elsewhere in it."""
        return any(key[0] in ("clip", "regroup") for key in self._line.keys)

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

    def clear(self, why: str, hint: str = "") -> None:
        """`hint` is said in the place of a head, instead of what there is to do."""
        self.cards, self.summary, self.tracked, self.index, self.frame = {}, None, None, None, -1
        self.cleared.emit(why)
        self._show(hint)

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

    def show_tracked(self, tracked: Tracked) -> None:
        """The people of the clip, who are known now."""
        self.cards, self.summary, self.tracked = {}, None, tracked
        self.index = tracked.people[0].number if tracked.people else None
        self._note(len(tracked.people), people=True)
        self.followed.emit(tracked)
        self._show()

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

    @property
    def card(self) -> Card | None:
        return None if self.index is None else self.cards.get(self.index)

    @property
    def track(self) -> Track | None:
        """The chosen person of a clip."""
        people = () if self.tracked is None else self.tracked.people
        return next((track for track in people if track.number == self.index), None)

    @property
    def key(self) -> tuple[Path, int] | None:
        """What the other process knows the chosen face by."""
        if self.track is not None:
            return self.track.folder, self.track.number
        return None if self.card is None or self.path is None else (self.path, self.card.index)

    def choose(self, index: int) -> None:
        self.index = index
        self._show()

    def _show(self, hint: str = "") -> None:
        why = hint or self._why_nothing()
        if self.key is None or why:
            self.pictures.show_none(why)
        else:
            self.pictures.show_face(self.key, self.settings().portrait)

    def _why_nothing(self) -> str:
        card = self.card
        if self.track is not None:
            return ""
        if card is None and self.path in self.moving:
            return tr("Reconstruct this frame, or track the whole clip.")
        if card is None and self.working:
            return tr("The faces are being worked on …")
        if card is None:
            return tr("Select a face in the photo.") if self.path is not None else tr("Heads appear here.")
        if card.error or not card.whole:
            return tr("This face could not be finished: {error}").format(error=card.error)
        return ""

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

    def _refitted(self, key: tuple[Path, int], card: Card) -> None:
        self.said.emit("")
        if key[0] == self.path:
            self.cards[card.index] = card
        if key == self.key:
            self.pictures.renew(self.settings().portrait)
        self.refitted.emit(key, card)

    # Files out

    def save(self, everything: bool, folder: Path, outputs: set[str], overwrite: bool) -> None:
        """Write the chosen face, or all of the photo's or clip's."""
        how = folder, outputs, self.settings(), overwrite
        if self.tracked is not None:
            people = [track.number for track in self.tracked.people]
            numbers = tuple(number for number in people if everything or number == self.index)
            self.files.save(folder, clip_people.hand_on, self.tracked.folder, numbers, *how)
        else:
            self.files.save(folder, photo_tasks.save, self.path, None if everything else self.index, *how)

    # What the work says

    def _work(self, key: Any, function: Callable[..., Any], *given: Any) -> None:
        self._line.submit(key, function, *given)
        self.busied.emit(True)

    def cancel(self) -> None:
        """Stop what is in work at its next step."""
        self._line.cancel()
        self.files.cancel()

    def close(self) -> None:
        self.bench.close()

    def _busy(self) -> None:
        self.busied.emit(self.working or self.files.busy)
        if not self.working:
            self._steps.clear()

    def _told(self, key: Any, what: Any) -> None:
        if isinstance(what, Advanced):
            self.stepped.emit(self._steps.with_all(what))
        elif key[0] == "warm":
            return
        elif isinstance(what, CompilingKernels):
            self.compiling.emit()
        elif isinstance(what, StageBegan) and key[0] in ("portrait", "refit"):
            portrait = key[0] == "portrait"
            self.said.emit(tr("Making the portrait …") if portrait else f"{stage_text(what.stage)} …")
        elif key[1] != self.path:
            return
        elif isinstance(what, StageBegan):
            text = stage_text(what.stage)
            self.said.emit(tr("Face {n}: {stage} …").format(n=what.face, stage=text) if what.face else f"{text} …")
        elif isinstance(what, Opened):
            self.opened.emit(what)
        elif isinstance(what, FacesFound):
            for face in what.faces:
                self.spotted.emit(Card(face.index, face.box, face.score, whole=False, waiting=True))
        elif isinstance(what, Card):
            self.cards[what.index] = what
            self.carded.emit(what)
        elif isinstance(what, FramePassed):
            self.passed.emit(what)
        elif isinstance(what, FrameShown):
            self.filmed.emit(what)
            self._line.take()

    def _done(self, key: Any, result: Any) -> None:
        if key[0] == "warm":
            return
        self._busy()
        if key[0] == "portrait":
            self.said.emit("")
            self.pictures.show_looks(key[1], result)
        elif key[0] == "refit":
            self._refitted(key[1], result)
        elif key[1] != self.path:
            return
        elif isinstance(result, Summary):
            self.summary = result
            text = self._note(len(self.cards))
            self.said.emit("   ".join(filter(None, (text, "; ".join(map(plain, result.notes))))))
            self.finished.emit(result)
        elif isinstance(result, Tracked):
            self.show_tracked(result)
            self.said.emit("   ".join([tr("Written to {path}").format(path=result.folder), *map(plain, result.notes)]))
        elif key[0] == "film":
            self.said.emit(tr("The camera has ended."))

    def _note(self, count: int, people: bool = False) -> str:
        """Say in the list how many there are."""
        one, several = ("1 person followed", "{n} people followed") if people else ("1 face", "{n} faces")
        text = tr(one) if count == 1 else tr(several).format(n=count) if count else tr("No face was found.")
        self.noted.emit(self.path, text, PhotoState.DONE if count else PhotoState.EMPTY, count)
        return text

    def _failed(self, key: Any, sentence: str) -> None:
        if key[0] == "warm":
            return  # the first photo will say so
        self._busy()
        if key[0] in ("photo", "clip", "film"):
            self.noted.emit(key[1], sentence, PhotoState.FAILED, None)
            if key[1] != self.path:
                return
            sentence = sentence.replace(str(key[1]), key[1].name)
            if key[0] != "clip":
                self._show_none(sentence)
        self.said.emit(sentence)

    def _show_none(self, why: str) -> None:
        self.cleared.emit(why)
        self.pictures.show_none(why)

    def _stopped(self, key: Any) -> None:
        if key[0] == "warm":
            return
        self._busy()
        if key[0] == "regroup":
            self.said.emit(tr("Cancelled."))
        elif key[0] in ("photo", "clip"):
            if key[1] != self.path:
                self.noted.emit(key[1], "", PhotoState.NEW, None)
            if key[1] != self.path or self.working:
                return
            self.noted.emit(key[1], tr("Cancelled."), PhotoState.NEW, None)
            self.said.emit(tr("Cancelled."))
            if key[0] == "photo" and not self.cards:
                self._show_none(tr("Cancelled."))
