"""The tables of ``models``, as SQLAlchemy Core sees them: what the hot statements are made of."""

from __future__ import annotations

from orchestrator.models import METADATA

_tables = METADATA.tables

products = _tables["products"]
bundle_parts = _tables["bundle_parts"]
purchases = _tables["purchases"]
purchase_lines = _tables["purchase_lines"]
invoice_attempts = _tables["invoice_attempts"]
journal = _tables["journal"]
exchanges = _tables["exchanges"]
notifications = _tables["notifications"]
stock_movements = _tables["stock_movements"]
outbox = _tables["outbox"]
users = _tables["users"]
api_tokens = _tables["api_tokens"]
sessions = _tables["sessions"]
sign_in_failures = _tables["sign_in_failures"]
audit = _tables["audit"]
tallies = _tables["tallies"]
tally_totals = _tables["tally_totals"]
tally_progress = _tables["tally_progress"]
search_terms = _tables["search_terms"]
process_reports = _tables["process_reports"]
bulk_runs = _tables["bulk_runs"]
bulk_items = _tables["bulk_items"]
