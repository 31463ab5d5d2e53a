"""Weights files of the detection network: safetensors and .pt, never code by accident."""

import json
import pickle
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import safetensors
import torch
from safetensors.torch import save
from torch import Tensor, nn

from conegrad_core.camera.class_order import class_names_of, class_order
from conegrad_core.camera.head import build_network
from conegrad_core.cones import CLASS_NAMES
from conegrad_core.weights import check_finite_weights, in_one_line
from conegrad_core.whole_file import write_whole

FORMAT = "conegrad-camera-1"
PICKLE = b"\x80"  # first byte of a pickle
# What torch raises for bytes that are no archive of it, by what they look like.
PT_DAMAGE = (RuntimeError, EOFError, KeyError, ValueError, OSError)


class LoadedNetwork(NamedTuple):
    """Network with the classes of the core, and what the file says about it."""

    network: nn.Module
    metadata: dict[str, str]


def save_network(
    network: nn.Module,
    path: Path,
    *,
    architecture: str,
    input_size: tuple[int, int],
    half: bool = True,
    extra: Mapping[str, str] | None = None,
) -> None:
    """Write weights as safetensors, floats as fp16 unless ``half`` is False.

    Args:
        network: ``DetectionModel`` with the classes of the core in their order.
        path: ends with ``.safetensors``.
        architecture: one of ``yolov5n``, ``yolov5s``, ``yolov5m``.
        input_size: width and height the network was trained for [px].
        half: store 16-bit floats; loading gives 32-bit floats either way.
        extra: more metadata, text by name.
    """
    dtype = torch.float16 if half else torch.float32
    tensors = {
        name: (tensor.to(dtype) if tensor.is_floating_point() else tensor)
        .detach()
        .cpu()
        .contiguous()
        for name, tensor in network.state_dict().items()
    }
    metadata = {
        **(extra or {}),
        "format": FORMAT,
        "architecture": architecture,
        "class_names": json.dumps(CLASS_NAMES),
        "input_width": str(input_size[0]),
        "input_height": str(input_size[1]),
        "dtype": "fp16" if half else "fp32",
    }
    write_whole(path, save(tensors, metadata))


def load_network(path: Path, *, trust_pickle: bool = False) -> LoadedNetwork:
    """Network of a .safetensors or .pt file, in evaluation mode.

    Args:
        path: the file.
        trust_pickle: allow a .pt file to execute code, as checkpoints of Ultralytics need.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if the file is not a detector with the classes of the core, or if it is a
            pickle with code and ``trust_pickle`` is False; nothing of it is executed then.
    """
    if not path.exists():
        raise FileNotFoundError(f"weights {path} do not exist")
    if path.suffix == ".safetensors":
        return _load_safetensors(path)
    if path.suffix == ".pt":
        return _load_pt(path, trust_pickle)
    raise ValueError(f"weights {path} end with {path.suffix!r}, expected .safetensors or .pt")


def _load_safetensors(path: Path) -> LoadedNetwork:
    try:
        with safetensors.safe_open(path, framework="pt") as file:
            metadata: dict[str, str] = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except safetensors.SafetensorError as error:
        reason = in_one_line(error)
        raise ValueError(f"weights {path} are not a readable safetensors file: {reason}") from error
    return LoadedNetwork(_restore(tensors, metadata, path), metadata)


def _load_pt(path: Path, trust_pickle: bool) -> LoadedNetwork:
    _check_archive(path)
    try:
        content: Any = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        if not trust_pickle:
            raise ValueError(
                f"weights {path} are a pickle that can execute code and were not loaded; expected "
                "tensors only (.safetensors). If you trust their source, set trust_pickle to true"
            ) from error
        return _load_trusted(path)
    except PT_DAMAGE as error:
        reason = in_one_line(error)
        raise ValueError(f"weights {path} are not a readable .pt file: {reason}") from error
    if not isinstance(content, dict) or not {"metadata", "weights"} <= content.keys():
        found = sorted(map(str, content)) if isinstance(content, dict) else type(content).__name__
        raise ValueError(f"weights {path} hold {found}, expected 'metadata' and 'weights'")
    metadata, weights = content["metadata"], content["weights"]
    if not (_maps_text_to(str, metadata) and _maps_text_to(Tensor, weights)):
        raise ValueError(
            f"weights {path} hold metadata or weights of another type, expected text and tensors "
            "by name"
        )
    return LoadedNetwork(_restore(weights, metadata, path), metadata)


def _maps_text_to(kind: type, content: Any) -> bool:
    return isinstance(content, dict) and all(
        isinstance(name, str) and isinstance(value, kind) for name, value in content.items()
    )


def _check_archive(path: Path) -> None:
    """Refuse a damaged .pt file; one byte that changed would otherwise go unseen."""
    try:
        with zipfile.ZipFile(path) as archive:
            damaged = archive.testzip()
    except zipfile.BadZipFile as error:
        if path.read_bytes()[:1] == PICKLE:  # as torch wrote them before it took archives
            return
        raise ValueError(f"weights {path} are damaged or not a .pt file ({error})") from error
    if damaged is not None:
        raise ValueError(f"weights {path} are damaged: bad check sum of {damaged}")


def _load_trusted(path: Path) -> LoadedNetwork:
    """Checkpoint of Ultralytics; executes what the pickle says."""
    try:
        content: Any = torch.load(path, map_location="cpu", weights_only=False)
    except (ImportError, AttributeError, pickle.UnpicklingError) as error:
        reason = in_one_line(error)
        raise ValueError(f"weights {path} need code that is not installed: {reason}") from error
    except PT_DAMAGE as error:
        reason = in_one_line(error)
        raise ValueError(f"weights {path} are not a readable .pt file: {reason}") from error
    found: Any = content.get("ema") or content.get("model") if isinstance(content, dict) else None
    head: Any = (
        found.model[-1] if isinstance(getattr(found, "model", None), nn.Sequential) else None
    )
    if found is None or getattr(head, "cv3", None) is None:
        raise ValueError(f"weights {path} hold no Ultralytics detector with a one-to-many head")
    names = [str(found.names[index]) for index in sorted(found.names)]
    _reorder_classes(found, class_order(names, str(path)))
    check_finite_weights(found.state_dict(), path)
    metadata = {"class_names": json.dumps(CLASS_NAMES)}
    return LoadedNetwork(found.float().eval(), metadata)


def _restore(tensors: Mapping[str, Tensor], metadata: Mapping[str, str], path: Path) -> nn.Module:
    missing = {"architecture", "class_names"} - metadata.keys()
    if missing:
        raise ValueError(f"weights {path} lack the metadata {sorted(missing)}")
    order = class_order(class_names_of(metadata["class_names"], f"weights {path}"), str(path))
    try:
        network = build_network(metadata["architecture"])
    except ValueError as error:
        raise ValueError(f"weights {path}: {error}") from error
    check_finite_weights(tensors, path)
    try:
        network.load_state_dict(dict(tensors))  # copies into fp32
    except RuntimeError as error:
        raise ValueError(
            f"weights {path} do not fit the architecture {metadata['architecture']}: "
            f"{in_one_line(error)}"
        ) from error
    _reorder_classes(network, order)
    return network.eval()


def _reorder_classes(network: Any, order: Sequence[int]) -> None:
    """Sort the rows of the last class convolutions into the order of the core."""
    with torch.no_grad():
        for branch in network.model[-1].cv3:
            branch[-1].weight.copy_(branch[-1].weight[list(order)].clone())
            branch[-1].bias.copy_(branch[-1].bias[list(order)].clone())
