//! Rows by the thousand, written straight into the ledger's table: nobody has the time to capture them one by one.

use std::{
    collections::{BTreeMap, HashMap},
    ops::RangeInclusive,
};

use aws_sdk_dynamodb::types::{AttributeValue, PutRequest, WriteRequest};
use referrals::{
    domain::{
        attribution::{CellId, Figures},
        calendar::Zone,
        contact::Contact,
        id::{OrgId, PersonId, ReferralId, UserId},
        person::Person,
        phone::{Phone, Region},
        referral::{Channel, NewReferral, Referral, ReferralStatus, RewardType},
        reward::RewardPolicy,
        time::Timestamp,
    },
    ports::{AttributionKeeper as _, CellCorrection, CorrectionOutcome},
    store::{keys, rows},
};

use crate::{Fixtures, STARTED_AT, TestStore, contact, name};

/// `BatchWriteItem` takes at most 25 requests.
const BATCH: usize = 25;
const IN_FLIGHT: usize = 4;

/// Referrals and people of the demo organization that no request has made.
#[derive(Debug)]
pub struct Bulk;

impl Bulk {
    /// Few, so that each has more rows than one answer looks at.
    pub const REFERRERS: u32 = 2;

    /// Who sent the mixed referral of this number.
    #[must_use]
    pub fn referrer(number: u32) -> Person {
        Self::person(number % Self::REFERRERS)
    }

    /// Five statuses and two referrers, in turns that meet each other; a reward waits for each that converted.
    #[must_use]
    pub fn mixed(number: u32) -> Referral {
        let status = ReferralStatus::ALL[(number / Self::REFERRERS % 5) as usize];
        let mut row = Referral { status, ..Self::referral(number, &Self::referrer(number).id) };
        if status == ReferralStatus::Converted {
            let mut policy = RewardPolicy::default_of(row.organization_id.clone());
            policy.reward_type = RewardType::Custom;
            row.bring_up_reward(&policy, row.created_at, row.created_at);
        }
        row
    }

    /// Writes the referrers, and the mixed referrals of these numbers with links and figures. Those before them are there
    /// already.
    pub async fn fill(store: &TestStore, numbers: RangeInclusive<u32>) {
        let last = *numbers.end();
        Self::put(store, (0..Self::REFERRERS).map(|number| Self::person_row(&Self::referrer(number)))).await;
        let items = numbers.flat_map(|number| {
            let row = Self::mixed(number);
            [Self::row(&row), Self::link(&row)]
        });
        Self::put(store, items).await;
        let mut sums: BTreeMap<CellId, Figures> = BTreeMap::new();
        for row in (1..=last).map(Self::mixed) {
            sums.entry(CellId::of(&row)).or_default().add(&Figures::of(&row));
        }
        let (ledger, scope) = (store.ledger(), Fixtures::scope());
        for (id, figures) in sums {
            let known = ledger.cells_of(&scope, &id.advocate).await.unwrap();
            let read = known.iter().find(|cell| cell.id == id).map(|cell| cell.version);
            let correction = CellCorrection { id, read, figures };
            assert_eq!(ledger.correct_cell(&scope, &correction).await, Ok(CorrectionOutcome::Corrected));
        }
        let _ = (store.calls.take(), store.calls.take_units());
    }

    /// The later its number, the newer. Sent to the demo's agent.
    #[must_use]
    pub fn referral(number: u32, referrer: &PersonId) -> Referral {
        let new = NewReferral {
            referrer_person_id: referrer.clone(),
            referred_name: name("Sam Lee"),
            referred_contact: Contact::default(),
            agent_user_id: UserId::parse(Fixtures::AGENT).unwrap(),
            channel: Channel::Manual,
            notes: None,
        };
        let at = Timestamp::parse(STARTED_AT).unwrap().plus_seconds(i64::from(number) - 1_000_000);
        let id = ReferralId::parse(&format!("ref_{number:026}")).unwrap();
        Referral::received(id, OrgId::parse(Fixtures::ORGANIZATION).unwrap(), new, at, &Zone::utc())
    }

    #[must_use]
    pub fn person(number: u32) -> Person {
        let mut person = Person::new(
            PersonId::parse(&format!("person_{number:026}")).unwrap(),
            OrgId::parse(Fixtures::ORGANIZATION).unwrap(),
            name("Pat Jones"),
            contact(&format!("pat{number}@example.com"), ""),
            Timestamp::parse(STARTED_AT).unwrap().plus_seconds(-1_000_000),
        );
        person.phone = Phone::parse("+14155552671", &Region::default()).ok();
        person
    }

    /// A referral's row.
    #[must_use]
    pub fn row(referral: &Referral) -> HashMap<String, AttributeValue> {
        rows::to_item(referral, &keys::referral_row(&Fixtures::scope(), referral)).unwrap()
    }

    /// The link from a referral's referrer to it.
    #[must_use]
    pub fn link(referral: &Referral) -> HashMap<String, AttributeValue> {
        let row = rows::LinkRow { referral_id: referral.id.clone(), created_at: referral.created_at };
        rows::to_item(&row, &keys::referred_link(&Fixtures::scope(), referral)).unwrap()
    }

    #[must_use]
    pub fn person_row(person: &Person) -> HashMap<String, AttributeValue> {
        rows::to_item(person, &keys::person_row(&Fixtures::scope(), person)).unwrap()
    }

    /// Writes the items, whatever was there.
    pub async fn put(store: &TestStore, items: impl IntoIterator<Item = HashMap<String, AttributeValue>>) {
        let mut items = items.into_iter().peekable();
        while items.peek().is_some() {
            let mut writes = tokio::task::JoinSet::new();
            for _ in 0..IN_FLIGHT {
                let requests: Vec<_> = items
                    .by_ref()
                    .take(BATCH)
                    .map(|item| PutRequest::builder().set_item(Some(item)).build().unwrap())
                    .map(|put| WriteRequest::builder().put_request(put).build())
                    .collect();
                if requests.is_empty() {
                    break;
                }
                let write = store.client.batch_write_item().request_items(&store.table, requests);
                writes.spawn(write.send());
            }
            while let Some(written) = writes.join_next().await {
                let left = written.unwrap().expect("the engine writes").unprocessed_items.unwrap_or_default();
                assert!(left.is_empty(), "the engine takes every row");
            }
        }
        let _ = (store.calls.take(), store.calls.take_units());
    }
}
