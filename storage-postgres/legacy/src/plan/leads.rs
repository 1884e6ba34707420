//! Leads: which come in, on which deposit, and as what.

use leadledger::{CampaignId, Currency, LeadId, LeadStatus, MerchantId, OpeningLead, PartnerId, Timestamp, to_decimal};

use crate::cause::Cause;
use crate::plan::campaigns::{Terms, partner};
use crate::plan::rows::{Kind, of_lead};
use crate::plan::{Earnings, PastWindow, Planning, Uncovered};
use crate::report::{Difference, Measure};
use crate::source::{LeadRow, Table};
use crate::values::{Value, amount, dirhams, id, shown, time};

const LEADS: Kind<LeadRow> =
    Kind { table: Table::Leads, id: |row| row.id.as_ref(), merchant: |row| row.merchant_id.as_ref(), worth: of_lead };

/// What must be known of a lead for it to come in.
pub(super) struct Known {
    pub(super) id: LeadId,
    pub(super) merchant: MerchantId,
    pub(super) campaign: CampaignId,
    pub(super) partner: PartnerId,
    /// By its place among the merchant's.
    deposit: usize,
    pub(super) status: LeadStatus,
    pub(super) commission_minor: i64,
    pub(super) created_at: Timestamp,
    pub(super) terms: Option<Terms>,
}

impl Known {
    pub(super) fn about(&self, cause: Cause) -> Difference {
        Difference::new(cause, Some(self.merchant), Table::Leads, [self.id.to_string()])
    }
}

impl Planning<'_> {
    pub(super) fn take_leads(&mut self) {
        let mut rows = self.unique(&LEADS, &self.source.leads);
        rows.sort_by_cached_key(|row| (time(row.created_at.as_ref()).ok(), row.id.clone()));
        for row in rows {
            let ids = id::<MerchantId>(row.merchant_id.as_ref()).ok().zip(id(row.campaign_id.as_ref()).ok());
            let Some((id, (merchant, campaign))) = id(row.id.as_ref()).ok().zip(ids) else {
                self.leave_out(&LEADS, Cause::IdUnusable, &[row]);
                continue;
            };
            self.take_lead(merchant, campaign, id, row);
        }
    }

    fn take_lead(&mut self, merchant: MerchantId, campaign: CampaignId, id: LeadId, row: &LeadRow) {
        let deposit = self.deposit_of(merchant, campaign, id, row);
        let commission = amount(row.commission_amount.as_ref()).filter(|minor| *minor >= 0);
        // What is reserved is so by the tables, whatever becomes of the lead here.
        let mut reserved_minor = 0;
        if let (Some("pending"), Some(place), Some(minor)) = (row.status.as_deref(), deposit, commission.ok()) {
            reserved_minor = minor;
            let plan = self.book(merchant).deposits.get_mut(place);
            plan.into_iter().for_each(|plan| plan.pending_minor = plan.pending_minor.saturating_add(minor));
        }
        let out = |cause, before: String| {
            let difference = Difference::new(cause, Some(merchant), Table::Leads, [id.to_string()]);
            difference.was(before).is("none").out(&of_lead(row)).by(Measure::Reserved, -reserved_minor)
        };
        let status = row.status.as_deref().and_then(LeadStatus::from_name);
        let status = status.filter(|status| !matches!(status, LeadStatus::Expired | LeadStatus::Reversed));
        let Some(status) = status else {
            return self.note(out(Cause::LeadStatusUnknown, shown(row.status.as_ref())));
        };
        let partner = match partner(row.influencer_id.as_ref(), row.commercial_id.as_ref()) {
            Ok(partner) => partner,
            Err((cause, before)) => return self.note(out(cause, before)),
        };
        let Some(deposit) = deposit else {
            return self
                .note(out(Cause::NoDeposit, format!("{}, {}", status.name(), shown(row.commission_amount.as_ref()))));
        };
        let Value::Is(commission_minor) = commission else {
            return self.note(out(Cause::CommissionUnreadable, shown(row.commission_amount.as_ref())));
        };
        let Value::Is(created_at) = time(row.created_at.as_ref()) else {
            return self.note(out(Cause::CreatedUnreadable, shown(row.created_at.as_ref())));
        };
        let terms = self.terms(merchant, partner, campaign);
        let mut lead = Known { id, merchant, campaign, partner, deposit, status, commission_minor, created_at, terms };
        if created_at > self.now {
            self.note(lead.about(Cause::TimeInFuture).was(format!("created_at {created_at}")).is(self.now));
            lead.created_at = self.now;
        }
        let taken = self.history.get(&id).map_or(0, |history| history.taken_minor);
        if status == LeadStatus::Lost && row.validated_at.is_none() && taken == 0 {
            self.note(lead.about(Cause::LostWithoutCapture).was("lost").is("rejected"));
            lead.status = LeadStatus::Rejected;
        }
        if status == LeadStatus::Pending && !self.take_pending(&mut lead, row) {
            return;
        }
        let captured = matches!(lead.status, LeadStatus::Validated | LeadStatus::Converted | LeadStatus::Lost);
        let due = if captured { commission_minor } else { 0 };
        if taken != due {
            let before = format!("{} taken", dirhams(taken));
            self.note(lead.about(Cause::DeductionDiffers).was(before).is(format!("{} captured", dirhams(due))));
        }
        let mut opening = self.opening_lead(&lead, row);
        if captured {
            let part = amount_of(&opening);
            let (leads, parts) = self.earned.entry((merchant, partner)).or_default();
            *leads = leads.saturating_add(1);
            *parts = parts.saturating_add(part);
            opening.owed = self.options.earnings == Earnings::Owed;
            if opening.decided_at.is_none() {
                // Without it nothing tells when the part becomes payable: it is.
                opening.payout_delay_days = opening.payout_delay_days.filter(|_| !opening.owed);
            }
        }
        self.book(merchant).leads.push(opening);
    }

    /// The place of the deposit that a lead draws on: the one that has paid for it, as long as that is known; else its
    /// campaign's own; else the merchant-wide one.
    fn deposit_of(&self, merchant: MerchantId, campaign: CampaignId, lead: LeadId, row: &LeadRow) -> Option<usize> {
        let book = self.books.get(&merchant)?;
        let paid = self.history.get(&lead).filter(|_| row.status.as_deref() != Some("pending"));
        let paid = paid.and_then(|history| history.deposit).filter(|(whose, _)| *whose == merchant);
        let paid = paid.and_then(|(_, id)| book.deposits.iter().find(|deposit| deposit.id == id));
        let own = || book.in_use.get(&Some(campaign)).or_else(|| book.in_use.get(&None)).copied();
        paid.map(|deposit| deposit.target).or_else(own)
    }

    /// Reserves for a pending lead, or lets it expire; false where it is left out.
    fn take_pending(&mut self, lead: &mut Known, row: &LeadRow) -> bool {
        let campaign = self.campaign(lead.merchant, lead.campaign);
        let (expires_at, accepts) = (lead.created_at.plus_hours(campaign.window_hours), campaign.accepts());
        let commission = lead.commission_minor;
        if expires_at <= self.now && !(accepts && self.options.past_window == PastWindow::AsCampaign) {
            let cause = if accepts { Cause::PendingTooOldAccepting } else { Cause::PendingTooOld };
            let difference = lead.about(cause).was("pending").is(format!("expired at {expires_at}"));
            self.note(difference.by(Measure::Reserved, -commission));
            lead.status = LeadStatus::Expired;
            return true;
        }
        let cover = self.options.uncovered == Uncovered::Cover;
        let Some(deposit) = self.book(lead.merchant).deposits.get_mut(lead.deposit) else { return false };
        let has = deposit.total_minor.saturating_add(deposit.raised_minor);
        let covered = deposit.covered_minor.saturating_add(commission);
        if covered > has && !cover {
            let left = dirhams(has.saturating_sub(deposit.covered_minor));
            let difference = lead.about(Cause::PendingUncovered);
            let difference =
                difference.was(format!("pending, {}", dirhams(commission))).is(format!("{left} available"));
            self.note(difference.out(&of_lead(row)).by(Measure::Reserved, -commission));
            return false;
        }
        deposit.raised_minor = deposit.raised_minor.saturating_add(covered.saturating_sub(has).max(0));
        deposit.covered_minor = covered;
        true
    }
}

