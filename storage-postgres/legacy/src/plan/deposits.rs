//! Deposits: one in use for each scope, the others closed with their money moved; balances as they are.

use leadledger::{
    CampaignId, Currency, DepositId, MerchantId, OpeningDeposit, OpeningStatus, Timestamp, alert_level, to_decimal,
};

use crate::cause::Cause;
use crate::plan::Planning;
use crate::plan::rows::{Kind, of_deposit};
use crate::report::{Difference, Measure};
use crate::source::{DepositRow, Table};
use crate::values::{Value, amount, counted, dirhams, flag, id, shown, time};

/// The column's default alert threshold, in centimes.
const THRESHOLD: i64 = 50_000;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Status {
    Active,
    Depleted,
    Suspended,
}

/// A deposit in the making.
pub(super) struct DepositPlan {
    pub(super) id: DepositId,
    pub(super) campaign: Option<CampaignId>,
    created: Option<Timestamp>,
    status: Status,
    /// What it comes in with, before anything is moved.
    pub(super) balance_minor: i64,
    /// The balance as the row has it, negative too; none where it is no amount.
    pub(super) said_minor: Option<i64>,
    /// Whether it ever had money.
    pub(super) had_money: bool,
    reserved_text: Option<String>,
    told: bool,
    auto_text: [Option<String>; 3],
    /// The one of its scope that is in use, by its place: itself, or where its money goes.
    pub(super) target: usize,
    /// Of the one in use: its own balance and what is moved there.
    pub(super) total_minor: i64,
    /// What pending leads reserve by the tables.
    pub(super) pending_minor: i64,
    /// What the pending leads that come in reserve.
    pub(super) covered_minor: i64,
    /// What was added so that they are covered.
    pub(super) raised_minor: i64,
    pub(super) opening: OpeningDeposit,
}

const DEPOSITS: Kind<DepositRow> = Kind {
    table: Table::Deposits,
    id: |row| row.id.as_ref(),
    merchant: |row| row.merchant_id.as_ref(),
    worth: of_deposit,
};

