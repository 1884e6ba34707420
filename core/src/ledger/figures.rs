//! Reads of figures, after what is due was settled.

use std::collections::BTreeSet;

use chrono::{Days, NaiveDate};

use crate::error::{Error, InvalidInput};
use crate::figures::{
    BalanceCard, DailyReport, MerchantFigures, PartnerFigures, PlatformFigures, PlatformSums, WINDOW_DAYS,
};
use crate::ids::{DepositId, MerchantId, PartnerId};
use crate::ledger::reads::Read;
use crate::ledger::{Inner, Ledger};
use crate::store::{BookQuery, Cursor, JournalQuery, LeadOrder, LeadQuery, Needs, Page};
use crate::view::LeadView;

/// Books in one page of what is read over all of them.
const PAGE: usize = 256;

impl Ledger {
    /// A merchant's figures now: deposits, leads, money, trends. Those of an unknown merchant are empty.
    pub fn merchant_figures(&self, merchant: MerchantId) -> Read<MerchantFigures> {
        self.read(move |inner| {
            let needs = Needs { days: Some(inner.window()), all_partners: true, missed_days: true, ..Needs::default() };
            let book = inner.settled(merchant, &needs)?;
            Ok(MerchantFigures::of(&book, inner.settings.time_zone, inner.clock.now()))
        })
    }

    /// A deposit's card now; none where this merchant has no such deposit.
    pub fn balance_card(&self, merchant: MerchantId, deposit: DepositId) -> Read<Option<BalanceCard>> {
        self.read(move |inner| {
            let needs = Needs { days: Some(inner.window()), deposits: [deposit].into(), ..Needs::default() };
            let book = inner.settled(merchant, &needs)?;
            Ok(BalanceCard::of(&book, deposit, inner.settings.time_zone, inner.clock.now()))
        })
    }

    /// A page of a merchant's pending leads, the one that expires first before the others.
    pub fn pending_leads(&self, merchant: MerchantId, after: Option<Cursor>, limit: usize) -> Read<Page<LeadView>> {
        self.leads(LeadQuery { order: LeadOrder::ReviewPriority, after, limit, ..LeadQuery::of(merchant) })
    }

    /// What happened to a merchant on a local day. The present day's is not complete. A day before the first entry is
    /// refused (`before_first_entry`), and so is one that has not begun (`day_not_begun`).
    pub fn daily_report(&self, merchant: MerchantId, day: NaiveDate) -> Read<DailyReport> {
        self.read(move |inner| {
            let needs = Needs { days: Some((day, day)), missed_days: true, ..Needs::default() };
            let book = inner.settled(merchant, &needs)?;
            let zone = inner.settings.time_zone;
            let local = inner.clock.now().local_date(zone);
            let today = book.head.day.map_or(local, |last| last.max(local));
            if day > today {
                return Err(InvalidInput::new("day_not_begun", "day", format!("{day} has not begun in {zone}")).into());
            }
            let first = inner.store.journal(&JournalQuery::After { merchant, seq: 0 }, 1)?;
            match first.items.first().and_then(|recorded| recorded.entry.day) {
                Some(first) if day >= first => Ok(DailyReport::of(&book, day, zone, today)),
                Some(first) => Err(before(format!("the first entry is of {first}")).into()),
                None => Err(before("there is no entry yet".to_owned()).into()),
            }
        })
    }

    /// A partner's figures over all merchants now. Those of an unknown partner are empty.
    pub fn partner_figures(&self, partner: PartnerId) -> Read<PartnerFigures> {
        self.read(move |inner| {
            let mut rows = inner.store.partner(partner)?;
            let merchants: BTreeSet<MerchantId> = rows.iter().map(|(merchant, _, _)| *merchant).collect();
            let heads = inner.store.books(&BookQuery::Of(merchants), usize::MAX)?;
            let now = inner.clock.now();
            let due: Vec<_> = heads.iter().filter(|(_, head)| head.is_due(now)).collect();
            for (merchant, _) in &due {
                inner.settle(*merchant)?;
            }
            if !due.is_empty() {
                rows = inner.store.partner(partner)?;
            }
            let rows = rows.into_iter().filter(|(_, _, row)| row.leads.created > 0);
            Ok(PartnerFigures::of(partner, now, rows.map(|(_, currency, row)| (currency, row))))
        })
    }

    /// The platform's figures over all merchants now. Settles what is due in every book first.
    pub fn platform_figures(&self) -> Read<PlatformFigures> {
        self.read(move |inner| {
            inner.settle_everything()?;
            let (mut sums, mut after) = (PlatformSums::default(), None);
            loop {
                let page = inner.store.platform(after, PAGE)?;
                for (merchant, currency, row) in &page {
                    sums.add(*currency, row);
                    after = Some((*merchant, *currency));
                }
                if page.len() < PAGE {
                    return Ok(sums.figures(inner.clock.now()));
                }
            }
        })
    }
}

impl Inner {
    /// The days that the longest window of a figure looks back on.
    fn window(&self) -> (NaiveDate, NaiveDate) {
        let today = self.clock.now().local_date(self.settings.time_zone);
        (today.checked_sub_days(Days::new(WINDOW_DAYS)).unwrap_or(NaiveDate::MIN), NaiveDate::MAX)
    }

    fn settle_everything(&self) -> Result<(), Error> {
        // A book that stays due cannot be settled by time; it is looked at once.
        let mut seen = BTreeSet::new();
        loop {
            let due = self.store.books(&BookQuery::Due(self.clock.now()), PAGE)?;
            let mut moved = false;
            for (merchant, _) in due {
                if seen.insert(merchant) {
                    self.settle(merchant)?;
                    moved = true;
                }
            }
            if !moved {
                return Ok(());
            }
        }
    }
}

fn before(message: String) -> InvalidInput {
    InvalidInput::new("before_first_entry", "day", message)
}
