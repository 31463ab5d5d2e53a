"""Data-parallel training: processes share each batch and take the same steps (torchrun)."""

import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import torch
from torch import Tensor, nn
from torch import distributed as processes
from torch.nn.modules.batchnorm import _BatchNorm

K = TypeVar("K")
BACKENDS = "cpu:gloo,cuda:nccl"  # the fusion stays on the CPU while the networks may not


def count() -> int:
    """Processes that train together."""
    return processes.get_world_size() if processes.is_initialized() else 1


def rank() -> int:
    """Number of this process; 0 writes."""
    return processes.get_rank() if processes.is_initialized() else 0


@contextmanager
def joined() -> Iterator[None]:
    """Join the processes that torchrun started; alone, nothing happens."""
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        yield
        return
    # NCCL refuses processes that share a GPU; gloo serves them, and those on the CPU beside it.
    has_own_gpu = int(os.environ["LOCAL_WORLD_SIZE"]) <= torch.cuda.device_count()
    if has_own_gpu:
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
    processes.init_process_group(BACKENDS if has_own_gpu else "gloo")
    try:
        yield
    finally:
        processes.destroy_process_group()


@contextmanager
def folder_of_this_process(output: Path) -> Iterator[Path]:
    """The output folder for the process that writes, a copy that is thrown away for others."""
    if rank() == 0:
        _wait()  # until the others have read what a resumed run goes on from
        yield output
        return
    with tempfile.TemporaryDirectory(prefix="conegrad_") as scratch:
        copy = Path(scratch) / output.name
        copy.mkdir()
        for path in output.glob("*") if output.is_dir() else ():
            if path.is_file():
                shutil.copy(path, copy)
        _wait()
        yield copy


def average_gradients(parameters: Iterable[nn.Parameter]) -> None:
    """Give every process the gradient of the joint batch.

    A weight that has a gradient in one process has one in all.
    """
    learning = [weight for weight in parameters if weight.requires_grad]
    if count() == 1 or not learning:
        return
    has_one = torch.tensor([float(weight.grad is not None) for weight in learning])
    processes.all_reduce(has_one)
    for weight, found in zip(learning, has_one.tolist(), strict=True):
        if found and weight.grad is None:
            weight.grad = torch.zeros_like(weight)
    for device in {weight.device for weight in learning}:
        _average([w.grad for w in learning if w.grad is not None and w.device == device])


def averaged(values: Mapping[str, float]) -> dict[str, float]:
    """Mean of named values over the processes, all of which have the same names."""
    if count() == 1:
        return dict(values)
    joint = torch.tensor(list(values.values()), dtype=torch.float64)
    processes.all_reduce(joint)
    return dict(zip(values, (joint / count()).tolist(), strict=True))


def united(values: Mapping[K, int]) -> dict[K, int]:
    """Entries that any process has."""
    if count() == 1:
        return dict(values)
    every: list[Any] = [None] * count()
    processes.all_gather_object(every, dict(values))
    return {name: value for one in every for name, value in one.items()}


class _Sum(torch.autograd.Function):
    """Sum over the processes; each one's loss depends on every other's values."""

    @staticmethod
    def forward(context: Any, values: Tensor) -> Tensor:
        total = values.contiguous().clone()
        processes.all_reduce(total)
        return total

    @staticmethod
    def backward(context: Any, *gradients: Tensor) -> Tensor:
        total = gradients[0].contiguous().clone()
        processes.all_reduce(total)
        return total


def summed(values: Tensor) -> Tensor:
    """Sum of a tensor over the processes; differentiable."""
    total: Tensor = _Sum.apply(values)
    return total


def share_statistics(system: nn.Module) -> None:
    """Let batch-norm layers use the statistics of the joint batch."""
    for name, module in list(system.named_modules()):
        if isinstance(module, _BatchNorm) and count() > 1:
            parent, _, child = name.rpartition(".")
            setattr(system.get_submodule(parent), child, JointBatchNorm.of(module))


class JointBatchNorm(nn.BatchNorm2d):
    """Batch norm over the samples of all processes; torch's own needs a GPU for it."""

    @classmethod
    def of(cls, layer: _BatchNorm) -> "JointBatchNorm":
        """A layer with the very weights and statistics of another one."""
        made = cls(layer.num_features, layer.eps, layer.momentum)
        made._parameters, made._buffers = layer._parameters, layer._buffers
        # The network of Ultralytics is walked by these.
        made.__dict__ |= {key: layer.__dict__[key] for key in ("i", "f") if key in layer.__dict__}
        return made.train(layer.training)

    def forward(self, inputs: Tensor) -> Tensor:
        """Normalise ``(B, C, ...)`` values."""
        if not self.training:
            return nn.functional.batch_norm(
                inputs, self.running_mean, self.running_var, self.weight, self.bias, eps=self.eps
            )
        axes = [axis for axis in range(inputs.dim()) if axis != 1]
        values = inputs.float()
        size = values.numel() // values.shape[1] * count()
        mean = summed(values.sum(axes)) / size
        offsets = values - _along(mean, values)
        variance = summed(offsets.square().sum(axes)) / size
        if self.track_running_stats:
            self._follow(mean.detach(), variance.detach() * size / max(size - 1, 1))
        normal = offsets * _along((variance + self.eps).rsqrt() * self.weight, values)
        return (normal + _along(self.bias, values)).to(inputs.dtype)

    @torch.no_grad()
    def _follow(self, mean: Tensor, variance: Tensor) -> None:
        momentum = 0.1 if self.momentum is None else self.momentum
        if self.num_batches_tracked is not None:
            self.num_batches_tracked.add_(1)
        for running, found in ((self.running_mean, mean), (self.running_var, variance)):
            if running is not None:
                running.lerp_(found.to(running.dtype), momentum)


def _along(values: Tensor, like: Tensor) -> Tensor:
    return values.view(1, -1, *[1] * (like.dim() - 2))


def _average(gradients: list[Tensor]) -> None:
    """One message for all of them."""
    if gradients:
        joint = torch.cat([gradient.flatten() for gradient in gradients])
        processes.all_reduce(joint)
        joint /= count()
        sizes = [gradient.numel() for gradient in gradients]
        for gradient, part in zip(gradients, joint.split(sizes), strict=True):
            gradient.copy_(part.view_as(gradient))


def _wait() -> None:
    if count() > 1:
        processes.barrier()
