//! An explanation in words: plain English sentences, each amount with its currency.

use std::fmt::{Display, Formatter, Result};

use rust_decimal::Decimal;

use crate::audit::{Actor, Explanation, LeadEvent, PolicyInForce, ShareSource, Step, StepEffect};
use crate::campaign::OnTimeout;
use crate::lead::{LeadStatus, PartPlace};
use crate::money::{Currency, to_decimal};

/// A summary, the terms, and a numbered list of what happened.
impl Display for Explanation {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        let Self { lead, partner, campaign, deposit, currency, .. } = self;
        let (value, commission) = (self.value, self.commission);
        let status = self.status.name();
        writeln!(f, "Lead {lead}, which partner {partner} brought for campaign {campaign}, is {status}.")?;
        writeln!(f, "It is worth {value} {currency} and costs {commission} {currency}, out of deposit {deposit}.")?;
        self.rule(f)?;
        self.split(f)?;
        self.state(f)?;
        writeln!(f, "Entry {} of {} was the last one when this was told.", self.of.seq, self.of.at)?;
        for (place, step) in (1_usize..).zip(&self.steps) {
            writeln!(f, "{place}. {}", StepWords { step, of: self })?;
        }
        Ok(())
    }
}

impl Explanation {
    /// How the commission was found.
    fn rule(&self, f: &mut Formatter<'_>) -> Result {
        let (version, currency, value) = (self.policy_version, self.currency, self.value);
        let Some(PolicyInForce { policy, exact, agrees }) = self.policy else {
            return writeln!(f, "The journal does not hold version {version} of the campaign's policy.");
        };
        let money = |minor| to_decimal(minor, currency);
        let (threshold, fixed, rate) = (money(policy.threshold_minor), money(policy.fixed_minor), policy.rate);
        write!(
            f,
            "By version {version} of the campaign's policy a lead worth less than {threshold} {currency} costs {rate} % \
             of its value, any other {fixed} {currency}: "
        )?;
        if value < threshold {
            write!(f, "{rate} % of {value} {currency} is {}", rounded(exact, currency))?;
        } else {
            write!(f, "{value} {currency} is not less than {threshold} {currency}, so it costs {exact} {currency}")?;
        }
        let end = if agrees { "." } else { "; the commission or its parts were recorded from elsewhere." };
        writeln!(f, "{end}")
    }

    /// Who gets what of it, and when.
    fn split(&self, f: &mut Formatter<'_>) -> Result {
        let Self { share, partner_part, platform_part, commission, currency, .. } = self;
        write!(f, "The partner's share of it is {share} %: ")?;
        match self.share_from {
            ShareSource::CampaignAgreement { seq, at } => {
                writeln!(f, "the agreement for this campaign, which entry {seq} set at {at}.")?;
            }
            ShareSource::MerchantAgreement { seq, at } => writeln!(
                f,
                "the agreement for all campaigns, which entry {seq} set at {at}; there was none for this campaign."
            )?,
            ShareSource::CampaignDefault => {
                writeln!(f, "the campaign's default; there was no agreement with the partner.")?;
            }
            ShareSource::Elsewhere => writeln!(f, "recorded from elsewhere; no agreement in force gave it.")?,
        }
        writeln!(
            f,
            "The partner's part is {partner_part} {currency}, the platform's the rest, {platform_part} {currency}; \
             together they are {commission} {currency}."
        )?;
        match self.payout_delay_days {
            0 => writeln!(f, "The partner's part is payable from the validation on."),
            1 => writeln!(f, "The partner's part is held for 1 day from the validation on, then payable."),
            days => writeln!(f, "The partner's part is held for {days} days from the validation on, then payable."),
        }
    }

    /// What is still to come.
    fn state(&self, f: &mut Formatter<'_>) -> Result {
        if self.status == LeadStatus::Pending {
            let then = match self.on_timeout {
                OnTimeout::Expire => "expires",
                OnTimeout::Accept => "is accepted",
            };
            writeln!(f, "It waits for the merchant until {}; then it {then}.", self.expires_at)?;
        }
        match (self.part, self.matures_at) {
            (PartPlace::Held, Some(at)) => writeln!(f, "The partner's part is held until {at}."),
            _ => Ok(()),
        }
    }
}

