//! The ledger's promises on any store (DOMAIN.md chapter 11): statements, checks, many callers, merchants apart.

use super::Case;
use super::ground::{CAMPAIGN, DEPOSIT, Ground, id, lead, merchant, partner, prepared, send, top_up};
use super::story::{MAIN, in_memory, on};
use crate::command::{
    AttachReference, CloseDeposit, ConvertLead, CreateLead, OpenDeposit, RequestPayout, SetAgreement, SettlePayout,
    ValidateLead,
};
use crate::ids::{PayoutId, TopUpId};
use crate::ledger::Options;
use crate::money::Currency;
use crate::store::{Cursor, LeadQuery};

pub(super) const CASES: &[Case] = &[
    ("the book reads as in the memory store, and its check passes", same_book),
    ("a statement's pages add up to the balance", statement),
    ("a statement's cursor is its own deposit's", statement_cursors),
    ("earnings are told by currency, also when all is paid out", earnings),
    ("many callers lose nothing and double nothing", many_callers),
    ("a check passes while commands go on", checked_meanwhile),
    ("nothing of one merchant is reachable through another's id", merchants_apart),
];

fn same_book(ground: &Ground) {
    let merchants = [merchant(1), merchant(2), merchant(3)];
    let (_, model) = in_memory(&merchants);
    let ledger = on(ground, &merchants);
    for ledger in [ledger, ground.ledger()] {
        for who in merchants {
            let (found, expected) = (ledger.book(who).wait().unwrap(), model.book(who).wait().unwrap());
            assert_eq!(found, expected);
            assert_eq!(found.to_json(Currency::MAD), expected.to_json(Currency::MAD));
            let report = ledger.check(who).wait().unwrap();
            assert_eq!((report.entries, report.leads > 30, report.accounts > 10), (found.entries, true, true));
            assert_eq!(report.merchant, who);
        }
    }
}

fn statement(ground: &Ground) {
    let ledger = on(ground, &[merchant(1)]);
    let (who, deposit) = (merchant(1), id(MAIN));
    let page = |after: Option<Cursor>, limit| ledger.statement(who, deposit, after, limit).wait().unwrap().unwrap();
    let whole = page(None, 1_000);
    assert!(whole.lines.len() > 10 && whole.next.is_none());
    let now = ledger.deposit(who, deposit).wait().unwrap().unwrap();
    assert_eq!(whole.lines[0].balance_after, now.balance);
    for pair in whole.lines.windows(2) {
        assert_eq!(pair[0].balance_after - pair[0].amount, pair[1].balance_after);
        assert!(pair[0].seq > pair[1].seq);
    }
    let first = whole.lines.last().unwrap();
    assert_eq!(first.balance_after, first.amount);
    for limit in [1, 2, 5] {
        let (mut lines, mut after) = (Vec::new(), None);
        loop {
            let part = page(after, limit);
            assert!(part.lines.len() <= limit);
            lines.extend(part.lines);
            after = part.next;
            if after.is_none() {
                break;
            }
            // What comes meanwhile is not on the pages that follow.
            send(&ledger, [top_up(who, deposit, "100.00")]);
        }
        let known = lines.iter().filter(|line| whole.lines.contains(line)).count();
        assert_eq!(known, whole.lines.len(), "pages of {limit}");
        assert!(lines.windows(2).all(|pair| pair[0].seq > pair[1].seq));
    }
    assert_eq!(ledger.statement(who, id(7), None, 10).wait().unwrap(), None);
}

fn statement_cursors(ground: &Ground) {
    let ledger = on(ground, &[merchant(1)]);
    let who = merchant(1);
    let next = ledger.statement(who, id(MAIN), None, 1).wait().unwrap().unwrap().next;
    let other = Some(Cursor("memory:1".to_owned()));
    for (deposit, cursor) in [(super::story::OWN, next), (MAIN, other)] {
        let refused = ledger.statement(who, id(deposit), cursor, 1).wait();
        assert_eq!(refused.unwrap_err().code(), "store_foreign");
    }
}

fn earnings(ground: &Ground) {
    let (ledger, who) = (ground.ledger(), merchant(1));
    send(&ledger, prepared(who));
    let view = |partner| ledger.partner(who, partner).wait().unwrap();
    assert_eq!(view(partner(1)), []);
    send(&ledger, [SetAgreement::new(who, partner(1), "100".parse().unwrap()).into()]);
    send(&ledger, [lead(who, id(CAMPAIGN), id(10), "600.00").into()]);
    assert_eq!(view(partner(1)), []);
    send(&ledger, [ValidateLead::new(who, id(10)).into()]);
    assert_eq!(view(partner(1))[0].payable.to_string(), "60.00");
    // All that came in goes out by the same method: no account but the partner's memo has anything left.
    let ask = RequestPayout::new(who, partner(1), "60.00".parse().unwrap());
    let payout: PayoutId = ledger.request_payout(ask).wait().unwrap().answer;
    send(&ledger, [SettlePayout::new(who, payout).into(), CloseDeposit::new(who, id(DEPOSIT)).into()]);
    for ledger in [ledger.clone(), ground.ledger()] {
        let view = ledger.partner(who, partner(1)).wait().unwrap();
        assert_eq!(view.len(), 1, "earnings that were paid out are not told");
        assert_eq!((view[0].payable.to_string(), view[0].paid.to_string()), ("0.00".to_owned(), "60.00".to_owned()));
    }
    ledger.check(who).wait().unwrap();
}

