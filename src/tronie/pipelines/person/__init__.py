"""Many photos of one person: one head, one texture, one portrait."""

from tronie.pipelines.multiview import Shot
from tronie.pipelines.person.reconstruct import Many, reconstruct_person

__all__ = ["Many", "Shot", "reconstruct_person"]
