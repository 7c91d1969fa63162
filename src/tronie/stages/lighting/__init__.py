"""Light and detail: what light a photo was taken in, what skin looks like without it, and its fine relief.

`tangents` and `shade` are what other rooms need of it; both are cheap to import.
"""

from tronie.head.harmonics import Light, shade
from tronie.head.tangents import tangents

__all__ = ["Light", "shade", "tangents"]
