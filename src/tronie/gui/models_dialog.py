"""The model files: what each is for, its licence, and the import of those a user brings along."""

from __future__ import annotations

from pathlib import Path

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

from tronie.gui import work
from tronie.gui.lines import Line
from tronie.gui.words import tr


class ModelsDialog(QDialog):
    def __init__(self, line: Line, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        from tronie.head.families import families
        from tronie.imports import KINDS

        self.line = line
        self.setWindowTitle(tr("Models"))
        self.table = QTableWidget(0, 5)
        self.table.setHorizontalHeaderLabels(
            [tr("Name"), tr("What it is"), tr("Installed"), tr("Licence"), tr("Commercial use")]
        )
        self.table.setEditTriggers(QTableWidget.EditTrigger.NoEditTriggers)
        self.table.verticalHeader().hide()
        self.table.setWordWrap(True)
        self.kind = QComboBox()
        self.kind.addItems([*KINDS, *families()])
        self.button = QPushButton(tr("Import a file …"))
        self.button.clicked.connect(self._choose)
        self.message = QLabel(tr("Models that may not come with tronie: download one yourself, then import it here."))
        self.message.setWordWrap(True)
        row = QHBoxLayout()
        row.addWidget(self.kind)
        row.addWidget(self.button)
        row.addStretch(1)
        layout = QVBoxLayout(self)
        layout.addWidget(self.table, 1)
        layout.addWidget(self.message)
        layout.addLayout(row)
        line.done.connect(self._done)
        line.failed.connect(self._failed)
        self.resize(900, 480)
        self.fill()

    def fill(self) -> None:
        from tronie.imports import imported
        from tronie.weights import WEIGHTS, present

        rows = [(w.name, w.purpose, present(w.name), w.licence, w.commercial_use) for w in WEIGHTS.values()]
        rows += [(one.name, one.purpose, True, one.licence, one.commercial_use) for one in imported().values()]
        self.table.setRowCount(len(rows))
        for k, (name, purpose, there, licence, commercial) in enumerate(rows):
            cells = (
                name, purpose, tr("yes") if there else tr("no"), licence,
                tr("allowed") if commercial else tr("not allowed"),
            )  # fmt: skip
            for column, text in enumerate(cells):
                item = QTableWidgetItem(text)
                item.setToolTip(text)
                self.table.setItem(k, column, item)
        self.table.resizeColumnsToContents()
        self.table.horizontalHeader().setSectionResizeMode(1, QHeaderView.ResizeMode.Stretch)
        self.table.resizeRowsToContents()

    def _choose(self) -> None:
        file, _ = QFileDialog.getOpenFileName(self, tr("Import a model"))
        if file:
            self.bring(self.kind.currentText(), Path(file))

    def bring(self, kind: str, file: Path) -> None:
        self.button.setEnabled(False)
        self.message.setText(tr("Importing {name} …").format(name=file.name))
        self.line.submit(("import", kind), work.import_model, kind, file)

    def _done(self, key: object, result: object) -> None:
        if isinstance(key, tuple) and key[0] == "import":
            self.button.setEnabled(True)
            name, licence = getattr(result, "name", ""), getattr(result, "licence", "")
            self.message.setText(tr("{name} is installed; its licence: {licence}.").format(name=name, licence=licence))
            self.fill()

    def _failed(self, key: object, sentence: str) -> None:
        if isinstance(key, tuple) and key[0] == "import":
            self.button.setEnabled(True)
            self.message.setText(sentence)
