"""Starting the window: Qt's application, colours, language."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from collections.abc import Sequence

from PySide6.QtCore import QLibraryInfo, QLocale, QSettings, QTimer, QTranslator
from PySide6.QtWidgets import QApplication

from tronie.errors import TronieError
from tronie.gui.i18n import Dictionary
from tronie.gui.icon import icon
from tronie.gui.theme import use_scheme

XCB = {
    "libxcb-cursor.so.0": "libxcb-cursor0", "libxcb-icccm.so.4": "libxcb-icccm4",
    "libxcb-keysyms.so.1": "libxcb-keysyms1", "libxkbcommon-x11.so.0": "libxkbcommon-x11-0",
}  # fmt: skip
"""What Qt wants of an X11 system that bare ones lack, and Debian's packages with it."""
MANY = 1 << 40


def run(photos: Sequence[str] = ()) -> int:
    """Open the window with these photos, and stay until it is closed."""
    check_screen()
    app = make_application()
    from tronie.gui.window import Window

    window = Window(store())
    window.show()
    if photos:
        QTimer.singleShot(0, lambda: window.add([str(path) for path in photos]))
    # Python sees Ctrl-C in the terminal only when it runs: let it do so now and then.
    signal.signal(signal.SIGINT, lambda *_: window.close())
    ticking = QTimer(window)
    ticking.timeout.connect(lambda: None)
    ticking.start(300)
    return int(app.exec())


def check_screen() -> None:
    """Qt ends the whole process where it finds no screen: say so before. Raises TronieError."""
    if sys.platform in ("win32", "darwin") or os.environ.get("QT_QPA_PLATFORM") or os.environ.get("WAYLAND_DISPLAY"):
        return
    if not os.environ.get("DISPLAY"):
        raise TronieError("There is no screen to open a window on (DISPLAY and WAYLAND_DISPLAY are not set).")
    missing = []
    for library, package in XCB.items():
        try:
            ctypes.CDLL(library)
        except OSError:
            missing.append(package)
    if missing:
        raise TronieError(f"Qt needs more of the system's libraries: run `sudo apt install {' '.join(missing)}`.")


def keep_singletons() -> None:
    """PySide6 6.12 gives one reference to None, True or False away with many of Qt's calls. Before Python 3.12, where
    they live for ever, these are used up after some thousand pictures, and the process aborts ("none_dealloc"): so they
    get more of them than can be used up."""
    if sys.version_info < (3, 12) and sys.implementation.name == "cpython":
        for one in (None, True, False):
            if sys.getrefcount(one) < MANY:
                ctypes.c_ssize_t.from_address(id(one)).value += 2 * MANY


def make_application() -> QApplication:
    """The application, in the user's language and colours."""
    keep_singletons()
    made = QApplication.instance()
    app = made if isinstance(made, QApplication) else QApplication(sys.argv[:1])
    app.setApplicationName("tronie")
    app.setApplicationDisplayName("tronie")
    app.setWindowIcon(icon())
    app.setStyle("Fusion")
    kept = store()
    use_scheme(str(kept.value("scheme", "system")))
    use_language(str(kept.value("language", "")) or QLocale.system().name())
    return app


def store() -> QSettings:
    """What the window remembers."""
    return QSettings(QSettings.Format.IniFormat, QSettings.Scope.UserScope, "tronie", "window")


def use_language(name: str) -> None:
    """`ko`, `ko_KR`: Korean; whatever is not known: English."""
    app = QApplication.instance()
    if app is None:
        return
    for old in app.findChildren(QTranslator):
        app.removeTranslator(old)
        old.deleteLater()
    if name.split("_")[0] == "ko":
        from tronie.gui.korean import KOREAN

        new = Dictionary(KOREAN)
        new.setParent(app)
        app.installTranslator(new)
        own = QTranslator(app)  # Qt's own buttons and menus
        if own.load("qtbase_ko", QLibraryInfo.path(QLibraryInfo.LibraryPath.TranslationsPath)):
            app.installTranslator(own)
