//! What each operation does to the reference, and why it is refused.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{
    edit::{edit, edit_deal_and_reason, edit_reward, step},
    operations::Capture,
    reference::{Actor, Contact, Model, Person, Refusal, Row},
    reward::{Reward, come_up, hold_self_referral},
    shape::{Change, Entry},
    words::{address_of, name_of, number_of},
};

/// For how many days a pair is guarded.
const GUARD_DAYS: i64 = 30;

/// How a referral came in.
struct Arrival<'a> {
    org: usize,
    agent: &'a str,
    channel: &'static str,
    by: &'a str,
    name: String,
    contact: Contact,
    notes: Option<String>,
}

/// What the service says of a new row: its ids and its time cannot be foretold.
fn said<'a>(answer: &'a Value, field: &str) -> &'a str {
    answer[field].as_str().unwrap_or_default()
}

impl Model {
    /// Logs, and gives the row. `answer` is the service's.
    pub fn log(&mut self, actor: Actor, entry: &Entry, answer: &Value) -> Result<usize, Refusal> {
        let agent = entry.agent.clone().unwrap_or_else(|| actor.user.to_owned());
        if !actor.manages() && agent != actor.user {
            return Err(Refusal::new(403, "forbidden"));
        }
        let found = match &entry.referrer {
            Ok(id) => {
                Some(self.person(actor.org, id).ok_or_else(|| Refusal::field("/referrerPersonId", "unknown_id"))?)
            }
            Err((_, contact)) => contact.key().and_then(|key| self.holders.get(&(actor.org, key)).copied()),
        };
        if !self.is_active_member(actor.org, &agent) {
            return Err(Refusal::field("/agentUserId", "unknown_id"));
        }
        let mut flags = BTreeSet::new();
        let referrer = found.unwrap_or_else(|| {
            let (name, contact) = entry.referrer.clone().unwrap_err();
            self.stranger(actor.org, said(answer, "referrerPersonId"), name, contact, &mut flags)
        });
        let known = self.people[referrer].contact.clone();
        if known.is_same(&entry.contact) {
            flags.insert("SELF_REFERRAL");
        }
        let arrival = Arrival {
            org: actor.org,
            agent: &agent,
            channel: "MANUAL",
            by: actor.user,
            name: entry.friend.clone(),
            contact: entry.contact.clone(),
            notes: entry.notes.clone(),
        };
        let guard = known.key().map(|key| pair(&arrival, key));
        let place = self.rows.len();
        if let Some(pair) = guard {
            if self.is_guarded(&pair, 0) {
                flags.insert("POSSIBLE_DUPLICATE");
            } else {
                self.guards.insert(pair, (place, 0));
            }
        }
        self.receive(arrival, referrer, flags, answer);
        Ok(place)
    }

    /// Whether a submission becomes a row.
    pub fn is_new_pair(&self, org: usize, capture: &Capture) -> bool {
        let (arrival, key) = self.arrival(org, capture);
        !self.is_guarded(&pair(&arrival, key), capture.day)
    }

    fn arrival(&self, org: usize, capture: &Capture) -> (Arrival<'_>, String) {
        let arrival = Arrival {
            org,
            agent: self.orgs[org].profile,
            channel: if capture.is_widget { "WIDGET" } else { "PUBLIC_PROFILE" },
            by: "public",
            name: name_of(capture.friend).unwrap().0.to_owned(),
            contact: typed(capture.friend_email, capture.friend_phone),
            notes: None,
        };
        (arrival, typed(capture.email, capture.phone).key().unwrap())
    }

    /// A submission that becomes a row; `answer` is how the row is shown.
    pub fn capture(&mut self, org: usize, capture: &Capture, answer: &Value) -> usize {
        let (arrival, key) = self.arrival(org, capture);
        let arrival = Arrival { agent: self.orgs[org].profile, ..arrival };
        let pair = pair(&arrival, key.clone());
        let (channel, name, contact) = (arrival.channel, arrival.name.clone(), arrival.contact.clone());
        let mut flags = BTreeSet::new();
        let referrer = self.holders.get(&(org, key)).copied().unwrap_or_else(|| {
            let name = name_of(capture.name).unwrap().0.to_owned();
            let contact = typed(capture.email, capture.phone);
            self.stranger(org, said(answer, "referrerPersonId"), name, contact, &mut flags)
        });
        let place = self.rows.len();
        self.guards.insert(pair, (place, capture.day));
        let agent = self.orgs[org].profile;
        let arrival = Arrival { org, agent, channel, by: "public", name, contact, notes: None };
        self.receive(arrival, referrer, flags, answer);
        place
    }

    fn is_guarded(&self, pair: &super::reference::Pair, day: i64) -> bool {
        self.guards.get(pair).is_some_and(|(_, first)| day < first + GUARD_DAYS)
    }

