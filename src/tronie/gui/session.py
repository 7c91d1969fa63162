"""What the window is about: the photo or clip, its faces, the chosen one. It gives the jobs to the process beside the
window and says what came of them; no widgets here."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Signal

from tronie.gui.client import Bench, Queue
from tronie.gui.i18n import stage_text, tr
from tronie.gui.plain import plain
from tronie.runtime.job import Advanced, CompilingKernels, FacesFound, StageBegan
from tronie.service import clip_people, clip_tasks, fit_tasks, person_tasks, photo_tasks
from tronie.service.messages import (
    Card,
    FramePassed,
    FrameShown,
    Opened,
    PhotoState,
    PreviewImages,
    Sitter,
    Summary,
    Track,
    Tracked,
)

if TYPE_CHECKING:
    from tronie.settings import ExportSettings, Settings


class WindowSession(QObject):
    """`settings` gives the library's settings as they are now."""

    begun = Signal(object)
    """About."""
    found = Signal(object, object)
    """New paths with whether each moves, and sentences for what cannot be used."""
    thumbnail = Signal(object, object)
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
    headed = Signal(object, str)
    """The chosen face's Sitter, or None and why."""
    looked = Signal(object, str)
    """Its PreviewImages, or None and why."""
    followed = Signal(object)
    """The people of the clip."""
    filmed = Signal(object)
    """A camera's picture."""
    passed = Signal(object)
    """A FramePassed of the clip that is being followed."""
    saved = Signal(object, str)
    """A folder or None, and a sentence."""
    lent = Signal(object)
    """head.glb of the chosen face, ready to be dragged."""
    said = Signal(str)
    stepped = Signal(object)
    """How far a clip is: Advanced, or None."""
    busied = Signal(bool)

    def __init__(self, settings: Callable[[], Settings], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._settings = settings
        self.bench = Bench(self)
        self.work, self.files, self.thumbs, self.shapes, self.looks = (
            Queue(self.bench, name, self) for name in ("work", "files", "thumbs", "shapes", "looks")
        )
        self.path: Path | None = None
        self.people: dict[Path, tuple[Path, ...]] = {}
        """What people are known by who are made of several photos, with those."""
        self.pins: dict[tuple[Path, int], dict[int, tuple[float, float]]] = {}
        """Landmarks put right, of every face that was corrected: by number, where in the photo."""
        self.moving: set[Path] = set()
        """Paths that are clips."""
        self.cards: dict[int, Card] = {}
        self.summary: Summary | None = None
        self.tracked: Tracked | None = None
        self.frame = -1
        """Of the clip, the one that is shown."""
        self.index: int | None = None
        self._steps: dict[tuple[str, int], Advanced] = {}
        """The last step of each stage of each person of a clip."""
        for line, done in (
            (self.work, self._worked),
            (self.files, self._filed),
            (self.thumbs, self._listed),
            (self.shapes, self._shaped),
            (self.looks, self._seen),
        ):
            line.done.connect(done)
            line.failed.connect(self._failed)
            line.stopped.connect(self._stopped)
        self.work.told.connect(self._told)

    @property
    def working(self) -> bool:
        """Whether faces are in work."""
        return any(key[0] != "warm" for key in self.work.keys)

    # Photos

    def begin(self) -> None:
        """Start the process beside the window."""
        self.thumbs.submit(("about",), photo_tasks.about)

    def add(self, given: Sequence[str]) -> None:
        """Look for photos and clips in files and folders."""
        self.said.emit(tr("Looking for photos …"))
        self.thumbs.submit(("find",), photo_tasks.find, list(given))

    def open(self, path: Path) -> None:
        """A photo, whose faces are done unless that is done; of a clip only the player knows."""
        self.work.cancel()
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
                self._work(("photo", path), person_tasks.open_person, path, photos, pins, self._settings())
            else:
                self._work(("photo", path), photo_tasks.open_photo, path, self._settings())

    def one_person(self, photos: Sequence[Path]) -> Path:
        """What a head made of several photos is known by, to be opened as a photo is."""
        name = tr("{name} and {n} more").format(name=photos[0].stem, n=len(photos) - 1)
        known = next((path for path, of in self.people.items() if of == tuple(photos)), None)
        path = known or Path(name if Path(name) not in self.people else f"{name} ({len(self.people) + 1})")
        self.people[path] = tuple(photos)
        return path

    def drop(self, paths: Sequence[Path]) -> None:
        """Photos that were taken from the list."""
        self.moving -= set(paths)
        if self.path in paths:
            self.work.cancel()
            self.path = None
            self.clear(tr("Drop photos, videos or folders here, or press Ctrl+O."))

    def clear(self, why: str, hint: str = "") -> None:
        """`hint` is said in the place of a head, instead of what there is to do."""
        self.cards, self.summary, self.tracked, self.index, self.frame = {}, None, None, None, -1
        self.cleared.emit(why)
        self._show(hint)

    def capture(self) -> None:
        """The faces of the frame that is shown."""
        path = self.path
        assert path is not None
        self.work.cancel()
        self.clear("", tr("The faces are being worked on …"))
        self._work(("photo", path), photo_tasks.open_frame, path, self._settings())

    def film(self, source: Path) -> None:
        """A camera, or a clip in its place, live."""
        self.work.cancel()
        self.path = source
        self.moving.add(source)
        self.clear(tr("Waiting for the camera …"))
        self._work(("film", source), clip_tasks.film, source, self._settings())

    def follow(self, folder: Path, overwrite: bool, part: Mapping[str, float]) -> None:
        """Everybody in the clip, or in a part of it: `start` and `seconds`."""
        assert self.path is not None
        self.work.cancel()
        self.clear("", f"{stage_text('follow')} …")
        self.said.emit(f"{stage_text('follow')} …")
        self.noted.emit(self.path, "", PhotoState.WORKING, None)
        settings = self._settings()
        settings = settings.model_copy(update={"video": settings.video.model_copy(update=dict(part))})
        self._work(("clip", self.path), clip_tasks.follow, self.path, folder, settings, overwrite)

    def regroup(self, edits: Sequence[tuple[str, int, int]]) -> None:
        """The clip's people put right by hand: with all these edits."""
        if self.tracked is None or self.path is None:
            return
        self.work.cancel()
        folder = self.tracked.folder.parent
        self._work(("regroup", self.path), clip_tasks.regroup, self.path, folder, self._settings(), tuple(edits))

    def look_up(self, folder: Path) -> None:
        """Whether the clip was followed before."""
        self.looks.submit(("known", self.path), clip_tasks.look_up, self.path, folder)

    def at(self, picture: FrameShown) -> None:
        """Another frame of the clip is shown."""
        self.frame = picture.index
        if self.tracked is None:
            if self.cards or self.working:
                self.work.cancel()
                self.clear("")
            return
        self.cards = {
            track.number: card for track in self.tracked.people if (card := track.card(picture.index)) is not None
        }

    def _work(self, key: Any, function: Callable[..., Any], *given: Any) -> None:
        self.work.submit(key, function, *given)
        self.busied.emit(True)

    def cancel(self) -> None:
        """Stop what is in work at its next step."""
        self.work.cancel()
        self.files.cancel()

    def close(self) -> None:
        self.bench.close()

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
            self.headed.emit(None, why)
            self.looked.emit(None, why)
            return
        self.headed.emit(None, tr("Preparing the head …"))
        self.shapes.submit(("shape", self.key), photo_tasks.sitter, self.key, alone=True)
        self.looks.submit(("looks", self.key), photo_tasks.looks, self.key, self._settings().portrait, alone=True)

    def refit(self, key: tuple[Path, int], pins: Mapping[int, tuple[float, float]]) -> None:
        """Make a face anew with landmarks that were put where they belong."""
        self._work(("refit", key), fit_tasks.refit, key, pins)

    def stop_refit(self) -> None:
        """A correction that goes on: what is made of its last state is in vain."""
        if self.work.keys and all(key[0] == "refit" for key in self.work.keys):
            self.work.cancel()

    def _refitted(self, key: tuple[Path, int], card: Card) -> None:
        self.said.emit("")
        if key[0] == self.path:
            self.cards[card.index] = card
        if key == self.key:
            self.shapes.submit(("shape", key), photo_tasks.sitter, key, alone=True)
            self.looks.submit(("looks", key), photo_tasks.looks, key, self._settings().portrait, alone=True)
        self.refitted.emit(key, card)

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
            self._work(("portrait", self.key), photo_tasks.portrait, self.key, self._settings())

    # Files out

    def save(self, everything: bool, folder: Path, outputs: set[str], overwrite: bool) -> None:
        """Write the chosen face, or all of the photo's."""
        if self.tracked is not None:
            numbers = tuple(track.number for track in self.tracked.people if everything or track.number == self.index)
            people = self.tracked.folder, numbers, folder, outputs, self._settings(), overwrite
            self.files.submit(("save", folder), clip_people.hand_on, *people)
            self.busied.emit(True)
            return
        only = None if everything else self.index
        self.files.submit(
            ("save", folder), photo_tasks.save, self.path, only, folder, outputs, self._settings(), overwrite
        )
        self.busied.emit(True)

    def lend(self, export: ExportSettings) -> None:
        """Have head.glb of the chosen face ready."""
        if self.key is not None:
            self.files.submit(("lend", self.key), photo_tasks.lend, self.key, export)

    # What the lines say

    def _busy(self) -> None:
        self.busied.emit(self.working or self.files.busy)
        if not self.working:
            self._steps.clear()
            self.stepped.emit(None)

    def _advanced(self, step: Advanced) -> None:
        """People of a clip that are in work at once are counted together."""
        self._steps[step.stage, step.face] = step
        steps = [known for (stage, _), known in self._steps.items() if stage == step.stage]
        totals = [known.total for known in steps if known.total is not None]
        total = sum(totals) if len(totals) == len(steps) else None
        self.stepped.emit(replace(step, done=sum(known.done for known in steps), total=total, face=0))

    def _told(self, key: Any, what: Any) -> None:
        if isinstance(what, Advanced):
            self._advanced(what)
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
            self.work.take()

    def _worked(self, key: Any, result: Any) -> None:
        if key[0] == "warm":
            return
        self._busy()
        if key[0] == "portrait":
            self.said.emit("")
            if key[1] == self.key:
                self.looked.emit(result, "")
        elif key[0] == "refit":
            self._refitted(key[1], result)
        elif key[1] != self.path:
            return
        elif isinstance(result, Summary):
            self.summary = result
            count = len(self.cards)
            text = tr("No face was found.") if not count else _faces(count)
            self.noted.emit(self.path, text, PhotoState.DONE if count else PhotoState.EMPTY, count)
            self.said.emit("   ".join(filter(None, (text, "; ".join(map(plain, result.notes))))))
            self.finished.emit(result)
        elif isinstance(result, Tracked):
            self._follow(result)
            self.said.emit("   ".join([tr("Written to {path}").format(path=result.folder), *map(plain, result.notes)]))
        elif key[0] == "film":
            self.said.emit(tr("The camera has ended."))

    def _follow(self, tracked: Tracked) -> None:
        self.cards, self.summary, self.tracked = {}, None, tracked
        self.index = tracked.people[0].number if tracked.people else None
        count = len(tracked.people)
        text = tr("No face was found.") if not count else _people(count)
        self.noted.emit(self.path, text, PhotoState.DONE if count else PhotoState.EMPTY, count)
        self.followed.emit(tracked)
        self._show()

    def _seen(self, key: Any, result: Any) -> None:
        if key[0] == "known":
            if key[1] == self.path and result is not None and self.tracked is None and not self.working:
                self._follow(result)
        elif key[1] == self.key and isinstance(result, PreviewImages):
            if result.after is None:
                self.looked.emit(result, tr("The settings ask for no portrait (Settings, General)."))
                return
            self.looked.emit(result, "")
            if result.stale:
                self.frontal_changed()

    def _shaped(self, key: Any, sitter: Sitter) -> None:
        if key[1] == self.key:
            self.headed.emit(sitter, "")

    def _listed(self, key: Any, result: Any) -> None:
        if key[0] == "thumb":
            self.thumbnail.emit(key[1], result)
            return
        if key[0] == "about":
            self.begun.emit(result)
            self.work.submit(("warm", None), photo_tasks.warm_up, self._settings())
            return
        paths, problems = result
        problems = [plain(problem) for problem in problems]
        self.moving |= {path for path, moves in paths if moves}
        self.said.emit(" ".join(problems))
        self.found.emit([path for path, _ in paths], problems)

    def picture_of(self, path: Path, shown: Path | None = None) -> None:
        """Ask for a thumbnail; `shown` is what it stands for, by default the path itself."""
        self.thumbs.submit(("thumb", shown or path), photo_tasks.thumbnail, path)

    def _filed(self, key: Any, path: Any) -> None:
        self._busy()
        if key[0] == "save":
            path, more = path if isinstance(path, tuple) else (path, "")
            self.saved.emit(path, "   ".join(filter(None, (tr("Written to {path}").format(path=path), plain(more)))))
        elif key[0] == "lend" and key[1] == self.key:
            self.lent.emit(path)

    def _failed(self, key: Any, sentence: str) -> None:
        if key[0] == "warm":
            return  # the first photo will say so
        self._busy()
        if key[0] in ("photo", "thumb", "clip", "film"):
            self.noted.emit(key[1], sentence, PhotoState.FAILED, None)
            if key[1] == self.path and key[0] != "thumb":
                self.said.emit(sentence)
                if key[0] != "clip":
                    self.cleared.emit(sentence)
        elif key[0] in ("shape", "looks"):
            if key[1] == self.key:
                (self.headed if key[0] == "shape" else self.looked).emit(None, sentence)
        else:
            self.said.emit(sentence)
            if key[0] in ("save", "lend"):
                self.saved.emit(None, sentence)

    def _stopped(self, key: Any) -> None:
        if key[0] == "warm":
            return
        self._busy()
        if key[0] == "save":
            self.saved.emit(None, tr("Cancelled; nothing was written."))
        elif key[0] == "regroup":
            self.said.emit(tr("Cancelled."))
        elif key[0] in ("photo", "clip"):
            if key[1] != self.path:
                self.noted.emit(key[1], "", PhotoState.NEW, None)
            if key[1] != self.path or self.working:
                return
            self.noted.emit(key[1], tr("Cancelled."), PhotoState.NEW, None)
            self.said.emit(tr("Cancelled."))
            if key[0] == "photo" and not self.cards:
                self.cleared.emit(tr("Cancelled."))


def _faces(count: int) -> str:
    return tr("1 face") if count == 1 else tr("{n} faces").format(n=count)


def _people(count: int) -> str:
    return tr("1 person followed") if count == 1 else tr("{n} people followed").format(n=count)
