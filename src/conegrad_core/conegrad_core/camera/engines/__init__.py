"""Ways to run a detection network: torch, ONNX Runtime, OpenVINO, TensorRT."""
