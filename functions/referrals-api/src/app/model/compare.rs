//! Whether an answer is the one that the reference expects.

use serde_json::{Value, json};

use super::{
    edit::targets,
    ensure,
    reference::Refusal,
    reward::{self, Reward},
    run::{Expected, Run, Verdict},
};
use crate::app::tests::{Answered, REFERRALS};

impl Run<'_> {
    pub fn compare(&mut self, expected: Result<Expected, Refusal>, answered: &Answered) -> Verdict {
        match expected {
            Err(refusal) => compare_refusal(&refusal, answered),
            Ok(Expected::Bytes(bytes)) => {
                ensure!(answered.bytes() == bytes, "a replay: expected {bytes}, got {}", answered.bytes());
                Ok(())
            }
            Ok(Expected::Deleted) => {
                ensure!(answered.status == 204, "expected 204, got {}", answered.bytes());
                Ok(())
            }
            Ok(Expected::Row(status, place)) => {
                ensure!(answered.status == status, "expected {status}, got {}", answered.bytes());
                self.compare_row(place, &answered.body)?;
                let row = &self.model.rows[place];
                ensure!(answered.header("etag") == format!("\"{}\"", row.version), "its tag: {}", answered.bytes());
                let location = if status == 201 { format!("{REFERRALS}/{}", row.id) } else { String::new() };
                ensure!(answered.header("location") == location, "its location: {}", answered.bytes());
                Ok(())
            }
            Ok(Expected::Person(place)) => {
                ensure!(answered.status == 200, "expected 200, got {}", answered.bytes());
                self.compare_person(place, &answered.body)?;
                let version = self.model.people[place].version;
                ensure!(answered.header("etag") == format!("\"{version}\""), "its tag: {}", answered.bytes());
                Ok(())
            }
            Ok(Expected::Policy(org)) => {
                ensure!(answered.status == 200, "expected 200, got {}", answered.bytes());
                let policy = self.model.policies.get(&org).cloned().unwrap_or_default();
                ensure!(answered.header("etag") == format!("\"{}\"", policy.version), "its tag: {}", answered.bytes());
                compare_fields(&policy.view(), &answered.body)
            }
            Ok(Expected::History(place)) => {
                ensure!(answered.status == 200, "expected 200, got {}", answered.bytes());
                self.compare_history(place, &answered.body["history"]).map(|_| ())
            }
        }
    }

    pub fn compare_row(&mut self, place: usize, body: &Value) -> Verdict {
        let row = &self.model.rows[place];
        compare_fields(&row.view(&self.model.orgs, &self.model.people), body)?;
        let reward = (row.reward.view(), Reward::shown(&body["reward"]));
        ensure!(reward.0 == reward.1, "reward: expected {}, got {}: {body}", reward.0, reward.1);
        ensure!(row.reward.is_sent() == body["rewardSentAt"].is_string(), "sent: {}: {body}", row.reward.is_sent());
        let mut flags: Vec<&str> =
            body["riskFlags"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        flags.sort_unstable();
        ensure!(flags.iter().eq(row.flags.iter()), "flags {flags:?}, expected {:?}: {body}", row.flags);
        self.see(body, true)
    }

    pub fn compare_person(&mut self, place: usize, body: &Value) -> Verdict {
        compare_fields(&self.model.people[place].view(&self.model.orgs), body)?;
        let org = self.model.people[place].org;
        let counted = self.model.rows.iter().filter(|row| row.referrer == place && !row.is_deleted).count();
        ensure!(body["totalReferrals"] == counted, "{counted} rows of the ledger: {body}");
        // One id is somebody else in another organization.
        let mut own = body.clone();
        own["id"] = json!(format!("{org} {}", body["id"]));
        self.see(&own, false)
    }

    /// A version has one time, and a later version no earlier one. A person is credited at the time of the request, and
    /// some requests come from days ahead.
    fn see(&mut self, body: &Value, is_ordered: bool) -> Verdict {
        let (version, at) = (body["version"].as_u64().unwrap(), body["updatedAt"].as_str().unwrap().to_owned());
        let id = body["id"].to_string();
        if let Some((earlier, then)) = self.seen.get(&id) {
            ensure!(
                if version == *earlier { at == *then } else { version > *earlier && (at >= *then || !is_ordered) },
                "version {earlier} was of {then}: {body}"
            );
        }
        self.seen.insert(id, (version, at));
        Ok(())
    }

    /// The event ids that the history names.
    pub fn compare_history(&self, place: usize, history: &Value) -> Result<Vec<String>, String> {
        let sorted = |mut entries: Vec<String>| {
            entries.sort();
            entries
        };
        let told = history.as_array().ok_or("no history")?;
        let short = |entry: &Value| {
            let mut fields: Vec<_> = entry["fields"].as_array().into_iter().flatten().map(Value::to_string).collect();
            fields.sort();
            let text = |name: &str| entry[name].as_str().unwrap_or("-").to_owned();
            format!("{:?} {fields:?}", ["action", "actor", "from", "to", "dealId"].map(text))
        };
        let row = &self.model.rows[place];
        let expected = sorted(row.history.iter().map(short).collect());
        let found = sorted(told.iter().map(short).collect());
        ensure!(expected == found, "history of {}: expected {expected:#?}, got {found:#?}", row.id);
        let times: Vec<&str> = told.iter().filter_map(|entry| entry["at"].as_str()).collect();
        ensure!(times.is_sorted() && times.len() == told.len(), "oldest first: {history}");
        let mut events = Vec::new();
        for entry in told {
            let action = entry["action"].as_str().unwrap();
            // That a reward is held is no news to anybody.
            let announces = ["RECEIVED", "STATUS_CHANGED", "LEAD_LINKED"].contains(&action)
                || (action == "REWARD_CHANGED" && entry["to"] != "HELD");
            ensure!(announces == entry["eventId"].is_string(), "its event: {entry}");
            events.extend(entry["eventId"].as_str().map(str::to_owned));
        }
        Ok(events)
    }
}

fn compare_refusal(refusal: &Refusal, answered: &Answered) -> Verdict {
    ensure!(
        answered.code() == (refusal.status, refusal.code),
        "expected {} {} {:?}, got {}",
        refusal.status,
        refusal.code,
        refusal.errors,
        answered.bytes()
    );
    let errors: Vec<Value> =
        refusal.errors.iter().map(|(pointer, code)| json!({"pointer": pointer, "code": code})).collect();
    let told = answered.body["errors"].as_array().cloned().unwrap_or_default();
    ensure!(errors == told, "expected {errors:?}, got {}", answered.bytes());
    let to_where = if refusal.code == "invalid_reward_transition" { reward::targets } else { targets };
    let edge = refusal.edge.map(|(from, to)| json!([from, to, to_where(from)]));
    let told = json!([answered.body["from"], answered.body["to"], answered.body["allowed"]]);
    ensure!(edge.unwrap_or(json!([null, null, null])) == told, "expected {:?}, got {told}", refusal.edge);
    ensure!(answered.header("content-type") == "application/problem+json", "its type: {}", answered.bytes());
    ensure!(answered.header("etag").is_empty(), "its tag: {}", answered.bytes());
    Ok(())
}

fn compare_fields(expected: &Value, body: &Value) -> Verdict {
    for (name, value) in expected.as_object().unwrap() {
        ensure!(body[name] == *value, "{name}: expected {value}, got {}: {body}", body[name]);
    }
    Ok(())
}
