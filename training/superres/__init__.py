"""Makes face_enhance.onnx: the net that restores small faces."""
