"""Benchmarks: the real program in its own process, against a SEQR that answers at once.

See docs/performance.md.
"""
