"""What a probe makes of SEQR's answer."""

from __future__ import annotations

import pytest

from orchestrator.seqr.errors import Lost, NotSent
from orchestrator.seqr.probe import Reach, probe
from tests.fixtures.soap import answer, client, payload


@pytest.mark.parametrize(
    ("code", "reach"),
    [
        (54, Reach.ACCEPTED),
        (0, Reach.UNCLEAR),
        (20, Reach.CREDENTIALS_REFUSED),
        (21, Reach.CREDENTIALS_REFUSED),
        (29, Reach.CREDENTIALS_REFUSED),
        (33, Reach.CREDENTIALS_REFUSED),
        (37, Reach.CREDENTIALS_REFUSED),
        (91, Reach.REACHED),
        (93, Reach.REACHED),
    ],
)
async def test_a_code_tells_how_far_we_came(code: int, reach: Reach) -> None:
    seqr, transport = client(answer("getPaymentStatus", f"<resultCode>{code}</resultCode>"))
    found = await probe(seqr)
    assert found.reach is reach
    assert found.ok is (reach is Reach.ACCEPTED)
    assert found.detail
    assert payload(transport.sent[0]).findtext("invoiceReference") == "0"


async def test_seqr_that_knows_invoice_zero_knows_us() -> None:
    inner = "<resultCode>0</resultCode><status>ISSUED</status><version>1</version>"
    seqr, _ = client(answer("getPaymentStatus", inner))
    assert (await probe(seqr)).ok


@pytest.mark.parametrize(
    ("fault", "reach"), [(NotSent("Gone."), Reach.UNREACHABLE), (Lost("Cut."), Reach.UNCLEAR)]
)
async def test_a_network_that_fails(fault: Exception, reach: Reach) -> None:
    seqr, _ = client(fault)
    found = await probe(seqr)
    assert found.reach is reach
    assert found.detail in ("Gone.", "Cut.")
