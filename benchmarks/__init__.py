"""Benchmarks: one file per layer on pytest-benchmark, and `peers`, the same jobs beside other tools."""
