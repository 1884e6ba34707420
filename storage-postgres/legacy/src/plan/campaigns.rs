//! Campaigns and agreements: settings with their defaults, and which terms apply.

use std::collections::BTreeMap;

use leadledger::{
    CampaignId, Currency, MerchantId, OnTimeout, OpeningAgreement, OpeningCampaign, PartnerId, Percent, Policy,
    PolicyTerms,
};
use rust_decimal::Decimal;

use crate::cause::Cause;
use crate::plan::Planning;
use crate::report::{Difference, Measure};
use crate::source::{AgreementRow, SettingsRow, Table};
use crate::values::{Value, decimal, flag, id, number, shown};

/// The columns' defaults.
const WINDOW_HOURS: i64 = 72;
const MINIMUM_QUALITY: i64 = 5;
const DELAY_DAYS: i64 = 14;

/// A partner's terms.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Terms {
    pub(super) share: Percent,
    pub(super) delay_days: i64,
}

/// A campaign, and what its leads take from it.
pub(super) struct CampaignPlan {
    pub(super) opening: OpeningCampaign,
    pub(super) policy: Policy,
    pub(super) window_hours: u32,
    pub(super) auto_stop: bool,
}

impl CampaignPlan {
    fn new(opening: OpeningCampaign) -> Option<Self> {
        let window = opening.validation_window_hours.unwrap_or(WINDOW_HOURS);
        Some(Self {
            policy: Policy::new(Currency::MAD, opening.policy).ok()?,
            window_hours: u32::try_from(window).ok()?,
            auto_stop: opening.auto_stop.unwrap_or(true),
            opening,
        })
    }

    /// What a campaign without settings has.
    fn of_defaults(campaign: CampaignId) -> Self {
        let opening = OpeningCampaign {
            validation_window_hours: Some(WINDOW_HOURS),
            minimum_quality: Some(MINIMUM_QUALITY),
            ..OpeningCampaign::new(campaign)
        };
        Self::new(opening).expect("the defaults are within their bounds")
    }

    pub(super) fn accepts(&self) -> bool {
        self.opening.on_timeout == Some(OnTimeout::Accept)
    }
}

/// Whose settings, and of which campaign.
type Scope = (MerchantId, CampaignId);

