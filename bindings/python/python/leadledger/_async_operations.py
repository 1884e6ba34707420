"""Every command, read and figure of the core, under its own name, awaited.

Written by bindings/python/generate from the Rust code's own tables: do not edit.
"""

from __future__ import annotations

import os
from collections.abc import Awaitable, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from ._base import UNSET, Amount, Done, Id, Unset
from ._records import (
    AccountingFormat,
    AccountingReport,
    BalanceCard,
    Balances,
    Basis,
    Book,
    BookOpened,
    Campaign,
    CheckAllReport,
    CheckReport,
    Customer,
    DailyReport,
    Deposit,
    DepositClosed,
    DueEverywhere,
    DueSettled,
    EntryPage,
    Explanation,
    ExportReport,
    ImportReport,
    JournalEntry,
    Lead,
    LeadCreated,
    LeadPage,
    LeadStatus,
    LeadTexts,
    MerchantFigures,
    Method,
    OnTimeout,
    OpeningAgreement,
    OpeningCampaign,
    OpeningDeposit,
    OpeningLead,
    OpeningLine,
    Order,
    Partner,
    PartnerFigures,
    Payout,
    PlatformFigures,
    ReferenceKind,
    Source,
    Statement,
    TopUp,
    TopUpSucceeded,
    WrittenOff,
)


