//! What must hold of messages: no thank-you twice or unasked, no agent untold, and of each what became of it.

use std::collections::{BTreeMap, BTreeSet};

use referrals::store::keys;
use referrals_testing::{Fixtures, Item, contact};

use crate::{
    Accepted, BusEntry, Channel, World,
    client::CANARY,
    letters::{Thanks, is_thank_you},
    rows::{holders, last, referral_of},
};

/// The agent of the fixtures, who wants notices by mail.
const AGENT_MAIL: &str = "jane.doe@doe-realty.example";

/// Where a message is at rest.
const STATUSES: [&str; 6] = ["QUEUED", "CLAIMED", "SUBMITTED", "SKIPPED", "FAILED", "UNKNOWN"];

pub(crate) fn violations(world: &World, items: &[Item], bus: &[BusEntry]) -> Vec<String> {
    let mut look = Look { items, bus, accepted: world.post_office.accepted(), found: Vec::new() };
    let mut rows = look.agents_are_told(&world.queues.posted(bus));
    for thanks in &world.thanks {
        look.is_thanked(thanks);
        rows += thanks.channels.len();
    }
    let all = look.of_kind("MESSAGE").count();
    look.expect(all == rows, || format!("{all} messages instead of {rows}"));
    look.nothing_else_left(&world.thanks);
    look.nothing_personal_is_in_tags(world);
    look.found
}

impl World {
    /// Of which thank-yous of the present piece of work nobody knows whether they left: the channel, and the reason.
    pub async fn doubts(&self) -> Vec<String> {
        let items = self.store.items().await;
        let referral =
            self.thanks.last().filter(|_| self.is_thanking).and_then(|thanks| referral_of(&items, &thanks.form));
        let Some(referral) = referral.map(|row| row.text("id")) else { return Vec::new() };
        let unknown = items.iter().filter(|row| {
            row.kind() == "MESSAGE" && row.text("referralId") == referral && row.text("status") == "UNKNOWN"
        });
        unknown.map(|row| format!("{} {}", row.text("channel"), row.text("reason"))).collect()
    }
}

struct Look<'a> {
    items: &'a [Item],
    bus: &'a [BusEntry],
    accepted: Vec<Accepted>,
    found: Vec<String>,
}

impl<'a> Look<'a> {
    fn expect(&mut self, holds: bool, violation: impl FnOnce() -> String) {
        if !holds {
            self.found.push(violation());
        }
    }

    fn of_kind(&self, kind: &'static str) -> impl Iterator<Item = &'a Item> + use<'a> {
        self.items.iter().filter(move |item| item.kind() == kind)
    }

    /// Each event of which the agent wants to hear has a mail that was accepted. How many messages there are of them.
    fn agents_are_told(&mut self, posted: &[BusEntry]) -> usize {
        let kinds = [("LEAD_ENTERED_PIPELINE", "NEW_REFERRAL"), ("REWARD_READY", "REWARD_READY")];
        let mut events: BTreeMap<String, (&str, String, u64)> = BTreeMap::new();
        for entry in posted {
            if let Some((_, kind)) = kinds.iter().find(|(name, _)| *name == entry.detail_type) {
                events.insert(entry.metadata("id"), (kind, entry.metadata("subject"), entry.version()));
            }
        }
        let mut overtaken = 0;
        for (event, (kind, referral, version)) in &events {
            let mails: Vec<&Accepted> = self
                .accepted
                .iter()
                .filter(|mail| mail.tags.get("event") == Some(event) && mail.to == AGENT_MAIL)
                .filter(|mail| mail.tags.get("message_kind").is_some_and(|tag| tag == kind))
                .collect();
            let rows: Vec<&Item> = self.of_kind("MESSAGE").filter(|row| row.text("eventId") == event).collect();
            if mails.is_empty() && rows.is_empty() && *kind == "REWARD_READY" && self.was_over(referral, *version) {
                overtaken += 1;
                continue;
            }
            let ids: BTreeSet<String> = mails.iter().map(|mail| mail.id.clone()).collect();
            self.expect(!ids.is_empty(), || format!("the agent is not told of {kind} {event} of {referral}"));
            self.expect(rows.len() == 1, || format!("{} messages about {event}", rows.len()));
            for row in rows {
                let state = (row.text("status"), row.text("channel"), row.text("kind"));
                self.expect(state == ("SUBMITTED", "EMAIL", kind), || {
                    format!("the message about {event} is {state:?}")
                });
                let id = row.text("providerMessageId");
                self.expect(ids.contains(id), || format!("the message about {event} was accepted as {id:?}"));
                self.history_says_so(row);
            }
        }
        events.len() - overtaken
    }

    /// Whether the reward ceased to be due after that. News of a reward that comes later than that is not told.
    fn was_over(&self, referral: &str, since: u64) -> bool {
        self.bus.iter().any(|entry| {
            ["REWARD_CANCELED", "REWARD_SENT"].contains(&entry.detail_type.as_str())
                && entry.metadata("subject") == referral
                && entry.version() > since
        })
    }

