//! A deposit down the alert ladder to depletion, and back by a top-up.

use std::error::Error;

use leadledger::{
    BeginTopUp, CampaignId, Cause, Channel, CreateLead, Currency, DepositId, Fact, LeadId, Ledger, MerchantId, Method,
    OpenDeposit, PartnerId, RegisterCampaign, SucceedTopUp, ValidateLead, channels_for, to_decimal,
};

use crate::lead::Merchant;
use crate::print;

/// The merchant of this story, and how far its events were read.
struct Story<'a> {
    ledger: &'a Ledger,
    merchant: MerchantId,
    campaign: CampaignId,
    deposit: DepositId,
    partner: PartnerId,
    seen: u64,
}

pub(crate) fn tell(ledger: &Ledger) -> Result<Merchant, Box<dyn Error>> {
    let merchant = MerchantId::generate();
    let partner = PartnerId::generate();
    print::chapter("A second merchant, down the alert ladder and back");
    let campaign = ledger.register_campaign(RegisterCampaign::new(merchant)).wait()?.answer;
    let deposit = ledger.open_deposit(OpenDeposit::new(merchant, "2000".parse()?)).wait()?.answer;
    let mut story = Story { ledger, merchant, campaign, deposit, partner, seen: 0 };
    story.step("The merchant prepays 2000.00. Each lead is worth 2500.00 and costs the fixed 80.00.")?;

    story.spend_all()?;
    story.lead_is_refused("The next lead meets the paused campaign:")?;
    let missed = ledger.book(merchant).wait()?.missed.get(&Currency::MAD).copied().unwrap_or_default();
    println!("  Missed for want of money: {} leads, whose commissions come to {}.", missed.leads, missed.commission);

    story.top_up()?;
    let lead = story.create_lead()?;
    story.step("A lead works again: 80.00 is reserved.")?;
    story.validate(lead)?;
    story.step("It is validated.")?;
    Ok(Merchant { id: merchant, deposit, partner })
}

impl Story<'_> {
    /// Validates leads until nothing is left, and stops to tell where something happened beside.
    fn spend_all(&mut self) -> Result<(), Box<dyn Error>> {
        let mut leads = 0;
        loop {
            let lead = self.create_lead()?;
            leads += 1;
            let deposit = self.ledger.deposit(self.merchant, self.deposit).wait()?.ok_or("the deposit is not there")?;
            let is_last = deposit.available.is_zero();
            if is_last {
                self.step(&format!("Lead {leads} reserves what is left."))?;
                self.lead_is_refused("A lead that comes now finds nothing available:")?;
            }
            self.validate(lead)?;
            let news = self.news()?;
            if !news.is_empty() {
                self.tell(&format!("Lead {leads} is validated."), &news)?;
            }
            if is_last {
                return Ok(());
            }
        }
    }

    fn top_up(&mut self) -> Result<(), Box<dyn Error>> {
        let begin = BeginTopUp::new(self.merchant, "5000".parse()?, Method::Stripe);
        let top_up = self.ledger.begin_top_up(begin).wait()?.answer;
        self.step("The merchant wants to pay 5000.00 by card: the intent is recorded, no money moves.")?;

        let success = SucceedTopUp::new(self.merchant, top_up, "pi_4711".try_into()?, "5000".parse()?);
        let credited = self.ledger.succeed_top_up(success.clone()).wait()?;
        // Payment providers call more than once; their reference makes the second call a repetition.
        let again = self.ledger.succeed_top_up(success).wait()?;
        if again.answer != credited.answer || !again.replayed {
            return Err("the provider's second call was not recognised".into());
        }
        let receipt = credited.answer.receipt;
        self.step(&format!("The provider reports the payment, twice: credited once, with receipt {receipt}."))
    }

    fn create_lead(&self) -> Result<LeadId, Box<dyn Error>> {
        let lead = CreateLead::new(self.merchant, self.campaign, self.partner, "2500".parse()?);
        Ok(self.ledger.create_lead(lead).wait()?.answer.lead)
    }

    fn validate(&self, lead: LeadId) -> Result<(), Box<dyn Error>> {
        self.ledger.validate_lead(ValidateLead::new(self.merchant, lead)).wait()?;
        Ok(())
    }

    fn lead_is_refused(&self, what: &str) -> Result<(), Box<dyn Error>> {
        let lead = CreateLead::new(self.merchant, self.campaign, self.partner, "2500".parse()?);
        match self.ledger.create_lead(lead).wait() {
            Err(error) if error.refusal().is_some() => {
                println!("  {what}");
                print::refusal(&error);
                Ok(())
            }
            Err(error) => Err(error.into()),
            Ok(_) => Err("a lead without money was accepted".into()),
        }
    }

    fn step(&mut self, what: &str) -> Result<(), Box<dyn Error>> {
        let news = self.news()?;
        self.tell(what, &news)
    }

    fn tell(&self, what: &str, news: &[String]) -> Result<(), Box<dyn Error>> {
        print::step(self.ledger, self.merchant, self.deposit, what)?;
        for line in news {
            println!("      {line}");
        }
        Ok(())
    }

    /// What the journal says of alerts and campaigns since it was last looked at: how a host learns whom to notify.
    fn news(&mut self) -> Result<Vec<String>, Box<dyn Error>> {
        let mut news = Vec::new();
        for recorded in self.ledger.events(self.merchant, self.seen, 1_000).wait()? {
            self.seen = recorded.entry.seq;
            news.extend(recorded.entry.facts.iter().filter_map(headline));
        }
        Ok(news)
    }
}

fn headline(fact: &Fact) -> Option<String> {
    match fact {
        Fact::AlertRaised { level, balance, reference, .. } => {
            let channels: Vec<_> = channels_for(*level).iter().copied().map(channel_name).collect();
            let money = |minor| to_decimal(minor, Currency::MAD);
            Some(format!(
                "ALERT {} ({}): {} left of {}; tell by {}",
                level.name(),
                level.colour(),
                money(*balance),
                money(*reference),
                channels.join(", ")
            ))
        }
        Fact::AlertCleared { level, .. } => Some(format!("alert cleared: {} again", level.name())),
        Fact::CampaignPaused { by: Cause::Ledger, .. } => Some("the campaign is paused by depletion".to_owned()),
        Fact::CampaignResumed { by: Cause::Ledger, .. } => Some("the campaign is resumed".to_owned()),
        _ => None,
    }
}

fn channel_name(channel: Channel) -> &'static str {
    match channel {
        Channel::Dashboard => "dashboard",
        Channel::Email => "email",
        Channel::UrgentEmail => "urgent email",
        Channel::CriticalEmail => "critical email",
        Channel::Push => "push",
        Channel::Sms => "SMS",
        Channel::Whatsapp => "WhatsApp",
        Channel::Partners => "the partners concerned",
    }
}
