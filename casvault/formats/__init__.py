"""Byte layouts of files: pure functions between bytes and values, as specified in objects_spec.md."""
