//! Campaigns and agreements: terms, pauses, resumptions (DOMAIN.md chapters 3 and 5).

use crate::agreement::Agreement;
use crate::campaign::{CampaignSettings, CampaignStatus, SettingsTerms};
use crate::command::{PauseCampaign, RegisterCampaign, ResumeCampaign, SetAgreement, UpdateCampaign};
use crate::commission::Policy;
use crate::decide::Draft;
use crate::entry::{Cause, Entry, Fact};
use crate::ids::CampaignId;
use crate::money::{Currency, to_decimal};
use crate::percent::Percent;
use crate::refusal::Refusal;

pub(super) fn register(mut draft: Draft<'_>, command: &RegisterCampaign) -> Result<Entry, Refusal> {
    let currency = command.currency.unwrap_or(Currency::MAD);
    let mut terms = command.policy_terms();
    let minimum = to_decimal(draft.settings.minimums(currency).value_minor, currency);
    terms.minimum_value = terms.minimum_value.or(Some(minimum));
    let policy = Policy::new(currency, terms)?;
    let rules = SettingsTerms {
        window_hours: command.validation_window_hours,
        minimum_quality: command.minimum_quality.map(Some),
        auto_stop: command.auto_stop,
        on_timeout: command.on_timeout,
    };
    let settings = CampaignSettings::new(policy).ruled(policy, rules)?;
    let campaign = super::filled(command.campaign);
    if draft.book.campaigns.get(&campaign).is_some() {
        return Err(Refusal::CampaignExists);
    }
    draft.note(Fact::CampaignRegistered { campaign, settings });
    draft.finish()
}

pub(super) fn update(mut draft: Draft<'_>, command: &UpdateCampaign) -> Result<Entry, Refusal> {
    let found = draft.book.campaigns.get(&command.campaign).map(|campaign| campaign.settings);
    let before = match found {
        Some(settings) => settings,
        // The terms are judged before the campaign is missed: by MAD's.
        None => CampaignSettings::new(Policy::new(Currency::MAD, crate::commission::PolicyTerms::default())?),
    };
    let terms = command.policy_terms();
    let policy = if terms == crate::commission::PolicyTerms::default() {
        before.policy
    } else {
        before.policy.changed(terms)?
    };
    let rules = SettingsTerms {
        window_hours: command.validation_window_hours,
        minimum_quality: command.minimum_quality,
        auto_stop: command.auto_stop,
        on_timeout: command.on_timeout,
    };
    let settings = before.ruled(policy, rules)?;
    found.ok_or(Refusal::CampaignNotFound)?;
    draft.note(Fact::CampaignUpdated { campaign: command.campaign, settings });
    draft.finish()
}

pub(super) fn pause(mut draft: Draft<'_>, command: &PauseCampaign) -> Result<Entry, Refusal> {
    if status(&draft, command.campaign)? == CampaignStatus::PausedByPerson {
        return Err(Refusal::InvalidTransition { from: "paused", to: "paused" });
    }
    draft.note(Fact::CampaignPaused { campaign: command.campaign, by: Cause::Person });
    draft.finish()
}

pub(super) fn resume(mut draft: Draft<'_>, command: &ResumeCampaign) -> Result<Entry, Refusal> {
    if status(&draft, command.campaign)? == CampaignStatus::Active {
        return Err(Refusal::InvalidTransition { from: "active", to: "active" });
    }
    draft.note(Fact::CampaignResumed { campaign: command.campaign, by: Cause::Person });
    draft.finish()
}

pub(super) fn set_agreement(mut draft: Draft<'_>, command: &SetAgreement) -> Result<Entry, Refusal> {
    let invalid = |field| Refusal::InvalidAgreement { field };
    let delay = u32::try_from(command.payout_delay_days.unwrap_or(0));
    let agreement = Agreement {
        share: Percent::new(command.share).ok_or_else(|| invalid("share"))?,
        payout_delay_days: delay.map_err(|_| invalid("payout_delay_days"))?,
    };
    super::check_campaign(draft.book, command.campaign, None)?;
    draft.note(Fact::AgreementSet {
        partner: command.partner,
        campaign: command.campaign,
        share: agreement.share,
        payout_delay_days: agreement.payout_delay_days,
    });
    draft.finish()
}

fn status(draft: &Draft<'_>, id: CampaignId) -> Result<CampaignStatus, Refusal> {
    Ok(draft.book.campaigns.get(&id).ok_or(Refusal::CampaignNotFound)?.status)
}