impl Planning<'_> {
    pub(super) fn take_deposits(&mut self) {
        for row in self.unique(&DEPOSITS, &self.source.deposits) {
            let campaign = match id(row.campaign_id.as_ref()) {
                Value::Missing => Some(None),
                Value::Is(campaign) => Some(Some(campaign)),
                Value::Unreadable => None,
            };
            let ids = id(row.id.as_ref()).ok().zip(id(row.merchant_id.as_ref()).ok()).zip(campaign);
            match ids {
                Some(((deposit, merchant), campaign)) => self.take_deposit(merchant, deposit, campaign, row),
                None => self.leave_out(&DEPOSITS, Cause::IdUnusable, &[row]),
            }
        }
        let merchants: Vec<MerchantId> = self.books.keys().copied().collect();
        for merchant in merchants {
            self.choose_deposits(merchant);
        }
    }

    fn take_deposit(
        &mut self,
        merchant: MerchantId,
        deposit: DepositId,
        campaign: Option<CampaignId>,
        row: &DepositRow,
    ) {
        let about = |cause| Difference::new(cause, Some(merchant), Table::Deposits, [deposit.to_string()]);
        if let Some(campaign) = campaign {
            self.campaign(merchant, campaign);
        }
        let said = amount(row.current_balance.as_ref());
        let balance_minor = said.ok().unwrap_or(0).max(0);
        match said {
            Value::Is(minor) if minor < 0 => {
                self.note(
                    about(Cause::BalanceNegative)
                        .was(dirhams(minor))
                        .is(dirhams(0))
                        .by(Measure::Balance, minor.saturating_neg()),
                );
            }
            Value::Is(_) => {}
            Value::Missing | Value::Unreadable => {
                self.note(about(Cause::BalanceUnreadable).was(shown(row.current_balance.as_ref())).is(dirhams(0)));
            }
        }
        let initial = amount(row.initial_amount.as_ref()).filter(|minor| *minor > 0);
        let initial_minor = initial.ok().unwrap_or(balance_minor);
        if initial.ok().is_none() {
            let delta = initial_minor.saturating_sub(counted(row.initial_amount.as_ref()));
            let difference = about(Cause::InitialUnusable).was(shown(row.initial_amount.as_ref()));
            self.note(difference.is(dirhams(initial_minor)).by(Measure::Initial, delta));
        }
        let created = time(row.created_at.as_ref()).ok();
        if created.is_none() {
            self.note(about(Cause::CreatedUnreadable).was(shown(row.created_at.as_ref())).is("the oldest"));
        }
        let status = match row.status.as_deref() {
            Some("active") => Status::Active,
            Some("depleted") => Status::Depleted,
            Some("suspended") => Status::Suspended,
            _ => {
                self.note(about(Cause::DepositStatusUnknown).was(shown(row.status.as_ref())).is("suspended"));
                Status::Suspended
            }
        };
        let money = |minor| to_decimal(minor, Currency::MAD);
        let opening = OpeningDeposit {
            campaign,
            initial: Some(money(initial_minor)),
            opened_at: created,
            ..OpeningDeposit::new(deposit, money(balance_minor))
        };
        let auto = [&row.auto_recharge, &row.alert_threshold, &row.auto_recharge_amount];
        self.book(merchant).deposits.push(DepositPlan {
            id: deposit,
            campaign,
            created,
            status,
            balance_minor,
            said_minor: said.ok(),
            had_money: initial_minor > 0 || said.ok() != Some(0),
            reserved_text: row.reserved_amount.clone(),
            told: row.last_alert_sent.is_some(),
            auto_text: auto.map(Clone::clone),
            target: 0,
            total_minor: 0,
            pending_minor: 0,
            covered_minor: 0,
            raised_minor: 0,
            opening,
        });
    }

    /// Of each scope, the newest active deposit is in use; where none is active, the newest. The others are closed.
    fn choose_deposits(&mut self, merchant: MerchantId) {
        let Some(book) = self.books.get_mut(&merchant) else { return };
        book.deposits.sort_by_key(|deposit| (deposit.created, deposit.id));
        for (place, deposit) in book.deposits.iter().enumerate() {
            let better = |current: &usize| {
                let current = book.deposits.get(*current);
                current.is_none_or(|current| deposit.status == Status::Active || current.status != Status::Active)
            };
            if book.in_use.get(&deposit.campaign).is_none_or(better) {
                book.in_use.insert(deposit.campaign, place);
            }
        }
        let ids: Vec<DepositId> = book.deposits.iter().map(|deposit| deposit.id).collect();
        let mut totals = vec![0_i64; ids.len()];
        let mut noted = Vec::new();
        for (place, deposit) in book.deposits.iter_mut().enumerate() {
            deposit.target = book.in_use.get(&deposit.campaign).copied().unwrap_or(place);
            if let Some(total) = totals.get_mut(deposit.target) {
                *total = total.saturating_add(deposit.balance_minor);
            }
            let id = deposit.id.to_string();
            let about = |cause| Difference::new(cause, Some(merchant), Table::Deposits, [id.clone()]);
            if deposit.target != place {
                let (cause, before) = match deposit.status {
                    Status::Active => (Cause::SeveralActive, "active"),
                    Status::Depleted => (Cause::Superseded, "depleted"),
                    Status::Suspended => (Cause::Superseded, "suspended"),
                };
                let to = ids.get(deposit.target).copied();
                let balance = dirhams(deposit.balance_minor);
                noted.push(
                    about(cause)
                        .was(format!("{before}, {balance}"))
                        .is(format!("closed, {balance} moved to {}", to.map(|to| to.to_string()).unwrap_or_default())),
                );
                deposit.opening.status = OpeningStatus::Closed;
                deposit.opening.moved_to = to.filter(|_| deposit.balance_minor > 0);
                continue;
            }
            if deposit.status == Status::Depleted && deposit.balance_minor > 0 {
                let money = dirhams(deposit.balance_minor);
                noted.push(about(Cause::DepletedWithBalance).was(format!("depleted, {money}")).is("active"));
            }
            if deposit.status == Status::Suspended {
                deposit.opening.status = OpeningStatus::Suspended;
            }
            noted.extend(
                auto_top_up(deposit, self.options.minimum_auto_top_up_minor)
                    .map(|(cause, before)| about(cause).was(before).is("off")),
            );
        }
        for (deposit, total) in book.deposits.iter_mut().zip(totals) {
            deposit.total_minor = total;
        }
        self.differences.extend(noted);
    }

    /// What only all leads together tell of a deposit.
    pub(super) fn finish_deposits(&mut self) {
        let mut noted = Vec::new();
        for (merchant, book) in &mut self.books {
            for (place, deposit) in book.deposits.iter_mut().enumerate() {
                let about = |cause| Difference::new(cause, Some(*merchant), Table::Deposits, [deposit.id.to_string()]);
                let said = deposit.reserved_text.as_ref();
                let counted = counted(said);
                if counted != deposit.pending_minor || amount(said) == Value::Unreadable {
                    let delta = deposit.pending_minor.saturating_sub(counted);
                    let difference = about(Cause::ReservedWrong).was(shown(said)).is(dirhams(deposit.pending_minor));
                    noted.push(difference.by(Measure::Reserved, delta));
                }
                if deposit.raised_minor > 0 {
                    let raised = deposit.balance_minor.saturating_add(deposit.raised_minor);
                    let difference = about(Cause::BalanceRaised).was(dirhams(deposit.balance_minor));
                    noted.push(difference.is(dirhams(raised)).by(Measure::Balance, deposit.raised_minor));
                    deposit.opening.balance = to_decimal(raised, Currency::MAD);
                }
                if deposit.target == place && deposit.told {
                    let balance = to_decimal(deposit.total_minor.saturating_add(deposit.raised_minor), Currency::MAD);
                    deposit.opening.told = deposit.opening.initial.map(|initial| alert_level(balance, initial));
                }
            }
            for (id, _) in book.campaigns.iter().filter(|(_, row)| row.opening.paused && row.auto_stop) {
                let place = book.in_use.get(&Some(*id)).or_else(|| book.in_use.get(&None));
                let deposit = place.and_then(|place| book.deposits.get(*place));
                if deposit.is_some_and(|deposit| deposit.total_minor.saturating_add(deposit.raised_minor) == 0) {
                    let difference =
                        Difference::new(Cause::PauseUnclear, Some(*merchant), Table::Settings, [id.to_string()]);
                    noted.push(difference.was("off").is("paused by a person"));
                }
            }
        }
        self.differences.extend(noted);
    }
}

