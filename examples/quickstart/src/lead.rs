//! One lead, from the merchant's payment to the partner's part.

use std::error::Error;

use leadledger::{
    CreateLead, Customer, DepositId, Ledger, MerchantId, OpenDeposit, PartnerId, RegisterCampaign, Source, ValidateLead,
};

use crate::print;

/// What the end of the story needs to know of a merchant.
pub(crate) struct Merchant {
    pub(crate) id: MerchantId,
    pub(crate) deposit: DepositId,
    pub(crate) partner: PartnerId,
}

pub(crate) fn tell(ledger: &Ledger) -> Result<Merchant, Box<dyn Error>> {
    let id = MerchantId::generate();
    let partner = PartnerId::generate();
    print::chapter("One lead");

    let campaign = ledger.register_campaign(RegisterCampaign::new(id)).wait()?.answer;
    let deposit = ledger.open_deposit(OpenDeposit::new(id, "5000".parse()?)).wait()?.answer;
    print::step(ledger, id, deposit, "The merchant prepays 5000.00.")?;

    let lead = CreateLead {
        source: Some(Source::Instagram),
        customer: Some(Customer { name: Some("Amina".try_into()?), ..Customer::default() }),
        ..CreateLead::new(id, campaign, partner, "600".parse()?)
    };
    // With a key, sending the same command again is safe: it is applied once, and answered alike.
    let created = ledger.create_lead(lead.clone()).key("form-4711").wait()?;
    let again = ledger.create_lead(lead).key("form-4711").wait()?;
    if again.answer != created.answer || !again.replayed {
        return Err("the same key gave another answer".into());
    }
    let lead = created.answer;
    let what = format!(
        "A partner brings a lead worth 600.00: its commission of {} is reserved (sent twice with one key, applied once).",
        lead.commission
    );
    print::step(ledger, id, deposit, &what)?;

    let validate = ValidateLead { score: Some(8), ..ValidateLead::new(id, created.answer.lead) };
    ledger.validate_lead(validate).wait()?;
    let what = format!(
        "The merchant validates it at 8/10: {} is captured, {} to the partner and {} to the platform.",
        lead.commission, lead.partner_part, lead.platform_part
    );
    print::step(ledger, id, deposit, &what)?;
    Ok(Merchant { id, deposit, partner })
}
