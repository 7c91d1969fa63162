"""The list of photos with what can be done to it: find, sort, show some states only, remove, export all."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QPoint, Qt, QUrl, Signal
from PySide6.QtGui import QAction, QActionGroup, QDesktopServices
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QMenu,
    QProgressBar,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from tronie.gui.i18n import tr
from tronie.gui.photo_list import SORTS, PhotoList
from tronie.service.messages import PhotoState

SHOWN: dict[str, frozenset[PhotoState] | None] = {
    "all": None,
    "todo": frozenset((PhotoState.NEW, PhotoState.WAITING, PhotoState.WORKING)),
    "done": frozenset((PhotoState.DONE,)),
    "failed": frozenset((PhotoState.FAILED, PhotoState.EMPTY)),
}
"""Which states can be shown for themselves."""


class Shelf(QWidget):
    """`exporting` asks for the files of these photos."""

    exporting = Signal(list)
    removed = Signal(list)
    """These paths were taken from the list."""
    stopping = Signal()
    sheet = Signal()

    def __init__(self, photos: PhotoList, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.photos = photos
        self.filter = QLineEdit()
        self.filter.setPlaceholderText(tr("Find in the list"))
        self.filter.setClearButtonEnabled(True)
        self.filter.setFocusPolicy(Qt.FocusPolicy.ClickFocus)  # or keys that mean the clip would be typed here
        self.filter.textChanged.connect(self._sift)
        self.order = QToolButton()
        self.order.setText("⋮")
        self.order.setToolTip(tr("Sort the list, or show a part of it"))
        menu = self._order_menu()
        self.order.clicked.connect(lambda: menu.popup(self.order.mapToGlobal(QPoint(0, self.order.height()))))
        self.count = QLabel()
        self.export = QPushButton(tr("Export all"))
        self.export.setToolTip(tr("Write the files of all that the list shows, one after the other (Ctrl+Alt+E)"))
        self.export.clicked.connect(self.export_all)
        self.progress = QProgressBar()
        self.progress.setTextVisible(False)
        self.progress.setFixedHeight(6)
        self.progress.hide()
        above, below = QHBoxLayout(), QHBoxLayout()
        above.addWidget(self.filter, 1)
        above.addWidget(self.order)
        below.addWidget(self.count, 1)
        below.addWidget(self.export)
        column = QVBoxLayout(self)
        column.setContentsMargins(4, 4, 0, 4)
        column.setSpacing(4)
        column.addLayout(above)
        column.addWidget(photos, 1)
        column.addWidget(self.progress)
        column.addLayout(below)
        photos.removing.connect(self.remove_selected)
        photos.changed.connect(self._tell)
        photos.customContextMenuRequested.connect(self._context)
        self._working = False
        self._tell()

    def _order_menu(self) -> QMenu:
        menu = QMenu(self.order)
        sorts = {
            "added": tr("As added"),
            "name": tr("By name"),
            "date": tr("Newest first"),
            "state": tr("By state"),
            "faces": tr("By number of faces"),
        }
        assert set(sorts) == set(SORTS)
        shown = {
            "all": tr("Show all"),
            "todo": tr("Show what is to be done"),
            "done": tr("Show what is done"),
            "failed": tr("Show what failed or has no face"),
        }
        self.sorting = self._choices(menu, sorts, self.photos.sort_by)
        menu.addSeparator()
        self.showing = self._choices(menu, shown, lambda _: self._sift())
        menu.addSeparator()
        sheet = QAction(tr("Contact sheet …"), menu)
        sheet.triggered.connect(lambda _=False: self.sheet.emit())
        menu.addAction(sheet)
        return menu

    def _choices(self, menu: QMenu, titles: dict[str, str], chosen: Callable[[str], Any]) -> dict[str, QAction]:
        group, made = QActionGroup(menu), {}
        for k, (name, title) in enumerate(titles.items()):
            action = made[name] = QAction(title, menu)
            action.setCheckable(True)
            action.setChecked(not k)
            action.toggled.connect(lambda on, name=name: chosen(name) if on else None)
            group.addAction(action)
            menu.addAction(action)
        return made

    def _sift(self, _: str = "") -> None:
        name = next(name for name, action in self.showing.items() if action.isChecked())
        self.photos.sift(self.filter.text(), SHOWN[name])

    def _tell(self) -> None:
        there, shown = self.photos.count(), len(self.photos.paths())
        whole = tr("{n} in the list").format(n=there) if there else ""
        text = tr("{n} of {count}").format(n=shown, count=there) if shown != there else whole
        if self._working:
            text = tr("{n} of {count}").format(n=self.progress.value(), count=self.progress.maximum())
        self.count.setText(text)
        self.export.setEnabled(self._working or shown > 0)

    def remove_selected(self) -> None:
        if paths := self.photos.selected():
            self.photos.remove(paths)
            self.removed.emit(paths)

    def export_all(self) -> None:
        """All that the list shows; while that goes on, the button stops it."""
        if self._working:
            self.stopping.emit()
        elif paths := self.photos.paths():
            self.exporting.emit(paths)

    def show_progress(self, done: int, total: int) -> None:
        self._working = done < total
        self.progress.setVisible(self._working)
        self.progress.setRange(0, total)
        self.progress.setValue(done)
        self.export.setText(tr("Stop") if self._working else tr("Export all"))
        self._tell()

    def _context(self, at: QPoint) -> None:
        if (menu := self.context_menu()) is not None:
            menu.popup(self.photos.viewport().mapToGlobal(at))

    def context_menu(self) -> QMenu | None:
        """Of the selected photos; None where there is none."""
        paths = self.photos.selected()
        if not paths:
            return None
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        one = tr("Export this one") if len(paths) == 1 else tr("Export these {n}").format(n=len(paths))
        many = tr("Remove these {n} from the list").format(n=len(paths))
        away = tr("Remove from the list") if len(paths) == 1 else many
        for text, what in (
            (one, lambda: self.exporting.emit(paths)),
            (tr("Show in the folder"), lambda: QDesktopServices.openUrl(QUrl.fromLocalFile(str(paths[0].parent)))),
            (away, self.remove_selected),
        ):
            action = QAction(text, menu)
            action.triggered.connect(lambda _=False, what=what: what())
            menu.addAction(action)
        return menu