/// Sets the automatic top-up where it is on, and says what of it does not come in.
fn auto_top_up(deposit: &mut DepositPlan, minimum_minor: i64) -> Option<(Cause, String)> {
    let [on, threshold, amount_text] = &deposit.auto_text;
    let threshold_minor = match amount(threshold.as_ref()) {
        Value::Missing => Some(THRESHOLD),
        other => other.ok(),
    };
    let on = match flag(on.as_ref()) {
        Value::Missing => false,
        Value::Is(on) => on,
        Value::Unreadable => return Some((Cause::AutoRechargeUnusable, shown(on.as_ref()))),
    };
    if !on {
        let kept = threshold_minor == Some(THRESHOLD);
        return (!kept).then(|| (Cause::ThresholdNotKept, shown(threshold.as_ref())));
    }
    let amount_minor = amount(amount_text.as_ref()).filter(|minor| *minor >= minimum_minor).ok();
    match threshold_minor.filter(|minor| *minor > 0).zip(amount_minor) {
        Some((threshold, amount)) => {
            deposit.opening.auto_threshold = Some(to_decimal(threshold, Currency::MAD));
            deposit.opening.auto_amount = Some(to_decimal(amount, Currency::MAD));
            None
        }
        None => {
            let before = format!("{} below {}", shown(amount_text.as_ref()), shown(threshold.as_ref()));
            Some((Cause::AutoRechargeUnusable, before))
        }
    }
}
