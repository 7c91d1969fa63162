"""The portrait from the front, beside the photo's face, and what can be chosen for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QCheckBox, QFormLayout, QLabel, QVBoxLayout, QWidget

from tronie.gui.i18n import tr
from tronie.gui.image_widgets import BeforeAfter
from tronie.gui.plain import plain

if TYPE_CHECKING:
    from tronie.gui.forms import Field
    from tronie.service.messages import PreviewImages
    from tronie.settings import PortraitSettings

OPTIONS = ("crop", "background", "gaze", "size")
"""Of `PortraitSettings`."""


class PortraitPanel(QWidget):
    """`wanted` tells that other options were chosen: `options()`."""

    wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.compare = BeforeAfter(self)
        self.rest = QCheckBox(tr("At rest"))
        self.rest.setToolTip(tr("Without the photo's expression"))
        self.rest.toggled.connect(self._show)
        self.fields: dict[str, Field] = {}
        self._form = QFormLayout()
        self._form.addRow("", self.rest)
        self.looks: PreviewImages | None = None
        self._hint = ""
        layout = QVBoxLayout(self)
        layout.setContentsMargins(4, 6, 4, 4)
        layout.addWidget(self.compare, 1)
        layout.addLayout(self._form)

    def set_options(self, settings: PortraitSettings) -> None:
        """Show these settings' values."""
        from tronie.gui.forms import Field

        while self._form.rowCount() > 1:
            self._form.removeRow(1)
        for name in OPTIONS:
            info = type(settings).model_fields[name]
            field = Field(f"portrait.{name}", info, getattr(settings, name), self.wanted.emit)
            self.fields[name] = field
            self._form.addRow(field.title, field.widget)

    def options(self, settings: PortraitSettings) -> PortraitSettings:
        """The settings with what is chosen here."""
        return settings.model_copy(update={name: field.value for name, field in self.fields.items()})

    def show_looks(self, looks: PreviewImages | None, hint: str = "") -> None:
        self.looks, self._hint = looks, hint
        self._show()

    def _show(self) -> None:
        looks = self.looks
        self.rest.setEnabled(looks is not None and looks.rest is not None)
        fixed = looks is not None and looks.fixed
        why = tr("This portrait was read from its file: track the clip again for another.") if fixed else ""
        for field in self.fields.values():
            field.widget.setEnabled(not fixed)
            field.widget.setToolTip(why or tr(field.info.description or ""))
        if looks is None or looks.after is None:
            self.compare.show_pair(None, None, self._hint)
            return
        after = looks.rest if self.rest.isChecked() and looks.rest is not None else looks.after
        self.compare.show_pair(looks.before, after)


class EnhancedPanel(QWidget):
    """A small face before and after super-resolution."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.compare = BeforeAfter(self)
        self.note = QLabel()
        self.note.setWordWrap(True)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(4, 6, 4, 4)
        layout.addWidget(self.compare, 1)
        layout.addWidget(self.note)

    def show_looks(self, looks: PreviewImages | None) -> None:
        if looks is None or looks.large is None:
            self.compare.show_pair(None, None, tr("This face is large enough: nothing had to be enhanced."))
            self.note.clear()
            return
        self.compare.show_pair(looks.small, looks.large)
        said = tr("{factor} times enlarged by {name}.").format(factor=f"{looks.factor:.1f}", name=looks.enhancer)
        note = plain(looks.note)
        self.note.setText(f"{said} {note[:1].upper() + note[1:]}." if note else said)
