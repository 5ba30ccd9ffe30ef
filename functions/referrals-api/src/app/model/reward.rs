//! Rewards and the policy that they come from, by the contract's words.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::reference::{Actor, Model, Refusal, Row};

/// What an organization gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    pub kind: String,
    pub value: Option<i64>,
    pub gate: String,
    pub days: i64,
    pub version: u64,
}

impl Default for Policy {
    fn default() -> Self {
        Self { kind: "none".to_owned(), value: None, gate: "WARN".to_owned(), days: 0, version: 0 }
    }
}

impl Policy {
    pub fn view(&self) -> Value {
        json!({
            "rewardType": self.kind, "rewardValue": self.value, "currency": "USD", "complianceGate": self.gate,
            "holdingPeriodDays": self.days, "version": self.version
        })
    }
}

/// A reward as it stands; `NONE` before it comes up.
#[derive(Debug, Clone)]
pub struct Reward {
    pub status: &'static str,
    pub currency: Option<&'static str>,
    pub amount: Option<i64>,
    pub holds: BTreeSet<&'static str>,
    pub acknowledged: Option<String>,
    /// Of the win.
    pub policy: Policy,
}

impl Default for Reward {
    fn default() -> Self {
        Self {
            status: "NONE",
            currency: None,
            amount: None,
            holds: BTreeSet::new(),
            acknowledged: None,
            policy: Policy::default(),
        }
    }
}

impl Reward {
    pub fn is_sent(&self) -> bool {
        self.status == "SENT"
    }

    /// What of the `reward` that is shown can be foretold.
    pub fn view(&self) -> Value {
        if self.status == "NONE" {
            return Value::Null;
        }
        json!([self.amount, self.holds, self.acknowledged, self.policy.gate, self.policy.days, self.policy.version])
    }

    /// The same of what is shown.
    pub fn shown(body: &Value) -> Value {
        if body.is_null() {
            return Value::Null;
        }
        let mut holds: Vec<&str> =
            body["holdReasons"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        holds.sort_unstable();
        let terms = &body["terms"];
        let (gate, days, version) = (&terms["complianceGate"], &terms["holdingPeriodDays"], &terms["policyVersion"]);
        json!([body["amountMinor"], holds, body["complianceAcknowledged"]["by"], gate, days, version])
    }

    /// Nobody has told a commission: a share is worth nothing yet, and of no currency.
    pub fn value(&mut self, kind: &str, value: Option<i64>) {
        let is_counted = kind != "commission_share";
        self.amount = value.filter(|_| is_counted);
        self.currency = is_counted.then_some("USD");
    }
}

/// Where an agent can take a reward.
pub fn targets(from: &str) -> &'static [&'static str] {
    match from {
        "PENDING" => &["CANCELED", "SENT"],
        "HELD" => &["PENDING", "CANCELED"],
        _ => &[],
    }
}

/// It converted: the reward comes up, its own or the policy's.
pub fn come_up(row: &mut Row, policy: &Policy) {
    if row.reward_type == "none" {
        row.reward_type.clone_from(&policy.kind);
        row.reward_value = policy.value;
    }
    if row.reward_type == "none" {
        return;
    }
    let reasons = [
        (row.flags.contains("SELF_REFERRAL"), "SELF_REFERRAL"),
        (policy.days > 0, "HOLDING_PERIOD"),
        (policy.gate == "HOLD", "COMPLIANCE"),
    ];
    let reward = &mut row.reward;
    reward.policy = policy.clone();
    reward.holds = reasons.into_iter().filter(|(holds, _)| *holds).map(|(_, reason)| reason).collect();
    reward.status = if reward.holds.is_empty() { "PENDING" } else { "HELD" };
    reward.value(&row.reward_type, row.reward_value);
}

/// Referrer and friend are one person: nothing is given before somebody has looked.
pub fn hold_self_referral(row: &mut Row) {
    if row.flags.insert("SELF_REFERRAL") && ["PENDING", "HELD"].contains(&row.reward.status) {
        row.reward.status = "HELD";
        row.reward.holds.insert("SELF_REFERRAL");
    }
}

impl Model {
    /// What an agent does about the reward of the row at `place`.
    pub fn act(&mut self, actor: Actor, place: usize, action: &str, acknowledges: bool) -> Result<(), Refusal> {
        let mut next = self.rows[place].clone();
        let from = next.reward.status;
        let to = match action {
            "mark-sent" => "SENT",
            "release" => "PENDING",
            _ => "CANCELED",
        };
        if from == to {
            return Ok(());
        }
        if !targets(from).contains(&to) {
            return Err(Refusal { edge: Some((from, to)), ..Refusal::new(409, "invalid_reward_transition") });
        }
        if to == "SENT" {
            if next.reward.policy.gate == "WARN" && !acknowledges {
                return Err(Refusal::new(422, "compliance_acknowledgement_required"));
            }
            next.reward.acknowledged = acknowledges.then(|| actor.user.to_owned());
        }
        next.reward.status = to;
        next.reward.holds.clear();
        next.version += 1;
        self.tell_reward(&mut next, from, actor.user);
        self.rows[place] = next;
        Ok(())
    }

    /// Sets the policy of the actor's organization; what is left out has its default.
    pub fn set_policy(&mut self, actor: Actor, body: &Value) -> Result<(), Refusal> {
        if !actor.manages() {
            return Err(Refusal::new(403, "forbidden"));
        }
        let policy = self.policies.entry(actor.org).or_default();
        let next = Policy {
            kind: body["rewardType"].as_str().unwrap_or("none").to_owned(),
            value: body["rewardValue"].as_i64(),
            gate: body["complianceGate"].as_str().unwrap_or("WARN").to_owned(),
            days: body["holdingPeriodDays"].as_i64().unwrap_or(0),
            version: policy.version,
        };
        if next != *policy {
            *policy = Policy { version: policy.version + 1, ..next };
        }
        Ok(())
    }
}