    /// Somebody whom nobody knew. A number that is somebody else's is shown, but does not lead to them.
    fn stranger(
        &mut self,
        org: usize,
        id: &str,
        name: String,
        contact: Contact,
        flags: &mut BTreeSet<&'static str>,
    ) -> usize {
        let place = self.people.len();
        for key in contact.keys() {
            if self.holders.contains_key(&(org, key.clone())) {
                flags.insert("POSSIBLE_DUPLICATE_PERSON");
            } else {
                self.holders.insert((org, key), place);
            }
        }
        self.people.push(Person {
            id: id.to_owned(),
            org,
            name,
            contact,
            is_lead: false,
            is_advocate: false,
            owner: None,
            total: 0,
            version: 0,
        });
        place
    }

    fn receive(&mut self, arrival: Arrival<'_>, referrer: usize, flags: BTreeSet<&'static str>, answer: &Value) {
        self.people[referrer].total += 1;
        self.people[referrer].version += 1;
        let row = Row {
            id: said(answer, "id").to_owned(),
            org: arrival.org,
            referrer,
            lead: None,
            name: arrival.name,
            contact: arrival.contact,
            agent: arrival.agent.to_owned(),
            channel: arrival.channel,
            status: "RECEIVED",
            reason: None,
            deal: None,
            reward_type: "none".to_owned(),
            reward_value: None,
            reward: Reward::default(),
            notes: arrival.notes,
            flags,
            created: said(answer, "createdAt").to_owned(),
            version: 1,
            is_deleted: false,
            has_entered: false,
            history: vec![entry("RECEIVED", arrival.by, None, Some("RECEIVED"))],
        };
        self.announce(&row, "REFERRAL_RECEIVED", &json!({"channel": row.channel}));
        self.rows.push(row);
    }

    fn announce(&mut self, row: &Row, kind: &str, more: &Value) {
        let mut event = json!({"type": kind, "subject": row.id, "version": row.version});
        event.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        self.events.push(event);
    }

    /// Changes the row at `place`, or leaves it as it is.
    pub fn change(&mut self, actor: Actor, place: usize, change: &Change) -> Result<(), Refusal> {
        let before = self.rows[place].clone();
        let mut next = before.clone();
        let mut fields = edit(&mut next, change);
        if let Some(lead) = &change.lead {
            let current = before.lead.map(|lead| self.people[lead].id.clone());
            if *lead != current {
                if lead.as_ref() == Some(&self.people[before.referrer].id) {
                    return Err(Refusal::new(422, "self_referral"));
                }
                fields.insert("referredPersonId");
            }
        }
        fields.extend(edit_deal_and_reason(&mut next, change)?);
        fields.extend(edit_reward(&mut next, change)?);
        step(&mut next, &before, change)?;
        if fields.is_empty() && next.status == before.status {
            return Ok(());
        }
        if fields.contains("referredPersonId") {
            let found = change.lead.clone().flatten().map(|id| self.person(before.org, &id));
            if found == Some(None) {
                return Err(Refusal::field("/referredPersonId", "unknown_id"));
            }
            next.lead = found.flatten();
        }
        let is_taken = |row: &Row| !row.is_deleted && row.org == next.org && row.id != next.id && row.deal == next.deal;
        if fields.contains("resultingDealId") && next.deal.is_some() && self.rows.iter().any(is_taken) {
            return Err(Refusal::new(409, "deal_already_attributed"));
        }
        // Nothing is in the way any more.
        next.version += 1;
        if let Some(lead) = next.lead.filter(|_| fields.contains("referredPersonId")) {
            self.people[lead].enter_pipeline(&next.agent);
            self.people[lead].version += 1;
            self.contest(&mut next, lead, actor.user);
        }
        if fields.contains("referredContact") && self.people[next.referrer].contact.is_same(&next.contact) {
            hold_self_referral(&mut next);
        }
        let has_moved = next.status != before.status;
        let mut own = if has_moved {
            entry("STATUS_CHANGED", actor.user, Some(before.status), Some(next.status))
        } else {
            entry("EDITED", actor.user, None, None)
        };
        own["fields"] = json!(fields);
        if fields.contains("resultingDealId") {
            own["dealId"] = json!(next.deal);
        }
        next.history.push(own);
        if has_moved && next.status == "CONVERTED" {
            self.announce(&next, "REFERRAL_CONVERTED", &json!({"from": before.status, "dealId": next.deal}));
        } else if has_moved {
            self.announce(&next, "REFERRAL_STATUS_CHANGED", &json!({"from": before.status, "to": next.status}));
        }
        let link = |field: &str, id: Option<&String>| id.filter(|_| fields.contains(field)).cloned();
        let converts = has_moved && next.status == "CONVERTED";
        let is_open_again = before.status == "LOST" && has_moved && !converts;
        let is_free_again = fields.contains("resultingDealId") && before.deal.is_some();
        let lead = next.lead.map(|lead| &self.people[lead].id);
        let person = if is_open_again || is_free_again { lead.cloned() } else { link("referredPersonId", lead) };
        let deal = if converts { next.deal.clone() } else { link("resultingDealId", next.deal.as_ref()) };
        if person.is_some() || deal.is_some() {
            self.announce(&next, "REFERRAL_LINKED", &json!({"personId": person, "dealId": deal}));
        }
        if has_moved && next.status == "CONVERTED" {
            let policy = self.policies.get(&next.org).cloned().unwrap_or_default();
            come_up(&mut next, &policy);
        }
        self.tell_reward(&mut next, before.reward.status, actor.user);
        self.rows[place] = next;
        Ok(())
    }

