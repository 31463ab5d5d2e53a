"""Combinations of versions of stages, and the chain of versions behind each output."""

import hashlib
import itertools
import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from importlib import import_module, metadata
from pathlib import Path
from typing import Any, NamedTuple

from conegrad_core.pipeline.errors import PipelineError
from conegrad_core.pipeline.graph import Pipeline
from conegrad_core.pipeline.layout import Layout
from conegrad_core.pipeline.stage import Stage
from conegrad_core.system_record.reference import load_referenced
from conegrad_core.system_record.stage_hash import stage_hashes
from conegrad_evaluation.cross.stage_versions import StageVersion, Versions, load_version

MAX_LOADED = 64  # stages and pipelines that a process keeps
RUNTIMES = ("torch", "openvino", "onnxruntime")  # whose version may change a result

_LOADED: dict[tuple[object, str], Any] = {}  # by what they were loaded from, and its hash


class Combination(NamedTuple):
    """A system: one version of each stage that is varied.

    Attributes:
        chosen: version of each such stage, by its name.
        chains: of every stage of the pipeline: hash of the stage and of all stages that its inputs
            come from. Two combinations with equal chains of a stage have equal outputs of it.
        hashes: of the versions that are chosen.
        base: hash of the pipeline whose stages are varied.
    """

    chosen: Mapping[str, StageVersion]
    chains: Mapping[str, str]
    hashes: Mapping[str, str]
    base: str = ""

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
    base = load_referenced(reference)
    of_base = _hashes(base)
    base_hash = _keep(reference, _joined(of_base), base)
    hashes: dict[StageVersion, str] = {}
    for version in itertools.chain.from_iterable(versions.values()):
        stage = load_version(base, version)
        found = _hashes(_with(base, {version.stage: stage}))[version.stage]
        hashes[version] = _keep(version, found, stage)
    combinations = []
    for row in itertools.product(*versions.values()):
        chosen = {version.stage: version for version in row}
        own = {name: hashes[version] for name, version in chosen.items()}
        chains = chain_hashes(base.layout, {**of_base, **own})
        combinations.append(Combination(chosen, chains, own, base_hash))
    return combinations


def pipeline_of(reference: str, combination: Combination) -> Pipeline:
    """The pipeline of a combination; stages are shared with other pipelines of this process.

    Raises:
        PipelineError: if what is loaded here is not what the combination was made of, as in a
            process of another machine, or after a file was changed.
    """
    base = _kept(reference, combination.base)
    if base is None:
        base = load_referenced(reference)
        _check(reference, _joined(_hashes(base)), combination.base)
        _keep(reference, combination.base, base)
    stages = {}
    for name, version in combination.chosen.items():
        stage = _kept(version, combination.hashes[name])
        if stage is None:
            stage = load_version(base, version)
            found = _hashes(_with(base, {name: stage}))[name]
            _check(str(version), found, combination.hashes[name])
            _keep(version, found, stage)
        stages[name] = stage
    return _with(base, stages).eval()


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


def _kept(source: object, content: str) -> Any:
    """What this process has loaded; None if it has not."""
    return _LOADED.get((source, content))


def _keep(source: object, content: str, loaded: Any) -> str:
    """Keep what was loaded, in place of the oldest; its content."""
    while len(_LOADED) >= MAX_LOADED:
        del _LOADED[next(iter(_LOADED))]
    _LOADED[source, content] = loaded
    return content


def _check(name: str, found: str, expected: str) -> None:
    if found != expected:
        raise PipelineError(
            f"{name}: weights, settings or code are not those that the evaluation began with "
            f"(hash {found[:12]}, expected {expected[:12]})"
        )


def _joined(hashes: Mapping[str, str]) -> str:
    return hashlib.sha256(json.dumps(hashes, sort_keys=True).encode()).hexdigest()


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
            found.append(f"{package} {metadata.version(package)}")
        except metadata.PackageNotFoundError:
            found.append(f"no {package}")
    return ", ".join(found)


def chains_of(combinations: Sequence[Combination], stage: str) -> dict[str, int]:
    """Different chains of a stage, each with the first combination that has it."""
    found: dict[str, int] = {}
    for place, combination in enumerate(combinations):
        found.setdefault(combination.chains[stage], place)
    return found