fn many_callers(ground: &Ground) {
    let merchants = [merchant(1), merchant(2), merchant(3)];
    // Small batches, so that there are many; two ledgers, as two processes would be.
    let options = Options { batch: 7, ..Options::default() };
    let ledgers = [ground.ledger_on(ground.store(), options.clone()), ground.ledger_on(ground.store(), options)];
    for who in merchants {
        send(&ledgers[0], prepared(who));
    }
    std::thread::scope(|scope| {
        for thread in 0_u32..8 {
            let ledger = &ledgers[thread as usize % 2];
            scope.spawn(move || {
                for round in 0..15 {
                    let who = merchants[(thread + round) as usize % 3];
                    let place = id(1_000 + thread * 100 + round);
                    send(ledger, [lead(who, id(CAMPAIGN), place, "600.00").into()]);
                    send(ledger, [ValidateLead::new(who, place).into(), ConvertLead::new(who, place).into()]);
                }
            });
        }
    });
    let (mut leads, mut spent) = (0, 0);
    for who in merchants {
        let book = ledgers[1].book(who).wait().unwrap();
        leads += book.leads.len();
        let deposit = &book.deposits[&id(DEPOSIT)];
        spent += 500_000 - crate::money::to_minor(deposit.balance, Currency::MAD).unwrap();
        assert_eq!(deposit.reserved.to_string(), "0.00");
        assert_eq!(book.entries, 2 + 3 * book.leads.len() as u64);
        ledgers[0].check(who).wait().unwrap();
    }
    assert_eq!((leads, spent), (120, 120 * 6_000));
}

fn checked_meanwhile(ground: &Ground) {
    let (writer, reader, who) = (ground.ledger(), ground.ledger(), merchant(1));
    send(&writer, prepared(who));
    std::thread::scope(|scope| {
        let writing = scope.spawn(|| {
            for n in 0..40 {
                let done = writer.submit(top_up(who, id(DEPOSIT), "100.00")).key(format!("k{n}")).wait();
                assert!(!done.unwrap().replayed);
            }
        });
        let mut entries = 0;
        while !writing.is_finished() {
            let report = reader.check(who).wait().unwrap();
            assert!(report.entries >= entries);
            entries = report.entries;
        }
    });
    assert_eq!(reader.check(who).wait().unwrap().entries, 42);
}

fn merchants_apart(ground: &Ground) {
    let (rich, poor) = (merchant(1), merchant(2));
    let ledger = on(ground, &[rich]);
    let code = |command| ledger.submit(command).wait().unwrap_err().code();
    assert_eq!(code(ValidateLead::new(poor, id(325)).into()), "lead_not_found");
    assert_eq!(code(top_up(poor, id(MAIN), "100.00")), "deposit_not_found");
    assert_eq!(code(CloseDeposit::new(poor, id(MAIN)).into()), "deposit_not_found");
    assert_eq!(code(lead(poor, id(201), id(1), "600.00").into()), "campaign_not_found");
    assert_eq!(code(SettlePayout::new(poor, id(502)).into()), "payout_not_found");
    let claim = AttachReference::new(poor, id::<TopUpId>(404), "pi_404".try_into().unwrap());
    assert_eq!(code(claim.into()), "top_up_not_found");
    let ask = RequestPayout::new(poor, partner(1), "0.01".parse().unwrap());
    assert_eq!(code(ask.into()), "insufficient_funds");
    assert_eq!(ledger.deposit(poor, id(MAIN)).wait().unwrap(), None);
    assert_eq!(ledger.lead(poor, id(325)).wait().unwrap(), None);
    assert_eq!(ledger.lead_texts(poor, id(300)).wait().unwrap(), None);
    assert_eq!(ledger.top_up_state(poor, id(404)).wait().unwrap(), None);
    assert_eq!(ledger.payout_state(poor, id(502)).wait().unwrap(), None);
    assert_eq!(ledger.statement(poor, id(MAIN), None, 10).wait().unwrap(), None);
    assert_eq!(ledger.partner(poor, partner(1)).wait().unwrap(), []);
    assert!(ledger.campaigns(poor).wait().unwrap().is_empty());
    assert!(ledger.leads(LeadQuery::of(poor)).wait().unwrap().items.is_empty());
    assert!(ledger.events(poor, 0, 10).wait().unwrap().is_empty());
    // The same ids and references in a book of its own are other things.
    send(&ledger, prepared(poor));
    let own = OpenDeposit { deposit: Some(id(MAIN)), ..OpenDeposit::new(poor, "2000.00".parse().unwrap()) };
    assert_eq!(code(own.into()), "deposit_exists");
    let same = CreateLead { lead: Some(id(325)), ..lead(poor, id(CAMPAIGN), id(325), "600.00") };
    send(&ledger, [same.into(), ValidateLead::new(poor, id(325)).into()]);
    assert_eq!(ledger.book(poor).wait().unwrap().entries, 4);
    for who in [rich, poor] {
        ledger.check(who).wait().unwrap();
    }
}
