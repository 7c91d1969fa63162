"""How skin, eyes and mouth look in glTF and elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Json = dict[str, Any]

LOOKS: dict[str, Json] = {
    "skin": {"color": (0.68, 0.44, 0.33, 1.0), "roughness": 0.55, "double": False, "ior": 1.4},
    "eyes": {"color": (0.80, 0.80, 0.78, 1.0), "roughness": 0.1, "double": False, "ior": 1.376, "coat": (1.0, 0.02)},
    "mouth": {"color": (0.42, 0.14, 0.13, 1.0), "roughness": 0.35, "double": True, "ior": 1.4, "coat": (0.5, 0.15)},
}
"""Material -> linear RGBA for a head without a texture, roughness, whether its back faces are drawn, index of
refraction (skin: Jacques 2013; cornea: 1.376), strength and roughness of the film of tears or saliva on it.
The roughness alone makes eyes and mouth wet where a viewer knows no film."""

IOR, COAT = "KHR_materials_ior", "KHR_materials_clearcoat"
"""Extensions that the materials use; who does not know them leaves them out."""


def gltf_material(name: str, both_sides: bool, textures: Mapping[str, int]) -> Json:
    """A material of the document; `textures` are those it has, by their numbers: `texture` its colour, `normal`,
    `occlusion`."""
    look = LOOKS[name]
    surface: Json = {"metallicFactor": 0.0, "roughnessFactor": look["roughness"]}
    if "texture" in textures:
        surface["baseColorTexture"] = {"index": textures["texture"]}
    else:
        surface["baseColorFactor"] = list(look["color"])
    extensions: Json = {IOR: {"ior": look["ior"]}}
    if coat := look.get("coat"):
        extensions[COAT] = {"clearcoatFactor": coat[0], "clearcoatRoughnessFactor": coat[1]}
    material: Json = {"name": name, "pbrMetallicRoughness": surface, "doubleSided": look["double"] or both_sides}
    for kind in ("normal", "occlusion"):
        if kind in textures:
            material[f"{kind}Texture"] = {"index": textures[kind]}
    return material | {"extensions": extensions}


def extensions_used(materials: list[Json]) -> list[str]:
    return sorted({name for material in materials for name in material["extensions"]})
