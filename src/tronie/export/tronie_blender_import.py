"""A head of tronie in Blender: materials for skin, eyes, mouth and hair, shape keys from 0 to 1, a target for the eyes.

From a shell, with Blender or with Python and the wheel `bpy`:

    blender --background --python tronie_blender_import.py -- head.glb --save head.blend --fbx head.fbx
    python tronie_blender_import.py head.glb --save head.blend --picture head.png

Inside Blender: open this file in the Text Editor and run it; then File > Import > Tronie head (.glb).
Or from a script of yours: `import_head("head.glb")` gives the object. Needs Blender 3.6 or newer.
"""

import argparse
import json
import math
import os
import struct
import sys
from typing import Any

import bpy
from mathutils import Euler, Matrix, Vector

SKIN: dict[str, Any] = {
    "Subsurface Weight": 1.0, "Subsurface Radius": (1.0, 0.35, 0.2), "Subsurface Scale": 0.0025,
}  # fmt: skip
"""What the file cannot say: light goes some millimetres deep, red the deepest. How rough a surface is, and how wet, it
says."""
EYES: dict[str, Any] = {"Coat IOR": 1.376}
MOUTH: dict[str, Any] = {
    "Subsurface Weight": 0.3, "Subsurface Radius": (1.0, 0.5, 0.4), "Subsurface Scale": 0.002,
}  # fmt: skip
OVER: dict[str, dict[str, Any]] = {
    "hair": {"Anisotropic": 0.6}, "lashes": {}, "covering": {}, "bust": {}, "neck": SKIN, "glasses": {},
}  # fmt: skip
"""Surfaces with meshes of their own over and below the head, by name."""
OLD_NAMES = {"Subsurface Weight": "Subsurface", "Coat Weight": "Clearcoat", "Coat Roughness": "Clearcoat Roughness"}
"""What Blender 3 calls them; its `Subsurface` mixes, so it gets less."""

AHEAD = 0.6
"""Metres before the face where the eyes' target stands."""


def import_head(path: str, gaze: bool = True, rest: bool = False) -> Any:
    """Import one .glb of tronie and set it up; the mesh object.

    `gaze`: an empty that the eyes follow, by drivers on the eyeLook keys. `rest`: the face at rest. A head of a video
    moves as there: the scene gets the video's rate and length, and the eyes keep their own motion.
    """
    frames = set_rate(path)
    before = set(bpy.data.objects)
    bpy.ops.import_scene.gltf(filepath=path, merge_vertices=True)
    new = [thing for thing in bpy.data.objects if thing not in before]
    heads = [thing for thing in new if thing.type == "MESH" and thing.data.shape_keys]
    if not heads:
        raise ValueError(f"{path} has no mesh with shape keys")
    head = max(heads, key=lambda thing: len(thing.data.vertices))
    scene = bpy.context.scene
    scene.unit_settings.system, scene.unit_settings.length_unit = "METRIC", "CENTIMETERS"
    if frames:
        scene.frame_start, scene.frame_end = 0, frames
    for slot in head.material_slots:
        looks = {"skin": SKIN, "eyes": EYES, "mouth": MOUTH}.get(slot.material.name.split(".")[0])
        if looks:
            set_up_material(slot.material, looks)
    for thing in over(head):
        for slot in thing.material_slots:
            cut_out(slot.material)
            set_up_material(slot.material, OVER[kind_of(slot.material)])
    keys = head.data.shape_keys
    keys.name = f"{head.name} expression"
    for key in keys.key_blocks[1:]:
        key.slider_min, key.slider_max = 0.0, 1.0
        if rest and not frames:
            key.value = 0.0
    head.active_shape_key_index = 0
    for thing in heads:
        if thing is not head:
            follow(thing, keys)
    if gaze and not frames:
        add_gaze(head)
    bpy.context.view_layer.objects.active = head
    return head


