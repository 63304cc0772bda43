"""The façade: the embedded Python API.

Its names are those of the package `casvault` itself. Nothing is imported here, so that a command that needs one part of
the façade loads just that.
"""
