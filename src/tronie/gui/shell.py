"""What the main window has in common with those of other programs: opening, dropping, what it remembers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QSettings
from PySide6.QtWidgets import QFileDialog, QMainWindow, QMenu

from tronie.gui.i18n import tr

if TYPE_CHECKING:
    from tronie.settings import Settings

RECENT = 10


class Shell(QMainWindow):
    """`add` gets what the user opens, in whatever way."""

    recent: QMenu

    def __init__(self, kept: QSettings) -> None:
        super().__init__()
        self.kept = kept
        self.suffixes: tuple[str, ...] = ()
        """Of files that can be opened."""
        self._settings: Settings | None = None
        self.setAcceptDrops(True)

    @property
    def settings(self) -> Settings:
        """The library's settings as the user left them."""
        if self._settings is None:
            from pydantic import ValidationError

            from tronie.settings import Settings

            try:
                self._settings = Settings.model_validate_json(str(self.kept.value("settings", "{}")))
            except ValidationError:  # of another version
                self._settings = Settings()
        return self._settings

    def keep_settings(self, settings: Settings) -> None:
        """Use these from now on, also the next time."""
        self._settings = settings
        self.kept.setValue("settings", settings.model_dump_json())

    def add(self, given: list[str]) -> None:
        raise NotImplementedError

    def ask_photos(self) -> None:
        kinds = " ".join(f"*{suffix}" for suffix in self.suffixes)
        title = f"{tr('Photos and videos')} ({kinds});;{tr('All files')} (*)"
        files, _ = QFileDialog.getOpenFileNames(self, tr("Open photos"), self._last_folder(), title)
        self.add(files)

    def ask_folder(self) -> None:
        if folder := QFileDialog.getExistingDirectory(self, tr("Open folder"), self._last_folder()):
            self.add([folder])

    def _recent(self) -> list[str]:
        value: Any = self.kept.value("recent", [])
        return [value] if isinstance(value, str) else [str(one) for one in value or []]

    def _last_folder(self) -> str:
        recent = self._recent()
        return str(Path(recent[0]).parent) if recent else ""

    def remember(self, given: list[str]) -> None:
        new = [str(Path(one).absolute()) for one in given]
        self.kept.setValue("recent", list(dict.fromkeys([*new, *self._recent()]))[:RECENT])
        self.fill_recent()

    def fill_recent(self) -> None:
        self.recent.clear()
        for path in self._recent():
            action: Any = self.recent.addAction(path)
            action.triggered.connect(lambda _=False, path=path: self.add([path]))
        self.recent.setEnabled(not self.recent.isEmpty())

    def dragEnterEvent(self, event: Any) -> None:
        if any(url.isLocalFile() for url in event.mimeData().urls()):
            event.acceptProposedAction()

    def dropEvent(self, event: Any) -> None:
        self.add([url.toLocalFile() for url in event.mimeData().urls() if url.isLocalFile()])
        event.acceptProposedAction()
