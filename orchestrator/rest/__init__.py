"""The edges that speak HTTP with machines: SEQR, scripts, monitors."""
