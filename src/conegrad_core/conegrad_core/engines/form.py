"""In which form a network is exported: for which engine, in which precision."""

from dataclasses import dataclass

EXPORT_ENGINES = ("openvino", "onnx", "tensorrt")
EXPORT_PRECISIONS = ("fp32", "bf16", "int8")


@dataclass(frozen=True)
class EngineForm:
    """What an export is for.

    Attributes:
        engine: one of :data:`EXPORT_ENGINES`.
        precision: one of :data:`EXPORT_PRECISIONS`; int8 needs examples of the inputs.

    Raises:
        ValueError: naming the field, or if the engine does not have the precision.
    """

    engine: str
    precision: str = "fp32"

    def __post_init__(self) -> None:
        for name, value, known in (
            ("engine", self.engine, EXPORT_ENGINES),
            ("precision", self.precision, EXPORT_PRECISIONS),
        ):
            if value not in known:
                raise ValueError(f"{name} is {value!r}, expected one of {', '.join(known)}")
        if self.engine == "onnx" and self.precision == "bf16":
            raise ValueError(
                "precision is 'bf16' for engine 'onnx', expected fp32 or int8: ONNX Runtime has no "
                "convolution in bf16 for CPUs"
            )

    def __str__(self) -> str:
        return f"{self.engine} {self.precision}"
