"""Mixed precision of a training: which device can do it."""

import torch

from conegrad_training.systems.system_config import SystemConfig


def check_precision(config: SystemConfig) -> None:
    """Refuse a precision that would train wrongly or not at all.

    Convolutions and their gradients run in bfloat16, which has the range of float32, so no loss
    scaling is needed; weights, optimizer, fusion and losses stay in float32.

    Raises:
        ValueError: if the device does not exist or cannot train with the precision.
    """
    is_cuda = config.device.startswith("cuda")
    if is_cuda and not torch.cuda.is_available():
        raise ValueError(f"device is {config.device!r}, expected 'cpu': torch finds no CUDA device")
    if config.precision == "fp16":
        raise ValueError(
            "precision is 'fp16', expected 'fp32' or 'bf16': small gradients vanish in fp16"
        )
    if config.precision == "bf16" and is_cuda and not torch.cuda.is_bf16_supported():
        name = torch.cuda.get_device_name()
        raise ValueError(f"precision is 'bf16', expected 'fp32': {name} cannot compute in bf16")
