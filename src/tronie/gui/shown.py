"""What is shown: the photo or clip, its faces, the chosen one; and what the work on them says. No widgets here."""

from __future__ import annotations

from collections.abc import Callable
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
from tronie.service import photo_tasks
from tronie.service.messages import Card, FramePassed, FrameShown, Opened, PhotoState, Summary, Track, Tracked

if TYPE_CHECKING:
    from tronie.settings import Settings


class Shown(QObject):
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

    def clear(self, why: str, hint: str = "") -> None:
        """`hint` is said in the place of a head, instead of what there is to do."""
        self.cards, self.summary, self.tracked, self.index, self.frame = {}, None, None, None, -1
        self.cleared.emit(why)
        self._show(hint)

    def choose(self, index: int) -> None:
        self.index = index
        self._show()

    def show_tracked(self, tracked: Tracked) -> None:
        """The people of the clip, who are known now."""
        self.cards, self.summary, self.tracked = {}, None, tracked
        self.index = tracked.people[0].number if tracked.people else None
        self._note(len(tracked.people), people=True)
        self.followed.emit(tracked)
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

    # What the work says

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

    def _refitted(self, key: tuple[Path, int], card: Card) -> None:
        self.said.emit("")
        if key[0] == self.path:
            self.cards[card.index] = card
        if key == self.key:
            self.pictures.renew(self.settings().portrait)
        self.refitted.emit(key, card)

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
