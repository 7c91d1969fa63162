"""Writes `src/tronie/runtime/kernels.txt`: the kernels that a usual photo needs, in the order in which it does."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import tronie
from tronie.runtime import jit
from tronie.runtime.atomic_files import scratch
from tronie.runtime.compilers import LIST


def main() -> None:
    rows: dict[str, None] = {}
    honest = jit._LeanCache.load_overload

    def noted(cache: Any, types: Any, context: Any) -> Any:
        if not jit._unswept.depth:
            function = cache._py_func
            # `bool` would be Python's own where numba reads it.
            written = re.sub(r"\bbool\b", "boolean", str(tuple(types)))
            rows[f"{function.__module__} {function.__name__} {written}"] = None
        return honest(cache, types, context)

    jit._LeanCache.load_overload = noted  # type: ignore[method-assign]
    with scratch() as folder:
        os.environ["TRONIE_HOME"] = str(folder)  # with no facts kept, for to work them out needs kernels too
        result = tronie.reconstruct(Path(tronie.__file__).parent / "assets" / "selftest.jpg")
        tronie.save(result, Path(folder, "out"))
    LIST.write_text("".join(f"{row}\n" for row in rows), encoding="utf-8")


if __name__ == "__main__":
    main()
