//! Rows by the thousand, written straight into the ledger's table: nobody has the time to capture them one by one.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::{AttributeValue, PutRequest, WriteRequest};
use referrals::{
    domain::{
        calendar::Zone,
        contact::Contact,
        id::{OrgId, PersonId, ReferralId, UserId},
        person::Person,
        phone::{Phone, Region},
        referral::{Channel, NewReferral, Referral},
        time::Timestamp,
    },
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
