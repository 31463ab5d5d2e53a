"""Settings of a sweep."""

from dataclasses import dataclass

from conegrad_core.settings import Config, setting


@dataclass(frozen=True)
class StudyConfig(Config):
    """What is varied, how often, and what decides."""

    vary: tuple[str, ...] = setting(
        (),
        "Setting that is varied: GROUP.NAME=A|B, =LOW..HIGH or =LOW..HIGH:log, as in "
        "--print-config; of one stage: optimizer.rates.STAGE=1e-5..1e-3:log; repeatable",
        metavar="SETTING",
        is_repeated=True,
    )
    trials: int = setting(
        20, "Number of trainings, with those of earlier sweeps in the folder", low=1
    )
    figure: str = setting(
        "f1_colour", "Metric that should be high", option="--metric", aliases=("figure",)
    )
    label_budget: int = setting(
        0, "Largest number of label values that a training may use; 0: any", low=0
    )
    measure_every: int = setting(
        50, "Steps between two measurements, by which trials are pruned; 0: none are", low=0
    )
    full_trials: int = setting(4, "Trials before the first one is pruned", low=1)
    sampler_seed: int = setting(1, "Seed of the values that are tried", low=0, high=2**31)
    storage: str = setting(
        "",
        "Address of the database, such as postgresql://HOST/NAME; empty: a file in the folder",
    )
