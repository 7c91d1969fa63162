"""A video file as PyAV's container, in its versions since 18."""

from __future__ import annotations

from typing import Any


def open_container(source: str, **options: Any) -> Any:
    """To read from. Names inside may be in any encoding and do not matter here; before PyAV 19 one had to say so."""
    import av

    if int(av.__version__.split(".")[0]) < 19:
        options["metadata_errors"] = "ignore"
    return av.open(source, **options)