    /// The last word about a message is its status.
    fn history_says_so(&mut self, row: &Item) {
        let (referral, event) = (row.text("referralId"), row.text("eventId"));
        let mut entries: Vec<&Item> = self
            .of_kind("AUDIT")
            .filter(|audit| audit.text("action") == "MESSAGE_CHANGED" && last(audit.text("pk")) == referral)
            .filter(|audit| STATUSES.contains(&audit.text("to")))
            .filter(|audit| ["kind", "channel"].iter().all(|name| part(audit, "message", name) == row.text(name)))
            // Notices of several events are told apart by those.
            .filter(|audit| event.is_empty() || audit.text("requestId") == event)
            .collect();
        entries.sort_by_key(|audit| audit.text("at").to_owned());
        let told = entries.last().map(|audit| (audit.text("to"), part(audit, "message", "reason")));
        let is = (row.text("status"), row.text("reason").to_owned());
        self.expect(told.as_ref() == Some(&is), || {
            format!("a message of {referral} is {is:?}, and its history says {told:?}")
        });
    }

    /// What becomes of one reward that was sent.
    fn is_thanked(&mut self, thanks: &Thanks) {
        let Some(referral) = referral_of(self.items, &thanks.form) else {
            self.found.push("the referral of somebody who is thanked is gone".to_owned());
            return;
        };
        let id = referral.text("id");
        let person = holders(self.items).remove(&thanks.form.referrer.email).unwrap_or_default();
        let mut submitted = 0;
        for channel in &thanks.channels {
            submitted += usize::from(self.is_sent_or_told_why_not(thanks, id, *channel));
        }
        let of_id = |name: &str| -> BTreeSet<String> {
            let about = self.bus.iter().filter(|entry| entry.detail_type == name && entry.metadata("subject") == id);
            about.map(|entry| entry.metadata("id")).collect()
        };
        let (sent, thanked) = (of_id("REWARD_SENT"), of_id("REFERRER_THANKED"));
        let moves: Vec<&Item> = self
            .of_kind("AUDIT")
            .filter(|audit| audit.text("action") == "REWARD_CHANGED" && last(audit.text("pk")) == id)
            .filter(|audit| audit.text("to") == "THANKED")
            .collect();
        let named: BTreeSet<String> = moves.iter().map(|audit| audit.text("eventId").to_owned()).collect();
        let is_thanked = submitted > 0;
        let status = referral.text("rewardStatus");
        let wanted = if is_thanked { "THANKED" } else { "SENT" };
        self.expect(status == wanted, || format!("{id} is {status} with {submitted} thank-yous accepted"));
        self.expect(sent.len() == 1, || format!("{id} was sent in {sent:?}"));
        self.expect(thanked.len() == usize::from(is_thanked), || format!("{id} was thanked in {thanked:?}"));
        self.expect(thanked == named && moves.len() == named.len(), || {
            format!("{id} was thanked in {thanked:?}, and its history says {named:?}")
        });
        self.consents_are_as_was_said(thanks, &person);
    }

    /// Whether the thank-you was accepted. Exactly one then; else the row says why not.
    fn is_sent_or_told_why_not(&mut self, thanks: &Thanks, referral: &str, channel: Channel) -> bool {
        let name = channel.as_str();
        let row = self.of_kind("MESSAGE").find(|row| {
            (row.text("referralId"), row.text("kind"), row.text("channel")) == (referral, "THANK_YOU", name)
        });
        let Some(row) = row else {
            self.found.push(format!("nobody has decided about {referral} {name}"));
            return false;
        };
        let left: Vec<String> =
            self.accepted.iter().filter(|it| is_for(it, thanks, referral, channel)).map(|it| it.id.clone()).collect();
        self.expect(left.len() <= 1, || format!("{} thank-yous for {referral} {name}", left.len()));
        let is_stopped = thanks.is_stopped && channel == Channel::Sms;
        let agrees = thanks.form.agrees_to(channel);
        self.expect(left.is_empty() || agrees, || format!("{referral} {name} was thanked without consent"));
        self.expect(left.is_empty() || !is_stopped, || format!("{referral} {name} was thanked in spite of STOP"));
        let (status, reason) = (row.text("status"), row.text("reason"));
        match status {
            "SUBMITTED" => {
                let own = row.text("providerMessageId");
                self.expect(left == [own], || format!("{referral} {name} was accepted as {left:?}, not {own:?}"));
            }
            "SKIPPED" => {
                // Who was stopped has no consent any more: that is what a redelivery may find.
                let is_right = match reason {
                    "NO_CONSENT" => !agrees || (is_stopped && thanks.may_be_in_doubt),
                    "OPTED_OUT" => agrees && is_stopped,
                    _ => false,
                };
                self.expect(is_right, || format!("{referral} {name} was skipped for {reason}"));
                self.expect(left.is_empty(), || format!("{referral} {name} was skipped, and left"));
            }
            "UNKNOWN" => {
                let may_be = thanks.may_be_in_doubt && thanks.news.is_none() && agrees && !is_stopped;
                self.expect(may_be && !reason.is_empty(), || format!("{referral} {name} is in doubt for {reason:?}"));
            }
            _ => self.found.push(format!("{referral} {name} is stuck: {status} {reason}")),
        }
        self.history_says_so(row);
        let heard = thanks.news.filter(|_| channel == Channel::Email).map_or("", |news| news.as_str());
        let noted = row.text("delivery");
        self.expect(noted == heard, || format!("of {referral} {name} {heard:?} was told, and {noted:?} noted"));
        status == "SUBMITTED"
    }

