"""The model files: what each is for, its licence, and the import of those a user brings along."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QFileDialog,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QPushButton,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from tronie.gui.client import Queue
from tronie.gui.i18n import tr
from tronie.service import photo_tasks


class ModelsDialog(QDialog):
    """`line` does the imports, and says what there is."""

    def __init__(self, line: Queue, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.line = line
        self.setWindowTitle(tr("Models"))
        self.table = QTableWidget(0, 6)
        self.table.setHorizontalHeaderLabels(
            [tr("Name"), tr("What it is"), tr("Installed"), tr("Licence"), tr("Commercial use"), tr("From")]
        )
        self.table.setEditTriggers(QTableWidget.EditTrigger.NoEditTriggers)
        self.table.setSelectionBehavior(QTableWidget.SelectionBehavior.SelectRows)
        self.table.setSelectionMode(QTableWidget.SelectionMode.SingleSelection)
        self.table.verticalHeader().hide()
        self.table.setWordWrap(True)
        self.table.itemSelectionChanged.connect(self._match)
        self.kind = QComboBox()
        self.kind.currentIndexChanged.connect(self._explain)
        self.button = QPushButton(tr("Import a file …"))
        self.button.setEnabled(False)
        self.button.clicked.connect(self._choose)
        self.message = QLabel(tr("Models that may not come with tronie: download one yourself, then import it here."))
        self.origin = QLabel()
        for label in (self.message, self.origin):
            label.setWordWrap(True)
            label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        row = QHBoxLayout()
        row.addWidget(self.kind)
        row.addWidget(self.button)
        row.addWidget(self.origin, 1)
        layout = QVBoxLayout(self)
        layout.addWidget(self.table, 1)
        layout.addWidget(self.message)
        layout.addLayout(row)
        line.done.connect(self._done)
        line.failed.connect(self._failed)
        self.resize(1100, 560)
        line.submit(("models",), photo_tasks.models)

    def fill(self, rows: list[dict[str, Any]], bring: list[dict[str, Any]]) -> None:
        """Rows as of `tronie.importers.catalog`; those of the second list can be imported here."""
        self.table.setRowCount(len(rows) + len(bring))
        for k, row in enumerate([*rows, *bring]):
            there = tr("with tronie") if row["vendored"] else tr("yes") if row["installed"] else tr("no")
            if row["installed"] and row.get("calibrated") is False:
                there = tr("yes, not calibrated")
            commercial = tr("allowed") if row["commercial_use"] else tr("not allowed")
            cells = row["name"], row["purpose"], there, row["licence"], commercial, row["origin"]
            for column, text in enumerate(cells):
                item = QTableWidgetItem(text)
                item.setToolTip(text)
                self.table.setItem(k, column, item)
        header = self.table.horizontalHeader()
        for column in (0, 2, 4):
            header.setSectionResizeMode(column, QHeaderView.ResizeMode.ResizeToContents)
        for column in (1, 3, 5):
            header.setSectionResizeMode(column, QHeaderView.ResizeMode.Stretch)
        QTimer.singleShot(0, self.table.resizeRowsToContents)  # when the columns are as wide as they will be
        chosen = self.kind.currentText()
        self.kind.clear()
        for row in bring:
            self.kind.addItem(row["name"], row)
        self.kind.setCurrentIndex(max(0, self.kind.findText(chosen)))
        self.button.setEnabled(True)

    def _match(self) -> None:
        """The kind whose row was selected is the one to be imported."""
        for item in self.table.selectedItems()[:1]:
            name = self.table.model().index(item.row(), 0).data()
            if (k := self.kind.findText(name)) >= 0:
                self.kind.setCurrentIndex(k)

    def _explain(self, _: int) -> None:
        row = self.kind.currentData()
        if row is not None:
            files = ", ".join(row["files"])
            self.origin.setText(tr("{files}, from {origin}").format(files=files, origin=row["origin"]))

    def _choose(self) -> None:
        file, _ = QFileDialog.getOpenFileName(self, tr("Import a model"))
        if file:
            self.bring(self.kind.currentText(), Path(file))

    def bring(self, kind: str, file: Path) -> None:
        self.button.setEnabled(False)
        self.message.setText(tr("Importing {name} …").format(name=file.name))
        self.line.submit(("import", kind), photo_tasks.import_model, kind, file)

    def _done(self, key: object, result: Any) -> None:
        if key == ("models",):
            self.fill(*result)
        elif isinstance(key, tuple) and key[0] == "import":
            self.button.setEnabled(True)
            name, licence = getattr(result, "name", ""), getattr(result, "licence", "")
            self.message.setText(tr("{name} is installed; its licence: {licence}.").format(name=name, licence=licence))
            self.line.submit(("models",), photo_tasks.models)

    def _failed(self, key: object, sentence: str) -> None:
        if isinstance(key, tuple) and key[0] in ("import", "models"):
            self.button.setEnabled(self.kind.count() > 0)
            self.message.setText(sentence)
