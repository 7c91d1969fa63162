"""An old photo restored: before and after with a border to drag, what was done, and the file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtWidgets import QCheckBox, QDialog, QHBoxLayout, QLabel, QProgressBar, QPushButton, QVBoxLayout, QWidget

from tronie.gui.client import Queue
from tronie.gui.i18n import stage_text, tr
from tronie.gui.image_widgets import BeforeAfter
from tronie.runtime.job import StageBegan
from tronie.service import restore_tasks

if TYPE_CHECKING:
    from tronie.service.messages import RestoredLooks
    from tronie.settings import Settings


class RestoreDialog(QDialog):
    """`line` does the work; `settings` are the window's, of which the branch `restore` is chosen here. Files go to
    `folder`, where `overwrite` replaces older ones."""

    def __init__(
        self, line: Queue, path: Path, settings: Settings, folder: Path, overwrite: bool, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.line, self.path, self.settings, self.folder, self.overwrite = line, path, settings, folder, overwrite
        self.looks: RestoredLooks | None = None
        self.setWindowTitle(tr("Restore {name}").format(name=path.name))
        self.compare = BeforeAfter(self)
        self.note = QLabel()
        self.note.setWordWrap(True)
        self.bar = QProgressBar()
        self.bar.setRange(0, 0)
        self.damage, self.keep_tone, self.colour = (
            QCheckBox(text) for text in (tr("Mend damage"), tr("Keep its tone"), tr("Invent colours"))
        )
        self.damage.setToolTip(tr("Fill in scratches, folds, stains and dust"))
        self.keep_tone.setToolTip(tr("Leave the photo its sepia or other tone"))
        self.colour.setToolTip(tr("Only of grey photos: the colours are invented"))
        chosen = settings.restore
        for box, value in zip(self.boxes, (chosen.damage != "off", chosen.keep_tone, chosen.colour), strict=True):
            box.setChecked(value)
            box.toggled.connect(self.begin)
        self.save = QPushButton(tr("Save"))
        self.save.setEnabled(False)
        self.save.clicked.connect(self._save)
        row = QHBoxLayout()
        for widget in (*self.boxes, self.save):
            row.addWidget(widget)
        layout = QVBoxLayout(self)
        layout.addWidget(self.compare, 1)
        layout.addWidget(self.bar)
        layout.addWidget(self.note)
        layout.addLayout(row)
        self.resize(900, 720)
        line.told.connect(self._told)
        line.done.connect(self._done)
        line.failed.connect(self._failed)
        self.begin()

    @property
    def boxes(self) -> tuple[QCheckBox, ...]:
        return self.damage, self.keep_tone, self.colour

    @property
    def wanted(self) -> Settings:
        """The settings as they are chosen now."""
        damage, tone, colour = (box.isChecked() for box in self.boxes)
        mending = "off" if not damage else "always" if self.settings.restore.damage == "always" else "auto"
        branch = self.settings.restore.model_copy(update={"damage": mending, "keep_tone": tone, "colour": colour})
        return self.settings.model_copy(update={"job": "restore", "restore": branch})

    def begin(self) -> None:
        """Restore the photo as it is asked for now."""
        self.save.setEnabled(False)
        self.bar.show()
        self.line.cancel()
        self.line.submit(("restore", self.wanted), restore_tasks.restore_photo, self.path, self.wanted)

    def reject(self) -> None:
        self.line.cancel()
        super().reject()

    def _told(self, key: Any, what: Any) -> None:
        if isinstance(what, StageBegan) and key[0] == "restore":
            self.note.setText(stage_text(what.stage))

    def _done(self, key: Any, result: Any) -> None:
        if key[0] == "save":
            self.note.setText(tr("Written to {path}").format(path=result))
        elif key == ("restore", self.wanted):
            self._show(result)
        self.bar.setVisible(self.line.busy)

    def _failed(self, key: Any, sentence: str) -> None:
        self.note.setText(sentence)
        self.bar.setVisible(self.line.busy)

    def _show(self, looks: RestoredLooks) -> None:
        self.looks = looks
        coloured = looks.coloured
        self.compare.show_pair(looks.before, looks.after if coloured is None else coloured)
        self.note.setText(what_was_done(looks, wanted_colour=self.colour.isChecked()))
        self.save.setEnabled(True)

    def _save(self) -> None:
        self.save.setEnabled(False)
        self.bar.show()
        self.line.submit(("save", self.path), restore_tasks.save_restored, self.path, self.folder, self.overwrite)


def what_was_done(looks: RestoredLooks, *, wanted_colour: bool) -> str:
    """In the user's language."""
    done = []
    if looks.filled > 0:
        done.append(tr("Damage filled in: {share} %.").format(share=f"{max(100 * looks.filled, 0.1):.1f}"))
    if looks.faded:
        done.append(tr("Faded tones taken back."))
    if looks.untoned:
        done.append(tr("Its one tone taken away."))
    if looks.grain:
        done.append(tr("Grain lightened."))
    if looks.faces:
        done.append(tr("Faces with detail that the photo does not show: {n}.").format(n=looks.faces))
    if looks.factor > 1:
        done.append(tr("Enlarged {n} times.").format(n=looks.factor))
    if looks.coloured is not None:
        done.append(tr("The colours are invented."))
    elif wanted_colour:
        done.append(tr("Not coloured: the photo has colours of its own."))
    return " ".join(done) or tr("Nothing had to be restored.")
