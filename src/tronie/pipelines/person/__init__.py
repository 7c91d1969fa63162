"""Many photos of one person: one head, one texture, one portrait."""

from tronie.pipelines.person.reconstruct import PersonResult, reconstruct_shots
from tronie.pipelines.shot import Shot

__all__ = ["PersonResult", "Shot", "reconstruct_shots"]
