"""What the ledger gives and takes: records, and the names of choices.

Written by bindings/python/generate from the Rust code's own tables: do not edit.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Literal
from uuid import UUID

from ._base import Amount, Id, Record
from .events import Event

__all__ = [
    "AccountBalance",
    "AccountingFormat",
    "AccountingReport",
    "Agreement",
    "BalanceCard",
    "Balances",
    "Basis",
    "Book",
    "BookMissed",
    "BookOpened",
    "BookPartner",
    "BookPlatform",
    "Campaign",
    "CampaignStatus",
    "Cause",
    "Channel",
    "CheckAllReport",
    "CheckFailure",
    "CheckReport",
    "CommissionKind",
    "CommissionPreview",
    "CurrencyFigures",
    "CurrencyReport",
    "Customer",
    "DailyReport",
    "DayTrend",
    "Deposit",
    "DepositBalance",
    "DepositClosed",
    "DepositFigures",
    "DepositStatus",
    "DueEverywhere",
    "DueSettled",
    "EntryPage",
    "Explanation",
    "ExplanationEffect",
    "ExplanationStep",
    "ExportReport",
    "ImportReport",
    "JournalEntry",
    "Lead",
    "LeadCreated",
    "LeadFigures",
    "LeadPage",
    "LeadStatus",
    "LeadTexts",
    "Level",
    "LevelShown",
    "LineKind",
    "MerchantFigures",
    "Method",
    "Minimums",
    "MissedFigures",
    "Moment",
    "MoneyFigures",
    "OnTimeout",
    "OpeningAgreement",
    "OpeningCampaign",
    "OpeningDeposit",
    "OpeningLead",
    "OpeningLine",
    "OpeningStatus",
    "Order",
    "PartPlace",
    "Partner",
    "PartnerCurrency",
    "PartnerFigures",
    "Payout",
    "PayoutStatus",
    "PlatformCurrency",
    "PlatformFigures",
    "PolicyTerms",
    "Posting",
    "ProvenEntry",
    "Ready",
    "RealtimeChoice",
    "ReferenceKind",
    "ReviewPriority",
    "Source",
    "Statement",
    "StatementLine",
    "TopPartner",
    "TopSource",
    "TopUp",
    "TopUpStatus",
    "TopUpSucceeded",
    "Trends",
    "WrittenOff",
]

Level = Literal["healthy", "attention", "warning", "critical", "depleted"]

Channel = Literal["dashboard", "email", "urgent_email", "critical_email", "push", "sms", "whatsapp", "partners"]

LeadStatus = Literal["pending", "validated", "rejected", "expired", "converted", "lost", "reversed"]

Source = Literal["instagram", "tiktok", "whatsapp", "facebook", "direct", "other"]

ReviewPriority = Literal["high", "medium", "low"]

PartPlace = Literal["none", "held", "payable", "returned"]

CommissionKind = Literal["percentage", "fixed"]

OnTimeout = Literal["expire", "accept"]

CampaignStatus = Literal["active", "paused_by_person", "paused_by_depletion"]

Basis = Literal["balance", "available"]

ReferenceKind = Literal["initial", "last_top_up"]

DepositStatus = Literal["active", "suspended_by_operator", "suspended_for_debt", "closed"]

Method = Literal["stripe", "cmi", "bank_transfer", "crypto", "manual"]

TopUpStatus = Literal["pending", "succeeded", "failed", "cancelled", "disputed", "refunded"]

PayoutStatus = Literal["requested", "paid", "cancelled"]

Cause = Literal["person", "ledger"]

OpeningStatus = Literal["active", "suspended", "closed"]

LineKind = Literal["initial", "recharge", "deduction", "refund", "adjustment"]

Order = Literal["newest", "review_priority"]

AccountingFormat = Literal["hledger", "beancount"]

RealtimeChoice = Literal["keep", "on", "off"]


@dataclass(frozen=True, slots=True)
class LeadCreated(Record):
    """A lead was recorded.

    Attributes:
        lead: Its id.
        deposit: The deposit that holds its reservation.
        kind: How the commission was found.
        commission: The whole commission, in the campaign's currency.
        partner_part: The partner's part.
        platform_part: The platform's part: the rest.
        expires_at: When time alone decides on it.
    """

    lead: UUID
    deposit: UUID
    kind: CommissionKind
    commission: Decimal
    partner_part: Decimal
    platform_part: Decimal
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class TopUpSucceeded(Record):
    """A payment was credited.

    Attributes:
        deposit: The deposit that was credited, or opened.
        receipt: The receipt's number.
    """

    deposit: UUID
    receipt: str


@dataclass(frozen=True, slots=True)
class DepositClosed(Record):
    """A deposit was closed.

    Attributes:
        paid_back: What the debt left of its money.
    """

    paid_back: Decimal


@dataclass(frozen=True, slots=True)
class WrittenOff(Record):
    """A debt became a loss.

    Attributes:
        written_off: How much.
    """

    written_off: Decimal


@dataclass(frozen=True, slots=True)
class DueSettled(Record):
    """What was due and was settled, counted in leads.

    Attributes:
        expired: Leads that expired.
        accepted: Leads that were accepted by timeout.
        matured: Leads whose held part became payable.
    """

    expired: int
    accepted: int
    matured: int


@dataclass(frozen=True, slots=True)
class BookOpened(Record):
    """How much came in with an opening.

    Attributes:
        campaigns: Campaigns.
        agreements: Partners' terms.
        deposits: Deposits.
        leads: Leads.
        lines: Lines of old statements.
        brought_in: All balances and all that is owed to partners: what `payments:opening` stands for.
    """

    campaigns: int
    agreements: int
    deposits: int
    leads: int
    lines: int
    brought_in: Decimal


@dataclass(frozen=True, slots=True)
class CommissionPreview(Record):
    """The answer to a preview, and to creating a lead.

    Attributes:
        kind: How it was found.
        commission: The whole commission, in the policy's currency.
        partner_part: The partner's part.
        platform_part: The platform's part.
    """

    kind: CommissionKind
    commission: Decimal
    partner_part: Decimal
    platform_part: Decimal


@dataclass(frozen=True, slots=True)
class Deposit(Record):
    """A deposit.

    Attributes:
        id: Its id.
        campaign: The campaign it is for; none: all that have no own.
        currency: The currency of all amounts here.
        balance: Money in it.
        reserved: The part that pending leads hold.
        available: The rest.
        level: How low it is; none when closed.
        basis: What the level is measured on.
        reference_kind: What kind of reference it is measured against.
        reference: That reference.
        status: Whether it takes reservations.
    """

    id: UUID
    campaign: UUID | None
    currency: str
    balance: Decimal
    reserved: Decimal
    available: Decimal
    level: Level | None
    basis: Basis
    reference_kind: ReferenceKind
    reference: Decimal
    status: DepositStatus


@dataclass(frozen=True, slots=True)
class Lead(Record):
    """A lead.

    Attributes:
        id: Its id.
        campaign: The campaign it was brought for.
        partner: Who brought it.
        deposit: The deposit that pays for it.
        currency: The currency of all amounts here.
        source: Where it came from.
        value: Its estimated value.
        commission: The commission.
        partner_part: The partner's part of it.
        platform_part: The platform's part: the rest.
        kind: How the commission was found.
        rate: The rate in percent, where the commission is a percentage.
        share: The partner's share in percent.
        payout_delay_days: Days between validation and payable.
        policy_version: The version of the campaign's policy that it took.
        minimum_quality: The least score that validates it.
        on_timeout: What time alone does to it.
        status: Where it stands.
        created_at: When it was created.
        expires_at: When time alone decides on it, while it is pending.
        decided_at: When it left `pending`.
        score: The quality score, 1 to 10.
        part: Where the partner's part is.
        matures_at: When a held part becomes payable.
        review_priority: How urgent it is, while it is pending.
    """

    id: UUID
    campaign: UUID
    partner: UUID
    deposit: UUID
    currency: str
    source: Source
    value: Decimal
    commission: Decimal
    partner_part: Decimal
    platform_part: Decimal
    kind: CommissionKind
    rate: Decimal | None
    share: Decimal
    payout_delay_days: int
    policy_version: int
    minimum_quality: int | None
    on_timeout: OnTimeout
    status: LeadStatus
    created_at: datetime
    expires_at: datetime
    decided_at: datetime | None
    score: int | None
    part: PartPlace
    matures_at: datetime | None
    review_priority: ReviewPriority | None


@dataclass(frozen=True, slots=True)
class LeadPage(Record):
    """A page of leads.

    Attributes:
        items: The leads.
        next: Where the next page begins; none after the last.
    """

    items: tuple[Lead, ...]
    next: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Customer(Record):
    """Personal data and free text of a lead: apart from the journal, erasable.

    Attributes:
        name: The customer's name.
        email: Email address.
        phone: Telephone number.
        company: The customer's company.
        notes: What the partner wrote about the customer.
    """

    name: str | None = None
    email: str | None = None
    phone: str | None = None
    company: str | None = None
    notes: str | None = None


@dataclass(frozen=True, slots=True)
class LeadTexts(Record):
    """Personal data and free text of a lead, as far as they are not erased.

    Attributes:
        customer: The customer.
        product: The product's reference.
        feedback: What the merchant said when validating.
        reason: Why it was rejected or reversed; the last one given.
    """

    customer: Customer | None
    product: str | None
    feedback: str | None
    reason: str | None


@dataclass(frozen=True, slots=True)
class StatementLine(Record):
    """One movement of a deposit.

    Attributes:
        seq: The entry.
        at: When.
        kind: What: the entry's kind.
        lead: The lead concerned, if any.
        amount: How much, up positive.
        balance_after: The balance after it.
    """

    seq: int
    at: datetime
    kind: str
    lead: UUID | None
    amount: Decimal
    balance_after: Decimal


@dataclass(frozen=True, slots=True)
class Statement(Record):
    """A page of a deposit's statement, newest first.

    Attributes:
        lines: The movements.
        next: Where the next page begins; none after the last.
    """

    lines: tuple[StatementLine, ...]
    next: str | None


@dataclass(frozen=True, slots=True)
class Partner(Record):
    """A partner's earnings with one merchant, in one currency.

    Attributes:
        currency: The currency.
        held: Captured, before the payout delay.
        payable: After it; negative where the partner owes.
        in_payout: On its way out.
        paid: Ever paid out.
    """

    currency: str
    held: Decimal
    payable: Decimal
    in_payout: Decimal
    paid: Decimal


@dataclass(frozen=True, slots=True)
class Campaign(Record):
    """A campaign.

    Attributes:
        id: Its id.
        currency: The currency of all amounts here.
        policy_version: The version of its policy: 1 at registration, one more with each change.
        minimum_value: A lead below it is refused.
        threshold: From this value on the commission is `fixed`.
        rate: Below the threshold: this percent of the value.
        fixed: The commission from the threshold on.
        default_share: The partner's percent of a commission where no agreement says another.
        validation_window_hours: Hours that a lead waits for validation.
        minimum_quality: The least score that validates.
        auto_stop: Whether depletion pauses it.
        on_timeout: What time alone does to a pending lead.
        status: Whether it takes leads, and who said that it does not.
    """

    id: UUID
    currency: str
    policy_version: int
    minimum_value: Decimal
    threshold: Decimal
    rate: Decimal
    fixed: Decimal
    default_share: Decimal
    validation_window_hours: int
    minimum_quality: int | None
    auto_stop: bool
    on_timeout: OnTimeout
    status: CampaignStatus


@dataclass(frozen=True, slots=True)
class Agreement(Record):
    """A merchant's terms with one partner.

    Attributes:
        partner: The partner.
        campaign: The campaign they are for; none: all that have no own.
        share: The partner's percent of a commission.
        payout_delay_days: Days between validation and payable.
    """

    partner: UUID
    campaign: UUID | None
    share: Decimal
    payout_delay_days: int


@dataclass(frozen=True, slots=True)
class TopUp(Record):
    """A top-up.

    Attributes:
        id: Its id.
        method: The payment method.
        campaign: The campaign whose deposit it is for; none: the merchant-wide one.
        currency: The currency of all amounts here.
        amount: What was intended.
        received: What was received and credited.
        refunded: What was refunded since.
        status: Where it stands.
        reference: The provider's reference: attached, then the one that succeeded.
        deposit: The deposit that was credited last.
        receipt: The receipt's number, once it succeeded.
    """

    id: UUID
    method: Method
    campaign: UUID | None
    currency: str
    amount: Decimal
    received: Decimal
    refunded: Decimal
    status: TopUpStatus
    reference: str | None
    deposit: UUID | None
    receipt: str | None


@dataclass(frozen=True, slots=True)
class Payout(Record):
    """A payout.

    Attributes:
        id: Its id.
        partner: To whom.
        currency: The currency.
        amount: How much.
        status: Where it stands.
    """

    id: UUID
    partner: UUID
    currency: str
    amount: Decimal
    status: PayoutStatus


@dataclass(frozen=True, slots=True)
class BookPartner(Record):
    """A partner's earnings in a book, in one currency; from the first captured lead.

    Attributes:
        partner: Who.
        currency: The currency.
        held: Captured, before the payout delay.
        payable: After it; negative where the partner owes.
        in_payout: On its way out.
        paid: Ever paid out.
    """

    partner: UUID
    currency: str
    held: Decimal
    payable: Decimal
    in_payout: Decimal
    paid: Decimal


@dataclass(frozen=True, slots=True)
class BookPlatform(Record):
    """The platform's accounts in a book, in one currency.

    Attributes:
        currency: The currency.
        commission: Commission earned.
        losses: Written off.
        adjustments: Given to merchants by correction.
        receivable: Owed by the merchant.
    """

    currency: str
    commission: Decimal
    losses: Decimal
    adjustments: Decimal
    receivable: Decimal


@dataclass(frozen=True, slots=True)
class BookMissed(Record):
    """Missed leads in a book, in one currency.

    Attributes:
        currency: The currency.
        leads: How many.
        commission: What they would have cost.
    """

    currency: str
    leads: int
    commission: Decimal


@dataclass(frozen=True, slots=True)
class Book(Record):
    """One merchant's whole book.

    Every list is ordered by id, or by currency.

    Attributes:
        entries: How many entries its journal has.
        deposits: Deposits, closed ones too.
        leads: Leads.
        campaigns: Campaigns.
        agreements: Partners' terms.
        partners: Partners' earnings.
        top_ups: Top-ups.
        payouts: Payouts.
        platform: The platform's accounts.
        missed: Missed leads.
    """

    entries: int
    deposits: tuple[Deposit, ...]
    leads: tuple[Lead, ...]
    campaigns: tuple[Campaign, ...]
    agreements: tuple[Agreement, ...]
    partners: tuple[BookPartner, ...]
    top_ups: tuple[TopUp, ...]
    payouts: tuple[Payout, ...]
    platform: tuple[BookPlatform, ...]
    missed: tuple[BookMissed, ...]


@dataclass(frozen=True, slots=True)
class Posting(Record):
    """Money on an account.

    Attributes:
        account: The account, such as `deposit:ID` or `platform:commission`.
        amount: How much, debit positive.
    """

    account: str
    amount: Decimal


@dataclass(frozen=True, slots=True)
class JournalEntry(Record):
    """An entry of a book's journal.

    Attributes:
        merchant: Whose book.
        seq: 1, 2, 3, ... within the book.
        at: When it happened: for what time alone did, the due time.
        day: The local day that began with it.
        kind: The command's name, or what time alone did.
        key: The caller's idempotency key.
        currency: The currency of the postings; none where no money moved.
        postings: The money that moved; they sum to zero.
        events: What else it says, as events.
        payload: The exact text that was hashed.
        hash: SHA-256 of the previous entry's hash and the payload text, in hexadecimal digits.
    """

    merchant: UUID
    seq: int
    at: datetime
    day: date | None
    kind: str
    key: str | None
    currency: str | None
    postings: tuple[Posting, ...]
    events: tuple[Event, ...]
    payload: str
    hash: str


@dataclass(frozen=True, slots=True)
class EntryPage(Record):
    """A page of all books' entries.

    Attributes:
        items: The entries.
        next: Where the next page begins; none where there was none yet.
    """

    items: tuple[JournalEntry, ...]
    next: str | None


@dataclass(frozen=True, slots=True)
class CheckReport(Record):
    """What a check that found no difference looked at.

    Attributes:
        merchant: Whose book.
        entries: Entries replayed.
        leads: Leads compared.
        accounts: Accounts whose balance is the sum of their postings.
        head: The last entry's hash, in hexadecimal digits.
    """

    merchant: UUID
    entries: int
    leads: int
    accounts: int
    head: str


@dataclass(frozen=True, slots=True)
class CheckFailure(Record):
    """A book that does not pass its check, or could not be read.

    Attributes:
        merchant: Whose book.
        code: The error's code: `check_failed`, or why it could not be checked.
        message: What is wrong, for people.
    """

    merchant: UUID
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class CheckAllReport(Record):
    """What a check of all books found.

    Attributes:
        books: Books looked at, failed ones too.
        entries: Entries replayed, of books that passed.
        leads: Leads compared, of books that passed.
        failures: Every book that failed, by merchant.
        sound: Whether every book was looked at and none failed.
        unlisted: Why not all books could be looked at; none where they were.
    """

    books: int
    entries: int
    leads: int
    failures: tuple[CheckFailure, ...]
    sound: bool
    unlisted: str | None


@dataclass(frozen=True, slots=True)
class DueEverywhere(Record):
    """What was due in all books and was settled, counted in leads.

    Attributes:
        expired: Leads that expired.
        accepted: Leads that were accepted by timeout.
        matured: Leads whose held part became payable.
        books: In how many books something was due.
    """

    expired: int
    accepted: int
    matured: int
    books: int


@dataclass(frozen=True, slots=True)
class Moment(Record):
    """The entry that was a book's last one at a moment.

    Attributes:
        seq: The entry's number.
        at: The entry's time.
        hash: The entry's hash, in hexadecimal digits.
    """

    seq: int
    at: datetime
    hash: str


@dataclass(frozen=True, slots=True)
class AccountBalance(Record):
    """The balance of an account at a past moment.

    Attributes:
        account: The account, such as `deposit:ID` or `platform:commission`.
        currency: The currency.
        debit: The sum of its postings, debit positive.
        balance: The same in the sense in which people read it: what a deposit holds, a partner earned or the
            platform took is positive, and so is money at a provider, what the merchant owes, losses, and
            adjustments in its favour.
    """

    account: str
    currency: str
    debit: Decimal
    balance: Decimal


@dataclass(frozen=True, slots=True)
class DepositBalance(Record):
    """A deposit at a past moment.

    Attributes:
        deposit: Its id.
        campaign: The campaign it is for; none: all that have no own.
        currency: The currency of all amounts here.
        balance: Money in it.
        reserved: The part that pending leads held.
        available: The rest.
        closed: Whether it was closed by then.
    """

    deposit: UUID
    campaign: UUID | None
    currency: str
    balance: Decimal
    reserved: Decimal
    available: Decimal
    closed: bool


@dataclass(frozen=True, slots=True)
class Balances(Record):
    """All balances of one book right after one entry.

    Attributes:
        merchant: Whose book.
        of: The entry that was the last one.
        accounts: Every account that had a posting by then. Debits of one currency sum to zero.
        deposits: Every deposit that was opened by then.
    """

    merchant: UUID
    of: Moment
    accounts: tuple[AccountBalance, ...]
    deposits: tuple[DepositBalance, ...]


@dataclass(frozen=True, slots=True)
class ExplanationEffect(Record):
    """What else happened in the entry of a step, because of it.

    Attributes:
        effect: `alert_raised`, `alert_cleared`, `campaign_paused`, `campaign_resumed` or `top_up_requested`.
        deposit: The deposit, where it is about one.
        campaign: The campaign, where it is about one.
        level: An alert's level.
        balance: The deposit's balance when the alert was raised.
        available: What of it no pending lead held.
        reference: What the level is measured against.
        amount: What the host was asked for.
    """

    effect: str
    deposit: UUID | None
    campaign: UUID | None
    level: Level | None
    balance: Decimal | None
    available: Decimal | None
    reference: Decimal | None
    amount: Decimal | None


@dataclass(frozen=True, slots=True)
class ExplanationStep(Record):
    """One entry of a lead's history.

    Attributes:
        seq: The entry's number.
        at: The entry's time.
        kind: The command's name, or what time alone did.
        by: Who took it: `command` or `time`.
        key: The caller's idempotency key.
        event: What happened to the lead, such as `created`, `validated` or `matured`.
        reservation: What became of its reservation: `made`, `captured` or `released`.
        postings: The money that moved.
        effects: What else happened in the entry, because of it.
    """

    seq: int
    at: datetime
    kind: str
    by: str
    key: str | None
    event: str
    reservation: str | None
    postings: tuple[Posting, ...]
    effects: tuple[ExplanationEffect, ...]


@dataclass(frozen=True, slots=True)
class Explanation(Record):
    """One lead explained, from its creation to the last entry about it.

    It holds no personal data and no free text.

    Attributes:
        merchant: Whose book.
        lead: The lead.
        of: The book's last entry when this was told.
        status: Where the lead stands.
        campaign: The campaign it was brought for.
        partner: Who brought it.
        deposit: The deposit that pays for it.
        currency: The currency of all amounts here.
        value: Its estimated value.
        kind: How the commission was found.
        commission: The commission.
        partner_part: The partner's part of it.
        platform_part: The platform's part: the rest.
        policy_version: The version of the campaign's policy.
        rate: The rate in percent, where the commission is a percentage.
        share: The partner's share in percent.
        share_from: Where share and delay come from: `campaign_agreement`, `merchant_agreement`, `campaign_default`,
            `elsewhere`.
        share_from_seq: The entry that made that agreement.
        payout_delay_days: Days between validation and payable.
        expires_at: When time alone decides on it, where nobody did before.
        on_timeout: What time alone does then.
        part: Where the partner's part is.
        matures_at: When a held part becomes payable.
        steps: What happened, in order.
        text: The same in English sentences.
    """

    merchant: UUID
    lead: UUID
    of: Moment
    status: LeadStatus
    campaign: UUID
    partner: UUID
    deposit: UUID
    currency: str
    value: Decimal
    kind: CommissionKind
    commission: Decimal
    partner_part: Decimal
    platform_part: Decimal
    policy_version: int
    rate: Decimal | None
    share: Decimal
    share_from: str
    share_from_seq: int | None
    payout_delay_days: int
    expires_at: datetime
    on_timeout: OnTimeout
    part: PartPlace
    matures_at: datetime | None
    steps: tuple[ExplanationStep, ...]
    text: str


@dataclass(frozen=True, slots=True)
class ProvenEntry(Record):
    """What a proof proves: that this entry stands in the journal whose head is named.

    Attributes:
        merchant: Whose book, as the proof says.
        seq: The entry's number.
        at: The entry's time.
        kind: The command's name, or what time alone did.
        hash: The entry's hash, in hexadecimal digits.
        head_seq: The number of the last entry of the journal.
        head_hash: The hash of the last entry of the journal: to be compared with one noted elsewhere.
    """

    merchant: UUID
    seq: int
    at: datetime
    kind: str
    hash: str
    head_seq: int
    head_hash: str


@dataclass(frozen=True, slots=True)
class ExportReport(Record):
    """What an export of the books wrote.

    Attributes:
        books: Books.
        entries: Journal entries.
        private: Private texts.
        missed: Missed leads.
        sha256: SHA-256 over all lines before the trailer, in hexadecimal digits.
    """

    books: int
    entries: int
    private: int
    missed: int
    sha256: str


@dataclass(frozen=True, slots=True)
class ImportReport(Record):
    """What an import found, and what it wrote.

    Attributes:
        books: Books in the file.
        entries: Entries in the file.
        private: Private texts in the file.
        missed: Missed leads in the file.
        new_books: Books that were not there before, or not whole.
        new_entries: Entries that were not there before.
        sha256: SHA-256 over all lines before the trailer, in hexadecimal digits.
    """

    books: int
    entries: int
    private: int
    missed: int
    new_books: int
    new_entries: int
    sha256: str


@dataclass(frozen=True, slots=True)
class AccountingReport(Record):
    """What an accounting export wrote.

    Attributes:
        books: Books.
        transactions: Transactions: entries that moved money.
        balances: Balances that the tool has to come to, one for each account and currency.
    """

    books: int
    transactions: int
    balances: int


@dataclass(frozen=True, slots=True)
class LevelShown(Record):
    """A level as people see it.

    Attributes:
        level: The level.
        priority: 0 (healthy) to 4 (depleted).
        colour: The colour's name.
        hex: The colour as `#rrggbb`.
        label: The French label.
    """

    level: Level
    priority: int
    colour: str
    hex: str
    label: str


@dataclass(frozen=True, slots=True)
class BalanceCard(Record):
    """A deposit's card.

    Amounts are decimals of its currency.

    Attributes:
        deposit: The deposit.
        campaign: The campaign it is for; none: all that have no own.
        currency: The currency.
        status: `active`, `suspended` or `closed`.
        balance: Money in it.
        reserved: The part that pending leads hold.
        available: The rest.
        reference: What the level is measured against.
        percent: What is measured, in percent of the reference, with two decimals; none where there is no reference.
        level: How low it is; none when closed.
        leads_left: How many more leads `available` pays for, by the average of those captured in the last 30 local
            days, else by 60.00 each; none where leads cost nothing, and when closed.
        days_left: How many days `available` lasts, by what was captured a day in the last full local days, at most
            seven, that the deposit has; none where nothing was, and when closed.
        auto_top_up_threshold: Below this, the host is asked for an automatic top-up.
        auto_top_up_amount: Of this amount.
        paused_campaigns: Campaigns that draw on it and that its depletion paused.
        presets: Amounts to offer for a top-up.
    """

    deposit: UUID
    campaign: UUID | None
    currency: str
    status: str
    balance: Decimal
    reserved: Decimal
    available: Decimal
    reference: Decimal
    percent: Decimal | None
    level: LevelShown | None
    leads_left: int | None
    days_left: int | None
    auto_top_up_threshold: Decimal | None
    auto_top_up_amount: Decimal | None
    paused_campaigns: tuple[UUID, ...]
    presets: tuple[Decimal, ...]


@dataclass(frozen=True, slots=True)
class LeadFigures(Record):
    """Leads by what became of them, net of reversals.

    Rates are fractions with four decimals, none over nothing.

    Attributes:
        generated: Created, whatever became of them.
        pending: Waiting for the merchant.
        validated: Captured, and neither converted nor lost.
        ever_validated: Captured, whatever became of them then.
        rejected: Rejected by the merchant, or expired.
        expired: Those of them that expired.
        converted: Became a sale.
        lost: Captured, and came to nothing.
        reversed: Captured once and given back: neither validated nor rejected, but decided.
        validation_rate: Ever validated, of those no longer pending.
        conversion_rate: Converted, of those ever validated.
        average_score: The average quality score of those ever validated that have one, with two decimals.
        average_value: The average estimated value of all that were created.
    """

    generated: int
    pending: int
    validated: int
    ever_validated: int
    rejected: int
    expired: int
    converted: int
    lost: int
    reversed: int
    validation_rate: Decimal | None
    conversion_rate: Decimal | None
    average_score: Decimal | None
    average_value: Decimal | None


@dataclass(frozen=True, slots=True)
class DepositFigures(Record):
    """All of a merchant's deposits in one currency.

    Attributes:
        balance: Money in them.
        reserved: The part that pending leads hold.
        available: The rest.
        brought_in: Brought in from elsewhere by the book's opening: balances, and what captured leads that came in
            had cost before.
        deposited: Ever paid in, whatever of it paid a debt.
        refunded: Refunded to payers, or held back by disputes that were not won.
        paid_back: Paid back by closing.
        adjusted: Operators' corrections.
        spent: Captured, less what was reversed.
        worst_level: The worst level of an open deposit.
        days_left: How many days `available` lasts: by what was captured a day in the last full local days, at most
            seven. None where nothing was.
    """

    balance: Decimal
    reserved: Decimal
    available: Decimal
    brought_in: Decimal
    deposited: Decimal
    refunded: Decimal
    paid_back: Decimal
    adjusted: Decimal
    spent: Decimal
    worst_level: Level | None
    days_left: int | None


@dataclass(frozen=True, slots=True)
class MoneyFigures(Record):
    """What leads cost and brought.

    Attributes:
        paid: Commission of captured leads.
        partners: The partners' part of it.
        platform: The platform's.
        average_commission: Paid, a captured lead.
        cost_per_acquisition: Paid, a converted lead.
        roi: (value of converted leads - paid) / paid.
    """

    paid: Decimal
    partners: Decimal
    platform: Decimal
    average_commission: Decimal | None
    cost_per_acquisition: Decimal | None
    roi: Decimal | None


@dataclass(frozen=True, slots=True)
class DayTrend(Record):
    """One local day.

    Attributes:
        day: The day.
        generated: Leads created on it.
        decided: Leads decided on it.
        validation_rate: Ever validated, of these.
    """

    day: date
    generated: int
    decided: int
    validation_rate: Decimal | None


@dataclass(frozen=True, slots=True)
class TopPartner(Record):
    """A partner's part in a merchant's leads.

    Attributes:
        partner: Who.
        captured: Captured leads.
        commission: Their commission, both parts.
    """

    partner: UUID
    captured: int
    commission: Decimal


@dataclass(frozen=True, slots=True)
class TopSource(Record):
    """Leads from one source.

    Attributes:
        source: Where they came from.
        leads: How many.
    """

    source: Source
    leads: int


@dataclass(frozen=True, slots=True)
class MissedFigures(Record):
    """Leads refused for want of money: a figure beside the books.

    Attributes:
        leads: How many.
        commission: What they would have cost.
    """

    leads: int
    commission: Decimal


@dataclass(frozen=True, slots=True)
class Trends(Record):
    """How it goes.

    Attributes:
        days: The last seven local days, the present one last.
        top_partners: Partners by captured commission, the best first, at most ten.
        top_sources: Sources by leads, the best first; those without any are left out.
        missed: Leads refused for want of money.
    """

    days: tuple[DayTrend, ...]
    top_partners: tuple[TopPartner, ...]
    top_sources: tuple[TopSource, ...]
    missed: MissedFigures


@dataclass(frozen=True, slots=True)
class CurrencyFigures(Record):
    """A merchant's figures in one currency.

    Amounts are decimals of it.

    Attributes:
        currency: The currency.
        deposits: Money.
        leads: Leads.
        money: What leads cost, and what they brought.
        trends: How it goes.
    """

    currency: str
    deposits: DepositFigures
    leads: LeadFigures
    money: MoneyFigures
    trends: Trends


@dataclass(frozen=True, slots=True)
class MerchantFigures(Record):
    """A merchant's figures (DOMAIN.md chapter 9), by currency.

    Everything is net of reversals.

    Attributes:
        merchant: Whose.
        at: The moment they are of.
        time_zone: The zone in which days are counted.
        today: The present day there.
        currencies: By currency, in the order of their codes; none before the first payment.
    """

    merchant: UUID
    at: datetime
    time_zone: str
    today: date
    currencies: tuple[CurrencyFigures, ...]


@dataclass(frozen=True, slots=True)
class CurrencyReport(Record):
    """The same in one currency.

    Amounts are decimals of it.

    Attributes:
        currency: The currency.
        opening_balance: In all deposits when the day began.
        closing_balance: And when it ended, or now.
        reserved: The part of that which pending leads held.
        generated: Leads created.
        validated: Leads captured, and not reversed since.
        rejected: Leads rejected, or expired.
        expired: Those of them that expired.
        validation_rate: Captured, of those decided on the day.
        converted: Leads that became a sale on the day.
        lost: Leads that came to nothing on the day.
        reversed: Leads reversed on the day, whenever they had been captured.
        commission: The commission of those validated.
        brought_in: Brought in from elsewhere by the book's opening.
        deposited: Paid in.
        refunded: Refunded or disputed, less what won disputes brought again.
        paid_back: Paid back by closing.
        adjusted: Operators' corrections.
        missed: Leads refused for want of money on the day.
    """

    currency: str
    opening_balance: Decimal
    closing_balance: Decimal
    reserved: Decimal
    generated: int
    validated: int
    rejected: int
    expired: int
    validation_rate: Decimal | None
    converted: int
    lost: int
    reversed: int
    commission: Decimal
    brought_in: Decimal
    deposited: Decimal
    refunded: Decimal
    paid_back: Decimal
    adjusted: Decimal
    missed: MissedFigures


@dataclass(frozen=True, slots=True)
class DailyReport(Record):
    """A merchant's local day.

    Attributes:
        merchant: Whose.
        day: The local day.
        time_zone: The zone in which it began and ended.
        complete: Whether it is over.
        currencies: By currency, in the order of their codes.
    """

    merchant: UUID
    day: date
    time_zone: str
    complete: bool
    currencies: tuple[CurrencyReport, ...]


@dataclass(frozen=True, slots=True)
class PartnerCurrency(Record):
    """The same in one currency.

    Amounts are decimals of it.

    Attributes:
        currency: The currency.
        merchants: How many merchants the partner brought leads to.
        leads: Leads.
        earned: The partner's part of all captured commission.
        held: Before the payout delay.
        payable: After it; negative where the partner owes.
        in_payout: On its way out.
        paid: Ever paid out.
    """

    currency: str
    merchants: int
    leads: LeadFigures
    earned: Decimal
    held: Decimal
    payable: Decimal
    in_payout: Decimal
    paid: Decimal


@dataclass(frozen=True, slots=True)
class PartnerFigures(Record):
    """A partner's figures over all merchants, by currency.

    Attributes:
        partner: Who.
        at: The moment they are of.
        currencies: By currency, in the order of their codes; none before the first lead.
    """

    partner: UUID
    at: datetime
    currencies: tuple[PartnerCurrency, ...]


@dataclass(frozen=True, slots=True)
class PlatformCurrency(Record):
    """The same in one currency.

    Amounts are decimals of it.

    Attributes:
        currency: The currency.
        merchants: Merchants with accounts in it.
        leads: Leads.
        money: What leads cost merchants, and what they brought them.
        brought_in: Brought in from elsewhere by books' openings.
        deposited: Ever paid in by merchants.
        refunded: Refunded, or held back by disputes that were not won.
        paid_back: Paid back by closing.
        commission: The platform's commission: income.
        losses: Written off: expense.
        adjustments: Given to merchants by correction: expense.
        receivable: What merchants owe.
        payments: Money at the payment providers, by method; those with none are left out.
        owed: What deposits and partners' accounts hold together: what the platform owes them.
    """

    currency: str
    merchants: int
    leads: LeadFigures
    money: MoneyFigures
    brought_in: Decimal
    deposited: Decimal
    refunded: Decimal
    paid_back: Decimal
    commission: Decimal
    losses: Decimal
    adjustments: Decimal
    receivable: Decimal
    payments: dict[Method, Decimal]
    owed: Decimal


@dataclass(frozen=True, slots=True)
class PlatformFigures(Record):
    """The platform's figures over all merchants, by currency.

    Attributes:
        at: The moment they are of: of each book, a moment while they were read.
        currencies: By currency, in the order of their codes.
    """

    at: datetime
    currencies: tuple[PlatformCurrency, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Minimums(Record):
    """Smallest amounts in one currency.

    Attributes:
        value: A lead's value, where a campaign says nothing.
        opening: The payment that opens a deposit.
        top_up: A top-up.
        auto_top_up: An automatic top-up.
    """

    value: Amount
    opening: Amount
    top_up: Amount
    auto_top_up: Amount


@dataclass(frozen=True, slots=True)
class Ready(Record):
    """What making a store ready did.

    Attributes:
        store: `memory`, `sqlite` or `postgres`.
        created: Whether there was none before.
        from_version: PostgreSQL: the schema's version before, 0 where there was none.
        to_version: PostgreSQL: its version now.
        realtime: PostgreSQL: whether commits are told to Supabase's Realtime now.
    """

    store: str
    created: bool
    from_version: int | None
    to_version: int | None
    realtime: bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyTerms(Record):
    """What a caller says of a policy; what is left out has DOMAIN.md's default, or stays as it is in an update.

    Attributes:
        minimum_value: Smallest value of a lead, in the campaign's currency.
        threshold: Where the fixed commission begins.
        rate: Percent of the value below the threshold, 0..=100.
        fixed: The fixed commission.
        default_share: The partner's percent of the commission, 0..=100.
    """

    minimum_value: Amount | None = None
    threshold: Amount | None = None
    rate: Amount | None = None
    fixed: Amount | None = None
    default_share: Amount | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OpeningCampaign(Record):
    """A campaign, as `register_campaign` takes it, and whether a person has paused it.

    Attributes:
        campaign: Its id.
        policy: The commission policy; what is left out has DOMAIN.md's default.
        validation_window_hours: Hours that a lead waits for validation; 72 where left out.
        minimum_quality: The least score that validates, 1..=10.
        auto_stop: Whether depletion pauses it; yes where left out.
        on_timeout: What time alone does to a pending lead; it expires where left out.
        paused: A person has paused it.
    """

    campaign: Id
    policy: PolicyTerms | None = None
    validation_window_hours: int | None = None
    minimum_quality: int | None = None
    auto_stop: bool | None = None
    on_timeout: OnTimeout | None = None
    paused: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class OpeningAgreement(Record):
    """A partner's terms, as `set_agreement` takes them.

    Attributes:
        partner: The partner.
        campaign: Only for this campaign.
        share: The partner's percent of a commission.
        payout_delay_days: Days between validation and payable; 0 where left out.
    """

    partner: Id
    campaign: Id | None = None
    share: Amount
    payout_delay_days: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OpeningDeposit(Record):
    """A deposit, in the order in which it was opened among those of the opening.

    Attributes:
        deposit: Its id.
        campaign: Only for this campaign.
        balance: Money in it, never negative.
        initial: What the level is measured against: what its first payment left in it; the balance where left out.
        status: How it comes in.
        moved_to: Of one that comes in closed: the open deposit that gets its balance, by postings of the same
            entry.
        told: How low it was last told to be; healthy where left out. What is lower now raises an alert with the
            opening.
        auto_threshold: Below this an automatic top-up is asked for; with `auto_amount`, or not at all.
        auto_amount: What to ask for.
        opened_at: When it was opened, a memo.
    """

    deposit: Id
    campaign: Id | None = None
    balance: Amount
    initial: Amount | None = None
    status: OpeningStatus
    moved_to: Id | None = None
    told: Level | None = None
    auto_threshold: Amount | None = None
    auto_amount: Amount | None = None
    opened_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OpeningLead(Record):
    """A lead as it stands, in the order of creation among those of the opening.

    Its window, its minimum quality and what time does to it are its campaign's.

    Attributes:
        lead: Its id.
        campaign: The campaign.
        partner: Who brought it.
        deposit: The deposit that pays, or paid, for it.
        value: Its estimated value.
        commission: The commission.
        partner_part: The partner's part of it.
        rate: The rate, where the commission is a percentage; else it is a fixed amount.
        share: The partner's share that led to the part.
        payout_delay_days: Days between validation and payable; 0 where left out.
        source: Where it came from; `other` where left out.
        status: Where it stands. A pending one reserves its commission; what was captured is no longer in the
            deposit's balance.
        created_at: When it was created.
        decided_at: When it left `pending`, as far as that is known; none while it is pending.
        converted_at: When it became a sale, a memo.
        score: The quality score, 1..=10.
        owed: Of a captured one: the partner's part is still owed, and comes in as held or payable. Otherwise
            nothing is owed.
        customer: Personal data, kept apart and erasable.
        product: A reference to the product, kept apart.
        feedback: What the merchant said when validating, kept apart.
        reason: Why it was rejected or reversed, kept apart.
    """

    lead: Id
    campaign: Id
    partner: Id
    deposit: Id
    value: Amount
    commission: Amount
    partner_part: Amount
    rate: Amount | None = None
    share: Amount
    payout_delay_days: int | None = None
    source: Source | None = None
    status: LeadStatus
    created_at: datetime
    decided_at: datetime | None = None
    converted_at: datetime | None = None
    score: int | None = None
    owed: bool = False
    customer: Customer | None = None
    product: str | None = None
    feedback: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OpeningLine(Record):
    """A line of an old statement: kept as it is, whether it adds up or not.

    It moves nothing.

    Attributes:
        line: Its id.
        deposit: Whose statement.
        kind: What it was.
        amount: How much, negative for what went out.
        before: The balance before it, as it was written.
        after: The balance after it, as it was written.
        at: When.
        lead: The lead it was about.
        method: How it was paid.
        reference: The payment's reference.
    """

    line: Id
    deposit: Id
    kind: LineKind
    amount: Amount
    before: Amount
    after: Amount
    at: datetime
    lead: Id | None = None
    method: Method | None = None
    reference: str | None = None


CLASSES: dict[str, type[Record]] = {
    "LeadCreated": LeadCreated,
    "TopUpSucceeded": TopUpSucceeded,
    "DepositClosed": DepositClosed,
    "WrittenOff": WrittenOff,
    "DueSettled": DueSettled,
    "BookOpened": BookOpened,
    "CommissionPreview": CommissionPreview,
    "DepositView": Deposit,
    "Lead": Lead,
    "LeadPage": LeadPage,
    "Customer": Customer,
    "LeadTexts": LeadTexts,
    "StatementLine": StatementLine,
    "Statement": Statement,
    "PartnerView": Partner,
    "Campaign": Campaign,
    "Agreement": Agreement,
    "TopUp": TopUp,
    "Payout": Payout,
    "BookPartner": BookPartner,
    "BookPlatform": BookPlatform,
    "BookMissed": BookMissed,
    "Book": Book,
    "Posting": Posting,
    "JournalEntry": JournalEntry,
    "EntryPage": EntryPage,
    "CheckReport": CheckReport,
    "CheckFailure": CheckFailure,
    "CheckAllReport": CheckAllReport,
    "DueEverywhere": DueEverywhere,
    "Moment": Moment,
    "AccountBalance": AccountBalance,
    "DepositBalance": DepositBalance,
    "Balances": Balances,
    "ExplanationEffect": ExplanationEffect,
    "ExplanationStep": ExplanationStep,
    "Explanation": Explanation,
    "ProvenEntry": ProvenEntry,
    "ExportReport": ExportReport,
    "ImportReport": ImportReport,
    "AccountingReport": AccountingReport,
    "LevelShown": LevelShown,
    "BalanceCard": BalanceCard,
    "LeadFigures": LeadFigures,
    "DepositFigures": DepositFigures,
    "MoneyFigures": MoneyFigures,
    "DayTrend": DayTrend,
    "TopPartner": TopPartner,
    "TopSource": TopSource,
    "MissedFigures": MissedFigures,
    "Trends": Trends,
    "CurrencyFigures": CurrencyFigures,
    "MerchantFigures": MerchantFigures,
    "CurrencyReport": CurrencyReport,
    "DailyReport": DailyReport,
    "PartnerCurrency": PartnerCurrency,
    "PartnerFigures": PartnerFigures,
    "PlatformCurrency": PlatformCurrency,
    "PlatformFigures": PlatformFigures,
    "Minimums": Minimums,
    "Ready": Ready,
    "PolicyTerms": PolicyTerms,
    "OpeningCampaign": OpeningCampaign,
    "OpeningAgreement": OpeningAgreement,
    "OpeningDeposit": OpeningDeposit,
    "OpeningLead": OpeningLead,
    "OpeningLine": OpeningLine,
}
