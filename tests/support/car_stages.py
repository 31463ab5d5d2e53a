"""The learned stages of the car's pipeline and the files of their weights."""

from conegrad_training.systems.system_config import SystemConfig

FILES = {name: stage.weights_file for name, stage in SystemConfig().classes.items()}
STAGES = tuple(FILES)


def saved_in(folder, config: SystemConfig, stages=STAGES) -> SystemConfig:
    """Settings that load the weights a training wrote to a folder."""
    return config.with_weights({stage: folder / FILES[stage] for stage in stages})


def weights_of(config: SystemConfig) -> dict[str, str]:
    """Weights file of each stage."""
    return dict(word.split("=", 1) for word in config.weights)
