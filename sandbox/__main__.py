"""The sandbox alone, as a process of its own: ``python -m sandbox --help``."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from sandbox.serving import run


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the command line and serve until stopped. Wrong use ends with status 2."""
    parser = _parser()
    given = parser.parse_args(arguments)
    if not given.wsdl.is_file():
        parser.error(f"there is no WSDL at {given.wsdl}: give its path with --wsdl")
    run(
        wsdl=given.wsdl,
        create_purchase_url=given.create_purchase,
        host=given.host,
        port=given.port,
        webshop_id=given.webshop_id,
        reversal_seconds=given.reversal_seconds,
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="sandbox", description="SEQR and a customer's phone, simulated.")
    parser.add_argument("--wsdl", type=Path, required=True, help="the WSDL of SEQR's Payment API")
    parser.add_argument("--create-purchase", required=True, metavar="URL", help="the shop's createPurchase")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=9090, help="0 takes a free one (default: %(default)s)")
    parser.add_argument("--webshop-id", default="demo", help="the web-shop's id (default: %(default)s)")
    parser.add_argument(
        "--reversal-seconds",
        type=float,
        default=20.0,
        help="reverse unseen payments after (default: %(default)s)",
    )
    return parser


if __name__ == "__main__":
    main()
