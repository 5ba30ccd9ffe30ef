//! What the service should know: plain rows, written from the contract and sharing no rule with the code.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::{
    reward::{Policy, Reward},
    words::address_of,
};

/// One organization of a sequence.
#[derive(Debug, Clone)]
pub struct Organization {
    pub id: &'static str,
    pub region: &'static str,
    /// User, role, and whether the member is active.
    pub members: Vec<(&'static str, &'static str, bool)>,
    pub slug: String,
    /// Whose profile the slug is.
    pub profile: &'static str,
}

#[derive(Debug, Clone, Default)]
pub struct Contact {
    pub email: Option<String>,
    pub phone: Option<String>,
}

impl Contact {
    pub fn key(&self) -> Option<String> {
        self.keys().into_iter().next()
    }

    pub fn keys(&self) -> Vec<String> {
        let email = self.email.as_ref().map(|email| format!("email {}", address_of(email).unwrap().key));
        email.into_iter().chain(self.phone.as_ref().map(|phone| format!("phone {phone}"))).collect()
    }

    /// The same mailbox, or the same number.
    pub fn is_same(&self, other: &Self) -> bool {
        let mailbox = |contact: &Self| contact.email.as_ref().map(|email| address_of(email).unwrap().mailbox);
        (mailbox(self).is_some() && mailbox(self) == mailbox(other))
            || (self.phone.is_some() && self.phone == other.phone)
    }
}

#[derive(Debug, Clone)]
pub struct Person {
    pub id: String,
    pub org: usize,
    pub name: String,
    pub contact: Contact,
    pub is_lead: bool,
    pub is_advocate: bool,
    pub owner: Option<String>,
    pub total: u64,
    pub version: u64,
}

impl Person {
    pub fn view(&self, orgs: &[Organization]) -> Value {
        json!({
            "id": self.id, "organizationId": orgs[self.org].id, "name": self.name, "email": self.contact.email,
            "phone": self.contact.phone, "leadSource": self.is_lead.then_some("REFERRAL"),
            "relationshipStage": self.is_advocate.then_some("ADVOCATE"),
            "pipelineStage": self.is_lead.then_some("LEAD"), "ownerUserId": self.owner, "totalReferrals": self.total,
            "emailMarketingConsent": false, "smsMarketingConsent": false, "doNotContact": false,
            "version": self.version
        })
    }

    /// Gains what is absent.
    pub fn enter_pipeline(&mut self, agent: &str) {
        self.is_lead = true;
        self.is_advocate = true;
        self.owner.get_or_insert_with(|| agent.to_owned());
    }
}

#[derive(Debug, Clone)]
pub struct Row {
    pub id: String,
    pub org: usize,
    pub referrer: usize,
    pub lead: Option<usize>,
    pub name: String,
    pub contact: Contact,
    pub agent: String,
    pub channel: &'static str,
    pub status: &'static str,
    pub reason: Option<String>,
    pub deal: Option<String>,
    pub reward_type: String,
    pub reward_value: Option<i64>,
    pub reward: Reward,
    pub notes: Option<String>,
    pub flags: BTreeSet<&'static str>,
    pub created: String,
    pub version: u64,
    pub is_deleted: bool,
    /// Its `REFERRAL_RECEIVED` has been applied.
    pub has_entered: bool,
    pub history: Vec<Value>,
}

impl Row {
    pub fn view(&self, orgs: &[Organization], people: &[Person]) -> Value {
        json!({
            "id": self.id, "organizationId": orgs[self.org].id, "referrerPersonId": people[self.referrer].id,
            "referredPersonId": self.lead.map(|lead| &people[lead].id), "referredName": self.name,
            "referredContact": {"email": self.contact.email, "phone": self.contact.phone}, "agentUserId": self.agent,
            "channel": self.channel, "status": self.status, "lostReason": self.reason, "resultingDealId": self.deal,
            "resultingLeadSource": "REFERRAL", "rewardType": self.reward_type, "rewardStatus": self.reward.status,
            "rewardValue": self.reward_value, "rewardCurrency": self.reward.currency, "notes": self.notes,
            "createdAt": self.created, "version": self.version
        })
    }

