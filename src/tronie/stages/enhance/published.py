"""SPARNet's published nets as enhancers: under which terms, where to get them, and those in the user's store."""

from __future__ import annotations

from tronie.runtime.model_store import Terms, imported
from tronie.stages.enhance.enhancer import EnhancerInfo, NetEnhancer
from tronie.types import UsedModel

SPARNET = "sparnet"
"""The kind of these imports."""
LICENCE = "CC BY-NC-SA 4.0"
ORIGIN = "SPARNet (Chaofeng Chen et al. 2020), github.com/chaofengc/Face-SPARNet"
WHAT = "SPARNet: enhances small faces (four nets)"
FILES = {
    "sparnet-16": "SPARNet-V16-S4 (.pth)",
    "sparnet-light": "SPARNetLight_Attn3D (.pth)",
    "sparnet-hd": "SPARNetHD_V4_Attn2D_net_H-epoch10.pth",
    "sparnet-hd-3d": "SPARNetHD_V4_Attn3D (.pth)",
}
"""What the authors' page calls them."""
PURPOSES = {
    "sparnet-16": "enhances faces of about 16 px, to 128 px",
    "sparnet-light": "enhances faces of about 16 px, to 128 px (smaller net)",
    "sparnet-hd": "enhances faces, to 512 px (slow)",
    "sparnet-hd-3d": "enhances faces, to 512 px (slow; attention for each channel)",
}


TERMS = Terms(SPARNET, WHAT, LICENCE, ORIGIN.rsplit(", ")[-1], ("*.pth",))


def imported_names() -> tuple[str, ...]:
    """The imported nets that are face enhancers."""
    return tuple(name for name, record in imported().items() if record.kind == SPARNET)


def how_to_get(name: str) -> str | None:
    """A sentence on where a published net comes from, under which terms, and what to do with it; None for others."""
    if name not in FILES:
        return None
    return (
        f"The enhancer {name} is not here: get {FILES[name]} from the releases of github.com/chaofengc/Face-SPARNet "
        f"({LICENCE}, no commercial use), then run: tronie models import {SPARNET} FILE"
    )


def imported_info(name: str) -> EnhancerInfo | None:
    """What the imported enhancer of that name is; None where there is none."""
    record = imported().get(name)
    if record is None or record.kind != SPARNET:
        return None
    model = UsedModel(record.name, record.licence, record.commercial_use)
    path, side = record.path, record.side
    return EnhancerInfo(name, lambda threads, device: NetEnhancer(name, path, side, threads, device), brought=(model,))
