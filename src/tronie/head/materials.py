"""What the surfaces of a head and of what lies over it are like: one table for pictures, glTF, USD, OBJ and Blender.

Where on the skin it is how rough is a picture: `tronie.stages.texture.surface_map`.
"""

from __future__ import annotations

from dataclasses import dataclass

Linear = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Look:
    """One material, as glTF 2.0 and its extensions name things."""

    color: Linear
    """Linear RGB where there is no picture."""
    roughness: float
    """0..1, perceptual, where no picture says it place by place."""
    ior: float = 1.5
    """Index of refraction: how much of what falls straight in is mirrored."""
    specular: float = 1.0
    """0..1: the share of this that is there, also of what grazes (KHR_materials_specular)."""
    coat: tuple[float, float] = (0.0, 0.0)
    """Strength and roughness of a film of tears or saliva on it (KHR_materials_clearcoat)."""
    both_sides: bool = False
    """Whether its back faces are drawn."""


LOOKS: dict[str, Look] = {
    # Down and pores shade each other at grazing angles, and a photo's texture holds some of its gloss already.
    "skin": Look((0.68, 0.44, 0.33), 0.55, ior=1.4, specular=0.6),
    "eyes": Look((0.80, 0.80, 0.78), 0.1, ior=1.376, coat=(1.0, 0.02)),
    "mouth": Look((0.42, 0.14, 0.13), 0.35, ior=1.4, coat=(0.25, 0.15), both_sides=True),
}
"""By the materials of `head.surface.MATERIALS`. Skin: Jacques 2013; cornea: 1.376. The roughness alone makes eyes and
mouth wet where a viewer knows no film."""

SHELL_LOOKS: dict[str, Look] = {
    # A surface stands for many strands, which shade each other: at grazing angles a bare one shines like plastic.
    "hair": Look((0.05, 0.04, 0.03), 0.85, specular=0.12, both_sides=True),
    "lashes": Look((0.02, 0.015, 0.012), 0.85, specular=0.12, both_sides=True),
    "covering": Look((0.45, 0.45, 0.45), 0.9, specular=0.4, both_sides=True),
    "bust": Look((0.3, 0.3, 0.32), 0.9, specular=0.4, both_sides=True),
    "neck": Look((0.68, 0.44, 0.33), 0.55, ior=1.4, specular=0.6, both_sides=True),
    "glasses": Look((0.05, 0.05, 0.05), 0.35, both_sides=True),
}
"""By the name of a surface over or below the head (`tronie.shells.Shell`)."""


def look_of_shell(name: str) -> Look:
    """Of a shell by its name; of one that is not in the table, a cloth's."""
    return SHELL_LOOKS.get(name, SHELL_LOOKS["covering"])
