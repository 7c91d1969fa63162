"""Records as JSON: numbers as long as they mean something, lines that can be read."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from tronie.export.schemas import Record


def rounded(values: Any, decimals: int) -> Any:
    """Nested lists of floats; what is not finite becomes 0, because JSON has no word for it."""
    array = np.nan_to_num(np.asarray(values, dtype=np.float64), nan=0.0, posinf=0.0, neginf=0.0)
    return (np.round(array, decimals) + 0.0).tolist()  # + 0.0 turns -0.0 into 0.0


def to_json(record: Record) -> bytes:
    """Readable and small: two levels of indent, then each value on one line."""
    text = dump(record.model_dump(mode="python", warnings=False)) + "\n"
    return text.encode("utf-8", errors="replace")


def dump(value: Any, levels: int = 2, indent: str = "") -> str:
    """JSON text whose first `levels` levels of objects, and lists of objects, are spread over lines."""
    inner = indent + "  "
    if levels > 0 and isinstance(value, dict) and value:
        rows = [
            f"{inner}{json.dumps(str(k), ensure_ascii=False)}: {dump(v, levels - 1, inner)}" for k, v in value.items()
        ]
        return "{\n" + ",\n".join(rows) + f"\n{indent}}}"
    if levels > 0 and isinstance(value, (list, tuple)) and value and isinstance(value[0], dict):
        return "[\n" + ",\n".join(inner + dump(v, 0) for v in value) + f"\n{indent}]"
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def as_text(path: str) -> str:
    """A path as text that can be written: bytes that are no UTF-8 become question marks."""
    return path.encode("utf-8", errors="replace").decode()
