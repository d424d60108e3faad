"""Endurance: thousands of paid purchases in the real program, with a SEQR that keeps its 20 seconds.

Beside ``bench``, as it asks another question: not how much, but whether every single payment is found in
time and ends in one purchase. See docs/development.md.
"""
