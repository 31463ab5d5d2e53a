"""Sub-commands of ``conegrad``, one module each: ``add_arguments(parser)`` and ``run(options)``."""