    /// Consent ends with a bounce, a complaint or STOP: in the flag, once in the entries, and for the address.
    fn consents_are_as_was_said(&mut self, thanks: &Thanks, person: &str) {
        let row = self.of_kind("PERSON").find(|row| row.text("id") == person);
        for (channel, flag) in [(Channel::Email, "emailMarketingConsent"), (Channel::Sms, "smsMarketingConsent")] {
            let ended = match channel {
                Channel::Email => thanks.news.and_then(crate::News::ends_consent),
                Channel::Sms => thanks.is_stopped.then_some("STOP"),
            };
            let name = channel.as_str();
            let has = row.and_then(|row| row.0.get(flag)?.as_bool().ok()).copied().unwrap_or_default();
            let wanted = thanks.form.agrees_to(channel) && ended.is_none();
            self.expect(has == wanted, || format!("{person} agrees to {name}: {has} instead of {wanted}"));
            let revoked: Vec<&str> = self
                .of_kind("CONSENT")
                .filter(|entry| last(entry.text("pk")) == person && entry.text("channel") == name)
                .filter(|entry| entry.text("decision") == "REVOKED")
                .map(|entry| entry.text("method"))
                .collect();
            let wanted: Vec<&str> = ended.into_iter().collect();
            self.expect(revoked == wanted, || {
                format!("consent of {person} to {name} ended {revoked:?}, not {wanted:?}")
            });
        }
        let address = contact(&thanks.form.referrer.email, "").keys().remove(0);
        let closed = keys::suppression(&Fixtures::scope(), &address);
        let has = self.of_kind("SUPPRESSED").any(|row| row.text("pk") == closed.partition());
        let wanted = thanks.news.is_some_and(|news| news.ends_consent().is_some());
        self.expect(has == wanted, || format!("the address of {person} is suppressed: {has} instead of {wanted}"));
    }

    /// Every thank-you that was accepted is somebody's who is to be thanked there.
    fn nothing_else_left(&mut self, all: &[Thanks]) {
        for message in self.accepted.clone().iter().filter(|message| is_thank_you(message)) {
            let is_meant = all.iter().any(|thanks| {
                let to = match message.channel {
                    Channel::Email => Some(&thanks.form.referrer.email),
                    Channel::Sms => thanks.form.referrer.phone.as_ref(),
                };
                thanks.channels.contains(&message.channel) && to == Some(&message.to)
            });
            self.expect(is_meant, || format!("nobody is to be thanked with {}", message.id));
        }
    }

    fn nothing_personal_is_in_tags(&mut self, world: &World) {
        let values = self.accepted.iter().flat_map(|message| message.tags.values());
        let tags = values.map(String::as_str).collect::<Vec<_>>().join("\n").to_lowercase();
        let numbers = world.submissions.iter().flat_map(crate::Submitted::numbers).any(|number| tags.contains(number));
        self.expect(!tags.contains(CANARY) && !tags.contains('@') && !numbers, || {
            "tags tell who somebody is".to_owned()
        });
        // The agent's own address is nobody else's business either.
        let logs = world.logs().to_lowercase();
        self.expect(!logs.contains(AGENT_MAIL), || "the logs tell the agent's address".to_owned());
    }
}

/// A mail is known by its tags, an SMS by its number: an SMS has no others.
fn is_for(message: &Accepted, thanks: &Thanks, referral: &str, channel: Channel) -> bool {
    message.channel == channel
        && is_thank_you(message)
        && match channel {
            Channel::Email => message.tags.get("referral").is_some_and(|tag| tag == referral),
            Channel::Sms => thanks.form.referrer.phone.as_ref() == Some(&message.to),
        }
}

/// A text in a map of a row.
fn part(item: &Item, map: &str, name: &str) -> String {
    let value = item.0.get(map).and_then(|map| map.as_m().ok()).and_then(|map| map.get(name));
    value.and_then(|value| value.as_s().ok()).cloned().unwrap_or_default()
}
