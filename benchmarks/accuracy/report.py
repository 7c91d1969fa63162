"""Tables (markdown), json and plots of an evaluation."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.accuracy.evaluate import Scores
from benchmarks.accuracy.methods import MEAN, TOGETHER, UNKNOWN_FOCAL
from benchmarks.accuracy.regions import REGIONS
from benchmarks.accuracy.scene import LIGHTS

Array = NDArray[np.floating]

COLUMNS: tuple[tuple[str, str, str], ...] = (
    ("error", "error, mm", "{:.2f}"), ("ratio", "to mean head", "{:.2f}"),
    ("to_one", "to one photo", "{:.2f}"), ("turned_ratio", "beyond 30°", "{:.2f}"),
    ("personal", "personal r", "{:.2f}"), ("slope", "slope", "{:.2f}"),
    ("common_photos", "common to a person's photos", "{:.0%}"), ("common_people", "common to people", "{:.0%}"),
    ("median", "median", "{:.2f}"), ("worst", "worst", "{:.2f}"),
    ("rigid", "without scale, mm", "{:.2f}"), ("whole", "all vertices, mm", "{:.2f}"),
    ("yaw", "yaw, °", "{:.1f}"),
    ("pitch", "pitch, °", "{:.1f}"), ("roll", "roll, °", "{:.1f}"), ("geodesic", "rotation, °", "{:.1f}"),
    ("expression", "expression r", "{:.2f}"), ("identity_spread", "identity spread", "{:.2f}"),
    ("vertex_spread", "face spread", "{:.2f}"), ("auc", "same person AUC", "{:.2f}"),
    ("scale", "size error", "{:.1%}"),
    ("covered68", "within 1 σ", "{:.0%}"),
    ("covered68_scaled", "within 1 σ (scaled)", "{:.0%}"), ("covered68_yaw", "yaw within 1 σ", "{:.0%}"),
    ("covered68_scale", "size within 1 σ", "{:.0%}"), ("milliseconds", "fit, ms", "{:.0f}"),
)  # fmt: skip
"""Key of the summary, heading, format."""
TURNED = 30.0
"""Degrees of yaw from which a photo counts as turned."""
PROFILE = 40.0
"""Degrees of yaw from which the profile of nose and chin shows."""


def bins(scores: Scores) -> dict[str, dict[str, NDArray[np.bool_]]]:
    """Which renders fall where: by yaw, light, focal length, size of the face."""
    items = scores.items
    yaw, focal = scores.yaw(), np.array([r.equivalent for r in items])
    pixels = np.array([r.face_px for r in items])
    light = np.array([r.light for r in items])
    found = {
        "yaw": {
            f"{a}-{b}°": (yaw >= a) & (yaw < b) for a, b in ((0, 10), (10, 20), (20, 30), (30, 40), (40, 60), (60, 90))
        },
        "light": {name: light == name for name in LIGHTS},
        "focal length (35 mm equivalent)": {
            f"{a}-{b} mm": (focal >= a) & (focal < b) for a, b in ((20, 35), (35, 60), (60, 90), (90, 200))
        },
        "face height": {f"{a}-{b} px": (pixels >= a) & (pixels < b) for a, b in ((150, 230), (230, 310), (310, 401))},
    }
    if scores.renders.names:
        person = np.array([r.person for r in items])
        return {"yaw": found["yaw"]} | {"person": {n: person == k for k, n in enumerate(scores.renders.names)}}
    return found


def figures(results: Sequence[Scores]) -> dict[str, Any]:
    """Everything the tables say, as plain values for json."""
    named = {s.name: s for s in results}
    base = named.get(MEAN)
    out: dict[str, Any] = {}
    for s in results:
        summary = s.summary()
        if base is not None:
            before = base.column("error")[: len(s.rows)]  # the floor has fewer rows
            summary["ratio"] = s.error / float(before.mean())
            turned = s.yaw() >= TURNED
            if turned.any():
                summary["turned_ratio"] = float(s.column("error")[turned].mean() / before[turned].mean())
            summary |= personal_part(s, base)
        if s.name == TOGETHER and UNKNOWN_FOCAL in named:
            summary["to_one"] = s.error / named[UNKNOWN_FOCAL].error
        by: dict[str, Any] = {}
        for title, groups in bins(s).items():
            for label, mask in groups.items():
                if mask.any():
                    cell = {"error": float(s.column("error")[mask].mean()), "renders": int(mask.sum())}
                    if base is not None:
                        cell["ratio"] = cell["error"] / float(base.column("error")[: len(mask)][mask].mean())
                    by.setdefault(title, {})[label] = cell
        out[s.name] = {"summary": summary, "by": by, "expression": s.expression_correlation()}
        out[s.name]["regions"] = regions(s, base)
    return out


def personal_part(scores: Scores, base: Scores) -> dict[str, float]:
    fields = scores.fields(base)
    r, slope = fields.correlation()
    photos, people = fields.common()
    return {"personal": r, "slope": slope, "common_photos": photos, "common_people": people}


def regions(scores: Scores, base: Scores | None) -> dict[str, dict[str, dict[str, float]]]:
    """Of all photos and of those in profile, by region: error, its ratio to the mean head's (`base`), r of the personal
    part."""
    out = {}
    for label, mask in (("all", scores.yaw() >= 0), (f"turned by {PROFILE:g}° or more", scores.yaw() >= PROFILE)):
        if mask.any():
            kept = scores.only(mask)
            cells = {name: {"error": error} for name, error in kept.by_region().items()}
            if base is not None:
                mean = replace(base, items=base.items[: len(mask)], rows=base.rows[: len(mask)]).only(mask)
                before, fields = mean.by_region(), kept.fields(mean)
                for name, cell in cells.items():
                    cell |= {"ratio": cell["error"] / before[name], "personal": fields.correlation(name)[0]}
            out[label] = cells
    return out


def markdown(found: Mapping[str, Any]) -> str:
    """The main table, one by region, and one for each kind of bin."""
    keys = [c for c in COLUMNS if any(np.isfinite(m["summary"].get(c[0], np.nan)) for m in found.values())]
    lines = ["| | " + " | ".join(title for _, title, _ in keys) + " |", "|---|" + "---|" * len(keys)]
    for name, method in found.items():
        lines.append(f"| {name} | " + " | ".join(_cell(method["summary"].get(k), f) for k, _, f in keys) + " |")
    for label in dict.fromkeys(label for m in found.values() for label in m["regions"]):
        lines += [
            "",
            f"Error in mm, its ratio to the mean head, and r of the personal part, by region, photos: {label}",
            "",
        ]
        lines += ["| | " + " | ".join(REGIONS) + " |", "|---|" + "---|" * len(REGIONS)]
        for name, method in found.items():
            cells = [_region(method["regions"].get(label, {}).get(region)) for region in REGIONS]
            lines.append(f"| {name} | " + " | ".join(cells) + " |")
    for name, method in found.items():
        if name == UNKNOWN_FOCAL and method["expression"]:
            told = sorted(method["expression"].items(), key=lambda item: -item[1])
            lines += ["", f"Expression r by unit, {name}: " + ", ".join(f"{unit} {r:.2f}" for unit, r in told) + "."]
    kinds = list(dict.fromkeys(kind for method in found.values() for kind in method["by"]))
    for kind in kinds:
        labels = list(dict.fromkeys(label for m in found.values() for label in m["by"].get(kind, {})))
        counts = [max(m["by"][kind].get(label, {}).get("renders", 0) for m in found.values()) for label in labels]
        heads = (f"{label} ({n})" for label, n in zip(labels, counts, strict=True))
        lines += [
            "",
            f"Error in mm, and its ratio to the mean head, by {kind} (renders):",
            "",
            "| | " + " | ".join(heads) + " |",
            "|---|" + "---|" * len(labels),
        ]
        for name, method in found.items():
            cells = [method["by"][kind].get(label) for label in labels]
            lines.append(
                f"| {name} | "
                + " | ".join(
                    "" if c is None else f"{c['error']:.2f}" + (f" ({c['ratio']:.2f})" if "ratio" in c else "")
                    for c in cells
                )
                + " |"
            )
    return "\n".join(lines) + "\n"


def _region(cell: Mapping[str, float] | None) -> str:
    if cell is None:
        return ""
    said = f"{cell['error']:.2f}" + (f" ({cell['ratio']:.2f})" if "ratio" in cell else "")
    return said + (f", {cell['personal']:.2f}" if np.isfinite(cell.get("personal", np.nan)) else "")


def _cell(value: float | None, form: str) -> str:
    return "" if value is None or not np.isfinite(value) else form.format(value)


def plain_table(rows: Mapping[str, Mapping[str, float]]) -> str:
    """One line for each method, one column for each figure."""
    keys = list(dict.fromkeys(key for row in rows.values() for key in row))
    lines = ["| | " + " | ".join(keys) + " |", "|---|" + "---|" * len(keys)]
    for name, row in rows.items():
        lines.append(f"| {name} | " + " | ".join(f"{row[k]:.4g}" if k in row else "" for k in keys) + " |")
    return "\n".join(lines) + "\n"


def write_json(path: Path, found: Mapping[str, Any], about: Mapping[str, Any]) -> None:
    def plain(value: Any) -> Any:
        if isinstance(value, Mapping):
            return {k: plain(v) for k, v in value.items()}
        if isinstance(value, float):
            return None if not np.isfinite(value) else round(value, 5)
        return value

    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(plain({"about": about, "methods": found}), indent=1) + "\n")
