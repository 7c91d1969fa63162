"""Everything that reads what came from outside, by name."""

from __future__ import annotations

from fuzz.target import Target
from fuzz.targets import clips, heads, models, pictures, records, service

TARGETS: dict[str, Target] = {
    target.name: target
    for room in (pictures, clips, models, heads, records, service)
    for target in room.TARGETS
}  # fmt: skip