    pub fn is_open(&self) -> bool {
        matches!(self.status, "RECEIVED" | "CONTACTED" | "QUALIFIED")
    }
}

/// Why a request is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    pub status: i64,
    pub code: &'static str,
    /// Pointer and code of each field that is wrong.
    pub errors: BTreeMap<String, &'static str>,
    /// Of a transition that there is not.
    pub edge: Option<(&'static str, &'static str)>,
}

impl Refusal {
    pub fn new(status: i64, code: &'static str) -> Self {
        Self { status, code, errors: BTreeMap::new(), edge: None }
    }

    pub fn fields(errors: BTreeMap<String, &'static str>) -> Self {
        Self { errors, ..Self::new(422, "invalid_fields") }
    }

    pub fn field(pointer: &str, code: &'static str) -> Self {
        Self::fields([(pointer.to_owned(), code)].into())
    }
}

/// Who calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Actor {
    pub org: usize,
    pub user: &'static str,
    pub role: &'static str,
    pub is_active: bool,
}

impl Actor {
    pub fn manages(&self) -> bool {
        self.role != "MEMBER"
    }
}

/// Organization, agent, key of the referrer, key or name of the referred.
pub type Pair = (usize, String, String, String);

#[derive(Debug, Default)]
pub struct Model {
    pub orgs: Vec<Organization>,
    pub people: Vec<Person>,
    pub rows: Vec<Row>,
    /// Who holds a contact key.
    pub holders: BTreeMap<(usize, String), usize>,
    /// The first referral of a pair, and the day on which it came.
    pub guards: BTreeMap<Pair, (usize, i64)>,
    /// Answers to requests with a name: by organization, member, path and name, with what was sent.
    pub answers: BTreeMap<(usize, &'static str, String, String), (String, String)>,
    /// By organization.
    pub policies: BTreeMap<usize, Policy>,
    /// What the outbox should hold: type, subject, version and what else is said.
    pub events: Vec<Value>,
}

impl Model {
    /// The row, where the actor may see it.
    pub fn visible(&self, actor: Actor, id: &str) -> Option<usize> {
        self.rows.iter().position(|row| row.id == id && !row.is_deleted && Self::sees(actor, row))
    }

    pub fn sees(actor: Actor, row: &Row) -> bool {
        row.org == actor.org && (actor.manages() || row.agent == actor.user)
    }

    /// The rows of one list, newest first.
    pub fn list(&self, actor: Actor, filters: &[(&'static str, String)]) -> Vec<usize> {
        let admits = |row: &Row, name: &str, value: &str| match name {
            "status" => row.status == value,
            "channel" => row.channel == value,
            "agentUserId" => row.agent == value,
            "rewardStatus" => value == row.reward.status,
            "referrerPersonId" => self.people[row.referrer].id == value,
            "from" => row.created.as_str() >= value,
            "to" => row.created.as_str() < value,
            other => panic!("{other}"),
        };
        let mut found: Vec<usize> = (0..self.rows.len())
            .filter(|place| {
                let row = &self.rows[*place];
                !row.is_deleted
                    && Self::sees(actor, row)
                    && filters.iter().all(|(name, value)| admits(row, name, value))
            })
            .collect();
        found.sort_by_key(|place| std::cmp::Reverse((&self.rows[*place].created, &self.rows[*place].id)));
        found
    }

    pub fn person(&self, org: usize, id: &str) -> Option<usize> {
        self.people.iter().position(|person| person.org == org && person.id == id)
    }

    pub fn is_active_member(&self, org: usize, user: &str) -> bool {
        self.orgs[org].members.iter().any(|(own, _, is_active)| *own == user && *is_active)
    }
}
