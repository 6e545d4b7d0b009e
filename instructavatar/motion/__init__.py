"""The motion generator at inference: numpy and ONNX Runtime."""
