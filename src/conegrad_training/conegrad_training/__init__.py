"""Training and evaluation of the pipeline on recorded drives."""

import conegrad_core  # noqa: F401  (it finds modules under their former names)
