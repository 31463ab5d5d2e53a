"""The commands ``conegrad system ...``, each in a module; ``command_line.COMMANDS`` lists them."""
