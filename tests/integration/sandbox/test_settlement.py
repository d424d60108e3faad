"""What follows a payment: the notification, the commit, and the reversal when nobody asks."""

from __future__ import annotations

from sandbox.booking import BookedInvoice
from sandbox.faults import NotificationFaults
from tests.fixtures.sandbox import Scene, invoice_xml, played, until


def happened(booked: BookedInvoice) -> list[str]:
    return [event.name for event in booked.events]


async def issued(scene: Scene) -> BookedInvoice:
    reference = await scene.seqr.send_invoice(invoice_xml(f"{scene.shop.base_url}/notified"))
    return scene.ledger.invoice(reference)


async def test_asking_in_time_commits(scene: Scene) -> None:
    booked = await issued(scene)
    scene.ledger.pay(booked.reference)
    assert booked.awaiting_commit

    await scene.seqr.status(booked.reference, 1)

    assert booked.committed
    assert booked.seconds_to_first_ask is not None
    assert 0 <= booked.seconds_to_first_ask < 5
    assert booked.acknowledged_version == 1


async def test_nobody_asking_reverses_the_payment() -> None:
    async with played(reversal_seconds=0.2) as scene:
        booked = await issued(scene)
        scene.ledger.pay(booked.reference)
        await until(lambda: booked.reversed)

        answer = await scene.seqr.status(booked.reference, 2)
        await scene.seqr.status(booked.reference, 3)

        assert (answer["status"], answer["version"]) == ("CANCELED", "3")
        assert answer["ersReference"] == booked.ers_reference
        assert "receipt" not in answer
        assert booked.asks_after_payment == 2
        assert "was given back" in scene.ledger.messages[0].text


async def test_payment_and_customers_cancel_are_notified_with_an_empty_post(scene: Scene) -> None:
    paid, cancelled = await issued(scene), await issued(scene)

    scene.ledger.pay(paid.reference)
    scene.ledger.cancel(cancelled.reference)
    await until(lambda: len(scene.shop.notified) == 2)

    assert scene.shop.notified == [b"", b""]
    await until(lambda: "notified" in happened(paid) and "notified" in happened(cancelled))


async def test_a_shops_own_cancel_is_not_notified(scene: Scene) -> None:
    booked = await issued(scene)

    await scene.seqr.cancel(booked.reference)
    other = await issued(scene)
    scene.ledger.pay(other.reference)
    await until(lambda: bool(scene.shop.notified))

    assert happened(booked) == ["issued", "cancelled"]


async def test_a_notification_is_tried_again_until_it_is_answered_with_200(scene: Scene) -> None:
    scene.faults.notifications = NotificationFaults(retries=5, retry_seconds=0.02)
    scene.shop.notified_with = 503
    booked = await issued(scene)

    scene.ledger.pay(booked.reference)
    await until(lambda: len(scene.shop.notified) == 2)
    scene.shop.notified_with = 200
    await until(lambda: "notified" in happened(booked))

    assert "notification failed" in happened(booked)


async def test_a_shop_that_is_gone_is_given_up_on(scene: Scene) -> None:
    scene.faults.notifications = NotificationFaults(retries=1, retry_seconds=0.01)
    reference = await scene.seqr.send_invoice(invoice_xml("http://127.0.0.1:1/notified"))
    booked = scene.ledger.pay(reference)

    await until(lambda: happened(booked).count("notification failed") == 2)


async def test_lost(scene: Scene) -> None:
    scene.faults.notifications = NotificationFaults(lost=True)
    booked = await issued(scene)

    scene.ledger.pay(booked.reference)
    await until(lambda: "notification lost" in happened(booked))

    assert scene.shop.notified == []


async def test_repeated_and_late(scene: Scene) -> None:
    scene.faults.notifications = NotificationFaults(repeated=2, late=0.1)
    booked = await issued(scene)

    scene.ledger.pay(booked.reference)
    assert scene.shop.notified == []
    await until(lambda: len(scene.shop.notified) == 3)
    await until(lambda: happened(booked).count("notified") == 3)

    first = next(event for event in booked.events if event.name == "notified")
    assert booked.paid_at is not None
    assert first.at - booked.paid_at >= 0.1


async def test_early(scene: Scene) -> None:
    scene.faults.notifications = NotificationFaults(early=True)

    booked = await issued(scene)

    assert len(scene.shop.notified) == 1
    assert happened(booked) == ["issued", "notified"]
