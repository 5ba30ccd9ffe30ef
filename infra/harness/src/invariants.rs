//! What must hold over the whole state, once nothing waits any more.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use aws_sdk_dynamodb::types::AttributeValue;
use referrals_testing::Item;

use crate::{
    BusEntry, Submitted, UploadedFile, World,
    client::{CANARY, Somebody},
    deals,
    delivery::is_pending,
    figures, imports, laws, messages,
    rows::{holders, imported_as, is_erased, last},
    world::BUS,
};

/// What stands for a name that was taken out.
const ERASED_NAME: &str = "Erased person";

/// Everything that does not hold, in words. Values of people are not repeated.
pub async fn violations(world: &World) -> Vec<String> {
    let items = world.store.items().await;
    let mut known = world.former_holders.clone();
    known.extend(holders(&items));
    let mut state = State {
        erased: items.iter().filter(|item| is_erased(item)).map(|item| item.text("id").to_owned()).collect(),
        holders: known,
        items,
        outbox: world.store.outbox_items().await,
        bus: world.bus.entries(),
        submissions: &world.submissions,
        named_requests: world.named_requests,
        imports: &world.imports,
        found: Vec::new(),
    };
    state.outbox_is_empty(&world.unreadable);
    state.each_submission_is_one_referral();
    state.people_are_who_was_named();
    state.consents_are_of_whom_a_form_created();
    state.counters_equal_the_ledger();
    state.each_event_is_told_and_applied();
    state.flags_are_raised_once();
    state.nothing_personal_is_outside(&world.logs(), &world.queues.dead_letters());
    let told = messages::violations(world, &state.items, &state.bus);
    state.found.extend(told);
    state.found.extend(deals::violations(&state.items, &state.bus, &world.deals));
    state.found.extend(imports::violations(&state.items, &world.imports));
    state.found.extend(figures::violations(&state.items));
    state.found.extend(laws::violations(&state.items, &state.bus, &world.unsubscribed, &world.former_holders));
    state.found.extend(laws::who_is_kept_is_needed(&state.items, &world.erased));
    for (function, count) in world.queues.dead() {
        state.found.push(format!("{count} messages for {} are dead letters", function.as_str()));
    }
    state.found
}

struct State<'a> {
    items: Vec<Item>,
    /// Ids of people of whom nothing is known any more.
    erased: BTreeSet<String>,
    /// Who holds an address, or held it until they were erased.
    holders: HashMap<String, String>,
    outbox: Vec<Item>,
    bus: Vec<BusEntry>,
    submissions: &'a [Submitted],
    named_requests: usize,
    imports: &'a [UploadedFile],
    found: Vec<String>,
}

