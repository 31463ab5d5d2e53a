"""Launch files, configuration and the ``conegrad`` command line."""