fn amount_of(lead: &OpeningLead) -> i64 {
    leadledger::to_minor(lead.partner_part, Currency::MAD).unwrap_or(0)
}

impl Planning<'_> {
    /// The lead as it comes in.
    fn opening_lead(&mut self, lead: &Known, row: &LeadRow) -> OpeningLead {
        let money = |minor| to_decimal(minor, Currency::MAD);
        let deposit = self.book(lead.merchant).deposits.get(lead.deposit).map(|deposit| deposit.id);
        let value_minor = self.value(lead, row);
        let rate = self.rate(lead, row, value_minor);
        let (share, part_minor) = self.split(lead, row);
        let (decided_at, converted_at) = self.times(lead, row);
        OpeningLead {
            lead: lead.id,
            campaign: lead.campaign,
            partner: lead.partner,
            deposit: deposit.unwrap_or(leadledger::DepositId(uuid::Uuid::nil())),
            value: money(value_minor),
            commission: money(lead.commission_minor),
            partner_part: money(part_minor),
            rate: rate.map(leadledger::Percent::to_decimal),
            share: share.to_decimal(),
            payout_delay_days: lead.terms.map(|terms| terms.delay_days),
            source: Some(self.source_of(lead, row)),
            status: lead.status,
            created_at: lead.created_at,
            decided_at,
            converted_at,
            score: self.score(lead, row),
            owed: false,
            customer: self.customer(lead, row),
            product: self.text(lead, "product_id", row.product_id.as_ref()),
            feedback: None,
            reason: self.text(lead, "rejection_reason", row.rejection_reason.as_ref()),
        }
    }
}