impl Planning<'_> {
    pub(super) fn take_settings(&mut self) {
        let mut found: BTreeMap<Scope, Vec<&SettingsRow>> = BTreeMap::new();
        for row in &self.source.settings {
            let ids = id(row.merchant_id.as_ref()).ok().zip(id(row.campaign_id.as_ref()).ok());
            match ids {
                Some(scope) => found.entry(scope).or_default().push(row),
                None => {
                    let merchant = id(row.merchant_id.as_ref()).ok();
                    let rows = [shown(row.campaign_id.as_ref())];
                    self.note(Difference::new(Cause::IdUnusable, merchant, Table::Settings, rows).out(&[]));
                }
            }
        }
        for ((merchant, campaign), rows) in found {
            self.owners.entry(campaign).or_default().insert(merchant);
            let Some((first, rest)) = rows.split_first() else { continue };
            let alike = rest.iter().all(|row| row == first);
            if !rest.is_empty() {
                let cause = if alike { Cause::RowTwice } else { Cause::SettingsConflict };
                let gone = if alike { rest.len() } else { rows.len() };
                let mut difference = Difference::new(
                    cause,
                    Some(merchant),
                    Table::Settings,
                    std::iter::repeat_n(campaign.to_string(), gone),
                )
                .was(format!("{} rows", rows.len()))
                .is(if alike { "1 campaign" } else { "the defaults" })
                .out(&[]);
                if !alike {
                    difference = difference.by(Measure::Rows(Table::Settings), 1);
                }
                self.note(difference);
            }
            let made = if alike { self.settings(merchant, campaign, first) } else { None };
            let made = made.unwrap_or_else(|| CampaignPlan::of_defaults(campaign));
            self.book(merchant).campaigns.insert(campaign, made);
        }
    }

    fn settings(&mut self, merchant: MerchantId, campaign: CampaignId, row: &SettingsRow) -> Option<CampaignPlan> {
        let defaults = policy_defaults();
        let mut read = Settings::default();
        let mut terms = PolicyTerms {
            rate: Some(read.of(
                "percentage_commission_rate",
                row.percentage_commission_rate.as_ref(),
                decimal,
                defaults.rate?,
            )),
            fixed: Some(read.of(
                "fixed_commission_amount",
                row.fixed_commission_amount.as_ref(),
                decimal,
                defaults.fixed?,
            )),
            threshold: Some(read.of(
                "commission_threshold",
                row.commission_threshold.as_ref(),
                decimal,
                defaults.threshold?,
            )),
            ..defaults
        };
        if Policy::new(Currency::MAD, terms).is_err() {
            let shown = |terms: &PolicyTerms| {
                let shown = |amount: Option<Decimal>| amount.unwrap_or_default();
                let (rate, fixed, threshold) = (shown(terms.rate), shown(terms.fixed), shown(terms.threshold));
                format!("rate {rate}, fixed {fixed}, threshold {threshold}")
            };
            read.faults.push((Cause::SettingUnusable, shown(&terms), shown(&defaults)));
            terms = defaults;
        }
        let hours = |text: Option<&String>| number(text).filter(|hours| (1..=i64::from(u32::MAX)).contains(hours));
        let score = |text: Option<&String>| number(text).filter(|score| (1..=10).contains(score));
        let window = read.of("validation_timeout_hours", row.validation_timeout_hours.as_ref(), hours, WINDOW_HOURS);
        let quality = read.of("minimum_quality_score", row.minimum_quality_score.as_ref(), score, MINIMUM_QUALITY);
        let enabled = read.of("lead_generation_enabled", row.lead_generation_enabled.as_ref(), flag, true);
        let auto_stop = read.of("auto_stop_on_depletion", row.auto_stop_on_depletion.as_ref(), flag, true);
        let accept = read.of("auto_validate_after_timeout", row.auto_validate_after_timeout.as_ref(), flag, false);
        for (cause, before, after) in read.faults {
            let difference = Difference::new(cause, Some(merchant), Table::Settings, [campaign.to_string()]);
            self.note(difference.was(before).is(after));
        }
        CampaignPlan::new(OpeningCampaign {
            policy: terms,
            validation_window_hours: Some(window),
            minimum_quality: Some(quality),
            auto_stop: Some(auto_stop),
            on_timeout: Some(if accept { OnTimeout::Accept } else { OnTimeout::Expire }),
            paused: !enabled,
            ..OpeningCampaign::new(campaign)
        })
    }

    /// A campaign that something names; one without settings here comes in with the defaults.
    pub(super) fn campaign(&mut self, merchant: MerchantId, campaign: CampaignId) -> &CampaignPlan {
        let known = self.books.get(&merchant).is_some_and(|book| book.campaigns.contains_key(&campaign));
        if !known {
            let foreign = self.owners.contains_key(&campaign);
            let cause = if foreign { Cause::ForeignCampaign } else { Cause::CampaignWithoutSettings };
            let difference = Difference::new(cause, Some(merchant), Table::Settings, [campaign.to_string()]);
            let difference = difference.was("no row").is("the defaults").by(Measure::Rows(Table::Settings), 1);
            self.note(difference);
        }
        let book = self.book(merchant);
        book.campaigns.entry(campaign).or_insert_with(|| CampaignPlan::of_defaults(campaign))
    }

    pub(super) fn take_agreements(&mut self) {
        type Scope = (MerchantId, PartnerId, Option<CampaignId>);
        let mut found: BTreeMap<Scope, Vec<Terms>> = BTreeMap::new();
        for row in &self.source.agreements {
            match agreement(row) {
                Ok((merchant, partner, campaign, terms)) => {
                    found.entry((merchant, partner, campaign)).or_default().push(terms);
                }
                Err((cause, before)) => {
                    let merchant = id(row.merchant_id.as_ref()).ok();
                    let rows = [name_of(row)];
                    let difference = Difference::new(cause, merchant, Table::Agreements, rows);
                    self.note(difference.was(before).is("none").out(&[]));
                }
            }
        }
        for ((merchant, partner, campaign), mut terms) in found {
            terms.sort_unstable();
            let Some((first, rest)) = terms.split_first() else { continue };
            let alike = rest.iter().all(|other| other == first);
            if !rest.is_empty() {
                let (cause, gone) =
                    if alike { (Cause::RowTwice, rest.len()) } else { (Cause::AgreementConflict, terms.len()) };
                let shares: Vec<String> =
                    terms.iter().map(|terms| format!("{} % after {} days", terms.share, terms.delay_days)).collect();
                let name = scope_name(&partner.to_string(), campaign.map(|id| id.to_string()).as_ref());
                let rows = std::iter::repeat_n(name, gone);
                let difference = Difference::new(cause, Some(merchant), Table::Agreements, rows);
                let after = if alike { shares.first().cloned().unwrap_or_default() } else { "none".to_owned() };
                self.note(difference.was(shares.join(", ")).is(after).out(&[]));
            }
            if !alike {
                continue;
            }
            if let Some(campaign) = campaign {
                self.campaign(merchant, campaign);
            }
            let book = self.book(merchant);
            book.terms.insert((partner, campaign), *first);
            book.agreements.push(OpeningAgreement {
                partner,
                campaign,
                share: first.share.to_decimal(),
                payout_delay_days: Some(first.delay_days),
            });
        }
    }

    /// A partner's terms for a campaign: its own, else those for every campaign.
    pub(super) fn terms(&self, merchant: MerchantId, partner: PartnerId, campaign: CampaignId) -> Option<Terms> {
        let terms = &self.books.get(&merchant)?.terms;
        terms.get(&(partner, Some(campaign))).or_else(|| terms.get(&(partner, None))).copied()
    }
}

