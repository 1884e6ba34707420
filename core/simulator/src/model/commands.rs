//! What each command checks, in the order of DOMAIN.md 8, and what it then does.

#[allow(clippy::wildcard_imports, reason = "the model is one module in three files")]
use super::*;

impl Book {
    pub(super) fn create_lead(&mut self, now: i64, with: &Value) -> Result<Value, Refusal> {
        let currency = self.currency_of(with);
        let value = positive_amount(with, "value", &currency)?;
        let (id, campaign_id, partner) = (text(with, "lead"), text(with, "campaign"), text(with, "partner"));
        ensure(!self.leads.contains_key(id), "lead_exists")?;
        let campaign = self.campaign_mut(with)?.clone();
        let policy = &campaign.policy;
        let whose = partner.to_owned();
        let special = self.agreements.get(&(whose.clone(), Some(campaign_id.to_owned())));
        let terms = special.or_else(|| self.agreements.get(&(whose, None)));
        let (share, delay_days) = terms.copied().unwrap_or((policy.default_share, 0));
        let cost = money::commission(value, policy.rate, policy.threshold, policy.fixed, share);

        if campaign.running == Running::PausedByDepletion {
            self.missed.insert(id.to_owned(), (currency, cost.total));
            return Err("campaign_paused");
        }
        ensure(campaign.running == Running::Active, "campaign_paused")?;
        ensure(value >= policy.minimum_value, "value_below_minimum")?;
        let deposit = self.drawn_on_by(campaign_id).ok_or("no_active_deposit")?;
        ensure(self.deposits[&deposit].standing == Standing::Active, "deposit_suspended")?;
        if self.available(&deposit) < cost.total {
            self.missed.insert(id.to_owned(), (currency, cost.total));
            return Err("insufficient_funds");
        }

        self.missed.remove(id);
        let lead = Lead {
            number: self.leads.len(),
            currency: currency.clone(),
            partner: partner.to_owned(),
            deposit: deposit.clone(),
            status: "pending",
            commission: cost.total,
            partner_part: cost.partner_part,
            delay_days,
            minimum_quality: policy.minimum_quality,
            accept_on_timeout: policy.accept_on_timeout,
            expires_at: now + policy.window_hours * HOUR_MICROS,
            matures_at: None,
        };
        self.leads.insert(id.to_owned(), lead);
        self.reserve(&deposit, cost.total);
        let shown = |minor| money::show(minor, money::decimals(&currency));
        Ok(json!({
            "type": cost.kind,
            "commission": shown(cost.total),
            "partner_part": shown(cost.partner_part),
            "platform_part": shown(cost.platform_part),
        }))
    }

    pub(super) fn pending_lead(&self, with: &Value) -> Result<(String, Lead), Refusal> {
        let (id, lead) = self.lead(with)?;
        ensure(lead.status != "expired", "lead_expired")?;
        ensure(lead.status == "pending", "invalid_transition")?;
        Ok((id, lead))
    }

    pub(super) fn validate_lead(&mut self, now: i64, with: &Value) -> Result<Value, Refusal> {
        let score = with["score"].as_i64();
        ensure(score.is_none_or(|score| (1..=10).contains(&score)), "invalid_score")?;
        let (id, lead) = self.pending_lead(with)?;
        if let Some(minimum) = lead.minimum_quality {
            ensure(score.ok_or("quality_required")? >= minimum, "quality_below_minimum")?;
        }
        self.capture(&id, now);
        Ok(json!({}))
    }

    pub(super) fn reject_lead(&mut self, with: &Value) -> Result<Value, Refusal> {
        reason(with)?;
        let (id, _) = self.pending_lead(with)?;
        self.release(&id, "rejected");
        Ok(json!({}))
    }

    pub(super) fn conclude_lead(&mut self, with: &Value, status: &'static str) -> Result<Value, Refusal> {
        let (id, lead) = self.lead(with)?;
        ensure(lead.status == "validated", "invalid_transition")?;
        self.lead_mut(&id).status = status;
        Ok(json!({}))
    }

    pub(super) fn reverse_lead(&mut self, with: &Value) -> Result<Value, Refusal> {
        reason(with)?;
        let (id, lead) = self.lead(with)?;
        ensure(["validated", "converted", "lost"].contains(&lead.status), "invalid_transition")?;
        ensure(self.deposits[&lead.deposit].standing != Standing::Closed, "deposit_closed")?;
        let bucket = if lead.matures_at.is_some() { "held" } else { "payable" };
        self.post_commission(&lead, bucket, -1);
        let stored = self.lead_mut(&id);
        (stored.status, stored.matures_at) = ("reversed", None);
        Ok(json!({}))
    }

    // Campaigns and agreements.

