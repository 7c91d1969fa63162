"""The texture of a head from one photo."""

from tronie.texture.bake import bake

__all__ = ["bake"]
