"""Lists of independent jobs on a kept engine: joblib on one machine, Dask or Ray on a cluster."""
