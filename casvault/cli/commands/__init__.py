"""The commands, a module for each panel of the help; loaded when one of them is used."""