def set_rate(path: str) -> int:
    """Give the scene the rate of a file's animation, if it has one, before it is imported: keys are put on frames.

    The number of the last frame; 0 without an animation.
    """
    with open(path, "rb") as file:
        _, _, _, size, _ = struct.unpack("<5I", file.read(20))
        document = json.loads(file.read(size))
    inputs = [sampler["input"] for one in document.get("animations", []) for sampler in one["samplers"]]
    longest = max((document["accessors"][k] for k in inputs), key=lambda times: times["max"][0], default=None)
    if longest is None or longest["count"] < 2 or longest["max"][0] <= 0:
        return 0
    rate = (longest["count"] - 1) / longest["max"][0]
    render = bpy.context.scene.render
    render.fps = max(1, round(rate))
    render.fps_base = render.fps / rate
    return int(longest["count"]) - 1


def set_up_material(material: Any, looks: dict[str, Any]) -> None:
    """Set the inputs of the material's Principled BSDF that this Blender has."""
    for node in material.node_tree.nodes:
        if node.type != "BSDF_PRINCIPLED":
            continue
        for name, value in looks.items():
            if name in node.inputs:
                node.inputs[name].default_value = value
            elif name in OLD_NAMES and OLD_NAMES[name] in node.inputs:
                node.inputs[OLD_NAMES[name]].default_value = 0.1 * value if name.startswith("Sub") else value
    if hasattr(material, "subsurface_method"):
        material.subsurface_method = "RANDOM_WALK"


def kind_of(material: Any) -> str:
    return str(material.name.split(".")[0]) if material else ""


def over(head: Any) -> list[Any]:
    """Hair, coverings, glasses and neck of a head: they hang from it, or from its joints."""
    return [
        thing
        for thing in bpy.data.objects
        if thing.type == "MESH"
        and thing != head
        and thing.parent is not None
        and thing.parent in (head, head.parent)
        and any(kind_of(slot.material) in OVER for slot in thing.material_slots)
    ]


def cut_out(material: Any) -> None:
    """There where the picture's alpha is a half and more, seen from both sides."""
    material.use_backface_culling = False
    if hasattr(material, "surface_render_method"):  # Blender 4.2 and newer; the importer clips with nodes
        material.surface_render_method = "DITHERED"
    elif hasattr(material, "blend_method"):
        material.blend_method, material.alpha_threshold = "CLIP", 0.5
    if hasattr(material, "shadow_method"):
        material.shadow_method = "CLIP"
    if hasattr(material, "use_backface_culling_shadow"):
        material.use_backface_culling_shadow = False


# The eyes ------------------------------------------------------------------------------------------------------------


def add_gaze(head: Any) -> Any:
    """An empty for each eye that turns towards one target, and drivers that make the eyeLook keys follow them.

    Gives the target, or None where the head has no eyes or no such keys. It stands where the photo's eyes look.
    """
    keys = head.data.shape_keys.key_blocks
    ways = ("Up", "Down", "In", "Out")
    if any(f"eyeLook{way}{side}" not in keys for way in ways for side in ("Left", "Right")):
        return None
    sides = {side: rows for side, rows in (("Left", eye_rows(head, 1)), ("Right", eye_rows(head, -1))) if rows}
    if len(sides) < 2:
        return None
    centers, turns, looks = {}, {}, []
    for side, rows in sides.items():
        centers[side] = eye_center(head, side, rows)
        turns[side] = {way: turn_of(head, rows, centers[side], f"eyeLook{way}{side}") for way in ways}
        if min(turns[side].values()) < math.radians(1):
            return None
        value = {way: keys[f"eyeLook{way}{side}"].value * turns[side][way] for way in ways}
        outward = 1 if side == "Left" else -1
        looks.append((value["Down"] - value["Up"], outward * (value["Out"] - value["In"])))
    middle = (centers["Left"] + centers["Right"]) / 2
    down, aside = (sum(look[k] for look in looks) / 2 for k in (0, 1))
    target = empty(head, f"{head.name} gaze", "SPHERE", 0.03)
    target.location = middle + Euler((down, 0.0, aside)).to_matrix() @ Vector((0.0, -AHEAD, 0.0))
    for side, center in centers.items():
        eye = empty(head, f"{head.name} eye {side.lower()}", "SINGLE_ARROW", 0.02)
        eye.location = center
        track = eye.constraints.new("DAMPED_TRACK")
        track.target, track.track_axis = target, "TRACK_NEGATIVE_Y"
        outward = 1 if side == "Left" else -1
        for way, axis, sign in (("Down", "X", 1), ("Up", "X", -1), ("Out", "Z", outward), ("In", "Z", -outward)):
            drive(keys[f"eyeLook{way}{side}"], eye, axis, sign / turns[side][way])
    return target