    pub(super) fn register_campaign(&mut self, with: &Value) -> Result<Value, Refusal> {
        let currency = own_currency(with);
        let at_home = currency == HOME_CURRENCY;
        let complete = !with["threshold"].is_null() && !with["fixed"].is_null();
        ensure(at_home || complete, "invalid_policy")?;
        let defaults = Policy {
            minimum_value: minimum(&currency, 50_00),
            threshold: 800_00,
            fixed: 80_00,
            rate: money::WHOLE / 10,
            default_share: money::WHOLE * 3 / 10,
            minimum_quality: None,
            window_hours: 72,
            auto_stop: true,
            accept_on_timeout: false,
        };
        let policy = policy(with, &currency, defaults)?;
        let id = text(with, "campaign").to_owned();
        ensure(!self.campaigns.contains_key(&id), "campaign_exists")?;
        self.campaigns.insert(id, Campaign { currency, policy, running: Running::Active });
        Ok(json!({}))
    }

    pub(super) fn update_campaign(&mut self, with: &Value) -> Result<Value, Refusal> {
        let currency = self.currency_of(with);
        // The given fields of an unknown campaign are judged by themselves alone.
        let lenient = Policy {
            minimum_value: 0,
            threshold: LIMIT,
            fixed: 0,
            rate: 0,
            default_share: 0,
            minimum_quality: None,
            window_hours: 1,
            auto_stop: true,
            accept_on_timeout: false,
        };
        let known = self.campaigns.get(text(with, "campaign")).map(|c| c.policy.clone());
        let policy = policy(with, &currency, known.unwrap_or(lenient))?;
        self.campaign_mut(with)?.policy = policy;
        Ok(json!({}))
    }

    pub(super) fn pause_campaign(&mut self, with: &Value) -> Result<Value, Refusal> {
        let campaign = self.campaign_mut(with)?;
        ensure(campaign.running != Running::PausedByHand, "invalid_transition")?;
        campaign.running = Running::PausedByHand;
        Ok(json!({}))
    }

    pub(super) fn resume_campaign(&mut self, with: &Value) -> Result<Value, Refusal> {
        let campaign = self.campaign_mut(with)?;
        ensure(campaign.running != Running::Active, "invalid_transition")?;
        campaign.running = Running::Active;
        Ok(json!({}))
    }

    pub(super) fn set_agreement(&mut self, with: &Value) -> Result<Value, Refusal> {
        let share = percent(with, "share").ok_or("invalid_agreement")?;
        let delay_days = with["payout_delay_days"].as_i64().unwrap_or(0);
        ensure(delay_days >= 0, "invalid_agreement")?;
        let campaign = optional(with, "campaign");
        let known = campaign.as_ref().is_none_or(|id| self.campaigns.contains_key(id));
        ensure(known, "campaign_not_found")?;
        self.agreements.insert((text(with, "partner").to_owned(), campaign), (share, delay_days));
        Ok(json!({}))
    }

    // Deposits.

    pub(super) fn open_deposit(&mut self, with: &Value) -> Result<Value, Refusal> {
        let campaign = self.campaigns.get(text(with, "campaign"));
        let currency = campaign.map_or_else(|| own_currency(with), |c| c.currency.clone());
        let amount = positive_amount(with, "amount", &currency)?;
        let campaign = self.scope(with, &currency)?;
        ensure(amount >= minimum_opening(&currency), "below_minimum")?;
        ensure(self.open_for(campaign.as_deref(), &currency).is_none(), "deposit_exists")?;
        self.open(text(with, "deposit"), campaign, &currency, amount, &method(with))?;
        Ok(json!({}))
    }

    pub(super) fn top_up(&mut self, with: &Value) -> Result<Value, Refusal> {
        let currency = self.currency_of(with);
        let amount = positive_amount(with, "amount", &currency)?;
        let (id, _) = self.open_named(with)?;
        ensure(amount >= minimum_top_up(&currency), "below_minimum")?;
        self.pay_in(&id, amount, &method(with));
        Ok(json!({}))
    }

    pub(super) fn adjust_deposit(&mut self, with: &Value) -> Result<Value, Refusal> {
        let currency = self.currency_of(with);
        ensure(!money::is_zero(text(with, "amount")), "invalid_amount")?;
        let amount = amount(with, "amount", &currency)?;
        reason(with)?;
        let (id, _) = self.open_named(with)?;
        ensure(self.available(&id) + amount >= 0, "insufficient_funds")?;
        self.post(&currency, &[("platform:adjustments".to_owned(), amount), (format!("deposit:{id}"), -amount)]);
        self.moved(&id);
        Ok(json!({}))
    }

    pub(super) fn suspend_deposit(&mut self, with: &Value) -> Result<Value, Refusal> {
        let (id, deposit) = self.open_named(with)?;
        ensure(deposit.standing != Standing::SuspendedByHand, "invalid_transition")?;
        self.deposit_mut(&id).standing = Standing::SuspendedByHand;
        Ok(json!({}))
    }

