//! Two organizations with agents, and submissions, in few words.

use std::sync::atomic::{AtomicI64, Ordering};

use referrals::{
    domain::{
        access::Caller,
        calendar::Zone,
        consent::FormConsent,
        contact::Contact,
        email::Email,
        id::{OrgId, PersonId, UserId},
        organization::{PublishedProfile, Role, Slug},
        phone::{Phone, Region},
        rate_limit::Limits,
        referral::Channel,
        scope::OrgScope,
        text::PersonName,
        time::Timestamp,
    },
    ports::Clock,
    store::Provision,
    usecase::capture_referral::Submission,
};

use crate::TestStore;

/// When every test's clock starts.
pub const STARTED_AT: &str = "2026-11-22T07:00:00.000Z";

/// A clock that goes on by one millisecond each time it is asked, and by more when told to.
#[derive(Debug, Default)]
pub struct TestClock(AtomicI64);

impl TestClock {
    pub fn advance_seconds(&self, seconds: i64) {
        self.0.fetch_add(seconds * 1_000, Ordering::Relaxed);
    }
}

impl Clock for TestClock {
    fn now(&self) -> Timestamp {
        let millis = self.0.fetch_add(1, Ordering::Relaxed);
        let start: u64 = Timestamp::parse(STARTED_AT).unwrap().epoch_millis();
        let at = start + u64::try_from(millis).unwrap();
        let (seconds, rest) = (at / 1_000, at % 1_000);
        Timestamp::parse("1970-01-01T00:00:00Z")
            .unwrap()
            .plus_seconds(i64::try_from(seconds).unwrap())
            .plus_millis(i64::try_from(rest).unwrap())
    }
}

/// The records of `infra/local/demo.json`, loaded.
#[derive(Debug)]
pub struct Fixtures;

impl Fixtures {
    pub const SLUG: &'static str = "jane-doe-realty";
    pub const ORGANIZATION: &'static str = "org_winnerr_demo";
    pub const AGENT: &'static str = "user_789";
    pub const OWNER: &'static str = "user_456";
    pub const OTHER_ORGANIZATION: &'static str = "org_other_demo";
    pub const OTHER_OWNER: &'static str = "user_901";

    pub async fn load(store: &TestStore) -> Self {
        let json = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../local/demo.json"))
            .expect("infra/local/demo.json");
        let records: Provision = serde_json::from_str(&json).expect("demo.json is a set of records");
        let at = Timestamp::parse(STARTED_AT).unwrap();
        store.directory().provision(&records, at).await.expect("the records are put in place");
        let _ = store.calls.take();
        Self
    }

    /// Limits that no test reaches unless it means to.
    pub const LIMITS: Limits = Limits { per_minute: 1_000_000, per_window: 10_000_000, window_seconds: 86_400 };

    #[must_use]
    pub fn slug() -> Slug {
        Slug::parse(Self::SLUG).unwrap()
    }

    #[must_use]
    pub fn scope() -> OrgScope {
        OrgScope::from_published_profile(&PublishedProfile {
            organization_id: OrgId::parse(Self::ORGANIZATION).unwrap(),
            agent_user_id: UserId::parse(Self::AGENT).unwrap(),
            display_name: name("Jane Doe"),
            brokerage: name("Doe Realty Group"),
            timezone: Zone::utc(),
        })
    }

    #[must_use]
    pub fn caller(organization: &str, user: &str, role: Role) -> Caller {
        Caller {
            scope: OrgScope::from_verified_claims(OrgId::parse(organization).unwrap()),
            user: UserId::parse(user).unwrap(),
            role,
        }
    }

    #[must_use]
    pub fn owner() -> Caller {
        Self::caller(Self::ORGANIZATION, Self::OWNER, Role::Owner)
    }

    #[must_use]
    pub fn person_111() -> PersonId {
        PersonId::parse("person_111").unwrap()
    }
}

/// An address, a number, or both; an empty text is none.
#[must_use]
pub fn contact(email: &str, phone: &str) -> Contact {
    Contact {
        email: (!email.is_empty()).then(|| Email::parse(email).unwrap()),
        phone: (!phone.is_empty()).then(|| Phone::parse(phone, &Region::default()).unwrap()),
    }
}

#[must_use]
pub fn name(text: &str) -> PersonName {
    PersonName::parse(text).unwrap()
}

/// Pat, at `referrer`, sends Sam, at `referred`.
#[must_use]
pub fn submission(referrer: Contact, referred: Contact) -> Submission {
    Submission {
        referrer_name: name("Pat Jones"),
        referrer_contact: referrer,
        referred_name: name("Sam Lee"),
        referred_contact: referred,
        channel: Channel::PublicProfile,
        notes: None,
        consent: FormConsent::default(),
        is_trapped: false,
    }
}
