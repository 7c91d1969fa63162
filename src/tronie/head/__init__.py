"""Heads as meshes: the model, its layouts, levels of detail, joints."""