impl State<'_> {
    fn of_kind(&self, kind: &str) -> Vec<&Item> {
        self.items.iter().filter(|item| item.kind() == kind).collect()
    }

    /// Those that came through a form.
    fn submitted(&self) -> Vec<&Item> {
        self.of_kind("REFERRAL").into_iter().filter(|row| imported_as(row).is_none()).collect()
    }

    fn expect(&mut self, holds: bool, violation: impl FnOnce() -> String) {
        if !holds {
            self.found.push(violation());
        }
    }

    fn equal<T: PartialEq + std::fmt::Debug>(&mut self, what: &str, found: &T, wanted: &T) {
        self.expect(found == wanted, || format!("{what}: {found:?} instead of {wanted:?}"));
    }

    fn outbox_is_empty(&mut self, unreadable: &[String]) {
        let ids = |pending: bool| -> BTreeSet<String> {
            self.outbox
                .iter()
                .filter(|item| is_pending(item) == pending)
                .map(|item| item.text("sk").to_owned())
                .collect()
        };
        let (pending, poison) = (ids(true), ids(false));
        self.equal("pending in the outbox", &pending, &BTreeSet::new());
        self.equal("set aside in the outbox", &poison, &unreadable.iter().cloned().collect());
        self.equal("rows of the outbox", &self.outbox.len(), &unreadable.len());
    }

    /// Exactly one referral, guard, lead and link per submission, and nothing besides.
    fn each_submission_is_one_referral(&mut self) {
        let mut rows: BTreeMap<(String, String), Vec<(String, String)>> = BTreeMap::new();
        let mut referred: HashMap<String, (String, bool)> = HashMap::new();
        for referral in self.submitted() {
            let lead = referral.text("referredPersonId").to_owned();
            let pair = (referral.text("referrerPersonId").to_owned(), lead.clone());
            rows.entry(pair).or_default().push((referral.text("id").to_owned(), lead));
            let is_blank = referral.text("referredName") == ERASED_NAME;
            referred.insert(referral.text("id").to_owned(), (email(referral, "referredContact"), is_blank));
        }
        let mut links: HashMap<String, Vec<String>> = HashMap::new();
        for link in self.of_kind("LEAD_OF") {
            links.entry(link.text("referralId").to_owned()).or_default().push(last(link.text("pk")));
        }
        let count = self.submissions.len();
        for submission in self.submissions {
            let referrer = self.holder(&submission.referrer);
            let lead = self.holder(&submission.referred);
            let found = rows.remove(&(referrer, lead.clone())).unwrap_or_default();
            self.equal("referrals of one submission", &found.len(), &1);
            for (referral, linked) in found {
                let (shown, is_blank) = referred.remove(&referral).unwrap_or_default();
                let wanted = if is_blank { "" } else { &submission.referred.email };
                self.expect(shown == wanted, || format!("{referral} shows another address"));
                self.expect(is_blank || !self.erased.contains(&lead), || format!("{referral} shows who was erased"));
                self.expect(linked == lead && !lead.is_empty(), || format!("{referral} is not linked to its lead"));
                let linking = links.remove(&referral).unwrap_or_default();
                self.expect(linking == [lead.as_str()], || format!("{referral} has the links {linking:?}"));
            }
        }
        self.equal("referrals that nobody submitted", &rows.len(), &0);
        self.equal("links of nothing", &links.len(), &0);
        // A guard goes with what it was made of.
        let erased = self.of_kind("AUDIT").into_iter().filter(|entry| entry.text("action") == "ERASED");
        let unguarded: BTreeSet<&str> = erased.map(|entry| entry.text("pk")).collect();
        let guards = count - unguarded.len();
        self.equal("guards", &self.of_kind("PAIR").len(), &guards);
        let named = self.submissions.iter().filter(|submission| submission.key.is_some()).count();
        self.equal("remembered answers", &self.of_kind("IDEMPOTENCY").len(), &(named + self.named_requests));
    }

    /// One person for each who was named, and one key for each address and number, held by a person that exists.
    fn people_are_who_was_named(&mut self) {
        let people: BTreeSet<String> = self.of_kind("PERSON").iter().map(|row| row.text("id").to_owned()).collect();
        let mut named: BTreeMap<&str, &Somebody> = self
            .submissions
            .iter()
            .flat_map(|submission| [&submission.referrer, &submission.referred])
            .chain(imports::advocates(self.imports))
            .map(|somebody| (somebody.email.as_str(), somebody))
            .collect();
        let everybody = named.len();
        named.retain(|_, somebody| !self.erased.contains(&self.holder(somebody)));
        let numbers = named.values().filter(|somebody| somebody.phone.is_some()).count();
        // The fixtures hold one person, who has an address and a number.
        self.equal("people", &people.len(), &(everybody + 1));
        let contacts: Vec<(String, String)> = self
            .of_kind("CONTACT")
            .iter()
            .map(|row| (row.text("pk").to_owned(), row.text("personId").to_owned()))
            .collect();
        self.equal("contact keys", &contacts.len(), &(named.len() + numbers + 2));
        for (_, holder) in contacts {
            self.expect(people.contains(&holder), || format!("a contact key is held by {holder}, who is not there"));
        }
        let advocates: BTreeSet<String> = self
            .of_kind("PERSON")
            .iter()
            .filter(|row| row.text("relationshipStage") == "ADVOCATE")
            .map(|row| row.text("id").to_owned())
            .collect();
        let forms = self.submissions.iter().map(|submission| &submission.referrer);
        for referrer in forms.chain(imports::advocates(self.imports)) {
            let referrer = self.holder(referrer);
            self.expect(advocates.contains(&referrer), || format!("the referrer {referrer} is no advocate"));
        }
    }

    /// A consent is stored with the person whom its form created, once; a form about a person who is there stores none.
    fn consents_are_of_whom_a_form_created(&mut self) {
        let mut given: BTreeMap<String, usize> = BTreeMap::new();
        for consent in self.of_kind("CONSENT").iter().filter(|row| row.text("decision") == "GRANTED") {
            *given.entry(last(consent.text("pk"))).or_default() += 1;
        }
        for named in self.submissions.iter().filter(|submission| submission.key.is_some()) {
            let rows = given.remove(&self.holder(&named.referrer)).unwrap_or_default();
            let forms = self.submissions.iter().filter(|form| form.referrer == named.referrer).count();
            // Another form of the same referrer may have been first.
            let wanted = 1 + usize::from(named.agrees_to_sms);
            self.expect(rows == wanted || (rows == 0 && forms > 1), || {
                format!("a form with consent left {rows} entries")
            });
        }
        self.equal("consents that nobody gave", &given.len(), &0);
    }

    fn counters_equal_the_ledger(&mut self) {
        let mut counted: BTreeMap<String, i64> = BTreeMap::new();
        for referral in self.of_kind("REFERRAL") {
            *counted.entry(referral.text("referrerPersonId").to_owned()).or_default() += 1;
        }
        let people: Vec<(String, i64)> = self
            .of_kind("PERSON")
            .iter()
            .map(|person| (person.text("id").to_owned(), person.number("totalReferrals")))
            .collect();
        for (person, total) in people {
            let rows = counted.remove(&person).unwrap_or_default();
            self.equal(&format!("totalReferrals of {person}"), &total, &rows);
        }
        self.equal("referrers who are not there", &counted.len(), &0);
    }

    /// Every event that the ledger's history names is on the bus, nothing else is, and each was applied once.
    fn each_event_is_told_and_applied(&mut self) {
        for entry in &self.bus {
            let is_deal = entry.detail_type.starts_with("DEAL_");
            if entry.bus != BUS || (entry.source == "winnerr.referrals") == is_deal {
                self.found.push(format!("an event went to the bus {} from {}", entry.bus, entry.source));
            }
        }
        let mut received = BTreeSet::new();
        for (action, detail_type) in [("RECEIVED", "REFERRAL_RECEIVED"), ("LEAD_LINKED", "LEAD_ENTERED_PIPELINE")] {
            let mut announced: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
            let mut entries = 0;
            for audit in self.of_kind("AUDIT").iter().filter(|audit| audit.text("action") == action) {
                entries += 1;
                announced.entry(last(audit.text("pk"))).or_default().insert(audit.text("eventId").to_owned());
            }
            self.equal(&format!("audit entries {action}"), &entries, &self.submissions.len());
            let mut told: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
            for entry in self.bus.iter().filter(|entry| entry.detail_type == detail_type) {
                told.entry(entry.metadata("subject")).or_default().insert(entry.metadata("id"));
            }
            for referral in self.submitted().iter().map(|row| row.text("id").to_owned()).collect::<Vec<_>>() {
                let ids = announced.remove(&referral).unwrap_or_default();
                self.equal(&format!("{action} events of {referral}"), &ids.len(), &1);
                let on_bus = told.remove(&referral).unwrap_or_default();
                self.equal(&format!("{detail_type} of {referral} on the bus"), &on_bus, &ids);
                if action == "RECEIVED" {
                    received.extend(ids);
                }
            }
            self.equal(&format!("{detail_type} of no referral"), &told.len(), &0);
        }
        let handled: Vec<String> = self.of_kind("INBOX").iter().map(|row| last(row.text("pk"))).collect();
        self.equal("inbox rows", &handled.len(), &received.len());
        self.equal("events in the inbox", &handled.into_iter().collect(), &received);
    }

    /// Two referrals of one person are contested, with one entry for the one that was there first; each row has changed
    /// as often as its history says.
    fn flags_are_raised_once(&mut self) {
        let mut rivals: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
        for submission in self.submissions {
            rivals.entry(self.holder(&submission.referred)).or_default().insert(&submission.referrer.email);
        }
        let mut flagged: BTreeMap<String, i64> = BTreeMap::new();
        for audit in self.of_kind("AUDIT").iter().filter(|audit| audit.text("action") == "FLAGGED") {
            *flagged.entry(last(audit.text("pk"))).or_default() += 1;
        }
        let changes = deals::changes(&self.items);
        let mut found = Vec::new();
        for referral in self.submitted() {
            let id = referral.text("id");
            let wanted = rivals.get(referral.text("referredPersonId")).is_some_and(|rivals| rivals.len() > 1);
            let has = referral.0.get("riskFlags").is_some_and(|flags| format!("{flags:?}").contains("CONTESTED"));
            if has != wanted {
                found.push(format!("{id} is contested: {has} instead of {wanted}"));
            }
            let entries = flagged.get(id).copied().unwrap_or_default();
            if referral.number("version") != 2 + entries + changes.get(id).copied().unwrap_or_default() {
                let history = self.history(id);
                found.push(format!("{id} has version {} after {history:?}", referral.number("version")));
            }
        }
        self.found.extend(found);
        let contested = rivals.values().filter(|rivals| rivals.len() > 1).count();
        self.equal("entries for flags", &flagged.values().sum(), &i64::try_from(contested).unwrap());
    }

    /// What happened to the referral, in order.
    fn history(&self, referral: &str) -> Vec<String> {
        let entries = self.items.iter().filter(|item| item.kind() == "AUDIT" && last(item.text("pk")) == referral);
        let mut lines: Vec<String> = entries
            .map(|entry| ["at", "action", "from", "to", "requestId"].map(|name| entry.text(name)).join(" "))
            .collect();
        lines.sort();
        lines
    }

    fn nothing_personal_is_outside(&mut self, logs: &str, dead_letters: &str) {
        let bus: Vec<String> = self.bus.iter().map(|entry| entry.envelope() + &entry.bus).collect();
        let outbox: Vec<String> = self.outbox.iter().map(|item| format!("{:?}", item.0)).collect();
        let (bus, outbox) = (bus.join("\n"), outbox.join("\n"));
        for (place, text) in [("logs", logs), ("bus", &bus), ("outbox", &outbox), ("dead letters", dead_letters)] {
            let text = text.to_lowercase();
            self.expect(!text.contains(CANARY), || format!("the {place} tell a name, an address or a note"));
            let numbers = self.submissions.iter().flat_map(Submitted::numbers).filter(|number| text.contains(number));
            let told = numbers.count();
            self.equal(&format!("numbers in the {place}"), &told, &0);
        }
        self.expect(!logs.is_empty(), || "there are no logs".to_owned());
        self.expect(!logs.contains("panicked"), || "a function panicked".to_owned());
    }

    /// The person who holds the address; empty when nobody does.
    fn holder(&self, somebody: &Somebody) -> String {
        self.holders.get(&somebody.email).cloned().unwrap_or_default()
    }
}

fn email(item: &Item, attribute: &str) -> String {
    let contact = item.0.get(attribute).and_then(|contact| contact.as_m().ok());
    let email = contact.and_then(|contact| contact.get("email"));
    email.and_then(|email: &AttributeValue| email.as_s().ok()).cloned().unwrap_or_default()
}
