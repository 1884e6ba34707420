"""A history in which everything happens once: every event, and every record that a ledger gives."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeAlias
from uuid import UUID, uuid4

import leadledger
from ground import MORNING, clock_at
from leadledger import (
    Customer,
    Ledger,
    ManualClock,
    Minimums,
    OpeningAgreement,
    OpeningCampaign,
    OpeningDeposit,
    OpeningLead,
    OpeningLine,
    PolicyTerms,
    Record,
)


@dataclasses.dataclass(frozen=True)
class History:
    """What was given: by the commands, and by every read afterwards."""

    merchant: UUID
    other: UUID
    given: dict[str, Any]


def everything(folder: Path) -> History:
    """Lets everything happen, and reads everything."""
    clock = clock_at()
    given: dict[str, Any] = {"migrate": leadledger.migrate(f"sqlite:{folder / 'made.db'}")}
    with Ledger.open("memory:", clock=clock) as ledger:
        merchant = uuid4()
        given.update(leads_and_money(ledger, merchant, clock))
        given.update(top_ups(ledger, merchant))
        given.update(payouts_and_ends(ledger, merchant))
        other = uuid4()
        given["open_book"] = opening(ledger, other)
        given["missed"] = missed(ledger)
        given.update(reads(ledger, merchant, other, given, folder))
        given["preview_commission"] = leadledger.preview_commission("600.00")
    return History(merchant, other, given)


def leads_and_money(ledger: Ledger, merchant: UUID, clock: ManualClock) -> dict[str, Any]:
    """Leads to each of their ends, a deposit down to nothing and up again."""
    done: dict[str, Any] = {}
    campaign = done.setdefault("register_campaign", ledger.register_campaign(merchant)).answer
    done["update_campaign"] = ledger.update_campaign(merchant, campaign, default_share="31.5", minimum_value="40.00")
    deposit = done.setdefault("open_deposit", ledger.open_deposit(merchant, "2000.00")).answer
    partner, slow = uuid4(), uuid4()
    done["partner"] = partner
    done["set_agreement"] = ledger.set_agreement(merchant, slow, "50", payout_delay_days=1)
    done["set_alert_settings"] = ledger.set_alert_settings(merchant, deposit, basis="balance", reference="initial")
    done["set_auto_top_up"] = ledger.set_auto_top_up(merchant, deposit, threshold="900.00", amount="1000.00")

    def created(by: UUID = partner, **named: Any) -> UUID:
        made = ledger.create_lead(merchant, campaign, by, "600.00", **named)
        done["create_lead"] = made
        return made.answer.lead

    customer = Customer(name="A name", email="a@example.org", phone="+212600000000", company="A firm", notes="Soon")
    rejected, expired = created(), created()
    erased = created(source="instagram", product="shoes", customer=customer)
    lost, converted, reversed_, held = created(), created(), created(), created(slow)
    done["texts"] = ledger.lead_texts(merchant, erased)
    done["reject_lead"] = ledger.reject_lead(merchant, rejected, "no answer")
    done["erase_customer"] = ledger.erase_customer(merchant, erased)
    for lead in (lost, converted, reversed_, held):
        done["validate_lead"] = ledger.validate_lead(merchant, lead, score=8, feedback="good")
    done["lose_lead"] = ledger.lose_lead(merchant, lost)
    done["convert_lead"] = ledger.convert_lead(merchant, converted)
    done["reverse_lead"] = ledger.reverse_lead(merchant, reversed_, "a mistake")
    done["lead"] = converted
    clock.set(MORNING + timedelta(days=4))
    done["run_due"] = ledger.run_due(merchant)
    assert done["run_due"].answer.expired == 2
    assert expired != erased
    last, one_more = created(), created()
    done["adjust_deposit"] = ledger.adjust_deposit(merchant, deposit, "-1700.00", "a correction")
    ledger.validate_lead(merchant, one_more)
    ledger.validate_lead(merchant, last)
    done["depleting"] = last
    done["top_up"] = ledger.top_up(merchant, deposit, "5000.00", method="bank_transfer", reference="T-1")
    done["suspend_deposit"] = ledger.suspend_deposit(merchant, deposit)
    done["resume_deposit"] = ledger.resume_deposit(merchant, deposit)
    done["pause_campaign"] = ledger.pause_campaign(merchant, campaign)
    done["resume_campaign"] = ledger.resume_campaign(merchant, campaign)
    done.update(campaign=campaign, deposit=deposit)
    return done


def top_ups(ledger: Ledger, merchant: UUID) -> dict[str, Any]:
    """Payments to each of their ends, with a debt on the way."""
    done: dict[str, Any] = {}

    def begun(amount: str = "500.00") -> UUID:
        done["begin_top_up"] = ledger.begin_top_up(merchant, amount, "stripe")
        return done["begin_top_up"].answer  # type: ignore[no-any-return]

    failed, cancelled, refunded, won, lost = begun(), begun(), begun(), begun(), begun()
    done["attach_reference"] = ledger.attach_reference(merchant, failed, "pi_failed")
    done["fail_top_up"] = ledger.fail_top_up(merchant, failed)
    done["cancel_top_up"] = ledger.cancel_top_up(merchant, cancelled)
    for number, top_up in enumerate((refunded, won, lost)):
        done["succeed_top_up"] = ledger.succeed_top_up(merchant, top_up, f"pi_{number}", "500.00")
    done["refund_top_up"] = ledger.refund_top_up(merchant, refunded, amount="100.00")
    for top_up in (won, lost):
        done["dispute_top_up"] = ledger.dispute_top_up(merchant, top_up)
    done["win_dispute"] = ledger.win_dispute(merchant, won)
    done["lose_dispute"] = ledger.lose_dispute(merchant, lost)
    done["top_up_id"] = refunded
    return done


def payouts_and_ends(ledger: Ledger, merchant: UUID) -> dict[str, Any]:
    """Payouts to each of their ends; a deposit that is closed, a debt that is written off."""
    done: dict[str, Any] = {}
    (partner, _) = sorted({lead.partner for lead in ledger.leads(merchant).items}, key=str)
    if not ledger.partner(merchant, partner):
        raise AssertionError("both partners have earned")

    def requested() -> UUID:
        done["request_payout"] = ledger.request_payout(merchant, partner, "5.00")
        return done["request_payout"].answer  # type: ignore[no-any-return]

    done["settle_payout"] = ledger.settle_payout(merchant, requested(), method="bank_transfer", reference="P-1")
    kept = requested()
    done["cancel_payout"] = ledger.cancel_payout(merchant, kept)
    done["payout"] = kept
    debtor = uuid4()
    campaign = ledger.register_campaign(debtor).answer
    top_up = ledger.begin_top_up(debtor, "2000.00", "cmi").answer
    deposit = ledger.succeed_top_up(debtor, top_up, "C-1", "2000.00").answer.deposit
    lead = ledger.create_lead(debtor, campaign, partner, "2500.00").answer.lead
    ledger.validate_lead(debtor, lead)
    ledger.dispute_top_up(debtor, top_up)
    done["write_off"] = ledger.write_off(debtor, "it will not come")
    done["close_deposit"] = ledger.close_deposit(debtor, deposit)
    return done


def opening(ledger: Ledger, merchant: UUID) -> Any:
    """A book from elsewhere."""
    campaign, deposit, lead, partner = uuid4(), uuid4(), uuid4(), uuid4()
    parts: dict[str, Any] = {
        "campaigns": [OpeningCampaign(campaign=campaign, policy=PolicyTerms(rate="12"))],
        "agreements": [OpeningAgreement(partner=partner, share="30")],
        "deposits": [OpeningDeposit(deposit=deposit, balance="1000.00", status="active")],
        "leads": [
            OpeningLead(
                lead=lead,
                campaign=campaign,
                partner=partner,
                deposit=deposit,
                value="600.00",
                commission="60.00",
                partner_part="18.00",
                rate="10",
                share="30",
                status="pending",
                created_at=MORNING,
                customer=Customer(name="A name"),
            )
        ],
        "lines": [
            OpeningLine(
                line=uuid4(),
                deposit=deposit,
                kind="initial",
                amount="1000.00",
                before="0.00",
                after="1000.00",
                at=MORNING,
            )
        ],
    }
    return parts, ledger.open_book(merchant, **parts)


def missed(ledger: Ledger) -> Any:
    """A book with a lead that was refused for want of money."""
    merchant = uuid4()
    campaign = ledger.register_campaign(merchant).answer
    ledger.open_deposit(merchant, "2000.00")
    for _ in range(33):
        ledger.create_lead(merchant, campaign, uuid4(), "600.00")
    try:
        ledger.create_lead(merchant, campaign, uuid4(), "600.00")
    except leadledger.Refused as refused:
        assert refused.code == "insufficient_funds"
    return ledger.book(merchant)


def reads(ledger: Ledger, merchant: UUID, other: UUID, done: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Everything that a ledger tells, by the read's name."""
    deposit, lead, partner = done["deposit"], done["lead"], done["partner"]
    today = MORNING.date()
    head = ledger.book(merchant).entries
    proof = ledger.proof(merchant, 2)
    exported = ledger.export_jsonl(folder / "books.jsonl")
    with Ledger.open("memory:", clock=ManualClock(ledger.now())) as copy:
        imported = copy.import_jsonl(folder / "books.jsonl")
    return {
        "deposit_record": ledger.deposit(merchant, deposit),
        "deposits": ledger.deposits(merchant),
        "lead_record": ledger.lead(merchant, lead),
        "lead_texts": ledger.lead_texts(merchant, lead),
        "leads": ledger.leads(merchant),
        "statement": ledger.statement(merchant, deposit),
        "earnings": ledger.partner(merchant, partner),
        "campaigns": ledger.campaigns(merchant),
        "top_up_state": ledger.top_up_state(merchant, done["top_up_id"]),
        "payout_state": ledger.payout_state(merchant, done["payout"]),
        "book": ledger.book(merchant),
        "other book": ledger.book(other),
        "book_at": ledger.book_at(merchant, head - 3),
        "events": ledger.events(merchant, 0, 1000),
        "other events": ledger.events(other, 0, 1000),
        "all_events": ledger.all_events(limit=1000),
        "check": ledger.check(merchant),
        "check_all": ledger.check_all(),
        "run_due_everywhere": ledger.run_due_everywhere(100),
        "merchant_figures": ledger.merchant_figures(merchant),
        "balance_card": ledger.balance_card(merchant, deposit),
        "pending_leads": ledger.pending_leads(merchant),
        "daily_report": ledger.daily_report(merchant, today),
        "partner_figures": ledger.partner_figures(partner),
        "platform_figures": ledger.platform_figures(),
        "balances": ledger.balances(merchant, head),
        "balances then": ledger.balances(merchant, MORNING),
        "explain": ledger.explain(merchant, lead),
        "explain what depleted": ledger.explain(merchant, done["depleting"]),
        "verify_proof": leadledger.verify_proof(proof),
        "export_jsonl": exported,
        "import_jsonl": imported,
        "export_statement_csv": ledger.export_statement_csv(merchant, deposit, folder / "statement.csv"),
        "export_accounting": ledger.export_accounting(folder / "books.journal", format="hledger"),
        "minimums": Minimums(value="1", opening="2", top_up="3", auto_top_up="4"),
    }


Given: TypeAlias = Record | dict[Any, Any] | list[Any] | tuple[Any, ...] | frozenset[Any] | str | None
"""What may have records in it, and what may not."""


def records(value: Given) -> Iterator[Record]:
    """Every record in what was given, at any depth."""
    if isinstance(value, Record):
        yield value
        for field in dataclasses.fields(value):
            yield from records(getattr(value, field.name))
    elif isinstance(value, dict):
        for one in value.values():
            yield from records(one)
    elif isinstance(value, (list, tuple, frozenset)):
        for one in value:
            yield from records(one)