def empty(head: Any, name: str, shape: str, size: float) -> Any:
    """An empty that is a child of the head."""
    thing = bpy.data.objects.new(name, None)
    thing.empty_display_type, thing.empty_display_size, thing.parent = shape, size, head
    for collection in head.users_collection:
        collection.objects.link(thing)
    return thing


def drive(key: Any, eye: Any, axis: str, factor: float) -> None:
    """The key's value is the eye's turn about an axis of the head, by `factor`, within 0..1."""
    driver = key.driver_add("value").driver
    driver.type = "SCRIPTED"
    variable = driver.variables.new()
    variable.name, variable.type = "turn", "TRANSFORMS"
    source = variable.targets[0]
    source.id, source.transform_type, source.transform_space = eye, f"ROT_{axis}", "LOCAL_SPACE"
    driver.expression = f"clamp(turn * {factor:.4f}, 0, 1)"  # of the kind that Blender trusts in any file


def follow(thing: Any, keys: Any) -> None:
    """Shape keys of what moves with the face, lashes, take the values of the head's `keys` of the same names."""
    own = thing.data.shape_keys
    own.animation_data_clear()
    for key in own.key_blocks[1:]:
        if key.name not in keys.key_blocks:
            continue
        key.slider_min, key.slider_max = 0.0, 1.0
        driver = key.driver_add("value").driver
        driver.type = "AVERAGE"
        variable = driver.variables.new()
        variable.type = "SINGLE_PROP"
        source = variable.targets[0]
        source.id_type, source.id, source.data_path = "KEY", keys, f'key_blocks["{key.name}"].value'


def eye_rows(head: Any, sign: int) -> list[int]:
    """Vertices of one eyeball: of the material `eyes`, on that side."""
    slots = [k for k, slot in enumerate(head.material_slots) if slot.material.name.split(".")[0] == "eyes"]
    used = {v for face in head.data.polygons if face.material_index in slots for v in face.vertices}
    rest = head.data.shape_keys.key_blocks[0].data
    return sorted(v for v in used if rest[v].co.x * sign > 0)


def eye_center(head: Any, side: str, rows: list[int]) -> Any:
    """Where the eye turns, as the file says, else the middle of the ball."""
    said = head.data.get("eyeCenters")
    if said:
        x, y, z = said[0 if side == "Left" else 1]
        return Vector((x, -z, y))
    rest = head.data.shape_keys.key_blocks[0].data
    return sum((rest[v].co for v in rows), Vector()) / len(rows)


def turn_of(head: Any, rows: list[int], center: Any, name: str) -> float:
    """Radians by which a key at 1 turns an eyeball: of the rotation whose moves are nearest to the key's."""
    keys = head.data.shape_keys.key_blocks
    twist, spread = Vector(), Matrix(((0, 0, 0),) * 3)
    for v in rows:
        arm = keys[0].data[v].co - center
        move = keys[name].data[v].co - keys[0].data[v].co
        twist += arm.cross(move)
        spread += Matrix([[arm.dot(arm) * (i == j) - arm[i] * arm[j] for j in range(3)] for i in range(3)])
    sine = (spread.inverted_safe() @ twist).length
    return math.asin(min(sine, 1.0))


# Files ---------------------------------------------------------------------------------------------------------------


def export_fbx(head: Any, path: str) -> None:
    """The head, with its joints if it has any, shape keys, hair, textures and motion, as Unity and Unreal take it."""
    hair = over(head)
    moves = any(thing.animation_data for thing in (head, head.parent, head.data.shape_keys) if thing)
    for thing in bpy.context.view_layer.objects:
        thing.select_set(thing == head or thing in hair or (thing == head.parent and thing.type == "ARMATURE"))
    bpy.ops.export_scene.fbx(
        filepath=path,
        use_selection=True,
        object_types={"MESH", "ARMATURE"},
        apply_scale_options="FBX_SCALE_UNITS",
        mesh_smooth_type="FACE",
        use_mesh_modifiers=False,
        add_leaf_bones=False,
        bake_anim=moves,
        bake_anim_use_nla_strips=False,
        bake_anim_use_all_actions=False,
        bake_anim_simplify_factor=0.0,
        path_mode="COPY",
        embed_textures=True,
    )


