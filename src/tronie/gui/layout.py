"""The parts of the window, and where they lie."""

from __future__ import annotations

from PySide6.QtCore import QSettings, Qt
from PySide6.QtGui import QUndoStack
from PySide6.QtWidgets import QSplitter, QTabWidget, QVBoxLayout, QWidget

from tronie.gui.clip_desk import ClipDesk
from tronie.gui.export_panel import ExportPanel
from tronie.gui.expression_changes import ExpressionChanges
from tronie.gui.fit_editor import CorrectBar, FitEditor
from tronie.gui.head_panel import HeadPanel
from tronie.gui.i18n import tr
from tronie.gui.photo_list import PhotoList
from tronie.gui.photo_view import PhotoView
from tronie.gui.player import Player
from tronie.gui.portrait_panel import EnhancedPanel, PortraitPanel
from tronie.gui.progress import Progress
from tronie.gui.session import WindowSession
from tronie.gui.shelf import Shelf
from tronie.gui.shell import Shell
from tronie.gui.sidebar import FaceList
from tronie.gui.welcome import Welcome


class Layout(Shell):
    """The list at the left, the photo with its faces, and what was made of the selected face."""

    def __init__(self, kept: QSettings) -> None:
        super().__init__(kept)
        self.session = WindowSession(lambda: self.settings, self)
        self.desk = ClipDesk(self.session, self)
        self.setWindowTitle("tronie")
        self.resize(1280, 800)
        bench = self.session.bench
        self.photos, self.photo, self.faces = PhotoList(), PhotoView(), FaceList()
        self.shelf = Shelf(self.photos)
        self.head, self.portrait, self.enhanced = HeadPanel(bench), PortraitPanel(), EnhancedPanel()
        self.exports, self.player = ExportPanel(), Player(bench)
        self.changes = QUndoStack(self)
        self.correction = FitEditor(self.session, self.photo, self.head, self.changes)
        self.expressions = ExpressionChanges(self.session, self.head, self.changes)
        if (folder := self.kept.value("folder")) is not None:
            self.exports.folder.setText(str(folder))
        middle = QWidget()
        column = QVBoxLayout(middle)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.photo, 1)
        column.addWidget(CorrectBar(self.correction))
        column.addWidget(self.player)
        column.addWidget(self.faces)
        self.tabs = QTabWidget()
        self.tabs.setDocumentMode(True)
        for page, title in (
            (self.head, tr("Head")),
            (self.portrait, tr("Portrait")),
            (self.enhanced, tr("Enhanced")),
            (self.exports, tr("Export")),
        ):
            self.tabs.addTab(page, title)
        split = QSplitter(Qt.Orientation.Horizontal)
        for widget, stretch in ((self.shelf, 0), (middle, 3), (self.tabs, 2)):
            split.addWidget(widget)
            split.setStretchFactor(split.count() - 1, stretch)
        split.setSizes([210, 590, 480])
        split.setCollapsible(1, False)
        self.setCentralWidget(split)
        self.progress = Progress(self.statusBar(), self.session.cancel)
        self.stage, self.stop_button = self.progress.text, self.progress.stop
        self.welcome = Welcome(self.photo)
