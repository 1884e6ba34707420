//! Decide and apply in memory, one thread: a lead created and validated, entry text and hash chain included.

#![allow(missing_docs, clippy::unwrap_used)] // criterion's macros; a measurement may stop

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use leadledger::{
    Book, CampaignId, Command, CreateLead, Decision, DepositId, DueSettled, LeadId, MerchantId, OpenDeposit, PartnerId,
    RegisterCampaign, Settings, Timestamp, ValidateLead, decide,
};

fn take(book: &mut Book, settings: &Settings, now: Timestamp, command: &Command) {
    match decide(book, settings, now, command, DueSettled::default()).unwrap() {
        Decision::Accept(entry) => _ = book.record(entry, None).unwrap(),
        Decision::Repeat(_) => {}
    }
}

fn cycles(criterion: &mut Criterion) {
    let (merchant, campaign, partner) = (MerchantId::generate(), CampaignId::generate(), PartnerId::generate());
    let (settings, now) = (Settings::default(), Timestamp::from_micros(1_767_600_000_000_000));
    let mut register = RegisterCampaign::new(merchant);
    register.campaign = Some(campaign);
    let mut open = OpenDeposit::new(merchant, "50000000000.00".parse().unwrap());
    open.deposit = Some(DepositId::generate());
    let mut book = Book::complete(merchant);
    for command in [register.into(), open.into()] {
        take(&mut book, &settings, now, &command);
    }
    let commands: Vec<Command> = (0..500)
        .flat_map(|_| {
            let lead = LeadId::generate();
            let mut create = CreateLead::new(merchant, campaign, partner, "600.00".parse().unwrap());
            create.lead = Some(lead);
            let mut validate = ValidateLead::new(merchant, lead);
            validate.score = Some(8);
            [create.into(), validate.into()]
        })
        .collect();
    let mut group = criterion.benchmark_group("decide and apply");
    group.throughput(Throughput::Elements(1_000));
    group.bench_function("commands", |bencher| {
        bencher.iter_batched_ref(
            || book.clone(),
            |book| commands.iter().for_each(|command| take(book, &settings, now, command)),
            BatchSize::LargeInput,
        );
    });
    group.finish();
}

criterion_group!(benches, cycles);
criterion_main!(benches);
