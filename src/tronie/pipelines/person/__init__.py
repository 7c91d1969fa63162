"""Many photos of one person: one head, one texture, one portrait."""

from tronie.pipelines.multiview import Shot
from tronie.pipelines.person.reconstruct import PersonResult, reconstruct_shots

__all__ = ["PersonResult", "Shot", "reconstruct_shots"]
