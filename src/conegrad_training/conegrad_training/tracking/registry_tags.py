"""What the registry says of a system, of its stages, and of the bags that it was made with."""

from typing import Any

from conegrad_core.system_record.record import SystemRecord

ID = "record_id"
DIGEST = 36  # characters of the digest of a data set
TAG = 5000  # characters of a tag


def run_tags(record: SystemRecord) -> dict[str, str]:
    """Tags of the run that holds a record which no run made."""
    described = record.description
    tags = {
        "mlflow.runName": f"{record.name} {record.id}",
        "mlflow.source.name": described.command,
        "mlflow.source.type": "LOCAL",
        "mlflow.source.git.commit": described.git_revision,
        "mlflow.note.content": described.note or f"Record {record.id} of {record.name}",
        ID: record.id,
    }
    return {name: value[:TAG] for name, value in tags.items() if value}


def version_tags(record: SystemRecord, stages: dict[str, str]) -> dict[str, str]:
    """Tags of a version: what finds it, and its lineage.

    Args:
        record: of the version.
        stages: id of the logged model of each stage.
    """
    described = record.description
    tags = {
        ID: record.id,
        "parents": " ".join(described.parents),
        "pipeline": record.entry.pipeline,
        "integration": record.entry.integration,
        "pattern": described.pattern,
        "git_revision": described.git_revision,
        "command": described.command,
        "created": described.created,
        **{f"stage.{name}": model for name, model in stages.items()},
        **{f"stage_hash.{name}": hashed for name, hashed in record.stage_hashes.items()},
    }
    return {name: value[:TAG] for name, value in tags.items() if value}


def stage_tags(record: SystemRecord, name: str) -> dict[str, str]:
    """Tags of the logged model of a stage."""
    stage = record.entry.stages[name]
    return {"stage": name, "module": stage.module, "stage_hash": stage.hash, ID: record.id}


def bag_inputs(record: SystemRecord) -> list[Any]:
    """The bags of a record as data sets of MLflow, which are told apart by their content."""
    from mlflow.entities import Dataset, DatasetInput, InputTag

    return [
        DatasetInput(
            Dataset(bag.name, bag.sha256[:DIGEST] or "unknown", "bag", bag.name),
            [InputTag("mlflow.data.context", bag.role)],
        )
        for bag in record.description.bags
    ]
