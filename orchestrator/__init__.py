"""Order orchestrator for web-shops that take SEQR Instant Checkout."""
