"""``make simulate``: let seeds happen for a while, in parallel; stop at the first that breaks an invariant.

``SECONDS`` and ``WORKERS`` say how long and in how many processes, ``FROM`` with which seed to begin;
``SEED`` lets one happen and tells its story. The figures go to ``var/simulation``.
"""

from __future__ import annotations

import argparse
import gc
import sys
import time
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from itertools import count
from multiprocessing import get_context
from pathlib import Path

from simulation.figures import Figures
from simulation.run import Report, run, run_and_tidy

DIRECTORY = Path("var") / "simulation"
_PROGRESS_EVERY = 0.5
_KEEP_EVERY = 10.0


def main() -> int:
    """Returns the exit status: 0 every invariant held, 1 one did not."""
    given = _arguments()
    if given.seed is not None:
        report = run(given.seed, tell=True)
        _tell(report)
        return 1 if report.breach else 0
    figures = Figures(began=time.monotonic())
    broken = _storm(given.seconds, given.workers, given.first, figures)
    figures.write(DIRECTORY)
    print(figures.text())
    if broken is None:
        return 0
    _tell(broken)
    print(f"\nSeed {broken.seed} broke it. Again: make simulate SEED={broken.seed}")
    return 1


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m simulation", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60, help="how long (default: %(default)s)")
    parser.add_argument("--workers", type=int, default=2, help="in how many processes (default: %(default)s)")
    parser.add_argument("--from", dest="first", type=int, help="the first seed (default: the time)")
    parser.add_argument("--seed", type=int, help="let this one happen, and tell its story")
    given = parser.parse_args()
    if given.first is None:
        given.first = int(time.time())
    return given


def _storm(seconds: float, workers: int, first: int, figures: Figures) -> Report | None:
    """Run seeds one after the other, in parallel; returns the first report that tells of a breach."""
    end, seeds = time.monotonic() + seconds, count(first)
    under_way: set[Future[Report]] = set()
    keep_at = 0.0
    with ProcessPoolExecutor(workers, get_context("spawn"), gc.disable) as pool:
        while under_way or time.monotonic() < end:
            while len(under_way) < 2 * workers and time.monotonic() < end:
                under_way.add(pool.submit(run_and_tidy, next(seeds)))
            done, under_way = wait(under_way, _PROGRESS_EVERY, FIRST_COMPLETED)
            for report in (future.result() for future in done):
                figures.add(report)
                if report.breach is not None:
                    pool.shutdown(wait=False, cancel_futures=True)
                    return report
            _show_progress(figures, end)
            if time.monotonic() > keep_at:  # an interrupted run has told something too
                figures.write(DIRECTORY)
                keep_at = time.monotonic() + _KEEP_EVERY
    return None


def _show_progress(figures: Figures, end: float) -> None:
    if sys.stderr.isatty():
        left = max(0.0, end - time.monotonic())
        print(f"\r{figures.line()}, {left:.0f} s left ", end="", file=sys.stderr, flush=True)


def _tell(report: Report) -> None:
    print("\n".join(report.story))
    if report.breach is not None:
        print(f"\nseed {report.seed}: {report.breach.invariant}\n{report.breach.words}")
    print(f"digest {report.digest}")


if __name__ == "__main__":
    sys.exit(main())
