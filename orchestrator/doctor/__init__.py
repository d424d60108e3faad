"""The doctor: looks at all that has to be right before money moves, and says what to do about the rest."""

from orchestrator.doctor.examination import CHECKS, examine
from orchestrator.doctor.finding import Check, Finding, Health

__all__ = ["CHECKS", "Check", "Finding", "Health", "examine"]
