//! The ledger with its referrers, row by row.

use referrals::{
    domain::{filter::ReferralFilter, id::PersonId, person::Person, referral::Referral},
    ports::{Position, StoreError},
    usecase::export_referrals::export_referrals,
};
use referrals_testing::{Bulk, Fixtures};

use crate::world::World;

/// One answer: ids of referrals with the names of their referrers, and where it goes on.
async fn export(
    world: &World,
    filter: &ReferralFilter,
    after: Option<&Position>,
    room: usize,
) -> (Vec<(String, String)>, Option<Position>) {
    let mut rows = Vec::new();
    let write = |row: &Referral, referrer: Option<&Person>| {
        if rows.len() == room {
            return Ok::<_, StoreError>(false);
        }
        assert!(referrer.is_none_or(|person| person.id == row.referrer_person_id));
        let name = referrer.map_or("", |person| person.id.as_str());
        rows.push((row.id.to_string(), name.to_owned()));
        Ok(true)
    };
    let next = export_referrals(&world.ledger, &Fixtures::owner(), filter, after, write).await.unwrap();
    (rows, next)
}

#[tokio::test]
async fn every_row_comes_once_with_its_referrer_however_little_room_there_is() {
    let world = World::new().await;
    let people = [Bulk::person(1), Bulk::person(2)];
    Bulk::put(&world.store, people.iter().map(Bulk::person_row)).await;
    let referrers = [people[0].id.clone(), people[1].id.clone(), PersonId::parse("person_gone").unwrap()];
    let rows: Vec<_> = (0..25).map(|number| Bulk::referral(number, &referrers[number as usize % 3])).collect();
    Bulk::put(&world.store, rows.iter().flat_map(|row| [Bulk::row(row), Bulk::link(row)])).await;
    let known = |row: &Referral| people.iter().any(|person| person.id == row.referrer_person_id);
    let named = |row: &Referral| if known(row) { row.referrer_person_id.to_string() } else { String::new() };
    let all: Vec<_> = rows.iter().rev().map(|row| (row.id.to_string(), named(row))).collect();
    for (referrer, expected) in [
        (None, all.clone()),
        (Some(referrers[1].clone()), all.iter().filter(|row| row.1 == referrers[1].as_str()).cloned().collect()),
    ] {
        let filter = ReferralFilter { referrer, ..ReferralFilter::default() };
        for room in [1, 4, 25, 100] {
            let (mut seen, mut place) = export(&world, &filter, None, room).await;
            while place.is_some() {
                let (more, next) = export(&world, &filter, place.as_ref(), room).await;
                assert!(!more.is_empty());
                (seen, place) = ([seen, more].concat(), next);
            }
            assert_eq!(seen, expected, "{room}");
        }
    }
}

#[tokio::test]
async fn it_reads_rows_by_the_thousand_and_each_referrer_once() {
    let world = World::new().await;
    let person = Bulk::person(1);
    let rows: Vec<_> = (0..2_100).map(|number| Bulk::referral(number, &person.id)).collect();
    Bulk::put(&world.store, rows.iter().map(Bulk::row).chain([Bulk::person_row(&person)])).await;
    let (seen, next) = export(&world, &ReferralFilter::default(), None, usize::MAX).await;
    assert_eq!((seen.len(), next), (2_100, None));
    assert_eq!(world.store.calls.take(), ["Query", "BatchGetItem", "Query", "Query"]);
}
