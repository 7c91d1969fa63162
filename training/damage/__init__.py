"""Makes damage.onnx: the net that finds scratches, folds, tears, stains and dust of old photographs."""
