"""Pure line-level text: diff, three-way merge, conflict markers. No I/O, and no knowledge of objects.

Import the modules by name (`from casvault.text.merge3 import merge3`). Nothing is re-exported here, so that a caller
of `lines` does not load rapidfuzz, which only `match` needs and which costs 25 ms.
"""
