"""The three jobs, by hand and by the clock; and several workers that run one at the same moment."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Coroutine
from contextlib import asynccontextmanager
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any, cast
from uuid import UUID, uuid4

import pytest

from app import jobs
from app.directory import Directory
from app.house import House
from app.outbox import Message, Outbox
from app.settings import Settings
from leadledger import AsyncLedger, ManualClock
from tests.serving import JWT_SECRET

# Eight in the morning in Casablanca.
MORNING = datetime(2026, 3, 2, 7, 0, tzinfo=timezone.utc)


NAMES = {"check_balances", "send_daily_reports", "expire_leads"}


class Sent:
    """A sender that keeps what it was given."""

    def __init__(self) -> None:
        self.messages: list[Message] = []

    async def send(self, message: Message) -> None:
        """Keeps it."""
        self.messages.append(message)


class Broken:
    """A relay that is down."""

    async def send(self, message: Message) -> None:
        """Fails."""
        raise ConnectionError(f"the relay is down: {message.subject}")


@asynccontextmanager
async def house_on(url: str, folder: Path, clock: ManualClock) -> AsyncGenerator[House, None]:
    settings = Settings(jwt_secret=JWT_SECRET, ledger_url=url, outbox=str(folder / "messages.db"))
    outbox = Outbox(settings.outbox)
    await outbox.open()
    async with AsyncLedger.open(url, clock=clock, time_zone=settings.time_zone.key) as ledger:
        yield House(settings, ledger, Directory(ledger), outbox, None)


async def shop_in(house: House, amount: str = "2000.00") -> tuple[UUID, UUID]:
    merchant = uuid4()
    campaign = (await house.ledger.register_campaign(merchant)).answer
    await house.ledger.open_deposit(merchant, amount)
    return merchant, campaign


async def captured(house: House, merchant: UUID, campaign: UUID, leads: int) -> None:
    for _ in range(leads):
        lead = (await house.ledger.create_lead(merchant, campaign, uuid4(), "800.00")).answer.lead
        await house.ledger.validate_lead(merchant, lead)


def run_now(clockwork: jobs.Clockwork, name: str) -> None:
    """As if its hour had come."""
    clockwork.scheduler.modify_job(name, next_run_time=datetime.now(timezone.utc))


@pytest.fixture
def fresh(tmp_path: Path) -> str:
    """A ledger of this test's own, in a file that two workers can share."""
    return f"sqlite:{tmp_path / 'ledger.db'}"


def run(story: Coroutine[Any, Any, None]) -> None:
    asyncio.run(story)


def test_alerts_are_told_once_on_the_channels_of_their_level(fresh: str, tmp_path: Path) -> None:
    async def story() -> None:
        async with house_on(fresh, tmp_path, ManualClock(MORNING)) as house:
            merchant, campaign = await shop_in(house)
            sent = Sent()
            assert await jobs.check_balances(house, sent) == 0
            # 2000 -> 960: attention, on the dashboard only.
            await captured(house, merchant, campaign, 13)
            assert await jobs.check_balances(house, sent) == 1
            assert sent.messages == []
            [shown] = await house.outbox.of(merchant, "dashboard", 10)
            assert shown.subject == "⚠️ Attention: Solde à 50%"
            assert "960.00 dhs" in shown.text
            # 960 -> 160: warning and critical, each on its channels.
            await captured(house, merchant, campaign, 10)
            assert await jobs.check_balances(house, sent) == 3 + 5
            assert [message.channel for message in sent.messages] == [
                *("email", "push"),
                *("urgent_email", "sms", "whatsapp", "push"),
            ]
            # 160 -> 0.
            await captured(house, merchant, campaign, 2)
            assert await jobs.check_balances(house, sent) == 6
            assert {message.channel for message in sent.messages[6:]} == {
                "critical_email",
                "sms",
                "whatsapp",
                "push",
                "partners",
            }
            told = len(sent.messages)
            assert await jobs.check_balances(house, sent) == 0
            assert len(sent.messages) == told

    run(story())


def test_workers_that_check_at_once_tell_everything_once(fresh: str, tmp_path: Path) -> None:
    async def story() -> None:
        clock = ManualClock(MORNING)
        async with house_on(fresh, tmp_path, clock) as one, house_on(fresh, tmp_path, clock) as two:
            shops = [await shop_in(one) for _ in range(6)]
            for merchant, campaign in shops:
                await captured(one, merchant, campaign, 25)
            sent = Sent()
            counts = await asyncio.gather(
                *(jobs.check_balances(house, sent) for house in (one, two, one, two) for _ in range(2))
            )
            # Attention 1, warning 3, critical 5, depleted 6; of these 4 wait on dashboards.
            assert sum(counts) == len(shops) * 15
            assert len(sent.messages) == len(shops) * 11
            assert len({message.id for message in sent.messages}) == len(sent.messages)

    run(story())


