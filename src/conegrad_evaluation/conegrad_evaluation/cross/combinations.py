"""Combinations of versions of stages, and the chain of versions behind each output."""

import hashlib
import itertools
import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import NamedTuple

from conegrad_core.pipeline.graph import Pipeline
from conegrad_core.pipeline.layout import Layout
from conegrad_core.pipeline.stage import Stage
from conegrad_core.system_record.stage_hash import stage_hashes
from conegrad_evaluation.cross.stage_versions import (
    StageVersion,
    Versions,
    base_pipeline,
    load_version,
)

RUNTIMES = ("torch", "openvino", "onnxruntime")  # whose version may change a result


class Combination(NamedTuple):
    """A system: one version of each stage that is varied.

    Attributes:
        chosen: version of each such stage, by its name.
        chains: of every stage of the pipeline: hash of the stage and of all stages that its inputs
            come from. Two combinations with equal chains of a stage have equal outputs of it.
        hashes: of the versions that are chosen.
    """

    chosen: Mapping[str, StageVersion]
    chains: Mapping[str, str]
    hashes: Mapping[str, str]

    @property
    def name(self) -> str:
        """For people."""
        return ", ".join(map(str, self.chosen.values()))


def all_combinations(reference: str, versions: Versions) -> list[Combination]:
    """Every combination, the versions of the last stage changing first.

    Args:
        reference: of the pipeline whose stages are varied.
        versions: of these stages.

    Raises:
        FileNotFoundError: if there is no such file or system.
        PipelineError: if a version does not fit the pipeline.
        ValueError: if weights are of another kind.
    """
    base = base_pipeline(reference)
    of_base = _hashes(base)
    hashes = {
        version: _hashes(_with(base, {version.stage: load_version(reference, version)}))[name]
        for name, of_stage in versions.items()
        for version in of_stage
    }
    combinations = []
    for row in itertools.product(*versions.values()):
        chosen = {version.stage: version for version in row}
        own = {name: hashes[version] for name, version in chosen.items()}
        chains = chain_hashes(base.layout, {**of_base, **own})
        combinations.append(Combination(chosen, chains, own))
    return combinations


def pipeline_of(reference: str, combination: Combination) -> Pipeline:
    """The pipeline of a combination; stages are shared with other pipelines of this process."""
    stages = {
        name: load_version(reference, version, combination.hashes[name])
        for name, version in combination.chosen.items()
    }
    return _with(base_pipeline(reference), stages).eval()


def chain_hashes(layout: Layout, hashes: Mapping[str, str]) -> dict[str, str]:
    """Hash of each stage with all stages before it, in their order.

    Args:
        layout: of the pipeline.
        hashes: of each stage alone.
    """
    chains: dict[str, str] = {}
    for name in layout.order:
        specification = layout.specification.stages[name]
        inputs = {
            slot: [chains.get(layout.writers.get(port, ""), ""), port]
            for slot, port in specification.inputs.items()
        }
        text = json.dumps([hashes[name], inputs, dict(specification.outputs)], sort_keys=True)
        chains[name] = hashlib.sha256(text.encode()).hexdigest()
    return chains


def _with(base: Pipeline, stages: Mapping[str, Stage]) -> Pipeline:
    return Pipeline(base.specification, {n: stages.get(n, base.stage(n)) for n in base.order})


def _hashes(pipeline: Pipeline) -> dict[str, str]:
    """Of each stage, with the code that runs it."""
    hashes = {}
    for name, of_stage in stage_hashes(pipeline).items():
        code = code_hash(type(pipeline.stage(name)).__module__.partition(".")[0])
        hashes[name] = hashlib.sha256(f"{of_stage}{code}{_runtimes()}".encode()).hexdigest()
    return hashes


@lru_cache(maxsize=32)
def code_hash(package: str) -> str:
    """The sha256 of the source files of a package: what another version would compute differs."""
    digest = hashlib.sha256()
    source = import_module(package).__file__ or ""
    files = Path(source).parent.rglob("*.py") if Path(source).name == "__init__.py" else [source]
    for path in sorted(map(Path, files)):
        digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()


@lru_cache(maxsize=1)
def _runtimes() -> str:
    found = []
    for package in RUNTIMES:
        try:
            found.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            found.append(f"no {package}")
    return ", ".join(found)


def chains_of(combinations: Sequence[Combination], stage: str) -> dict[str, int]:
    """Different chains of a stage, each with the first combination that has it."""
    found: dict[str, int] = {}
    for place, combination in enumerate(combinations):
        found.setdefault(combination.chains[stage], place)
    return found
