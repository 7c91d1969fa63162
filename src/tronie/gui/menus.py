"""The window's menus and tool bar: every action with its shortcut, in one table."""

from __future__ import annotations

from itertools import zip_longest

from PySide6.QtCore import Qt, qVersion
from PySide6.QtGui import QAction, QActionGroup, QKeySequence
from PySide6.QtWidgets import QMessageBox, QToolBar

from tronie.gui.commands import Commanded
from tronie.gui.i18n import spoken, tr
from tronie.gui.icon import icon
from tronie.gui.shell import Shell
from tronie.gui.theme import SCHEMES
from tronie.version import __version__


def build(window: Commanded) -> None:
    """Menus, tool bar and shortcuts."""
    titles = (tr("&File"), tr("&Edit"), tr("&View"), tr("&Clip"), tr("&Help"))
    file, edit, view, clip, about = (window.menuBar().addMenu(text) for text in titles)
    player = window.player
    table = (
        (file, tr("Open photos …"), "Ctrl+O", window.ask_photos),
        (file, tr("Open folder …"), "Ctrl+Shift+O", window.ask_folder),
        (file, tr("Camera"), "Ctrl+Shift+K", window.film),
        (file, "", "", None),
        (file, tr("Export this face"), "Ctrl+E", lambda: window.export(False)),
        (file, tr("Export all faces of the photo"), "Ctrl+Shift+E", lambda: window.export(True)),
        (file, tr("Copy portrait"), "Ctrl+Shift+C", window.copy_portrait),
        (file, "", "", None),
        (file, tr("Export all of the list"), "Ctrl+Alt+E", window.shelf.export_all),
        (file, tr("Contact sheet …"), "Ctrl+Alt+S", window.list_desk.ask_sheet),
        (file, "", "", None),
        (file, tr("Restore this photo …"), "Ctrl+Shift+R", window.ask_restore),
        (file, "", "", None),
        (file, tr("Settings …"), "Ctrl+,", window.ask_settings),
        (file, tr("Models …"), "Ctrl+M", window.show_models),
        (file, "", "", None),
        (file, tr("Quit"), "Ctrl+Q", window.close),
        (edit, "", "", None),
        (edit, tr("Correct the fit"), "Ctrl+L", lambda: window.correction.edit(not window.correction.on)),
        (edit, tr("Let all points go"), "Ctrl+Shift+L", window.correction.release),
        (edit, "", "", None),
        (edit, tr("One head from the selected photos"), "Ctrl+J", window.one_person),
        (view, tr("Whole photo"), "Ctrl+0", window.photo.fit),
        (view, tr("Zoom in"), "Ctrl++", lambda: window.photo.zoom(1.25)),
        (view, tr("Zoom out"), "Ctrl+-", lambda: window.photo.zoom(0.8)),
        (view, tr("Turn the head round"), "Ctrl+T", window.head.turning.toggle),
        (view, tr("Next face"), "Ctrl+Right", lambda: window.faces.step(1)),
        (view, tr("Previous face"), "Ctrl+Left", lambda: window.faces.step(-1)),
        (view, "", "", None),
        *(
            (view, window.tabs.tabText(k), f"Ctrl+{k + 1}", lambda k=k: window.tabs.setCurrentIndex(k))
            for k in range(window.tabs.count())
        ),
        (clip, tr("Previous frame"), ",", lambda: player.step(-1)),
        (clip, tr("Next frame"), ".", lambda: player.step(1)),
        (clip, "", "", None),
        (clip, tr("The part begins here"), "I", player.mark_in),
        (clip, tr("The part ends here"), "O", player.mark_out),
        (clip, tr("No marks"), "X", player.unmark),
        (clip, "", "", None),
        (clip, tr("Reconstruct this frame"), "Ctrl+R", player.capture.click),
        (clip, tr("Track the clip"), "Ctrl+Shift+T", player.track.click),
        (about, tr("Keyboard shortcuts"), "F1", lambda: shortcuts(window)),
        (about, tr("About tronie"), "", lambda: show_about(window)),
    )
    for action, key in (
        (window.changes.createUndoAction(window, tr("Undo")), "Ctrl+Z"),
        (window.changes.createRedoAction(window, tr("Redo")), "Ctrl+Shift+Z"),
    ):
        action.setShortcut(QKeySequence(key))
        edit.addAction(action)
    made: dict[str, QAction] = {}
    for menu, text, key, what in table:
        if what is None:
            menu.addSeparator()
            continue
        action = menu.addAction(text)
        if key:
            action.setShortcut(QKeySequence(key))
        action.triggered.connect(lambda _=False, what=what: what())
        made[key] = action
    made["Ctrl+L"].setCheckable(True)
    window.correction.switched.connect(made["Ctrl+L"].setChecked)
    window.face_actions = tuple(made[key] for key in ("Ctrl+E", "Ctrl+Shift+C", "Ctrl+L", "Ctrl+Shift+L"))
    window.clip_menu = clip
    window.enable_clip(False)
    window.recent = file.addMenu(tr("Recent"))
    file.insertMenu(made["Ctrl+E"], window.recent)
    colors = view.addMenu(tr("Colours"))
    group = QActionGroup(window)
    for scheme in SCHEMES:
        action = colors.addAction(spoken(scheme))
        action.setCheckable(True)
        action.setChecked(window.kept.value("scheme", "system") == scheme)
        action.triggered.connect(lambda _=False, scheme=scheme: window.color(scheme))
        group.addAction(action)
    window.stop_action = QAction(tr("Cancel"), window)
    window.stop_action.setShortcut(QKeySequence("Esc"))
    window.stop_action.triggered.connect(window.session.cancel)
    window.stop_action.setEnabled(False)
    window.addAction(window.stop_action)
    bar = QToolBar(tr("Tools"))
    bar.setObjectName("tools")
    bar.setMovable(False)
    bar.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextOnly)
    for key in ("Ctrl+O", "Ctrl+Shift+O"):
        bar.addAction(made[key])
    bar.addSeparator()
    bar.addAction(made["Ctrl+L"])
    bar.addAction(made["Ctrl+E"])
    bar.addAction(made["Ctrl+,"])
    bar.addAction(made["Ctrl+M"])
    bar.addSeparator()
    bar.addAction(window.stop_action)
    window.addToolBar(bar)


