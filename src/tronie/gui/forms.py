"""Input fields made from the library's settings: their type, bounds, default and help are nowhere repeated."""

from __future__ import annotations

import types
from collections.abc import Callable, Collection, Mapping
from typing import Any, Literal, Union, get_args, get_origin

from pydantic.fields import FieldInfo
from PySide6.QtCore import Signal
from PySide6.QtWidgets import QCheckBox, QComboBox, QDoubleSpinBox, QSpinBox, QWidget

from tronie.gui.i18n import spoken, tr
from tronie.gui.labels import TITLES, UNITS
from tronie.gui.tick_grid import TickGrid
from tronie.outputs import OUTPUTS
from tronie.pipelines.choices import choices

LARGEST = 1_000_000
WORDS = {"auto", "off", "calibrated"}
"""Choices that are no names of nets or heads."""


class Ticks(TickGrid):
    """Some of many names."""

    changed = Signal()

    def __init__(self, names: Mapping[str, str], chosen: Collection[str]) -> None:
        """`names`: each with what it is."""
        super().__init__()
        self._of: dict[str, QCheckBox] = {}
        for name, text in names.items():
            tick = self._of[name] = QCheckBox(spoken(name))
            tick.setToolTip(tr(text))
            tick.setChecked(name in chosen)
            tick.toggled.connect(self.changed)
            self.add(tick)
        self.setMinimumWidth(2 * self.minimumSizeHint().width())

    def chosen(self) -> tuple[str, ...]:
        return tuple(name for name, tick in self._of.items() if tick.isChecked())


class Field:
    """A widget for one setting."""

    def __init__(self, place: str, info: FieldInfo, value: Any, changed: Callable[[], None] | None = None) -> None:
        self.place, self.info = place, info
        self.widget, self._read, signal = _made(place, info, value)
        self.widget.setToolTip(tr(info.description or ""))
        self.widget.setObjectName(place)
        if changed is not None:
            signal.connect(lambda *_: changed())

    @property
    def title(self) -> str:
        return tr(TITLES.get(self.place, self.place))

    @property
    def value(self) -> Any:
        return self._read()


def _made(place: str, info: FieldInfo, value: Any) -> tuple[QWidget, Callable[[], Any], Any]:
    """Widget, what reads it, and the signal that tells of a change."""
    if place == "outputs":
        ticks = Ticks({output.name: output.text for output in OUTPUTS.values()}, value)
        return ticks, ticks.chosen, ticks.changed
    kinds = _kinds(info.annotation)
    free = type(None) in kinds
    literal = [k for k in kinds if get_origin(k) is Literal]
    if literal or kinds[0] is str:
        names: tuple[Any, ...] = get_args(literal[0]) if literal else choices(place)
        box = QComboBox()
        if free:
            box.addItem(tr("Default"), None)
        for name in names:
            box.addItem(spoken(name) if isinstance(name, str) and (literal or name in WORDS) else str(name), name)
        if value is not None and box.findData(value) < 0:
            box.addItem(str(value), value)
        box.setCurrentIndex(max(0, box.findData(value)))
        return box, box.currentData, box.currentIndexChanged
    if bool in kinds:
        tick = QCheckBox()
        tick.setChecked(bool(value))
        return tick, tick.isChecked, tick.toggled
    bounds = {name: getattr(m, name) for m in info.metadata for name in ("ge", "gt", "le") if hasattr(m, name)}
    low, high = bounds.get("ge", bounds.get("gt", 0)), bounds.get("le", LARGEST)
    spin: QSpinBox | QDoubleSpinBox
    if float in kinds:
        spin = QDoubleSpinBox()
        spin.setDecimals(2 if high <= 1 else 1)
        spin.setSingleStep(0.05 if high <= 1 else 1)
    else:
        spin = QSpinBox()
    spin.setSuffix(tr(UNITS.get(place, "")))
    spin.setRange(low, high)
    spin.setValue(low if value is None else value)
    if free:
        spin.setSpecialValueText(tr("Default"))
        return spin, lambda: None if spin.value() == spin.minimum() else spin.value(), spin.valueChanged
    return spin, spin.value, spin.valueChanged


def _kinds(annotation: Any) -> list[Any]:
    """`int | None` -> int, None's type; anything else is itself."""
    if get_origin(annotation) in (Union, types.UnionType):
        return [part for one in get_args(annotation) for part in _kinds(one)]
    return [annotation]
