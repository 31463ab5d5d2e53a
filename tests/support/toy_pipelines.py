"""Pipelines of the toy stages of ``tests/core/pipeline/toys.py``."""

from conegrad_core.pipeline.build import build_pipeline
from conegrad_core.pipeline.file import read_specification
from conegrad_core.pipeline.graph import Pipeline


def pipeline(*stages: str, inputs: str = "a b", outputs: str = "") -> Pipeline:
    """Pipeline of lines such as ``join: network first(a, b) -> c``: name, module, ports."""
    lines = [f"inputs: {{{', '.join(f'{port}: Number' for port in inputs.split())}}}", "stages:"]
    for stage in stages:
        name, module, *ports, _, made = stage.replace(":", "").split()
        slots = ("x",) if module not in ("pair", "join") else ("a", "b", "c")
        given = ", ".join(f"{slot}: {port}" for slot, port in zip(slots, ports, strict=False))
        lines.append(f"  {name}: {{module: {module}, inputs: {{{given}}}, outputs: {{y: {made}}}}}")
    result = outputs or stages[-1].split()[-1]
    lines.append(f"outputs: {{{', '.join(f'{p}: {p}' for p in result.split())}}}")
    return build_pipeline(read_specification("\n".join(lines), "toy.yaml"))
