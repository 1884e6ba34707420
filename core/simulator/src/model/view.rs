//! A book as the vectors show it, and the promises of DOMAIN.md 11 that it must keep.

#[allow(clippy::wildcard_imports, reason = "the model is one module in three files")]
use super::*;

impl Book {
    pub(super) fn show(&self, currency: &str) -> Value {
        let shown = |minor| money::show(minor, money::decimals(currency));
        let debit = |account: &str| shown(self.account(currency, account));
        let credit = |account: &str| shown(-self.account(currency, account));
        let deposits: Answer = self.deposits.keys().map(|id| (id.clone(), self.show_deposit(id))).collect();
        let leads: Answer = self.leads.iter().map(|(id, l)| (id.clone(), json!(l.status))).collect();
        let top_ups: Answer = self.top_ups.iter().map(|(id, t)| (id.clone(), json!(t.status))).collect();
        let campaigns: Answer = self
            .campaigns
            .iter()
            .map(|(id, c)| (id.clone(), c.running == Running::Active))
            .map(|(id, active)| (id, json!(if active { "active" } else { "paused" })))
            .collect();
        let partners: Answer = self
            .paid
            .iter()
            .filter(|((of, _), _)| of == currency)
            .map(|((_, whose), paid)| {
                let account = |bucket| credit(&partner(whose, bucket));
                let shown = json!({
                    "held": account("held"),
                    "payable": account("payable"),
                    "in_payout": account("in_payout"),
                    "paid": shown(*paid),
                });
                (whose.clone(), shown)
            })
            .collect();
        let missed: Vec<i128> = self.missed.values().filter(|(of, _)| of == currency).map(|(_, cost)| *cost).collect();
        json!({
            "deposits": deposits,
            "leads": leads,
            "campaigns": campaigns,
            "partners": partners,
            "top_ups": top_ups,
            "platform": {
                "commission": credit("platform:commission"),
                "losses": debit("platform:losses"),
                "adjustments": debit("platform:adjustments"),
                "receivable": debit("receivable:merchant"),
            },
            "missed": { "leads": missed.len(), "commission": shown(missed.iter().sum()) },
        })
    }

    pub(super) fn show_deposit(&self, id: &str) -> Value {
        let deposit = &self.deposits[id];
        let shown = |minor| money::show(minor, money::decimals(&deposit.currency));
        let open = deposit.standing != Standing::Closed;
        json!({
            "balance": shown(self.balance(id)),
            "reserved": shown(deposit.reserved),
            "available": shown(self.available(id)),
            "level": open.then(|| self.level(id).name()),
            "status": match deposit.standing {
                Standing::Active => "active",
                Standing::Closed => "closed",
                Standing::SuspendedByHand | Standing::SuspendedForDebt => "suspended",
            },
        })
    }

    pub(super) fn check(&self) -> Result<(), String> {
        let holds = |holds: bool, what: &str| ensure(holds, "").map_err(|_| what.to_owned());
        let currencies: BTreeSet<&String> = self.accounts.keys().map(|(currency, _)| currency).collect();
        for currency in currencies {
            let same = self.accounts.iter().filter(|((of, _), _)| of == currency);
            let sum: i128 = same.map(|(_, balance)| balance).sum();
            holds(sum == 0, &format!("the postings in {currency} sum to {sum}"))?;
            holds(self.debt(currency) >= 0, &format!("a debt in {currency} below zero"))?;
            let stray = if self.debt(currency) > 0 { Standing::Active } else { Standing::SuspendedForDebt };
            let strays = self.deposits.values().filter(|d| &d.currency == currency);
            holds(strays.clone().all(|d| d.standing != stray), "debt and suspensions disagree")?;
        }
        for (id, deposit) in &self.deposits {
            let (balance, reserved) = (self.balance(id), deposit.reserved);
            holds(0 <= reserved && reserved <= balance, &format!("deposit {id}: {reserved} of {balance}"))?;
            let pending = self.leads.values().filter(|l| l.status == "pending" && l.deposit == *id);
            let sum: i128 = pending.map(|lead| lead.commission).sum();
            holds(sum == reserved, &format!("deposit {id}: {reserved} reserved, {sum} pending"))?;
            let closed = deposit.standing == Standing::Closed;
            holds(!closed || balance == 0, &format!("deposit {id} is closed with {balance}"))?;
        }
        for (currency, whose) in self.paid.keys() {
            let held = self.leads.values().filter(|l| l.matures_at.is_some());
            let held = held.filter(|l| l.partner == *whose && l.currency == *currency);
            let sum: i128 = held.map(|lead| lead.partner_part).sum();
            let agrees = -self.account(currency, &partner(whose, "held")) == sum;
            holds(agrees, &format!("partner {whose}: held is not the sum of held parts"))?;
            let open = self.payouts.values().filter(|p| p.status == "requested");
            let open = open.filter(|p| p.partner == *whose && p.currency == *currency);
            let sum: i128 = open.map(|payout| payout.amount).sum();
            let agrees = -self.account(currency, &partner(whose, "in_payout")) == sum;
            holds(agrees, &format!("partner {whose}: in_payout is not the sum of open payouts"))?;
        }
        let lefts = self.top_ups.values().all(|t| 0 <= t.left && t.left <= t.received);
        holds(lefts, "a top-up has more left than it received")
    }
}
