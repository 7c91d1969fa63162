"""The texture of a head from one photo."""

from tronie.stages.texture.bake import bake

__all__ = ["bake"]
