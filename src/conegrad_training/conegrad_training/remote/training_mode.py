"""How a model node learns."""

from dataclasses import dataclass
from pathlib import Path

from torch import nn

from conegrad_core.settings import Config, setting


@dataclass(frozen=True)
class TrainingModeConfig(Config):
    """Settings of a model node in training mode."""

    adapt_statistics: bool = setting(False, "Batch-norm statistics follow the samples")
    output: str = setting("runs/topics", "Folder in which ~/save_weights writes")

    def file(self, name: str) -> Path:
        """Path of a file in the output folder, which is made."""
        folder = Path(self.output).expanduser()
        folder.mkdir(parents=True, exist_ok=True)
        return folder / name


def set_training(module: nn.Module, config: TrainingModeConfig) -> None:
    """Make a model learn, with or without its batch-norm statistics."""
    module.train(config.adapt_statistics)
    module.requires_grad_()
