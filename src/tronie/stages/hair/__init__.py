"""Hair as geometry: what can be said of a person's hair, and surfaces of their own over the head."""

from tronie.stages.hair.beard import beard_of, with_beard
from tronie.stages.hair.below import with_bust
from tronie.stages.hair.build import build_hair, lies_under
from tronie.stages.hair.lashes import lash_color, lashes
from tronie.stages.hair.neck import neck_end

__all__ = ["beard_of", "build_hair", "lash_color", "lashes", "lies_under", "neck_end", "with_beard", "with_bust"]
