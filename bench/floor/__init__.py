"""The floor: the smallest program that does the durable work of the orchestrator, and nothing else.

For createPurchase and for a notification it writes the same rows into the same tables, in as many commits as
durable, and calls SEQR as often. There is no validation, no limit, no log, no second try and no dashboard, so
it is not fit to be used. What the orchestrator costs above it is the price of all that.

Run as a program (``python -m bench.floor --port N``) it takes what it needs from the orchestrator's
variables: ORCHESTRATOR_DATABASE_URL, _PUBLIC_URL and _SEQR_ENDPOINT.
"""
