"""System records: a whole system as one immutable folder or archive, and the store of such records.

A record holds the pipeline file, the weights of every stage, their settings, the calibration and
where all of it comes from (:mod:`.record`); a manifest (:mod:`.manifest`) holds the hash of every
file. A :mod:`.store` keeps records by their id and names them by system, version and alias; an
:mod:`.archive` is one file to carry to another machine. A :mod:`.reference` such as
``car@champion`` or ``car/7`` names a record wherever a pipeline is named.
"""
