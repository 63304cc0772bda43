"""What is read off the chain of operations and the objects behind it. Nothing here writes anything.

Import the modules by name: one for each report.
"""
