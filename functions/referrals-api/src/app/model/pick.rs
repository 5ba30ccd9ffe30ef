//! Single words for the generator: mostly right, sometimes not.

use serde_json::{Value, json};

use super::{
    generate::Generator,
    operations::Operation,
    words::{ADDRESSES, DECEPTIVE, EVERYWHERE, FRIENDS, NAMES, NO_ADDRESS, NUMBERS, TEXTS},
};

const DEALS: [&str; 2] = ["deal_1", "deal_2"];

impl Generator {
    pub fn address(&mut self) -> &'static str {
        if self.happens(3) { NO_ADDRESS } else { ADDRESSES[self.random.usize(0..ADDRESSES.len())].typed }
    }

    /// Of few people, so that they are sent more than once.
    pub fn friends_address(&mut self) -> &'static str {
        if self.happens(30) { self.address() } else { ADDRESSES[self.random.usize(FRIENDS)].typed }
    }

    pub fn number(&mut self) -> &'static str {
        let places = if self.happens(5) { 0..NUMBERS.len() } else { EVERYWHERE };
        NUMBERS[self.random.usize(places)].0
    }

    pub fn name(&mut self) -> &'static str {
        if self.happens(1) { DECEPTIVE } else { NAMES[self.random.usize(0..NAMES.len())].0 }
    }

    pub fn text(&mut self) -> &'static str {
        TEXTS[self.random.usize(0..TEXTS.len())].0
    }

    pub fn reward_value(&mut self) -> Value {
        let values = [json!(5000), json!(10_001), json!(null), json!(0), json!(-1), json!(1.5)];
        values[self.weighed(&[50, 10, 20, 10, 4, 4])].clone()
    }

    pub fn deal(&mut self) -> Value {
        match self.weighed(&[92, 5, 3]) {
            0 => json!(self.one(&DEALS)),
            1 => Value::Null,
            _ => json!("nr 1"),
        }
    }

    pub fn reason(&mut self) -> String {
        if self.happens(3) { "x".repeat(501) } else { self.text().to_owned() }
    }

    /// Something about a reward, mostly with what it asks for.
    pub fn reward(&mut self, row: String) -> Operation {
        let action = ["mark-sent", "release", "cancel"][self.weighed(&[50, 25, 25])];
        let body = match (action, self.weighed(&[80, 16, 4])) {
            (_, 2) => json!({"colour": 1}),
            ("mark-sent", 0) => json!({"complianceAcknowledged": true}),
            (_, 0) => json!({"reason": "talked to the broker"}),
            _ => json!({}),
        };
        Operation::Reward(action, row, body)
    }

    pub fn policy(&mut self) -> Value {
        let gate = ["OFF", "WARN", "HOLD"][self.weighed(&[30, 50, 20])];
        let days = [0, 14][self.weighed(&[80, 20])];
        let (kind, value) = [("gift_card", json!(2_500)), ("commission_share", json!(250)), ("custom", Value::Null)]
            [self.weighed(&[60, 25, 15])]
        .clone();
        if self.happens(10) {
            return json!({});
        }
        json!({"rewardType": kind, "rewardValue": value, "complianceGate": gate, "holdingPeriodDays": days})
    }
}
