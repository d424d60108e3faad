"""Texts in formats of our own, for schemathesis to make."""

from __future__ import annotations

import schemathesis
from hypothesis import strategies

from orchestrator.rest.purchases import cursor_of

schemathesis.openapi.format("cursor", strategies.uuids().map(lambda id_: cursor_of(str(id_))))
