"""Of what matter the pixels around a face are: hair, skin, clothes, a covering, glasses, other things, background."""

from tronie.stages.segment.net import SegmentNet, crop_square, segment

__all__ = ["SegmentNet", "crop_square", "segment"]