def shortcuts(window: Shell) -> None:
    """All shortcuts at a glance."""
    rows = [
        (action.shortcut().toString(QKeySequence.SequenceFormat.NativeText), action.text().replace("&", ""))
        for action in window.findChildren(QAction)
        if not action.shortcut().isEmpty()
    ]
    rows += [
        (tr("Left, right"), tr("Previous or next face; in the 3D view: turn the head")),
        (tr("Space"), tr("Play or pause the clip, else turn the head round")),
        ("Delete", tr("Take the selected photos from the list")),
    ]
    half = (len(rows) + 1) // 2
    whole = 'style="white-space: nowrap; padding-right: 14px"'
    cells = [f"<td {whole}><b>{key}</b></td><td {whole}>{text}</td>" for key, text in rows]
    pairs = zip_longest(cells[:half], cells[half:], fillvalue="<td></td><td></td>")
    table = "".join(f"<tr>{left}{right}</tr>" for left, right in pairs)
    box = QMessageBox(window)
    box.setWindowTitle(tr("Keyboard shortcuts"))
    box.setText(f"<table>{table}</table>")
    box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    box.open()


def show_about(window: Shell) -> None:
    """What this is, in which version, and what it is made of."""
    box = QMessageBox(window)
    box.setWindowTitle(tr("About tronie"))
    box.setIconPixmap(icon().pixmap(64, 64))
    said = tr("Faces of photos and videos as 3D heads")
    box.setText(f"<h3>tronie {__version__}</h3>{said}")
    qt = tr("With Qt {version}. The licences of all models are listed under Models (Ctrl+M).")
    box.setInformativeText(qt.format(version=qVersion()))
    box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    box.open()
