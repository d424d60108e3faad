"""SEQR, the Instant Checkout service and the customer's phone, played over real HTTP."""
