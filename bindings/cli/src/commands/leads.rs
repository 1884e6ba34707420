//! `leads`: a page of a merchant's leads. Personal data is not shown.

use leadledger::{Cursor, LeadOrder, LeadQuery, LeadStatus, LeadView, Ledger, Page, Source};
use serde_json::{Value, json};

use crate::cli::Leads;
use crate::commands::{known_merchant, optional_id, page_fault};
use crate::errors::Failure;
use crate::output::{Column, Output};

pub(crate) fn run(ledger: &Ledger, arguments: &Leads, out: &mut Output) -> Result<(), Failure> {
    let limit = usize::try_from(arguments.page.limit).unwrap_or(usize::MAX);
    let query = LeadQuery {
        status: arguments.status.as_deref().and_then(LeadStatus::from_name),
        campaign: optional_id("campaign", arguments.campaign.as_deref())?,
        partner: optional_id("partner", arguments.partner.as_deref())?,
        source: arguments.source.as_deref().and_then(Source::from_name),
        order: if arguments.pending { LeadOrder::ReviewPriority } else { LeadOrder::Newest },
        after: arguments.page.after.clone().map(Cursor),
        limit,
        ..LeadQuery::of(known_merchant(ledger, &arguments.merchant)?)
    };
    let page = full_page(ledger, query)?;
    if out.json {
        let leads: Vec<Value> = page.items.iter().map(json_of).collect();
        return Ok(out.json(&json!({ "leads": leads, "next": page.next }))?);
    }
    let rows: Vec<Vec<String>> = page.items.iter().map(|lead| row(lead, out)).collect();
    let columns = [
        Column::Text("LEAD"),
        Column::Text("CREATED"),
        Column::Text("STATUS"),
        Column::Text("PRIORITY"),
        Column::Text("SOURCE"),
        Column::Number("VALUE"),
        Column::Number("COMMISSION"),
        Column::Text("PARTNER"),
    ];
    out.table(&columns, &rows)?;
    match page.next {
        Some(next) => Ok(out.line(format_args!("more: --after {}", next.0))?),
        None => Ok(()),
    }
}

/// A page of the store can be short although more leads would pass the filters.
fn full_page(ledger: &Ledger, mut query: LeadQuery) -> Result<Page<LeadView>, Failure> {
    let limit = query.limit;
    let mut whole = Page { items: Vec::new(), next: None };
    loop {
        query.limit = limit - whole.items.len();
        let page = ledger.leads(query.clone()).wait().map_err(|error| page_fault(error, query.after.as_ref()))?;
        whole.items.extend(page.items);
        whole.next.clone_from(&page.next);
        if whole.items.len() >= limit || page.next.is_none() {
            return Ok(whole);
        }
        query.after = page.next;
    }
}

fn row(view: &LeadView, out: &Output) -> Vec<String> {
    let lead = &view.lead;
    vec![
        view.id.to_string(),
        out.time(lead.created_at),
        lead.status.name().to_owned(),
        view.review_priority.map_or_else(String::new, |priority| priority.name().to_owned()),
        lead.source.name().to_owned(),
        out.money(view.value, lead.currency),
        out.money(view.commission, lead.currency),
        lead.partner.to_string(),
    ]
}

fn json_of(view: &LeadView) -> Value {
    let lead = &view.lead;
    json!({
        "lead": view.id,
        "campaign": lead.campaign,
        "partner": lead.partner,
        "deposit": lead.deposit,
        "source": lead.source,
        "status": lead.status,
        "review_priority": view.review_priority,
        "currency": lead.currency,
        "value": view.value.to_string(),
        "commission": view.commission.to_string(),
        "partner_part": view.partner_part.to_string(),
        "platform_part": view.platform_part.to_string(),
        "score": lead.score,
        "created_at": lead.created_at,
        "expires_at": lead.expires_at(),
        "decided_at": lead.decided_at,
    })
}

#[cfg(test)]
mod tests {
    use leadledger::{CreateLead, MerchantId, OpenDeposit, PartnerId, RegisterCampaign};

    use super::*;

    #[test]
    fn a_page_is_full_however_far_its_leads_lie_apart() {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", folder.path().join("ledger.db").display());
        let ledger = leadledger_facade::open(&url, leadledger::Options::default()).unwrap();
        let (merchant, partner) = (MerchantId::generate(), PartnerId::generate());
        let campaign = ledger.register_campaign(RegisterCampaign::new(merchant)).wait().unwrap().answer;
        let amount = "1000000.00".parse().unwrap();
        ledger.open_deposit(OpenDeposit::new(merchant, amount)).wait().unwrap();
        // Two from Instagram, more others than the store looks at for one page, and two again.
        let create = |source: Source| {
            let lead = CreateLead::new(merchant, campaign, partner, "50.00".parse().unwrap());
            ledger.create_lead(CreateLead { source: Some(source), ..lead }).send()
        };
        let mut sent: Vec<_> = (0..2).map(|_| create(Source::Instagram)).collect();
        sent.extend((0..5_000).map(|_| create(Source::Direct)));
        sent.extend((0..2).map(|_| create(Source::Instagram)));
        for lead in sent {
            lead.wait().unwrap();
        }
        for (limit, found) in [(1, 1), (3, 3), (4, 4), (5, 4)] {
            let query = LeadQuery { source: Some(Source::Instagram), limit, ..LeadQuery::of(merchant) };
            let first = ledger.leads(query.clone()).wait().unwrap();
            assert!(first.items.len() <= 2, "the store gives it all at once, which tests nothing");
            let page = full_page(&ledger, query).unwrap();
            assert_eq!((page.items.len(), page.next.is_some()), (found, limit < 4), "{limit}");
        }
    }
}
