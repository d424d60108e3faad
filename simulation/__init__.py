"""A world in which everything goes wrong that can, and the real orchestrator in it. See docs/simulation.md.

Database, SEQR, mail server, customers and time are played; what happens to a purchase is the product's own
code. All chance comes from one seed, so a seed that fails tells the same story every time.
"""
