"""Many photos of one person: one head, one texture, one portrait."""

from tronie.pipelines.person.reconstruct import Many, Shot, reconstruct_person

__all__ = ["Many", "Shot", "reconstruct_person"]
