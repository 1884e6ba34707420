//! A lead's values: amounts, share, times, texts; each as the row has it, or what stands for it and why.

use leadledger::{
    Customer, InvalidInput, LeadStatus, Percent, Policy, Source, Timestamp, preview_commission, to_decimal,
};

use crate::cause::Cause;
use crate::plan::Planning;
use crate::plan::campaigns::percent;
use crate::plan::leads::Known;
use crate::report::Measure;
use crate::source::LeadRow;
use crate::values::{Value, amount, counted, decimal, dirhams, number, shown, time};

impl Planning<'_> {
    pub(super) fn value(&mut self, lead: &Known, row: &LeadRow) -> i64 {
        match amount(row.estimated_value.as_ref()).filter(|minor| *minor >= 0) {
            Value::Is(minor) => minor,
            _ => {
                let difference = lead.about(Cause::ValueUnusable).was(shown(row.estimated_value.as_ref()));
                let delta = counted(row.estimated_value.as_ref()).saturating_neg();
                self.note(difference.is(dirhams(0)).by(Measure::Value, delta));
                0
            }
        }
    }

    /// The rate, where the commission is a percentage. Says where the commission is not what the terms give.
    pub(super) fn rate(&mut self, lead: &Known, row: &LeadRow, value_minor: i64) -> Option<Percent> {
        let policy = self.campaign(lead.merchant, lead.campaign).policy;
        let by_terms = value_minor < policy.threshold_minor;
        let percentage = match row.commission_type.as_deref() {
            Some("percentage") => true,
            Some("fixed") => false,
            _ => {
                let difference = lead.about(Cause::CommissionTypeUnknown).was(shown(row.commission_type.as_ref()));
                self.note(difference.is(if by_terms { "percentage" } else { "fixed" }));
                by_terms
            }
        };
        // Whatever the smallest value is now, the commission is the same.
        let any_value = Policy { minimum_value_minor: 0, ..policy };
        let given = preview_commission(&any_value, policy.default_share, to_decimal(value_minor, policy.currency));
        let kept = to_decimal(lead.commission_minor, policy.currency);
        if let Ok(given) = given
            && given.commission != kept
        {
            let before = format!("{kept}, by the terms {}", given.commission);
            self.note(lead.about(Cause::CommissionDiffers).was(before).is(kept));
        }
        percentage.then_some(policy.rate)
    }

    /// The partner's share and part.
    pub(super) fn split(&mut self, lead: &Known, row: &LeadRow) -> (Percent, i64) {
        let said = decimal(row.influencer_percentage.as_ref()).ok().and_then(percent);
        let share = said.unwrap_or_else(|| {
            let default = self.campaign(lead.merchant, lead.campaign).policy.default_share;
            let share = lead.terms.map_or(default, |terms| terms.share);
            let difference = lead.about(Cause::ShareUnusable).was(shown(row.influencer_percentage.as_ref()));
            self.note(difference.is(share));
            share
        });
        let computed = share.of_minor(lead.commission_minor);
        let within = |minor: &i64| (0..=lead.commission_minor).contains(minor);
        match amount(row.influencer_commission.as_ref()).filter(within) {
            Value::Is(part) => {
                if part != computed && said.is_some() {
                    let before = format!("{}, by the share {}", dirhams(part), dirhams(computed));
                    self.note(lead.about(Cause::PartDiffers).was(before).is(dirhams(part)));
                }
                (share, part)
            }
            _ => {
                let delta = computed.saturating_sub(counted(row.influencer_commission.as_ref()));
                let difference = lead.about(Cause::PartUnusable).was(shown(row.influencer_commission.as_ref()));
                self.note(difference.is(dirhams(computed)).by(Measure::Part, delta));
                (share, computed)
            }
        }
    }

    pub(super) fn source_of(&mut self, lead: &Known, row: &LeadRow) -> Source {
        row.source.as_deref().and_then(Source::from_name).unwrap_or_else(|| {
            self.note(lead.about(Cause::SourceUnknown).was(shown(row.source.as_ref())).is("other"));
            Source::Other
        })
    }

    pub(super) fn score(&mut self, lead: &Known, row: &LeadRow) -> Option<i64> {
        let score = number(row.quality_score.as_ref()).filter(|score| (1..=10).contains(score));
        if score == Value::Unreadable {
            self.note(lead.about(Cause::ScoreUnusable).was(shown(row.quality_score.as_ref())).is("none"));
        }
        score.ok()
    }

    /// When it was decided, and when it became a sale.
    pub(super) fn times(&mut self, lead: &Known, row: &LeadRow) -> (Option<Timestamp>, Option<Timestamp>) {
        let validated_at = self.past(lead, "validated_at", row.validated_at.as_ref());
        let converted_at = self.past(lead, "conversion_date", row.conversion_date.as_ref());
        let decided_at = match lead.status {
            LeadStatus::Pending | LeadStatus::Expired => {
                if let Some(at) = validated_at {
                    self.note(lead.about(Cause::PendingDecided).was(format!("validated_at {at}")).is("none"));
                }
                let window = self.campaign(lead.merchant, lead.campaign).window_hours;
                Some(lead.created_at.plus_hours(window)).filter(|_| lead.status == LeadStatus::Expired)
            }
            LeadStatus::Rejected => validated_at,
            _ => {
                if row.validated_at.is_none() {
                    self.note(lead.about(Cause::DecidedUnknown).was("null").is("unknown"));
                }
                validated_at
            }
        };
        let decided_at = decided_at.map(|at| {
            if at < lead.created_at {
                self.note(lead.about(Cause::DecidedBeforeCreated).was(at).is(lead.created_at));
            }
            at.max(lead.created_at)
        });
        (decided_at, converted_at)
    }

    /// A time that is past, or now where it is still to come.
    fn past(&mut self, lead: &Known, column: &str, text: Option<&String>) -> Option<Timestamp> {
        match time(text) {
            Value::Missing => None,
            Value::Unreadable => {
                self.note(lead.about(Cause::TimeUnreadable).was(format!("{column} {}", shown(text))).is("unknown"));
                None
            }
            Value::Is(at) if at > self.now => {
                self.note(lead.about(Cause::TimeInFuture).was(format!("{column} {at}")).is(self.now));
                Some(self.now)
            }
            Value::Is(at) => Some(at),
        }
    }

    /// The customer; none where nothing of it is there.
    pub(super) fn customer(&mut self, lead: &Known, row: &LeadRow) -> Option<Customer> {
        let customer = Customer {
            name: self.text(lead, "customer_name", row.customer_name.as_ref()),
            email: self.text(lead, "customer_email", row.customer_email.as_ref()),
            phone: self.text(lead, "customer_phone", row.customer_phone.as_ref()),
            company: self.text(lead, "customer_company", row.customer_company.as_ref()),
            notes: self.text(lead, "customer_notes", row.customer_notes.as_ref()),
        };
        (customer != Customer::default()).then_some(customer)
    }

    /// A text that the ledger takes. The report says how long one is that it does not, and nothing of what it holds.
    pub(super) fn text<T>(&mut self, lead: &Known, column: &str, text: Option<&String>) -> Option<T>
    where
        T: for<'t> TryFrom<&'t str, Error = InvalidInput>,
    {
        let text = text.filter(|text| !text.is_empty())?;
        T::try_from(text.as_str()).map_or_else(
            |_| {
                let before = format!("{column}, {} characters", text.chars().count());
                self.note(lead.about(Cause::TextUnusable).was(before).is("none"));
                None
            },
            Some,
        )
    }
}
