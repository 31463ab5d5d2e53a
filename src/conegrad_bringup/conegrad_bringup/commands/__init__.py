"""Sub-commands of ``conegrad``, one module each: ``SETTINGS``, ``add_arguments`` and ``run``."""