def test_what_was_recorded_before_a_crash_is_not_recorded_again(fresh: str, tmp_path: Path) -> None:
    async def story() -> None:
        async with house_on(fresh, tmp_path, ManualClock(MORNING)) as house:
            merchant, campaign = await shop_in(house)
            await captured(house, merchant, campaign, 25)
            reader = await house.ledger.subscribe(jobs.READER)
            found = await reader.next(jobs.ENTRIES)
            await house.outbox.put(message for event in found for message in jobs.messages_of(event))
            # The worker dies here: nothing is acknowledged, nothing is sent.
            with pytest.raises(ConnectionError):
                await jobs.check_balances(house, Broken())
            sent = Sent()
            assert await jobs.check_balances(house, sent) == 0
            assert len(sent.messages) == 11, "what a relay did not take waits for the next time"

    run(story())


def test_reports_are_of_the_local_day_and_told_once(fresh: str, tmp_path: Path) -> None:
    async def story() -> None:
        clock = ManualClock(MORNING)
        async with house_on(fresh, tmp_path, clock) as house:
            merchant, campaign = await shop_in(house, "5000.00")
            await captured(house, merchant, campaign, 2)
            idle = uuid4()
            await house.ledger.register_campaign(idle)
            clock.set(MORNING + timedelta(days=1))
            sent = Sent()
            first = await asyncio.gather(*(jobs.send_daily_reports(house, sent) for _ in range(3)))
            assert sum(first) == 1
            [report] = sent.messages
            assert (report.merchant, report.channel) == (merchant, "email")
            assert report.subject == "📊 Rapport du 02/03/2026"
            assert report.text.startswith("2 leads générés, 2 validés, 0 rejetés. Commissions: 160.00 dhs.")
            assert "Solde: 4840.00 dhs." in report.text
            clock.set(MORNING + timedelta(days=2))
            assert await jobs.send_daily_reports(house, sent) == 1
            assert await jobs.send_daily_reports(house, sent, date(2026, 3, 2)) == 0

    run(story())


def test_due_leads_expire_once_whoever_asks(fresh: str, tmp_path: Path) -> None:
    async def story() -> None:
        clock = ManualClock(MORNING)
        async with house_on(fresh, tmp_path, clock) as one, house_on(fresh, tmp_path, clock) as two:
            shops = [await shop_in(one) for _ in range(3)]
            for merchant, campaign in shops:
                for _ in range(4):
                    await one.ledger.create_lead(merchant, campaign, uuid4(), "600.00")
            clock.set(MORNING + timedelta(hours=72) - timedelta(seconds=1))
            assert await jobs.expire_leads(one) == 0
            clock.set(MORNING + timedelta(hours=72))
            assert sum(await asyncio.gather(jobs.expire_leads(one), jobs.expire_leads(two))) == 12
            assert await jobs.expire_leads(one) == 0
            for merchant, _ in shops:
                [deposit] = await two.ledger.deposits(merchant)
                assert (str(deposit.balance), str(deposit.reserved)) == ("2000.00", "0.00")

    run(story())


def test_the_jobs_have_their_hours(fresh: str, tmp_path: Path) -> None:
    async def story() -> None:
        async with house_on(fresh, tmp_path, ManualClock(MORNING)) as house:
            scheduler = jobs.Clockwork(house, Sent()).scheduler
            after = datetime(2026, 3, 2, 10, 0, tzinfo=house.settings.time_zone)
            found = cast("list[Any]", scheduler.get_jobs())
            at: dict[str, datetime] = {job.id: job.trigger.get_next_fire_time(None, after) for job in found}
            assert set(at) == NAMES
            report, expiry = at["send_daily_reports"], at["expire_leads"]
            assert (report.day, report.hour, report.minute) == (3, 9, 0)
            assert (expiry.day, expiry.hour, expiry.minute) == (2, 23, 0)

    run(story())


def test_a_job_that_runs_comes_to_its_end_when_the_server_stops(fresh: str, tmp_path: Path) -> None:
    async def story() -> None:
        async with house_on(fresh, tmp_path, ManualClock(MORNING)) as house:
            merchant, campaign = await shop_in(house)
            await captured(house, merchant, campaign, 25)
            begun, go_on = asyncio.Event(), asyncio.Event()

            class Slow(Sent):
                """A relay that answers when it is told to."""

                async def send(self, message: Message) -> None:
                    begun.set()
                    await go_on.wait()
                    await super().send(message)

            sender = Slow()
            clockwork = jobs.Clockwork(house, sender)
            clockwork.start()
            run_now(clockwork, "check_balances")
            await asyncio.wait_for(begun.wait(), 60)
            stopping = asyncio.create_task(clockwork.stop())
            await asyncio.sleep(0)
            go_on.set()
            await asyncio.wait_for(stopping, 60)
            assert len(sender.messages) == 11

    run(story())


def test_the_scheduler_runs_them(fresh: str, tmp_path: Path) -> None:
    async def story() -> None:
        async with house_on(fresh, tmp_path, ManualClock(MORNING)) as house:
            merchant, campaign = await shop_in(house)
            await captured(house, merchant, campaign, 25)
            sent = asyncio.Event()

            class Heard(Sent):
                """Says when the last one has come."""

                async def send(self, message: Message) -> None:
                    await super().send(message)
                    if len(self.messages) == 11:
                        sent.set()

            clockwork = jobs.Clockwork(house, Heard())
            clockwork.start()
            try:
                for name in NAMES:
                    run_now(clockwork, name)
                await asyncio.wait_for(sent.wait(), 60)
            finally:
                await clockwork.stop()

    run(story())
