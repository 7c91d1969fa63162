"""What a process that works on photos loads, whatever they are: it may begin before anyone knows."""

from __future__ import annotations

import gc


def load() -> None:
    """Import what is large, and read the head that comes with the package. Nothing of it is thrown away again, so there
    is nothing to look for meanwhile, nor to look through later."""
    gc.disable()
    try:
        _load()
    finally:
        gc.freeze()
        gc.enable()


def _load() -> None:
    from tronie.runtime.inference import onnxruntime

    onnxruntime()
    import tronie.export.writer
    import tronie.io.images
    import tronie.jobs.worker
    import tronie.pipelines.photo_task
    import tronie.stages.finder
    import tronie.stages.portrait.stage
    import tronie.stages.segment  # noqa: F401
    from tronie.pipelines.engines import load_head
    from tronie.settings import HeadSettings

    load_head(HeadSettings().name)
