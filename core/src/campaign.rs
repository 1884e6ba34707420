//! A campaign: a merchant's offer, its commission policy and its rules of validation (DOMAIN.md chapters 1, 3, 5).

use serde::{Deserialize, Serialize};

use crate::commission::Policy;
use crate::refusal::Refusal;

/// What happens to a lead that nobody decided on in time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnTimeout {
    /// It expires; its reservation is released.
    #[default]
    Expire,
    /// It is validated as of that moment.
    Accept,
}

impl OnTimeout {
    /// All of them, in the order of their codes in stores.
    pub const ALL: &'static [Self] = &[Self::Expire, Self::Accept];
}

/// Whether a campaign takes leads, and who said that it does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CampaignStatus {
    /// It takes leads.
    Active,
    /// A person paused it; only a person resumes it.
    PausedByPerson,
    /// Its deposit ran dry; money resumes it.
    PausedByDepletion,
}

impl CampaignStatus {
    /// All of them, in the order of their codes in stores.
    pub const ALL: &'static [Self] = &[Self::Active, Self::PausedByPerson, Self::PausedByDepletion];

    /// `active` or `paused`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::PausedByPerson | Self::PausedByDepletion => "paused",
        }
    }
}

/// The terms that a lead takes with it at its creation, and `auto_stop`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CampaignSettings {
    /// The commission policy.
    pub policy: Policy,
    /// How long a lead waits for validation, in hours.
    pub window_hours: u32,
    /// A score of at least this is required to validate.
    pub minimum_quality: Option<u8>,
    /// Whether depletion pauses it.
    pub auto_stop: bool,
    /// What time alone does to a pending lead.
    pub on_timeout: OnTimeout,
}

/// A campaign as it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Campaign {
    /// Its terms now.
    pub settings: CampaignSettings,
    /// Whether it takes leads.
    pub status: CampaignStatus,
}

/// What a caller says of a campaign's rules; what is left out has its default, or stays as it is in an update.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct SettingsTerms {
    pub(crate) window_hours: Option<i64>,
    /// `Some(None)` takes the minimum away.
    pub(crate) minimum_quality: Option<Option<i64>>,
    pub(crate) auto_stop: Option<bool>,
    pub(crate) on_timeout: Option<OnTimeout>,
}

impl CampaignSettings {
    /// The defaults of DOMAIN.md chapters 3 to 6 around `policy`.
    pub(crate) fn new(policy: Policy) -> Self {
        Self { policy, window_hours: 72, minimum_quality: None, auto_stop: true, on_timeout: OnTimeout::Expire }
    }

    /// These settings with the rules of `terms`; `policy` is already decided. Refuses with `invalid_policy`.
    pub(crate) fn ruled(self, policy: Policy, terms: SettingsTerms) -> Result<Self, Refusal> {
        let invalid = |field| Refusal::InvalidPolicy { field };
        let window_hours = match terms.window_hours {
            None => self.window_hours,
            Some(hours) => u32::try_from(hours)
                .ok()
                .filter(|hours| *hours > 0)
                .ok_or_else(|| invalid("validation_window_hours"))?,
        };
        let minimum_quality = match terms.minimum_quality {
            None => self.minimum_quality,
            Some(None) => None,
            Some(Some(score)) => match u8::try_from(score) {
                Ok(score @ 1..=10) => Some(score),
                _ => return Err(invalid("minimum_quality")),
            },
        };
        Ok(Self {
            policy,
            window_hours,
            minimum_quality,
            auto_stop: terms.auto_stop.unwrap_or(self.auto_stop),
            on_timeout: terms.on_timeout.unwrap_or(self.on_timeout),
        })
    }
}
