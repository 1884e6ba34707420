"""The three scheduled jobs: alerts hourly, reports at 09:00, due leads at 23:00, by the platform's clock.

Each is harmless however many workers run it at once. What is due is settled by the ledger once, whoever asks. Messages
have ids made from what caused them, so that one which is recorded twice is recorded once. And where two workers read
the same alerts, one of them acknowledges, the other is refused (`cursor_moved`) and goes on from there.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from datetime import date, timedelta
from decimal import Decimal
from uuid import UUID

from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.base import BaseTrigger
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.interval import IntervalTrigger

from app.house import House
from app.money import shown, stamp
from app.outbox import Message, Sender
from leadledger import DailyReport, Refused, events

log = logging.getLogger(__name__)

# Its place in the journal is kept under this name, by the ledger.
READER = "alerts"
ENTRIES = 100
BOOKS = 500
REPORT_CHANNEL = "email"

# What the merchant reads, by level: as it was before.
SUBJECTS = {
    "attention": "⚠️ Attention: Solde à 50%",
    "warning": "🟠 ALERTE: Solde critique (20%)",
    "critical": "🔴 URGENT: Solde très bas (10%)",
    "depleted": "🚫 BLOQUÉ: Solde épuisé",
}
TEXTS = {
    "attention": "Votre solde est à {balance}. Pensez à recharger.",
    "warning": "Votre solde est critique: {balance}. Rechargez rapidement.",
    "critical": "URGENT: Solde restant {balance}. Génération leads bientôt bloquée!",
    "depleted": "Votre compte est épuisé. Génération de leads ARRÊTÉE. Rechargez immédiatement.",
}


class LogSender:
    """Says in the log what would go out. A host puts its mail relay and its SMS gateway in its place."""

    async def send(self, message: Message) -> None:
        """Without the text: it is the merchant's business."""
        log.info("to merchant %s by %s: %s", message.merchant, message.channel, message.subject)


def money(amount: Decimal, currency: str) -> str:
    """An amount as merchants read it."""
    return f"{shown(amount)} {'dhs' if currency == 'MAD' else currency}"


def messages_of(event: events.Event) -> list[Message]:
    """What an event tells the merchant, one message for each channel."""
    if isinstance(event, events.AlertRaised):
        subject = SUBJECTS[event.level]
        text = TEXTS[event.level].format(balance=money(event.balance, event.currency))
        channels = list(event.channels)
    elif isinstance(event, events.AutoTopUpRequested):
        subject = "💳 Recharge automatique demandée"
        text = f"Rechargez {money(event.amount, event.currency)} pour continuer à recevoir des leads."
        channels = ["dashboard", "email"]
    else:
        return []
    cause = f"event:{event.merchant}:{event.seq}:{event.index}"
    return [Message.of(cause, event.merchant, name, subject, text, stamp(event.at)) for name in channels]


async def check_balances(house: House, sender: Sender) -> int:
    """Records every alert since the last time, sends what waits, and says how many messages are new."""
    # What is due and has not been looked at may raise an alert too.
    await expire_leads(house)
    reader = await house.ledger.subscribe(READER)
    recorded = 0
    while found := await reader.next(ENTRIES):
        recorded += await house.outbox.put(message for event in found for message in messages_of(event))
        try:
            await reader.ack()
        except Refused as refusal:
            if refusal.code != "cursor_moved":
                raise
            # Another worker was first, with the same messages: the next ones are those after its place.
    await house.outbox.deliver(sender)
    return recorded


async def send_daily_reports(house: House, sender: Sender, day: date | None = None) -> int:
    """Reports a local day, yesterday unless told, to each merchant with anything in it, and says to how many."""
    if day is None:
        day = house.ledger.now().astimezone(house.settings.time_zone).date() - timedelta(days=1)
    recorded = 0
    after: UUID | None = None
    while merchants := await house.ledger.merchants(after=after, limit=BOOKS):
        for merchant in merchants:
            report = await house.ledger.daily_report(merchant, day)
            recorded += await house.outbox.put(_reported(report))
        after = merchants[-1]
    await house.outbox.deliver(sender)
    return recorded


def _reported(report: DailyReport) -> list[Message]:
    lines = [
        f"{line.generated} leads générés, {line.validated} validés, {line.rejected} rejetés. "
        f"Commissions: {money(line.commission, line.currency)}. "
        f"Solde: {money(line.closing_balance, line.currency)}."
        for line in report.currencies
    ]
    if not lines:
        return []
    cause = f"report:{report.merchant}:{report.day.isoformat()}"
    subject = f"📊 Rapport du {report.day.strftime('%d/%m/%Y')}"
    at = report.day.isoformat()
    return [Message.of(cause, report.merchant, REPORT_CHANNEL, subject, "\n".join(lines), at)]


async def expire_leads(house: House) -> int:
    """Settles what time alone has decided, in all books, and says how many leads that were.

    Nothing depends on it: a book settles what is due before anything is done or read in it. This is for those that
    nobody looks at.
    """
    settled = 0
    while True:
        done = await house.ledger.run_due_everywhere(BOOKS)
        settled += done.expired + done.accepted + done.matured
        if done.books < BOOKS:
            return settled


class Clockwork:
    """The three jobs on their clocks. One that comes late, after a pause of the process, still runs, and once."""

    def __init__(self, house: House, sender: Sender) -> None:
        self._running: set[asyncio.Task[object]] = set()
        zone = house.settings.time_zone
        defaults = {"coalesce": True, "max_instances": 1, "misfire_grace_time": 3600}
        self.scheduler = AsyncIOScheduler(timezone=zone, job_defaults=defaults)
        often = IntervalTrigger(seconds=house.settings.alerts_every_seconds, timezone=zone)
        self._add("check_balances", often, lambda: check_balances(house, sender))
        self._add("send_daily_reports", CronTrigger(hour=9, timezone=zone), lambda: send_daily_reports(house, sender))
        self._add("expire_leads", CronTrigger(hour=23, timezone=zone), lambda: expire_leads(house))

    def start(self) -> None:
        """Lets them run."""
        self.scheduler.start()

    async def stop(self) -> None:
        """Lets what runs come to its end, and nothing begin; APScheduler alone would cancel a job in its middle."""
        self.scheduler.pause()
        # What was begun in this moment is a task that has not run yet.
        await asyncio.sleep(0)
        if self._running:
            await asyncio.wait(self._running)
        self.scheduler.shutdown()

    def _add(self, name: str, trigger: BaseTrigger, job: Callable[[], Coroutine[object, object, int]]) -> None:
        async def run() -> None:
            task = asyncio.current_task()
            if task is not None:
                self._running.add(task)
                task.add_done_callback(self._running.discard)
            log.info("%s: %d", name, await job())

        self.scheduler.add_job(run, trigger, id=name)