/// `12.345 MAD, rounded to 12.35 MAD`, or the amount alone where nothing had to be rounded.
fn rounded(exact: Decimal, currency: Currency) -> String {
    let decimals = currency.decimals();
    let mut round = exact.round_dp_with_strategy(decimals, rust_decimal::RoundingStrategy::MidpointAwayFromZero);
    round.rescale(decimals);
    if round == exact {
        format!("{round} {currency}")
    } else {
        format!("{exact} {currency}, rounded to {round} {currency}")
    }
}

struct StepWords<'a> {
    step: &'a Step,
    of: &'a Explanation,
}

impl Display for StepWords<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        let Step { seq, at, kind, by, key, event, postings, effects } = self.step;
        let Explanation { currency, deposit, commission, partner_part, .. } = self.of;
        write!(f, "Entry {seq}, {at}, {}", kind.name())?;
        match (by, key) {
            (Actor::Time, _) => write!(f, ", by time alone: ")?,
            (Actor::Command, None) => write!(f, ", by a command: ")?,
            (Actor::Command, Some(key)) => write!(f, ", by a command with key {:?}: ", key.to_string())?,
        }
        let amount = format!("{commission} {currency}");
        match event {
            LeadEvent::Imported { status: LeadStatus::Pending } => {
                write!(f, "the lead came in from elsewhere, pending; {amount} were reserved on deposit {deposit}.")?;
            }
            LeadEvent::Imported { status } => write!(f, "the lead came in from elsewhere, {}.", status.name())?,
            LeadEvent::Created => write!(f, "the lead was created; {amount} were reserved on deposit {deposit}.")?,
            LeadEvent::Validated { score: None } => {
                write!(f, "the lead was validated; the {amount} reserved were captured.")?;
            }
            LeadEvent::Validated { score: Some(score) } => {
                write!(f, "the lead was validated at {score} of 10; the {amount} reserved were captured.")?;
            }
            LeadEvent::Accepted => {
                write!(f, "nobody decided in time, the lead was accepted; the {amount} reserved were captured.")?;
            }
            LeadEvent::Rejected => write!(f, "the lead was rejected; the {amount} reserved were released.")?,
            LeadEvent::Expired => {
                write!(f, "nobody decided in time, the lead expired; the {amount} reserved were released.")?;
            }
            LeadEvent::Matured => write!(f, "the partner's part of {partner_part} {currency} became payable.")?,
            LeadEvent::Converted => write!(f, "the lead became a sale; no money moved.")?,
            LeadEvent::Lost => write!(f, "the lead came to nothing; no money moved.")?,
            LeadEvent::Reversed => write!(f, "the lead was reversed; deposit {deposit} got {amount} back.")?,
        }
        for posting in postings {
            let side = if posting.amount.is_sign_negative() { "credit" } else { "debit" };
            write!(f, "\n   {side} {} {currency} to {}", posting.amount.abs(), posting.account)?;
        }
        for effect in effects {
            write!(f, "\n   ")?;
            match effect {
                StepEffect::AlertRaised { deposit, level, balance, available, reference } => write!(
                    f,
                    "deposit {deposit} fell to {}: it had {balance} {currency}, {available} {currency} of it available, \
                     against {reference} {currency}",
                    level.name()
                )?,
                StepEffect::AlertCleared { deposit, level } => {
                    write!(f, "deposit {deposit} rose to {}", level.name())?;
                }
                StepEffect::CampaignPaused { campaign } => write!(f, "campaign {campaign} was paused")?,
                StepEffect::CampaignResumed { campaign } => write!(f, "campaign {campaign} was resumed")?,
                StepEffect::TopUpRequested { deposit, amount } => {
                    write!(f, "a payment of {amount} {currency} into deposit {deposit} was asked for")?;
                }
            }
        }
        Ok(())
    }
}
