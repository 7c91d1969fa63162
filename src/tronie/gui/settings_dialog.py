"""All settings, a page for each branch of the library's tree."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtCore import Qt
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QListWidget,
    QScrollArea,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from tronie.gui.forms import Field
from tronie.gui.i18n import spoken, tr
from tronie.gui.labels import TITLES

if TYPE_CHECKING:
    from tronie.settings import Settings


class SettingsDialog(QDialog):
    """`settings` is what was chosen, valid when the dialog was accepted."""

    def __init__(self, settings: Settings, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.settings = settings
        self.fields: list[Field] = []
        self.setWindowTitle(tr("Settings"))
        self.names, self.pages = QListWidget(), QStackedWidget()
        self.names.currentRowChanged.connect(self.pages.setCurrentIndex)
        self.message = QLabel()
        self.message.setWordWrap(True)
        buttons = QDialogButtonBox(
            QDialogButtonBox.StandardButton.Ok
            | QDialogButtonBox.StandardButton.Cancel
            | QDialogButtonBox.StandardButton.RestoreDefaults
        )
        buttons.accepted.connect(self._accept)
        buttons.rejected.connect(self.reject)
        buttons.button(QDialogButtonBox.StandardButton.RestoreDefaults).clicked.connect(self._restore)
        layout = QVBoxLayout(self)
        middle = QHBoxLayout()
        middle.addWidget(self.names)
        middle.addWidget(self.pages, 1)
        layout.addLayout(middle, 1)
        layout.addWidget(self.message)
        layout.addWidget(buttons)
        self.resize(800, 460)
        self._fill(settings)

    def _fill(self, settings: Settings) -> None:
        from pydantic import BaseModel

        page = max(0, self.names.currentRow())
        self.names.clear()
        while self.pages.count():
            old: Any = self.pages.widget(0)
            self.pages.removeWidget(old)
            old.deleteLater()
        self.fields.clear()
        rest: list[Field] = []
        for name, info in type(settings).model_fields.items():
            value = getattr(settings, name)
            if name == "job":  # the window does both
                continue
            if not isinstance(value, BaseModel):
                rest.append(Field(name, info, value))
                continue
            inside = [Field(f"{name}.{leaf}", i, getattr(value, leaf)) for leaf, i in type(value).model_fields.items()]
            self._page(spoken(name), inside)
        self._page(tr("General"), rest)
        self.names.setFixedWidth(self.names.sizeHintForColumn(0) + 28)
        self.names.setCurrentRow(page)

    def _page(self, title: str, fields: list[Field]) -> None:
        form = QFormLayout()
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.FieldsStayAtSizeHint)
        for field in fields:
            form.addRow(field.title, field.widget)
            about = QLabel(tr(field.info.description or ""))
            about.setWordWrap(True)
            about.setMinimumWidth(340)
            about.setForegroundRole(QPalette.ColorRole.PlaceholderText)
            about.setAlignment(Qt.AlignmentFlag.AlignTop)
            form.addRow("", about)
        inside, page = QWidget(), QScrollArea()
        inside.setLayout(form)
        page.setWidget(inside)
        page.setWidgetResizable(True)
        page.setFrameShape(QScrollArea.Shape.NoFrame)
        self.names.addItem(title)
        self.pages.addWidget(page)
        self.fields += fields

    def _accept(self) -> None:
        from pydantic import ValidationError

        tree: dict[str, Any] = {}
        for field in self.fields:
            branch, _, leaf = field.place.rpartition(".")
            (tree.setdefault(branch, {}) if branch else tree)[leaf] = field.value
        try:
            self.settings = type(self.settings).model_validate(tree)
        except ValidationError as error:
            first = error.errors()[0]
            place = tr(TITLES.get(".".join(map(str, first["loc"])), ""))
            self.message.setText(f"{place}: {first['msg'].lower()}.")
            return
        self.accept()

    def _restore(self) -> None:
        self._fill(type(self.settings)())
