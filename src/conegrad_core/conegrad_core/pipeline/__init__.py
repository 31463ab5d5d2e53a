"""Pipelines of named stages: one graph for the car, for training and for evaluation.

A *stage* is a module with named inputs and outputs (:mod:`.stage`); a *port type* is a kind of data
that flows between stages (:mod:`.port`, the car's in :mod:`.ports`). A YAML file (:mod:`.file`)
names stages and connects them; it becomes a :mod:`.specification`, which is checked
(:mod:`.checks`, :mod:`.faults` for all at once) against what is installed (:mod:`.registry`), laid
out (:mod:`.layout`) and built (:mod:`.build`) into the
:class:`~conegrad_core.pipeline.graph.Pipeline` (:mod:`.graph`) that runs.
"""
