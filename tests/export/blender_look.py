"""Run inside Blender's Python by test_blender.py: what a .blend or a .fbx holds, as a line of JSON."""

import json
import sys

import bpy

path = sys.argv[-1]
bpy.ops.wm.read_factory_settings(use_empty=True)
if path.endswith(".blend"):
    bpy.ops.wm.open_mainfile(filepath=path)
else:
    bpy.ops.import_scene.fbx(filepath=path)


def looks(head):
    """Values of the eyeLook keys as Blender evaluates them now."""
    bpy.context.view_layer.update()
    keys = head.evaluated_get(bpy.context.evaluated_depsgraph_get()).data.shape_keys.key_blocks
    return {key.name: key.value for key in keys if key.name.startswith("eyeLook")}


(head,) = [thing for thing in bpy.data.objects if thing.type == "MESH" and thing.data.shape_keys]
keys = head.data.shape_keys
said = {
    "vertices": len(head.data.vertices),
    "size": list(head.dimensions),
    "keys": [key.name for key in keys.key_blocks[1:]],
    "values": {key.name: key.value for key in keys.key_blocks[1:]},
    "ranges": sorted({(key.slider_min, key.slider_max) for key in keys.key_blocks[1:]}),
    "materials": [slot.material.name for slot in head.material_slots],
    "attributes": [a.name for a in head.data.attributes],
    "images": [list(image.size) for image in bpy.data.images],
    "parent": head.parent.type if head.parent else None,
    "groups": [group.name for group in head.vertex_groups],
    "coats": [],
}
for slot in head.material_slots:
    (node,) = [node for node in slot.material.node_tree.nodes if node.type == "BSDF_PRINCIPLED"]
    coat = node.inputs.get("Coat Weight") or node.inputs.get("Clearcoat")
    depth = node.inputs.get("Subsurface Weight") or node.inputs.get("Subsurface")
    said["coats"].append([coat.default_value, depth.default_value])
targets = [thing for thing in bpy.data.objects if thing.name.endswith(" gaze")]
if targets:
    said["trusted"] = all(d.driver.is_valid and d.driver.is_simple_expression for d in keys.animation_data.drivers)
    said["looks"] = [looks(head)]
    for place in ((0.3, -0.6, 0.0), (0.0, -0.6, 0.2)):
        targets[0].location = place
        said["looks"].append(looks(head))
said["over"] = {
    thing.name: [
        len(thing.data.polygons),
        thing.parent.type if thing.parent else None,
        [slot.material.name for slot in thing.material_slots],
        all(not slot.material.use_backface_culling for slot in thing.material_slots),
        any(link.to_socket.name == "Alpha" for slot in thing.material_slots for link in slot.material.node_tree.links),
    ]
    for thing in bpy.data.objects
    if thing.type == "MESH" and not thing.data.shape_keys
}
scene = bpy.context.scene
ranges = [action.frame_range for action in bpy.data.actions]
if ranges:
    first, last = round(min(r[0] for r in ranges)), round(max(r[1] for r in ranges))


def moment(frame):
    """The jaw's value and where the head is turned, in a frame."""
    scene.frame_set(frame)
    shown = head.evaluated_get(bpy.context.evaluated_depsgraph_get())
    jaw = shown.data.shape_keys.key_blocks["jawOpen"].value
    carrier = head.parent if head.parent and head.parent.type == "ARMATURE" else None
    if carrier is None:
        return jaw, shown.matrix_world.to_quaternion()
    bone = carrier.evaluated_get(bpy.context.evaluated_depsgraph_get()).pose.bones[0]
    return jaw, (carrier.matrix_world @ bone.matrix).to_quaternion()


if ranges:
    (jaw_first, at_first), (jaw_last, at_last) = moment(first), moment(last)
    said["moves"] = {
        "rate": scene.render.fps / scene.render.fps_base,
        "jaw first": jaw_first,
        "jaw last": jaw_last,
        "turn": at_first.rotation_difference(at_last).angle,
    }
print("JSON" + json.dumps(said))
