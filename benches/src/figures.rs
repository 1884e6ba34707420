//! What figures cost to read from a book with many leads, against one with a thousand, in turns within one run.

use std::sync::Arc;
use std::time::Instant;

use leadledger::{
    CreateLead, DepositId, Ledger, ManualClock, MerchantId, OpenDeposit, Options, PartnerId, RegisterCampaign, Store,
    Timestamp, ValidateLead,
};
use serde_json::{Value, json};

use crate::Fault;

/// Leads of a small book.
const SMALL: u64 = 1_000;
/// Reads that one figure is the median of, from each book.
const READS: usize = 300;
/// The local days over which a book's leads are spread: the same for a small book and a large one.
const DAYS: u32 = 40;
/// Leads that are left pending.
const PENDING: usize = 20;
const PARTNERS: usize = 20;

struct Book {
    ledger: Ledger,
    merchant: MerchantId,
    deposit: DepositId,
    partner: PartnerId,
    today: chrono::NaiveDate,
}

type Read = fn(&Book) -> Result<(), Fault>;

const FIGURES: [(&str, Read); 6] = [
    ("merchant_figures", |book| {
        let figures = book.ledger.merchant_figures(book.merchant).wait()?;
        is(figures.currencies.iter().any(|figures| figures.leads.pending > 0))
    }),
    ("balance_card", |book| is(book.ledger.balance_card(book.merchant, book.deposit).wait()?.is_some())),
    ("daily_report", |book| {
        let yesterday = book.today.pred_opt().ok_or("no yesterday")?;
        let report = book.ledger.daily_report(book.merchant, yesterday).wait()?;
        is(report.currencies.iter().any(|report| report.generated > 0))
    }),
    (
        "pending_leads",
        |book| is(book.ledger.pending_leads(book.merchant, None, PENDING).wait()?.items.len() == PENDING),
    ),
    ("partner_figures", |book| is(!book.ledger.partner_figures(book.partner).wait()?.currencies.is_empty())),
    ("platform_figures", |book| is(!book.ledger.platform_figures().wait()?.currencies.is_empty())),
];

fn is(right: bool) -> Result<(), Fault> {
    if right { Ok(()) } else { Err("a figure is not what was written".into()) }
}

/// Fills two empty stores, one with a thousand leads and one with `leads`, and prints what each figure costs to read.
pub fn run(small: Arc<dyn Store>, large: Arc<dyn Store>, leads: u64) -> Result<Value, Fault> {
    let (small, large) = (fill(small, SMALL)?, fill(large, leads)?);
    println!(
        "\nfigures of {leads} leads over {DAYS} days, against {SMALL} over as many; medians of {READS} reads, in turns"
    );
    println!("figure              {SMALL:>10} us  {leads:>10} us   ratio");
    let mut found = Vec::new();
    for (name, read) in FIGURES {
        let mut times: [Vec<u64>; 2] = Default::default();
        for turn in 0..READS + 20 {
            for (book, times) in [&small, &large].into_iter().zip(&mut times) {
                let begun = Instant::now();
                read(book)?;
                // The first ones open connections and prepare statements.
                if turn >= 20 {
                    times.push(u64::try_from(begun.elapsed().as_nanos()).unwrap_or(u64::MAX));
                }
            }
        }
        let [small, large] = times.map(|mut times| {
            times.sort_unstable();
            times.get(READS / 2).copied().unwrap_or(0)
        });
        let percent = large * 100 / small.max(1);
        let ratio = format!("{}.{:02}", percent / 100, percent % 100);
        println!("{name:<18}  {:>10} us  {:>10} us  {ratio:>6}", small / 1_000, large / 1_000);
        found.push(json!({ "figure": name, "small_nanos": small, "large_nanos": large, "ratio": ratio }));
    }
    Ok(Value::Array(found))
}

fn fill(store: Arc<dyn Store>, leads: u64) -> Result<Book, Fault> {
    let begin = Timestamp::from_micros(1_767_600_000_000_000);
    let clock = Arc::new(ManualClock::new(begin));
    let ledger = Ledger::with_shared(store, Arc::clone(&clock) as _, Options::default())?;
    let merchant = MerchantId::generate();
    let deposit = ledger.open_deposit(OpenDeposit::new(merchant, "50000000000".parse()?)).wait()?.answer;
    let campaign = ledger.register_campaign(RegisterCampaign::new(merchant)).wait()?.answer;
    let partners: Vec<PartnerId> = (0..PARTNERS).map(|_| PartnerId::generate()).collect();
    let whose = |number: usize| partners.get(number % PARTNERS).copied().ok_or("no partner");
    let mut pending = Vec::new();
    for day in 0..DAYS {
        clock.set(begin.plus_days(day));
        let mut left = leads / u64::from(DAYS);
        while left > 0 {
            let some = left.min(4_000);
            left -= some;
            let create = |number: u64| -> Result<_, Fault> {
                let partner = whose(usize::try_from(number)?)?;
                Ok(ledger.create_lead(CreateLead::new(merchant, campaign, partner, "600.00".parse()?)).send())
            };
            let created: Vec<_> = (0..some).map(create).collect::<Result<_, _>>()?;
            for created in created {
                pending.push(created.wait()?.answer.lead);
            }
            // Some stay pending, and expire after three days, as some do.
            let keep = if day + 1 == DAYS && left == 0 { PENDING } else { 2 };
            let decided = pending.len().saturating_sub(keep);
            let validate = |lead| ledger.validate_lead(ValidateLead::new(merchant, lead)).send();
            let validated: Vec<_> = pending.drain(..decided).map(validate).collect();
            for validated in validated {
                validated.wait()?;
            }
            if day + 1 < DAYS {
                pending.clear();
            }
        }
    }
    let today = ledger.merchant_figures(merchant).wait()?.today;
    let partner = whose(0)?;
    Ok(Book { ledger, merchant, deposit, partner, today })
}