/// Settings as they are read, and what was wrong with them: why, what stands there, what holds.
#[derive(Default)]
struct Settings {
    faults: Vec<(Cause, String, String)>,
}

impl Settings {
    /// A setting, or its default.
    fn of<T: ToString>(
        &mut self,
        column: &str,
        text: Option<&String>,
        read: impl FnOnce(Option<&String>) -> Value<T>,
        default: T,
    ) -> T {
        let cause = match read(text) {
            Value::Is(value) => return value,
            Value::Missing => Cause::SettingMissing,
            Value::Unreadable => Cause::SettingUnusable,
        };
        self.faults.push((cause, format!("{column} {}", shown(text)), default.to_string()));
        default
    }
}

/// 10 %, 80.00 from 800.00 on.
fn policy_defaults() -> PolicyTerms {
    let whole = |amount: i64| Some(Decimal::new(amount, 0));
    PolicyTerms { rate: whole(10), fixed: whole(80), threshold: whole(800), ..PolicyTerms::default() }
}

/// An influencer or a commercial: exactly one.
pub(super) fn partner(influencer: Option<&String>, commercial: Option<&String>) -> Result<PartnerId, (Cause, String)> {
    let both = || format!("influencer {}, commercial {}", shown(influencer), shown(commercial));
    match (id(influencer), id(commercial)) {
        (Value::Is(partner), Value::Missing) | (Value::Missing, Value::Is(partner)) => Ok(partner),
        (Value::Is(one), Value::Is(other)) if one == other => Ok(one),
        (Value::Missing, Value::Missing) => Err((Cause::PartnerMissing, both())),
        (Value::Is(_), Value::Is(_)) => Err((Cause::PartnerDouble, both())),
        _ => Err((Cause::IdUnusable, both())),
    }
}

type Agreed = (MerchantId, PartnerId, Option<CampaignId>, Terms);

/// An agreement that applies, or why it does not.
fn agreement(row: &AgreementRow) -> Result<Agreed, (Cause, String)> {
    let unusable = |what: &Option<String>| (Cause::IdUnusable, shown(what.as_ref()));
    match row.status.as_deref() {
        Some("active") => {}
        Some("pending" | "suspended" | "terminated") => {
            return Err((Cause::AgreementNotActive, shown(row.status.as_ref())));
        }
        _ => return Err((Cause::AgreementStatusUnknown, shown(row.status.as_ref()))),
    }
    let merchant = id(row.merchant_id.as_ref()).ok().ok_or_else(|| unusable(&row.merchant_id))?;
    let partner = partner(row.influencer_id.as_ref(), row.commercial_id.as_ref())?;
    let campaign = match id(row.campaign_id.as_ref()) {
        Value::Missing => None,
        Value::Is(campaign) => Some(campaign),
        Value::Unreadable => return Err(unusable(&row.campaign_id)),
    };
    let share = decimal(row.commission_percentage.as_ref()).ok().and_then(percent);
    let delay = match number(row.payment_delay_days.as_ref()) {
        Value::Missing => Some(DELAY_DAYS),
        other => other.filter(|days| (0..=i64::from(u32::MAX)).contains(days)).ok(),
    };
    let terms = share.zip(delay).map(|(share, delay_days)| Terms { share, delay_days });
    let (share, delay) = (shown(row.commission_percentage.as_ref()), shown(row.payment_delay_days.as_ref()));
    let terms = terms.ok_or_else(|| (Cause::AgreementUnusable, format!("{share} % after {delay} days")))?;
    Ok((merchant, partner, campaign, terms))
}

pub(super) fn percent(percent: Decimal) -> Option<Percent> {
    Percent::new(percent)
}

fn name_of(row: &AgreementRow) -> String {
    let partner = row.influencer_id.as_ref().or(row.commercial_id.as_ref());
    scope_name(&shown(partner), row.campaign_id.as_ref())
}

fn scope_name(partner: &str, campaign: Option<&String>) -> String {
    format!("{partner}/{}", campaign.map_or("every campaign", String::as_str))
}
