"""Where torch may run: a device named by a person, checked before anything is put there."""

from torch import nn

from conegrad_core.engines.errors import EngineError


def put_on(network: nn.Module, device: str) -> None:
    """Move a network.

    Raises:
        EngineError: if there is no such device on this machine.
    """
    try:
        network.to(device)
    except (RuntimeError, AssertionError) as error:  # torch without CUDA raises the second
        reason = str(error).splitlines()[0]
        raise EngineError(
            f"device is {device!r}, expected cpu, or cuda on a machine that has it: {reason}"
        ) from error