    /// What is told of a reward that was `before`.
    pub fn tell_reward(&mut self, row: &mut Row, before: &str, by: &str) {
        let to = row.reward.status;
        if to == before {
            return;
        }
        row.history.push(entry("REWARD_CHANGED", by, Some(before), Some(to)));
        match to {
            "PENDING" => self.announce(row, "REWARD_READY", &json!({"rewardType": row.reward_type})),
            "SENT" => self.announce(row, "REWARD_SENT", &json!({})),
            "CANCELED" => self.announce(row, "REWARD_CANCELED", &json!({})),
            _ => {}
        }
    }

    /// Somebody else brought the same lead: both sides are flagged.
    fn contest(&mut self, own: &mut Row, lead: usize, by: &str) {
        for rival in &mut self.rows {
            let is_rival = !rival.is_deleted && rival.lead == Some(lead) && rival.referrer != own.referrer;
            if is_rival && rival.id != own.id {
                own.flags.insert("CONTESTED");
                if rival.flags.insert("CONTESTED") {
                    rival.version += 1;
                    rival.history.push(entry("FLAGGED", by, None, Some("CONTESTED")));
                }
            }
        }
    }

    pub fn delete(&mut self, actor: Actor, place: usize) -> Result<(), Refusal> {
        if self.rows[place].status == "CONVERTED" || ["SENT", "THANKED"].contains(&self.rows[place].reward.status) {
            return Err(Refusal::new(409, "referral_converted"));
        }
        let row = &mut self.rows[place];
        row.is_deleted = true;
        row.history.push(entry("DELETED", actor.user, Some(row.status), None));
        let referrer = &mut self.people[row.referrer];
        referrer.total -= 1;
        referrer.version += 1;
        self.guards.retain(|_, (first, _)| *first != place);
        Ok(())
    }

    /// The row's event reaches the pipeline for the first time; `answer` is how the row is shown then.
    pub fn enter(&mut self, place: usize, answer: &Value) {
        const BY: &str = "system:pipeline-entry";
        let mut row = self.rows[place].clone();
        let known = row.contact.key().and_then(|key| self.holders.get(&(row.org, key)).copied());
        let lead = row.lead.or(known).unwrap_or_else(|| {
            let (name, contact) = (row.name.clone(), row.contact.clone());
            self.stranger(row.org, said(answer, "referredPersonId"), name, contact, &mut row.flags)
        });
        row.lead = Some(lead);
        row.version += 1;
        row.has_entered = true;
        let referrer = &self.people[row.referrer];
        // Found later: nothing in the submission said so.
        if lead == row.referrer || referrer.contact.is_same(&row.contact) {
            hold_self_referral(&mut row);
        }
        self.people[lead].enter_pipeline(&row.agent);
        self.people[lead].version += 1;
        let referrer = &mut self.people[row.referrer];
        if lead != row.referrer && !referrer.is_advocate {
            referrer.is_advocate = true;
            referrer.version += 1;
        }
        self.contest(&mut row, lead, BY);
        row.history.push(entry("LEAD_LINKED", BY, None, Some(&self.people[lead].id)));
        let more = json!({"personId": self.people[lead].id, "ownerUserId": self.people[lead].owner});
        self.announce(&row, "LEAD_ENTERED_PIPELINE", &more);
        let before = self.rows[place].reward.status;
        self.tell_reward(&mut row, before, BY);
        self.rows[place] = row;
    }
}

fn entry(action: &str, by: &str, from: Option<&str>, to: Option<&str>) -> Value {
    json!({"action": action, "actor": by, "from": from, "to": to, "fields": [], "dealId": null})
}

/// The form reads numbers in the deployment's region.
pub fn typed(email: &str, phone: &str) -> Contact {
    Contact {
        email: address_of(email).map(|address| address.shown.to_owned()),
        phone: number_of(phone, "US").map(str::to_owned),
    }
}

fn pair(arrival: &Arrival<'_>, referrer: String) -> super::reference::Pair {
    let name = name_of(&arrival.name).unwrap().1;
    let friend = arrival.contact.key().unwrap_or_else(|| format!("name {name}"));
    (arrival.org, arrival.agent.to_owned(), referrer, friend)
}
