"""The suite: what customers do, on which databases, at how many connections, by which programs."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.cells import CREATED, HEADER, SCENARIOS, TEXTS, Row, measure_cell, measure_program
from bench.databases import BOTH, databases, run_directory
from bench.load import Limits
from bench.programs import DBOS, FLOOR, MANUAL, ORCHESTRATOR, Program
from bench.report import Say, Table
from bench.seqr import StubSeqr, stub_seqr
from bench.shop import Shop, shop
from bench.soap import send_invoice_ms

TITLE = "What customers do"
ABOVE = 2.0
"""Milliseconds that createPurchase may take above its SOAP call."""
WARM_UP = Limits(requests=40, seconds=10)
_WARM_UP_CONNECTIONS = 8


@dataclass(frozen=True, slots=True)
class Scale:
    """How much is measured: limits of a cell for each number of connections."""

    cells: Mapping[int, Limits]
    databases: tuple[str, ...] = BOTH
    programs: tuple[Program, ...] = (ORCHESTRATOR, MANUAL, DBOS)
    """Beside the floor; one that cannot be run is left out."""
    warm_up: Limits = WARM_UP


FULL = Scale({1: Limits(1000, 4), 8: Limits(2000, 4), 32: Limits(3000, 4)})
QUICK = Scale({1: Limits(300, 1), 32: Limits(600, 1)}, programs=(ORCHESTRATOR,))


async def report(quick: bool, home: Path, say: Say) -> tuple[Table, dict[str, str]]:
    """The suite as a part of ``make bench``."""
    return await measure(QUICK if quick else FULL, home, say)


async def measure(scale: Scale, home: Path, say: Say) -> tuple[Table, dict[str, str]]:
    """Run everything, with what it needs started before and ended after it; files go below ``home``. Returns
    the table, and what createPurchase takes above its SOAP call.

    All programs are up all the time and are driven in turn. Raises BenchError.
    """
    rows: list[Row] = []
    async with stub_seqr() as seqr, _stands(scale, seqr, home, say) as stands:
        alone = await send_invoice_ms(seqr.endpoint, scale.cells[min(scale.cells)])
        for connections, limits in scale.cells.items():
            for floor, *others in stands:
                say(f"{connections} connections on {floor.database}")
                rows += await measure_cell(floor, others, seqr, connections, limits)
    left_out = {
        f"{program.name} is left out": f"{program.needs} is not installed"
        for program in scale.programs
        if not program.is_here
    }
    return Table(TITLE, HEADER, _in_order(rows), TEXTS), _above(alone, rows) | left_out


def _above(alone: float, rows: list[Row]) -> dict[str, str]:
    """What createPurchase took, one after the other, above ``alone``, the SOAP call (ms)."""
    return {
        f"above the SOAP call on {row.database}": f"{row.p50_ms - alone:.1f} ms, its own {alone:.1f} (p50 at "
        f"1 connection; target {ABOVE:g})"
        for row in rows
        if (row.scenario, row.program, row.connections) == (CREATED, ORCHESTRATOR.name, 1)
    }


def _in_order(rows: list[Row]) -> list[Row]:
    """By scenario, database and connections; the floor comes first as it was measured first."""
    return sorted(
        rows, key=lambda row: (SCENARIOS.index(row.scenario), BOTH.index(row.database), row.connections)
    )


@asynccontextmanager
async def _stands(scale: Scale, seqr: StubSeqr, home: Path, say: Say) -> AsyncIterator[list[list[Shop]]]:
    """For each database the floor and what is held against it, all warm, each with a database of its own."""
    async with AsyncExitStack() as stack:
        place = stack.enter_context(run_directory(home))
        stands = []
        for kind in scale.databases:
            make = stack.enter_context(databases(kind, place))
            stand = []
            for program in (FLOOR, *(each for each in scale.programs if each.is_here)):
                say(f"starting {program.name} on {kind}")
                opened = shop(kind, make(program.name), seqr.endpoint, place, program=program)
                served = await stack.enter_async_context(opened)
                await measure_program(served, seqr, _WARM_UP_CONNECTIONS, scale.warm_up)
                stand.append(served)
            stands.append(stand)
        yield stands