    pub(super) fn resume_deposit(&mut self, with: &Value) -> Result<Value, Refusal> {
        let (id, deposit) = self.open_named(with)?;
        ensure(deposit.standing != Standing::Active, "invalid_transition")?;
        ensure(self.debt(&deposit.currency) == 0, "debt_outstanding")?;
        self.deposit_mut(&id).standing = Standing::Active;
        Ok(json!({}))
    }

    pub(super) fn close_deposit(&mut self, with: &Value) -> Result<Value, Refusal> {
        let (id, deposit) = self.open_named(with)?;
        ensure(deposit.reserved == 0, "reservations_pending")?;
        let currency = deposit.currency.as_str();
        let drew = self.drawing_on(&id);
        let balance = self.balance(&id);
        let to_debt = self.debt(currency).min(balance);
        let paid_back = balance - to_debt;
        self.deposit_mut(&id).standing = Standing::Closed;
        self.post(
            currency,
            &[
                (format!("deposit:{id}"), balance),
                ("receivable:merchant".to_owned(), -to_debt),
                (format!("payments:{}", method(with)), -paid_back),
            ],
        );
        self.suspend_by_debt(currency);
        for campaign in drew {
            let alive = self.drawn_on_by(&campaign).is_some_and(|fallback| self.level(&fallback) != Level::Depleted);
            let campaign = self.campaigns.get_mut(&campaign).expect("a key of this map");
            if alive && campaign.running == Running::PausedByDepletion {
                campaign.running = Running::Active;
            }
        }
        Ok(json!({ "paid_back": money::show(paid_back, money::decimals(currency)) }))
    }

    pub(super) fn set_alert_settings(&mut self, with: &Value) -> Result<Value, Refusal> {
        let (id, _) = self.open_named(with)?;
        let deposit = self.deposit_mut(&id);
        if let Some(basis) = optional(with, "basis") {
            deposit.by_available = basis == "available";
        }
        if let Some(reference) = optional(with, "reference") {
            deposit.by_last_top_up = reference == "last_top_up";
        }
        self.follow_up(&id);
        Ok(json!({}))
    }

    pub(super) fn set_auto_top_up(&mut self, with: &Value) -> Result<Value, Refusal> {
        let currency = self.currency_of(with);
        for field in ["threshold", "amount"] {
            ensure(money::is_positive(text(with, field)), "invalid_amount")?;
        }
        for field in ["threshold", "amount"] {
            let minor = money::scaled(text(with, field), money::decimals(&currency));
            ensure(minor.is_some(), "amount_precision")?;
        }
        amount(with, "threshold", &currency)?;
        let amount = amount(with, "amount", &currency)?;
        self.open_named(with)?;
        ensure(amount >= minimum(&currency, 1000_00), "below_minimum")?;
        Ok(json!({}))
    }

    // Top-ups.

    /// The currency of the top-up that a command names.
    pub(super) fn top_up_currency(&self, with: &Value) -> String {
        let top_up = self.top_ups.get(text(with, "top_up"));
        top_up.map_or_else(|| own_currency(with), |top_up| top_up.currency.clone())
    }

    pub(super) fn begin_top_up(&mut self, with: &Value) -> Result<Value, Refusal> {
        let currency = self.currency_of(with);
        let amount = positive_amount(with, "amount", &currency)?;
        let id = text(with, "top_up").to_owned();
        ensure(!self.top_ups.contains_key(&id), "top_up_exists")?;
        let campaign = self.scope(with, &currency)?;
        let minimum = match self.open_for(campaign.as_deref(), &currency) {
            Some(_) => minimum_top_up(&currency),
            None => minimum_opening(&currency),
        };
        ensure(amount >= minimum, "below_minimum")?;
        let top_up = TopUp {
            currency,
            campaign,
            method: method(with),
            status: "pending",
            received: 0,
            left: 0,
            deposit: String::new(),
            reference: String::new(),
        };
        self.top_ups.insert(id, top_up);
        Ok(json!({}))
    }

    /// Takes a provider's reference for a top-up, for good.
    pub(super) fn claim(&mut self, id: &str, method: &str, reference: &str) -> Result<(), Refusal> {
        let claim = (method.to_owned(), reference.to_owned());
        let owner = self.references.entry(claim).or_insert_with(|| id.to_owned());
        ensure(owner == id, "reference_used")
    }

    pub(super) fn attach_reference(&mut self, with: &Value) -> Result<Value, Refusal> {
        let (id, top_up) = self.top_up_of(with)?;
        ensure(top_up.status == "pending", "invalid_transition")?;
        self.claim(&id, &top_up.method, text(with, "reference"))?;
        Ok(json!({}))
    }