class AsyncOperations:
    """What a ledger does, awaited."""

    __slots__ = ()

    def _ask(self, name: str, given: tuple[object, ...], key: str | None = None) -> Awaitable[Any]:
        raise NotImplementedError

    async def register_campaign(
        self,
        merchant: Id,
        *,
        campaign: Id | None = None,
        currency: str | None = None,
        minimum_value: Amount | None = None,
        threshold: Amount | None = None,
        rate: Amount | None = None,
        fixed: Amount | None = None,
        default_share: Amount | None = None,
        validation_window_hours: int | None = None,
        minimum_quality: int | None = None,
        auto_stop: bool | None = None,
        on_timeout: OnTimeout | None = None,
        key: str | None = None,
    ) -> Done[UUID]:
        """Registers a campaign.

        What is left out has DOMAIN.md's default (chapter 3); a currency other than MAD must be given `threshold`
        and `fixed`.

        Args:
            merchant: Whose book.
            campaign: Its id.
            currency: Its currency; MAD where left out.
            minimum_value: Smallest value of a lead.
            threshold: Where the fixed commission begins.
            rate: Percent of the value below the threshold.
            fixed: The fixed commission.
            default_share: The partner's percent of the commission.
            validation_window_hours: Hours that a lead waits for validation.
            minimum_quality: The least score that validates, 1..=10.
            auto_stop: Whether depletion pauses it.
            on_timeout: What time alone does to a pending lead.
            key: Idempotency key: the same key and command give the same answer, once applied.

        Raises:
            Refused: The rules say no; nothing changed. Its `code` says why.
            InvalidInput: A value that could never do. One of a wrong type is a `TypeError`.
        """
        answer: Done[UUID] = await self._ask(
            "register_campaign",
            (
                merchant,
                campaign,
                currency,
                minimum_value,
                threshold,
                rate,
                fixed,
                default_share,
                validation_window_hours,
                minimum_quality,
                auto_stop,
                on_timeout,
            ),
            key,
        )
        return answer

    async def update_campaign(
        self,
        merchant: Id,
        campaign: Id,
        *,
        minimum_value: Amount | None = None,
        threshold: Amount | None = None,
        rate: Amount | None = None,
        fixed: Amount | None = None,
        default_share: Amount | None = None,
        validation_window_hours: int | None = None,
        minimum_quality: int | Unset | None = UNSET,
        auto_stop: bool | None = None,
        on_timeout: OnTimeout | None = None,
        key: str | None = None,
    ) -> Done[None]:
        """Changes a campaign's terms for the leads created from then on.

        What is left out stays.

        Args:
            merchant: Whose book.
            campaign: The campaign.
            minimum_value: Smallest value of a lead.
            threshold: Where the fixed commission begins.
            rate: Percent of the value below the threshold.
            fixed: The fixed commission.
            default_share: The partner's percent of the commission.
            validation_window_hours: Hours that a lead waits for validation.
            minimum_quality: The least score that validates; `None` takes it away.
            auto_stop: Whether depletion pauses it.
            on_timeout: What time alone does to a pending lead.
            key: Idempotency key: the same key and command give the same answer, once applied.

        Raises:
            Refused: The rules say no; nothing changed. Its `code` says why.
            InvalidInput: A value that could never do. One of a wrong type is a `TypeError`.
        """
        answer: Done[None] = await self._ask(
            "update_campaign",
            (
                merchant,
                campaign,
                minimum_value,
                threshold,
                rate,
                fixed,
                default_share,
                validation_window_hours,
                minimum_quality,
                auto_stop,
                on_timeout,
            ),
            key,
        )
        return answer

    async def pause_campaign(
        self,
        merchant: Id,
        campaign: Id,
        *,
        key: str | None = None,
    ) -> Done[None]:
        """Pauses a campaign by hand; takes over a pause by depletion.

        Args:
            merchant: Whose book.
            campaign: The campaign.
            key: Idempotency key: the same key and command give the same answer, once applied.

        Raises:
            Refused: The rules say no; nothing changed. Its `code` says why.
            InvalidInput: A value that could never do. One of a wrong type is a `TypeError`.
        """
        answer: Done[None] = await self._ask("pause_campaign", (merchant, campaign), key)
        return answer

    async def resume_campaign(
        self,
        merchant: Id,
        campaign: Id,
        *,
        key: str | None = None,
    ) -> Done[None]:
        """Resumes a campaign by hand, whoever paused it.

        Args:
            merchant: Whose book.
            campaign: The campaign.
            key: Idempotency key: the same key and command give the same answer, once applied.

        Raises:
            Refused: The rules say no; nothing changed. Its `code` says why.
            InvalidInput: A value that could never do. One of a wrong type is a `TypeError`.
        """
        answer: Done[None] = await self._ask("resume_campaign", (merchant, campaign), key)
        return answer

    async def set_agreement(
        self,
        merchant: Id,
        partner: Id,
        share: Amount,
        *,
        campaign: Id | None = None,
        payout_delay_days: int | None = None,
        key: str | None = None,
    ) -> Done[None]:
        """Agrees a partner's share and payout delay, for one campaign or for all of the merchant's.

        Args:
            merchant: Whose book.
            partner: The partner.
            share: The partner's percent of a commission.
            campaign: Only for this campaign.
            payout_delay_days: Days between validation and payable; 0 where left out.
            key: Idempotency key: the same key and command give the same answer, once applied.

        Raises:
            Refused: The rules say no; nothing changed. Its `code` says why.
            InvalidInput: A value that could never do. One of a wrong type is a `TypeError`.
        """
        answer: Done[None] = await self._ask(
            "set_agreement", (merchant, partner, share, campaign, payout_delay_days), key
        )
        return answer

    async def open_deposit(
        self,
        merchant: Id,
        amount: Amount,
        *,
        deposit: Id | None = None,
        campaign: Id | None = None,
        currency: str | None = None,
        method: Method | None = None,
        reference: str | None = None,
        key: str | None = None,
    ) -> Done[UUID]:
        """Opens a deposit with its first payment.

        Args:
            merchant: Whose book.
            amount: The payment.
            deposit: Its id.
            campaign: Only for this campaign.
            currency: Its currency: the campaign's, or MAD, where left out.
            method: How it was paid; `manual` where left out.
            reference: The payment's reference, a memo.
            key: Idempotency key: the same key and command give the same answer, once applied.

        Raises:
            Refused: The rules say no; nothing changed. Its `code` says why.
            InvalidInput: A value that could never do. One of a wrong type is a `TypeError`.
        """
        answer: Done[UUID] = await self._ask(
            "open_deposit", (merchant, amount, deposit, campaign, currency, method, reference), key
        )
        return answer

    async def top_up(
        self,
        merchant: Id,
        deposit: Id,
        amount: Amount,
        *,
        method: Method | None = None,
        reference: str | None = None,
        key: str | None = None,
    ) -> Done[None]:
        """Pays into a deposit directly.

        Args:
            merchant: Whose book.
            deposit: The deposit.
            amount: The payment.
            method: How it was paid; `manual` where left out.
            reference: The payment's reference, a memo.
            key: Idempotency key: the same key and command give the same answer, once applied.

        Raises:
            Refused: The rules say no; nothing changed. Its `code` says why.
            InvalidInput: A value that could never do. One of a wrong type is a `TypeError`.
        """
        answer: Done[None] = await self._ask("top_up", (merchant, deposit, amount, method, reference), key)
        return answer

    async def adjust_deposit(
        self,
        merchant: Id,
        deposit: Id,
        amount: Amount,
        reason: str = "",
        *,
        key: str | None = None,
    ) -> Done[None]:
        """Corrects a deposit by a signed amount.

        Args:
            merchant: Whose book.
            deposit: The deposit.
            amount: Up or down, never zero.
            reason: Why; mandatory.
            key: Idempotency key: the same key and command give the same answer, once applied.

        Raises:
            Refused: The rules say no; nothing changed. Its `code` says why.
            InvalidInput: A value that could never do. One of a wrong type is a `TypeError`.
        """
        answer: Done[None] = await self._ask("adjust_deposit", (merchant, deposit, amount, reason), key)
        return answer

    async def set_alert_settings(
        self,
        merchant: Id,
        deposit: Id,
        *,
        basis: Basis | None = None,
        reference: ReferenceKind | None = None,
        key: str | None = None,
    ) -> Done[None]:
        """Says what a deposit's level is measured on and against.

        Args:
            merchant: Whose book.
            deposit: The deposit.
            basis: Balance or available; stays where left out.
            reference: Initial amount or last top-up; stays where left out.
            key: Idempotency key: the same key and command give the same answer, once applied.

        Raises:
            Refused: The rules say no; nothing changed. Its `code` says why.
            InvalidInput: A value that could never do. One of a wrong type is a `TypeError`.
        """
        answer: Done[None] = await self._ask("set_alert_settings", (merchant, deposit, basis, reference), key)
        return answer

    async def set_auto_top_up(
        self,
        merchant: Id,
        deposit: Id,
        *,
        threshold: Amount | None = None,
        amount: Amount | None = None,
        key: str | None = None,
    ) -> Done[None]:
        """Asks for an automatic top-up below a threshold; without both amounts it is switched off.

        Args:
            merchant: Whose book.
            deposit: The deposit.
            threshold: Below this.
            amount: What to ask for, at least 1000.00 MAD.
            key: Idempotency key: the same key and command give the same answer, once applied.

        Raises:
            Refused: The rules say no; nothing changed. Its `code` says why.
            InvalidInput: A value that could never do. One of a wrong type is a `TypeError`.
        """
        answer: Done[None] = await self._ask("set_auto_top_up", (merchant, deposit, threshold, amount), key)
        return answer

    async def suspend_deposit(
        self,
        merchant: Id,
        deposit: Id,
        *,
        key: str | None = None,
    ) -> Done[None]:
        """Suspends a deposit: no new reservations.

        Takes over a suspension for debt.

        Args:
            merchant: Whose book.
            deposit: The deposit.
            key: Idempotency key: the same key and command give the same answer, once applied.

        Raises:
            Refused: The rules say no; nothing changed. Its `code` says why.
            InvalidInput: A value that could never do. One of a wrong type is a `TypeError`.
        """
        answer: Done[None] = await self._ask("suspend_deposit", (merchant, deposit), key)
        return answer

    async def resume_deposit(
        self,
        merchant: Id,
        deposit: Id,
        *,
        key: str | None = None,
    ) -> Done[None]:
        """Lets a suspended deposit take reservations again.

        Args:
            merchant: Whose book.
            deposit: The deposit.
            key: Idempotency key: the same key and command give the same answer, once applied.

        Raises:
            Refused: The rules say no; nothing changed. Its `code` says why.
            InvalidInput: A value that could never do. One of a wrong type is a `TypeError`.
        """
        answer: Done[None] = await self._ask("resume_deposit", (merchant, deposit), key)
        return answer

    async def close_deposit(
        self,
        merchant: Id,
        deposit: Id,
        *,
        method: Method | None = None,
        reference: str | None = None,
        key: str | None = None,
    ) -> Done[DepositClosed]:
        """Closes a deposit: its money pays the merchant's debt first, the rest goes back.

        Args:
            merchant: Whose book.
            deposit: The deposit.
            method: How the rest is paid back; `manual` where left out.
            reference: That payment's reference, a memo.
            key: Idempotency key: the same key and command give the same answer, once applied.

        Raises:
            Refused: The rules say no; nothing changed. Its `code` says why.
            InvalidInput: A value that could never do. One of a wrong type is a `TypeError`.
        """
        answer: Done[DepositClosed] = await self._ask("close_deposit", (merchant, deposit, method, reference), key)
        return answer

    async def create_lead(
        self,
        merchant: Id,
        campaign: Id,
        partner: Id,
        value: Amount,
        *,
        lead: Id | None = None,
        source: Source | None = None,
        product: str | None = None,
        customer: Customer | None = None,
        key: str | None = None,
    ) -> Done[LeadCreated]:
        """Records a lead and reserves its commission.

        Args:
            merchant: Whose book.
            campaign: The campaign.
            partner: Who brought it.
            value: Its estimated value, in the campaign's currency.
            lead: Its id.
            source: Where it came from; `other` where left out.
            product: A reference to the product.
            customer: Personal data, kept apart and erasable.
            key: Idempotency key: the same key and command give the same answer, once applied.

        Raises:
            Refused: The rules say no; nothing changed. Its `code` says why.
            InvalidInput: A value that could never do. One of a wrong type is a `TypeError`.
        """
        answer: Done[LeadCreated] = await self._ask(
            "create_lead", (merchant, campaign, partner, value, lead, source, product, customer), key
        )
        return answer

    async def validate_lead(
        self,
        merchant: Id,
        lead: Id,
        *,
        score: int | None = None,
        feedback: str | None = None,
        key: str | None = None,
    ) -> Done[None]:
        """Validates a pending lead: the commission is captured and split.

        Args:
            merchant: Whose book.
            lead: The lead.
            score: Quality, 1..=10.
            feedback: What the merchant says of it.
            key: Idempotency key: the same key and command give the same answer, once applied.

        Raises:
            Refused: The rules say no; nothing changed. Its `code` says why.
            InvalidInput: A value that could never do. One of a wrong type is a `TypeError`.
        """
        answer: Done[None] = await self._ask("validate_lead", (merchant, lead, score, feedback), key)
        return answer

    async def reject_lead(
        self,
        merchant: Id,
        lead: Id,
        reason: str = "",
        *,
        key: str | None = None,
    ) -> Done[None]:
        """Rejects a pending lead: the reservation is released.

        Args:
            merchant: Whose book.
            lead: The lead.
            reason: Why; mandatory.
            key: Idempotency key: the same key and command give the same answer, once applied.

        Raises:
            Refused: The rules say no; nothing changed. Its `code` says why.
            InvalidInput: A value that could never do. One of a wrong type is a `TypeError`.
        """
        answer: Done[None] = await self._ask("reject_lead", (merchant, lead, reason), key)
        return answer

    async def convert_lead(
        self,
        merchant: Id,
        lead: Id,
        *,
        key: str | None = None,
    ) -> Done[None]:
        """Says that a validated lead became a sale.

        No money moves.

        Args:
            merchant: Whose book.
            lead: The lead.
            key: Idempotency key: the same key and command give the same answer, once applied.

        Raises:
            Refused: The rules say no; nothing changed. Its `code` says why.
            InvalidInput: A value that could never do. One of a wrong type is a `TypeError`.
        """
        answer: Done[None] = await self._ask("convert_lead", (merchant, lead), key)
        return answer

    async def lose_lead(
        self,
        merchant: Id,
        lead: Id,
        *,
        key: str | None = None,
    ) -> Done[None]:
        """Says that a validated lead came to nothing.

        No money moves.

        Args:
            merchant: Whose book.
            lead: The lead.
            key: Idempotency key: the same key and command give the same answer, once applied.

        Raises:
            Refused: The rules say no; nothing changed. Its `code` says why.
            InvalidInput: A value that could never do. One of a wrong type is a `TypeError`.
        """
        answer: Done[None] = await self._ask("lose_lead", (merchant, lead), key)
        return answer

    async def reverse_lead(
        self,
        merchant: Id,
        lead: Id,
        reason: str = "",
        *,
        key: str | None = None,
    ) -> Done[None]:
        """Gives a captured commission back.

        Args:
            merchant: Whose book.
            lead: The lead.
            reason: Why; mandatory.
            key: Idempotency key: the same key and command give the same answer, once applied.

        Raises:
            Refused: The rules say no; nothing changed. Its `code` says why.
            InvalidInput: A value that could never do. One of a wrong type is a `TypeError`.
        """
        answer: Done[None] = await self._ask("reverse_lead", (merchant, lead, reason), key)
        return answer

    async def erase_customer(
        self,
        merchant: Id,
        lead: Id,
        *,
        key: str | None = None,
    ) -> Done[None]:
        """Erases the personal data and free text of a lead; the books stay as they are.

        Args:
            merchant: Whose book.
            lead: The lead.
            key: Idempotency key: the same key and command give the same answer, once applied.

        Raises:
            Refused: The rules say no; nothing changed. Its `code` says why.
            InvalidInput: A value that could never do. One of a wrong type is a `TypeError`.
        """
        answer: Done[None] = await self._ask("erase_customer", (merchant, lead), key)
        return answer

    async def begin_top_up(
        self,
        merchant: Id,
        amount: Amount,
        method: Method,
        *,
        top_up: Id | None = None,
        campaign: Id | None = None,
        currency: str | None = None,
        key: str | None = None,
    ) -> Done[UUID]:
        """Records the intent of a payment, before the provider is called.

        Args:
            merchant: Whose book.
            amount: How much.
            method: How.
            top_up: Its id.
            campaign: For this campaign's deposit.
            currency: The currency: the campaign's, or MAD, where left out.
            key: Idempotency key: the same key and command give the same answer, once applied.

        Raises:
            Refused: The rules say no; nothing changed. Its `code` says why.
            InvalidInput: A value that could never do. One of a wrong type is a `TypeError`.
        """
        answer: Done[UUID] = await self._ask(
            "begin_top_up", (merchant, amount, method, top_up, campaign, currency), key
        )
        return answer

    async def attach_reference(
        self,
        merchant: Id,
        top_up: Id,
        reference: str,
        *,
        key: str | None = None,
    ) -> Done[None]:
        """Notes the provider's reference of a pending top-up; it then belongs to this top-up.

        Args:
            merchant: Whose book.
            top_up: The top-up.
            reference: The provider's reference.
            key: Idempotency key: the same key and command give the same answer, once applied.

        Raises:
            Refused: The rules say no; nothing changed. Its `code` says why.
            InvalidInput: A value that could never do. One of a wrong type is a `TypeError`.
        """
        answer: Done[None] = await self._ask("attach_reference", (merchant, top_up, reference), key)
        return answer

    async def succeed_top_up(
        self,
        merchant: Id,
        top_up: Id,
        reference: str,
        received: Amount,
        *,
        deposit: Id | None = None,
        key: str | None = None,
    ) -> Done[TopUpSucceeded]:
        """Credits a payment, exactly once per method and reference.

        Args:
            merchant: Whose book.
            top_up: The top-up.
            reference: The provider's reference.
            received: What was received.
            deposit: The id of the deposit, should one have to be opened.
            key: Idempotency key: the same key and command give the same answer, once applied.

        Raises:
            Refused: The rules say no; nothing changed. Its `code` says why.
            InvalidInput: A value that could never do. One of a wrong type is a `TypeError`.
        """
        answer: Done[TopUpSucceeded] = await self._ask(
            "succeed_top_up", (merchant, top_up, reference, received, deposit), key
        )
        return answer

    async def fail_top_up(
        self,
        merchant: Id,
        top_up: Id,
        *,
        key: str | None = None,
    ) -> Done[None]:
        """The provider said no.

        A late success still credits.

        Args:
            merchant: Whose book.
            top_up: The top-up.
            key: Idempotency key: the same key and command give the same answer, once applied.

        Raises:
            Refused: The rules say no; nothing changed. Its `code` says why.
            InvalidInput: A value that could never do. One of a wrong type is a `TypeError`.
        """
        answer: Done[None] = await self._ask("fail_top_up", (merchant, top_up), key)
        return answer

    async def cancel_top_up(
        self,
        merchant: Id,
        top_up: Id,
        *,
        key: str | None = None,
    ) -> Done[None]:
        """The payer gave up.

        A late success still credits.

        Args:
            merchant: Whose book.
            top_up: The top-up.
            key: Idempotency key: the same key and command give the same answer, once applied.

        Raises:
            Refused: The rules say no; nothing changed. Its `code` says why.
            InvalidInput: A value that could never do. One of a wrong type is a `TypeError`.
        """
        answer: Done[None] = await self._ask("cancel_top_up", (merchant, top_up), key)
        return answer

    async def refund_top_up(
        self,
        merchant: Id,
        top_up: Id,
        *,
        amount: Amount | None = None,
        key: str | None = None,
    ) -> Done[None]:
        """Takes money of a top-up back out.

        Args:
            merchant: Whose book.
            top_up: The top-up.
            amount: How much; all that is left where left out.
            key: Idempotency key: the same key and command give the same answer, once applied.

        Raises:
            Refused: The rules say no; nothing changed. Its `code` says why.
            InvalidInput: A value that could never do. One of a wrong type is a `TypeError`.
        """
        answer: Done[None] = await self._ask("refund_top_up", (merchant, top_up, amount), key)
        return answer

    async def dispute_top_up(
        self,
        merchant: Id,
        top_up: Id,
        *,
        key: str | None = None,
    ) -> Done[None]:
        """The payer disputes a top-up: all that is left goes back out.

        Args:
            merchant: Whose book.
            top_up: The top-up.
            key: Idempotency key: the same key and command give the same answer, once applied.

        Raises:
            Refused: The rules say no; nothing changed. Its `code` says why.
            InvalidInput: A value that could never do. One of a wrong type is a `TypeError`.
        """
        answer: Done[None] = await self._ask("dispute_top_up", (merchant, top_up), key)
        return answer

    async def win_dispute(
        self,
        merchant: Id,
        top_up: Id,
        *,
        deposit: Id | None = None,
        key: str | None = None,
    ) -> Done[UUID]:
        """A dispute is won: the amount is credited again.

        Args:
            merchant: Whose book.
            top_up: The top-up.
            deposit: The id of the deposit, should one have to be opened.
            key: Idempotency key: the same key and command give the same answer, once applied.

        Raises:
            Refused: The rules say no; nothing changed. Its `code` says why.
            InvalidInput: A value that could never do. One of a wrong type is a `TypeError`.
        """
        answer: Done[UUID] = await self._ask("win_dispute", (merchant, top_up, deposit), key)
        return answer

    async def lose_dispute(
        self,
        merchant: Id,
        top_up: Id,
        *,
        key: str | None = None,
    ) -> Done[None]:
        """A dispute is lost: the money stays out.

        Args:
            merchant: Whose book.
            top_up: The top-up.
            key: Idempotency key: the same key and command give the same answer, once applied.

        Raises:
            Refused: The rules say no; nothing changed. Its `code` says why.
            InvalidInput: A value that could never do. One of a wrong type is a `TypeError`.
        """
        answer: Done[None] = await self._ask("lose_dispute", (merchant, top_up), key)
        return answer

    async def write_off(
        self,
        merchant: Id,
        reason: str = "",
        *,
        partner: Id | None = None,
        currency: str | None = None,
        key: str | None = None,
    ) -> Done[WrittenOff]:
        """Turns the merchant's debt, or a partner's, into the platform's loss.

        Args:
            merchant: Whose book.
            reason: Why; mandatory.
            partner: This partner's negative payable; the merchant's debt where left out.
            currency: Which currency's; MAD where left out.
            key: Idempotency key: the same key and command give the same answer, once applied.

        Raises:
            Refused: The rules say no; nothing changed. Its `code` says why.
            InvalidInput: A value that could never do. One of a wrong type is a `TypeError`.
        """
        answer: Done[WrittenOff] = await self._ask("write_off", (merchant, reason, partner, currency), key)
        return answer

    async def request_payout(
        self,
        merchant: Id,
        partner: Id,
        amount: Amount,
        *,
        payout: Id | None = None,
        currency: str | None = None,
        key: str | None = None,
    ) -> Done[UUID]:
        """Asks for a payout of a partner's payable earnings.

        Args:
            merchant: Whose book.
            partner: The partner.
            amount: How much.
            payout: Its id.
            currency: The currency; MAD where left out.
            key: Idempotency key: the same key and command give the same answer, once applied.

        Raises:
            Refused: The rules say no; nothing changed. Its `code` says why.
            InvalidInput: A value that could never do. One of a wrong type is a `TypeError`.
        """
        answer: Done[UUID] = await self._ask("request_payout", (merchant, partner, amount, payout, currency), key)
        return answer

    async def settle_payout(
        self,
        merchant: Id,
        payout: Id,
        *,
        method: Method | None = None,
        reference: str | None = None,
        key: str | None = None,
    ) -> Done[None]:
        """Says that a payout was paid.

        Args:
            merchant: Whose book.
            payout: The payout.
            method: How; `manual` where left out.
            reference: That payment's reference, a memo.
            key: Idempotency key: the same key and command give the same answer, once applied.

        Raises:
            Refused: The rules say no; nothing changed. Its `code` says why.
            InvalidInput: A value that could never do. One of a wrong type is a `TypeError`.
        """
        answer: Done[None] = await self._ask("settle_payout", (merchant, payout, method, reference), key)
        return answer

    async def cancel_payout(
        self,
        merchant: Id,
        payout: Id,
        *,
        key: str | None = None,
    ) -> Done[None]:
        """Gives a payout back to payable.

        Args:
            merchant: Whose book.
            payout: The payout.
            key: Idempotency key: the same key and command give the same answer, once applied.

        Raises:
            Refused: The rules say no; nothing changed. Its `code` says why.
            InvalidInput: A value that could never do. One of a wrong type is a `TypeError`.
        """
        answer: Done[None] = await self._ask("cancel_payout", (merchant, payout), key)
        return answer

    async def run_due(
        self,
        merchant: Id,
        *,
        key: str | None = None,
    ) -> Done[DueSettled]:
        """Settles what is due on the book, and says what that was.

        Args:
            merchant: Whose book.
            key: Idempotency key: the same key and command give the same answer, once applied.

        Raises:
            Refused: The rules say no; nothing changed. Its `code` says why.
            InvalidInput: A value that could never do. One of a wrong type is a `TypeError`.
        """
        answer: Done[DueSettled] = await self._ask("run_due", (merchant,), key)
        return answer

    async def open_book(
        self,
        merchant: Id,
        campaigns: Sequence[OpeningCampaign] = (),
        agreements: Sequence[OpeningAgreement] = (),
        deposits: Sequence[OpeningDeposit] = (),
        leads: Sequence[OpeningLead] = (),
        lines: Sequence[OpeningLine] = (),
        *,
        currency: str | None = None,
        key: str | None = None,
    ) -> Done[BookOpened]:
        """Begins a book with what was kept elsewhere, in one entry: for imports.

        Refused where the book is not empty. Deposits and leads come in the order in which they were opened and
        created. A repetition is compared by all but the leads' private fields.

        Args:
            merchant: Whose book.
            campaigns: Campaigns.
            agreements: Partners' terms.
            deposits: Deposits.
            leads: Leads.
            lines: Lines of old statements.
            currency: The currency of all amounts; MAD where left out.
            key: Idempotency key: the same key and command give the same answer, once applied.

        Raises:
            Refused: The rules say no; nothing changed. Its `code` says why.
            InvalidInput: A value that could never do. One of a wrong type is a `TypeError`.
        """
        answer: Done[BookOpened] = await self._ask(
            "open_book", (merchant, campaigns, agreements, deposits, leads, lines, currency), key
        )
        return answer

    async def deposit(
        self,
        merchant: Id,
        deposit: Id,
    ) -> Deposit | None:
        """A deposit; none where this merchant has none with this id.

        Args:
            merchant: Whose book.
            deposit: The deposit.

        Raises:
            InvalidInput: A value that could never do. One of a wrong type is a `TypeError`.
        """
        answer: Deposit | None = await self._ask("deposit", (merchant, deposit))
        return answer

    async def deposits(
        self,
        merchant: Id,
    ) -> tuple[Deposit, ...]:
        """A merchant's open deposits, in the order in which they were opened.

        Args:
            merchant: Whose book.

        Raises:
            InvalidInput: A value that could never do. One of a wrong type is a `TypeError`.
        """
        answer: tuple[Deposit, ...] = await self._ask("deposits", (merchant,))
        return answer

    async def lead(
        self,
        merchant: Id,
        lead: Id,
    ) -> Lead | None:
        """A lead; none where this merchant has none with this id.

        Args:
            merchant: Whose book.
            lead: The lead.

        Raises:
            InvalidInput: A value that could never do. One of a wrong type is a `TypeError`.
        """
        answer: Lead | None = await self._ask("lead", (merchant, lead))
        return answer

    async def lead_texts(
        self,
        merchant: Id,
        lead: Id,
    ) -> LeadTexts | None:
        """Personal data and free text of a lead, as far as they are not erased; none where there is no such lead.

        Args:
            merchant: Whose book.
            lead: The lead.

        Raises:
            InvalidInput: A value that could never do. One of a wrong type is a `TypeError`.
        """
        answer: LeadTexts | None = await self._ask("lead_texts", (merchant, lead))
        return answer

    async def leads(
        self,
        merchant: Id,
        *,
        status: LeadStatus | None = None,
        campaign: Id | None = None,
        partner: Id | None = None,
        source: Source | None = None,
        order: Order | None = None,
        after: str | None = None,
        limit: int | None = None,
    ) -> LeadPage:
        """A page of a merchant's leads, of at least one.

        Args:
            merchant: Whose book.
            status: Only these.
            campaign: Only this campaign's.
            partner: Only this partner's.
            source: Only from here.
            order: In which order; the newest first where left out.
            after: Where the page before ended: its `next`.
            limit: At most so many; 100 where left out.

        Raises:
            InvalidInput: A value that could never do. One of a wrong type is a `TypeError`.
        """
        answer: LeadPage = await self._ask("leads", (merchant, status, campaign, partner, source, order, after, limit))
        return answer

    async def statement(
        self,
        merchant: Id,
        deposit: Id,
        *,
        after: str | None = None,
        limit: int | None = None,
    ) -> Statement | None:
        """A page of a deposit's statement, newest first; none where this merchant has no such deposit.

        Args:
            merchant: Whose book.
            deposit: The deposit.
            after: Where the page before ended: its `next`.
            limit: At most so many lines; 100 where left out.

        Raises:
            InvalidInput: A value that could never do. One of a wrong type is a `TypeError`.
        """
        answer: Statement | None = await self._ask("statement", (merchant, deposit, after, limit))
        return answer

    async def partner(
        self,
        merchant: Id,
        partner: Id,
    ) -> tuple[Partner, ...]:
        """A partner's earnings with one merchant, by currency; from the first captured lead.

        Args:
            merchant: Whose book.
            partner: Who brought the leads.

        Raises:
            InvalidInput: A value that could never do. One of a wrong type is a `TypeError`.
        """
        answer: tuple[Partner, ...] = await self._ask("partner", (merchant, partner))
        return answer

    async def campaigns(
        self,
        merchant: Id,
    ) -> tuple[Campaign, ...]:
        """A merchant's campaigns, by id.

        Args:
            merchant: Whose book.

        Raises:
            InvalidInput: A value that could never do. One of a wrong type is a `TypeError`.
        """
        answer: tuple[Campaign, ...] = await self._ask("campaigns", (merchant,))
        return answer

    async def top_up_state(
        self,
        merchant: Id,
        top_up: Id,
    ) -> TopUp | None:
        """A top-up; none where this merchant has none with this id.

        Args:
            merchant: Whose book.
            top_up: The top-up.

        Raises:
            InvalidInput: A value that could never do. One of a wrong type is a `TypeError`.
        """
        answer: TopUp | None = await self._ask("top_up_state", (merchant, top_up))
        return answer

    async def payout_state(
        self,
        merchant: Id,
        payout: Id,
    ) -> Payout | None:
        """A payout; none where this merchant has none with this id.

        Args:
            merchant: Whose book.
            payout: The payout.

        Raises:
            InvalidInput: A value that could never do. One of a wrong type is a `TypeError`.
        """
        answer: Payout | None = await self._ask("payout_state", (merchant, payout))
        return answer

    async def book(
        self,
        merchant: Id,
    ) -> Book:
        """One merchant's whole book.

        Grows with the book: for checks and small books.

        Args:
            merchant: Whose book.

        Raises:
            InvalidInput: A value that could never do. One of a wrong type is a `TypeError`.
        """
        answer: Book = await self._ask("book", (merchant,))
        return answer

    async def events(
        self,
        merchant: Id,
        seq: int,
        limit: int,
    ) -> tuple[JournalEntry, ...]:
        """One book's journal entries after `seq` (0 for the first), in order.

        Args:
            merchant: Whose book.
            seq: The entry after which to begin.
            limit: At most so many.

        Raises:
            InvalidInput: A value that could never do. One of a wrong type is a `TypeError`.
        """
        answer: tuple[JournalEntry, ...] = await self._ask("events", (merchant, seq, limit))
        return answer

    async def all_events(
        self,
        *,
        after: str | None = None,
        limit: int | None = None,
    ) -> EntryPage:
        """A page of all books' journal entries, each book's in order.

        Args:
            after: Where the page before ended: its `next`; the first entry where left out.
            limit: At most so many; 100 where left out.

        Raises:
            InvalidInput: A value that could never do. One of a wrong type is a `TypeError`.
        """
        answer: EntryPage = await self._ask("all_events", (after, limit))
        return answer

    async def events_end(self) -> str:
        """Where the journal over all books ends now, for `all_events`: what is committed from now on comes after
        it.

        Raises:
            InvalidInput: A value that could never do. One of a wrong type is a `TypeError`.
        """
        answer: str = await self._ask("events_end", ())
        return answer

    async def check(
        self,
        merchant: Id,
    ) -> CheckReport:
        """Replays a book's journal and compares it with every stored row.

        Fails with `check_failed` and the first difference.

        Args:
            merchant: Whose book.

        Raises:
            InvalidInput: A value that could never do. One of a wrong type is a `TypeError`.
        """
        answer: CheckReport = await self._ask("check", (merchant,))
        return answer

    async def check_all(self) -> CheckAllReport:
        """Checks all books, and goes on after one that fails or cannot be read: the report has every failure.

        Raises:
            InvalidInput: A value that could never do. One of a wrong type is a `TypeError`.
        """
        answer: CheckAllReport = await self._ask("check_all", ())
        return answer

    async def merchants(
        self,
        *,
        after: Id | None = None,
        limit: int | None = None,
    ) -> tuple[UUID, ...]:
        """Merchants who have a book, by id.

        Args:
            after: After this one.
            limit: At most so many; 100 where left out.

        Raises:
            InvalidInput: A value that could never do. One of a wrong type is a `TypeError`.
        """
        answer: tuple[UUID, ...] = await self._ask("merchants", (after, limit))
        return answer

    async def run_due_everywhere(
        self,
        most: int,
    ) -> DueEverywhere:
        """Settles what is due in all books, and says what that was, and in how many books.

        Args:
            most: In at most so many books.

        Raises:
            InvalidInput: A value that could never do. One of a wrong type is a `TypeError`.
        """
        answer: DueEverywhere = await self._ask("run_due_everywhere", (most,))
        return answer

    async def merchant_figures(
        self,
        merchant: Id,
    ) -> MerchantFigures:
        """What a merchant sees (DOMAIN.md chapter 9), by currency: deposits, leads, money, trends.

        Net of reversals.

        Args:
            merchant: Whose.

        Raises:
            InvalidInput: A value that could never do. One of a wrong type is a `TypeError`.
        """
        answer: MerchantFigures = await self._ask("merchant_figures", (merchant,))
        return answer

    async def balance_card(
        self,
        merchant: Id,
        deposit: Id,
    ) -> BalanceCard | None:
        """A deposit's card: what is in it, how low that is, and how long it lasts; none where there is no such
        deposit.

        Args:
            merchant: Whose book.
            deposit: The deposit.

        Raises:
            InvalidInput: A value that could never do. One of a wrong type is a `TypeError`.
        """
        answer: BalanceCard | None = await self._ask("balance_card", (merchant, deposit))
        return answer

    async def pending_leads(
        self,
        merchant: Id,
        *,
        after: str | None = None,
        limit: int | None = None,
    ) -> LeadPage:
        """A page of the leads that wait for the merchant, the one that expires first before the others.

        Args:
            merchant: Whose book.
            after: Where the page before ended: its `next`.
            limit: At most so many; 100 where left out.

        Raises:
            InvalidInput: A value that could never do. One of a wrong type is a `TypeError`.
        """
        answer: LeadPage = await self._ask("pending_leads", (merchant, after, limit))
        return answer

    async def daily_report(
        self,
        merchant: Id,
        day: date,
    ) -> DailyReport:
        """What happened on one local day, by currency.

        Args:
            merchant: Whose book.
            day: The day, in the ledger's time zone.

        Raises:
            InvalidInput: A value that could never do. One of a wrong type is a `TypeError`.
        """
        answer: DailyReport = await self._ask("daily_report", (merchant, day))
        return answer

    async def partner_figures(
        self,
        partner: Id,
    ) -> PartnerFigures:
        """A partner's figures over all merchants, by currency.

        Args:
            partner: Whose.

        Raises:
            InvalidInput: A value that could never do. One of a wrong type is a `TypeError`.
        """
        answer: PartnerFigures = await self._ask("partner_figures", (partner,))
        return answer

    async def platform_figures(self) -> PlatformFigures:
        """The platform's figures over all merchants, by currency.

        Raises:
            InvalidInput: A value that could never do. One of a wrong type is a `TypeError`.
        """
        answer: PlatformFigures = await self._ask("platform_figures", ())
        return answer

    async def balances(
        self,
        merchant: Id,
        as_of: int | datetime,
    ) -> Balances:
        """Every balance of a book at a past moment, as a sum over its journal, whose hashes are verified on the
        way.

        Args:
            merchant: Whose book.
            as_of: Right after the entry of this number, or at this moment.

        Raises:
            InvalidInput: A value that could never do. One of a wrong type is a `TypeError`.
        """
        answer: Balances = await self._ask("balances", (merchant, as_of))
        return answer

    async def book_at(
        self,
        merchant: Id,
        as_of: int | datetime,
    ) -> Book:
        """The whole book as `book` would have shown it at a past moment, by replay.

        Missed leads are not in it.

        Args:
            merchant: Whose book.
            as_of: Right after the entry of this number, or at this moment.

        Raises:
            InvalidInput: A value that could never do. One of a wrong type is a `TypeError`.
        """
        answer: Book = await self._ask("book_at", (merchant, as_of))
        return answer

    async def explain(
        self,
        merchant: Id,
        lead: Id,
    ) -> Explanation | None:
        """Why a lead cost what it cost and where the money went; none where this merchant has no such lead.

        Args:
            merchant: Whose book.
            lead: The lead.

        Raises:
            InvalidInput: A value that could never do. One of a wrong type is a `TypeError`.
        """
        answer: Explanation | None = await self._ask("explain", (merchant, lead))
        return answer

    async def proof(
        self,
        merchant: Id,
        seq: int,
    ) -> str:
        """A proof that an entry stands in a book's journal, as JSON text, for `verify_proof` and
        `verify_proof_against`.

        Args:
            merchant: Whose book.
            seq: The entry's number.

        Raises:
            InvalidInput: A value that could never do. One of a wrong type is a `TypeError`.
        """
        answer: str = await self._ask("proof", (merchant, seq))
        return answer

    async def export_jsonl(
        self,
        path: str | os.PathLike[str],
        *,
        merchant: Id | None = None,
        with_private: bool | None = None,
        over: bool | None = None,
    ) -> ExportReport:
        """Writes books into a file, to the letter, as JSON lines: whole or not at all.

        Args:
            path: The file.
            merchant: Only this merchant's book.
            with_private: Without personal data and free text where false.
            over: Whether a file that is there is written over; no where left out.

        Raises:
            InvalidInput: A value that could never do. One of a wrong type is a `TypeError`.
        """
        answer: ExportReport = await self._ask("export_jsonl", (path, merchant, with_private, over))
        return answer

    async def import_jsonl(
        self,
        path: str | os.PathLike[str],
    ) -> ImportReport:
        """Takes in books that `export_jsonl` wrote, to the letter.

        Everything is verified before anything is written; an import that was interrupted can be run again.

        Args:
            path: The file.

        Raises:
            InvalidInput: A value that could never do. One of a wrong type is a `TypeError`.
        """
        answer: ImportReport = await self._ask("import_jsonl", (path,))
        return answer

    async def export_statement_csv(
        self,
        merchant: Id,
        deposit: Id,
        path: str | os.PathLike[str],
        *,
        over: bool | None = None,
    ) -> int:
        """Writes a deposit's whole statement as CSV, oldest first, and says how many lines there are.

        Refuses with `deposit_not_found`.

        Args:
            merchant: Whose book.
            deposit: The deposit.
            path: The file.
            over: Whether a file that is there is written over; no where left out.

        Raises:
            InvalidInput: A value that could never do. One of a wrong type is a `TypeError`.
        """
        answer: int = await self._ask("export_statement_csv", (merchant, deposit, path, over))
        return answer

    async def export_accounting(
        self,
        path: str | os.PathLike[str],
        format: AccountingFormat,
        *,
        merchant: Id | None = None,
        over: bool | None = None,
    ) -> AccountingReport:
        """Writes books as a journal for hledger or beancount, with every balance for the tool to verify.

        Args:
            path: The file.
            format: Which tool's journal.
            merchant: Only this merchant's book.
            over: Whether a file that is there is written over; no where left out.

        Raises:
            InvalidInput: A value that could never do. One of a wrong type is a `TypeError`.
        """
        answer: AccountingReport = await self._ask("export_accounting", (path, format, merchant, over))
        return answer