def render(path: str, size: int = 800) -> None:
    """A picture with one large light, by Cycles on the processor."""
    scene = bpy.context.scene
    scene.render.engine, scene.cycles.samples, scene.cycles.device = "CYCLES", 32, "CPU"
    scene.render.resolution_x = scene.render.resolution_y = size
    scene.view_settings.view_transform = "Standard"
    if scene.world is None:
        scene.world = bpy.data.worlds.new("World")
    scene.world.use_nodes = True
    scene.world.node_tree.nodes["Background"].inputs["Color"].default_value = (0.35, 0.36, 0.38, 1.0)
    camera = bpy.data.objects.new("Camera", bpy.data.cameras.new("Camera"))
    camera.data.lens = 85.0
    light = bpy.data.objects.new("Light", bpy.data.lights.new("Light", "AREA"))
    light.data.energy, light.data.size = 8.0, 0.4
    for thing, place in ((camera, (0.22, -0.78, 0.0)), (light, (-0.5, -0.6, 0.5))):
        scene.collection.objects.link(thing)
        thing.location = place
        thing.rotation_euler = (Vector((0.0, 0.0, -0.03)) - Vector(place)).to_track_quat("-Z", "Y").to_euler()
    scene.camera = camera
    scene.render.filepath = os.path.abspath(path)
    bpy.ops.render.render(write_still=True)


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser("tronie_blender_import.py", description="Heads of tronie in Blender.")
    parser.add_argument("head", help="head.glb")
    parser.add_argument("--save", metavar="FILE.blend")
    parser.add_argument("--fbx", metavar="FILE.fbx")
    parser.add_argument("--picture", metavar="FILE.png", help="a rendered picture")
    parser.add_argument("--rest", action="store_true", help="the face at rest, not with the photo's expression")
    parser.add_argument("--no-gaze", action="store_true", help="no target for the eyes")
    chosen = parser.parse_args(arguments)
    bpy.ops.wm.read_factory_settings(use_empty=True)
    head = import_head(os.path.abspath(chosen.head), gaze=not chosen.no_gaze, rest=chosen.rest)
    if chosen.fbx:
        export_fbx(head, os.path.abspath(chosen.fbx))
    if chosen.picture:
        render(chosen.picture)
    if chosen.save:
        bpy.ops.file.pack_all()
        bpy.ops.wm.save_as_mainfile(filepath=os.path.abspath(chosen.save))


class ImportHead(bpy.types.Operator):  # type: ignore[misc,unused-ignore]
    """Import a head.glb of tronie"""

    bl_idname = "import_scene.tronie_head"
    bl_label = "Tronie head (.glb)"
    bl_options = {"REGISTER", "UNDO"}  # noqa: RUF012 (Blender reads it so)
    filepath: bpy.props.StringProperty(subtype="FILE_PATH")  # type: ignore[valid-type]
    filter_glob: bpy.props.StringProperty(default="*.glb", options={"HIDDEN"})  # type: ignore[valid-type]

    def invoke(self, context: Any, _event: Any) -> set[str]:
        context.window_manager.fileselect_add(self)
        return {"RUNNING_MODAL"}

    def execute(self, _context: Any) -> set[str]:
        import_head(self.filepath)
        return {"FINISHED"}


def register() -> None:
    bpy.utils.register_class(ImportHead)
    bpy.types.TOPBAR_MT_file_import.append(
        lambda menu, _context: menu.layout.operator(ImportHead.bl_idname, text=ImportHead.bl_label)
    )


if __name__ == "__main__":
    given = sys.argv[sys.argv.index("--") + 1 :] if "--" in sys.argv else sys.argv[1:]
    if bpy.app.background:
        main(given)
    else:
        register()