    /// `false` where this very success was told before.
    pub(super) fn succeed_top_up(&mut self, with: &Value) -> Result<bool, Refusal> {
        let received = positive_amount(with, "received", &self.top_up_currency(with))?;
        let (id, top_up) = self.top_up_of(with)?;
        let reference = text(with, "reference");
        let credited = ["succeeded", "disputed", "refunded"].contains(&top_up.status);
        if credited && top_up.reference == reference {
            ensure(top_up.received == received, "amount_mismatch")?;
            return Ok(false);
        }
        ensure(!credited, "invalid_transition")?;
        self.claim(&id, &top_up.method, reference)?;
        let deposit = self.credit(&top_up, received, with)?;
        let stored = self.top_up_mut(&id);
        stored.status = "succeeded";
        (stored.received, stored.left) = (received, received);
        (stored.deposit, stored.reference) = (deposit, reference.to_owned());
        Ok(true)
    }

    pub(super) fn move_top_up(&mut self, with: &Value, from: &str, to: &'static str) -> Result<Value, Refusal> {
        let (id, top_up) = self.top_up_of(with)?;
        ensure(top_up.status == from, "invalid_transition")?;
        self.top_up_mut(&id).status = to;
        Ok(json!({}))
    }

    pub(super) fn refund_top_up(&mut self, with: &Value) -> Result<Value, Refusal> {
        let asked = if with["amount"].is_null() {
            None
        } else {
            Some(positive_amount(with, "amount", &self.top_up_currency(with))?)
        };
        let (id, top_up) = self.top_up_of(with)?;
        ensure(top_up.status == "succeeded", "invalid_transition")?;
        let amount = asked.unwrap_or(top_up.left);
        ensure(amount <= top_up.left, "refund_exceeds")?;
        self.take_out(&top_up, amount);
        let stored = self.top_up_mut(&id);
        stored.left -= amount;
        if stored.left == 0 {
            stored.status = "refunded";
        }
        Ok(json!({}))
    }

    pub(super) fn dispute_top_up(&mut self, with: &Value) -> Result<Value, Refusal> {
        let answer = self.move_top_up(with, "succeeded", "disputed")?;
        let (_, top_up) = self.top_up_of(with)?;
        self.take_out(&top_up, top_up.left);
        Ok(answer)
    }

    pub(super) fn win_dispute(&mut self, with: &Value) -> Result<Value, Refusal> {
        let answer = self.move_top_up(with, "disputed", "succeeded")?;
        let (id, top_up) = self.top_up_of(with)?;
        self.top_up_mut(&id).deposit = self.credit(&top_up, top_up.left, with)?;
        Ok(answer)
    }

    // Payouts and losses.

    pub(super) fn request_payout(&mut self, with: &Value) -> Result<Value, Refusal> {
        let currency = own_currency(with);
        let amount = positive_amount(with, "amount", &currency)?;
        let (id, whose) = (text(with, "payout").to_owned(), text(with, "partner").to_owned());
        ensure(!self.payouts.contains_key(&id), "payout_exists")?;
        ensure(self.payable(&currency, &whose) >= amount, "insufficient_funds")?;
        self.post(&currency, &[(partner(&whose, "payable"), amount), (partner(&whose, "in_payout"), -amount)]);
        self.payouts.insert(id, Payout { currency, partner: whose, amount, status: "requested" });
        Ok(json!({}))
    }

    pub(super) fn end_payout(&mut self, with: &Value, status: &'static str) -> Result<Value, Refusal> {
        let payout = self.payouts.get_mut(text(with, "payout")).ok_or("payout_not_found")?;
        ensure(payout.status == "requested", "invalid_transition")?;
        payout.status = status;
        let Payout { currency, partner: whose, amount, .. } = payout.clone();
        let target = match status {
            "paid" => format!("payments:{}", method(with)),
            _ => partner(&whose, "payable"),
        };
        self.post(&currency, &[(partner(&whose, "in_payout"), amount), (target, -amount)]);
        if status == "paid" {
            *self.paid.entry((currency, whose)).or_default() += amount;
        }
        Ok(json!({}))
    }

    pub(super) fn write_off(&mut self, with: &Value) -> Result<Value, Refusal> {
        reason(with)?;
        let currency = own_currency(with);
        let account = match optional(with, "partner") {
            Some(whose) => partner(&whose, "payable"),
            None => "receivable:merchant".to_owned(),
        };
        let owed = self.account(&currency, &account);
        ensure(owed > 0, "nothing_owed")?;
        self.post(&currency, &[("platform:losses".to_owned(), owed), (account, -owed)]);
        self.suspend_by_debt(&currency);
        Ok(json!({ "written_off": money::show(owed, money::decimals(&currency)) }))
    }
}
