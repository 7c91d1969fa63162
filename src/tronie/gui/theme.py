"""Light and dark colours for the window."""

from __future__ import annotations

from typing import Any

from PySide6.QtGui import QColor, QPalette
from PySide6.QtWidgets import QApplication

SCHEMES = ("system", "light", "dark")


def use_scheme(name: str) -> None:
    """Dark or light colours, or those of the system."""
    app = QApplication.instance()
    if not isinstance(app, QApplication):
        return
    if name == "dark":
        app.setPalette(dark())
    elif name == "light":
        app.setPalette(light())
    else:
        app.setPalette(app.style().standardPalette())
    ticks = QPalette(app.palette())
    if ticks.window().color().lightness() < 128:
        ticks.setColor(QPalette.ColorRole.Base, QColor("#55575d"))  # on dark ground empty boxes would not be seen
    kind: Any = "QCheckBox"  # the stubs say bytes, Qt wants str
    app.setPalette(ticks, kind)


def dark() -> QPalette:
    return _palette("#2b2c2f", "#1f2022", "#e6e6e8", "#3a3b3f", "#4a90d9", "#8a8b90")


def light() -> QPalette:
    return _palette("#f3f3f5", "#ffffff", "#1d1d20", "#fafafb", "#2f7fd0", "#85868b")


def _palette(window: str, base: str, text: str, button: str, accent: str, faint: str) -> QPalette:
    role, group = QPalette.ColorRole, QPalette.ColorGroup
    palette = QPalette(QColor(button), QColor(window))
    for roles, color in (
        ((role.Window, role.ToolTipBase, role.AlternateBase), window),
        ((role.Base,), base),
        ((role.WindowText, role.Text, role.ButtonText, role.ToolTipText), text),
        ((role.Button,), button),
        ((role.Highlight, role.Link), accent),
        ((role.HighlightedText,), "#ffffff"),
        ((role.PlaceholderText,), faint),
    ):
        for one in roles:
            palette.setColor(one, QColor(color))
    for one in (role.WindowText, role.Text, role.ButtonText):
        palette.setColor(group.Disabled, one, QColor(faint))
    return palette
