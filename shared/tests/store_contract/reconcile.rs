//! Counters, links and rows agree in the end, whatever was broken and whatever goes on meanwhile.

use std::{
    collections::HashSet,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use aws_sdk_dynamodb::types::AttributeValue;
use referrals::{
    domain::{
        filter::ReferralFilter,
        id::{PersonId, ReferralId},
        person::Person,
        referral::Referral,
    },
    ports::{Correction, CorrectionOutcome, Link, LinkKeeper as _, ReferralReader as _},
    store::{keys, transaction::primary},
    usecase::{
        delete_referral::Deletion,
        reconcile_counters::{Corrected, Ends, Place, Report, reconcile_counters},
    },
};
use referrals_testing::{Bulk, Fixtures, contact};

use crate::world::World;

async fn step(world: &World, place: Place) -> (Report, Option<Place>) {
    reconcile_counters(&world.ledger, &*world.clock, &Fixtures::scope(), place, || true).await.unwrap()
}

/// One walk through the organization, page by page.
async fn walk(world: &World) -> Vec<Report> {
    let (mut reports, mut place) = (Vec::new(), Some(Place::default()));
    while let Some(at) = place {
        let (report, next) = step(world, at).await;
        reports.push(report);
        place = next;
        assert!(reports.len() < 200, "the walk ends");
    }
    reports
}

fn corrected(reports: &[Report]) -> Vec<Corrected> {
    reports.iter().flat_map(|report| report.corrected.clone()).collect()
}

fn found_nothing(reports: &[Report]) -> bool {
    reports.iter().all(|report| *report == Report { checked: report.checked, ..Report::default() })
}

/// Every person's counter is the number of the rows that name them, and of their links.
async fn assert_agreement(world: &World) {
    let items = world.store.items().await;
    for person in items.iter().filter(|item| item.kind() == "PERSON") {
        let id = person.text("id");
        let rows = items.iter().filter(|item| item.kind() == "REFERRAL" && item.text("referrerPersonId") == id);
        let links =
            items.iter().filter(|item| item.kind() == "REFERRED" && item.text("pk") == person.text("pk")).count();
        assert_eq!((person.number("totalReferrals"), links), (i64::try_from(links).unwrap(), rows.count()), "{id}");
    }
}

/// Changes a counter behind everybody's back.
async fn set_total(world: &World, person: &PersonId, total: u32) {
    let update = world.store.client.update_item().table_name(&world.store.table);
    update
        .set_key(Some(primary(&keys::person(&Fixtures::scope(), person))))
        .update_expression("SET totalReferrals = :total")
        .expression_attribute_values(":total", AttributeValue::N(total.to_string()))
        .send()
        .await
        .unwrap();
}

async fn take_away(world: &World, keys: &keys::Keys) {
    let delete = world.store.client.delete_item().table_name(&world.store.table);
    delete.set_key(Some(primary(keys))).send().await.unwrap();
}

fn advocate(number: usize) -> referrals::domain::contact::Contact {
    contact(&format!("advocate{number}@example.com"), "")
}

/// Three advocates with four referrals each.
async fn advocates(world: &World) -> Vec<Person> {
    let mut people = Vec::new();
    for number in 0..3 {
        let mut last = None;
        for friend in 0..4 {
            last = Some(world.capture(advocate(number), contact(&format!("friend{friend}@example.com"), "")).await);
        }
        people.push(world.referrer_of(&last.unwrap()).await);
    }
    people
}

fn ends(person: &PersonId, referral: &ReferralId) -> Ends {
    Ends { person_id: person.clone(), referral_id: referral.clone() }
}

#[tokio::test]
async fn what_agrees_is_left_alone() {
    let world = World::new().await;
    advocates(&world).await;
    world.enter_all().await;
    let before = world.store.items().await.into_iter().map(|item| item.number("version")).sum::<i64>();
    let reports = walk(&world).await;
    assert!(found_nothing(&reports), "{reports:?}");
    let checked: Vec<_> = reports.iter().map(|report| report.checked).collect();
    assert_eq!((checked[0].referrals, checked[1].people, checked[3].links), (12, 8, 12));
    assert_eq!(world.store.items().await.into_iter().map(|item| item.number("version")).sum::<i64>(), before);
}

#[tokio::test]
async fn a_counter_that_differs_is_set_to_what_was_counted() {
    let world = World::new().await;
    let people = advocates(&world).await;
    set_total(&world, &people[0].id, 9).await;
    set_total(&world, &people[1].id, 0).await;
    set_total(&world, &Fixtures::person_111(), 2).await;
    let mut found = corrected(&walk(&world).await);
    found.sort_by_key(|entry| entry.was);
    let expect = |person: &PersonId, was, is| Corrected { person_id: person.clone(), was, is };
    assert_eq!(
        found,
        [expect(&people[1].id, 0, 4), expect(&Fixtures::person_111(), 2, 0), expect(&people[0].id, 9, 4)]
    );
    assert_agreement(&world).await;
    // A change like any other: whoever has read the person before cannot overwrite it.
    let now = world.person(people[0].id.as_str()).await;
    assert_eq!((now.total_referrals, now.version), (4, people[0].version + 1));
    assert!(now.updated_at > people[0].updated_at);
    assert!(found_nothing(&walk(&world).await));
}

#[tokio::test]
async fn no_capture_and_no_deletion_is_lost_while_eight_go_on() {
    let world = World::new().await;
    let people = advocates(&world).await;
    let is_over = Arc::new(AtomicBool::new(false));
    let mut tasks = tokio::task::JoinSet::new();
    for task in 0..8 {
        let (world, is_over) = (world.clone(), is_over.clone());
        tasks.spawn(async move {
            let (mut captured, mut deleted) = (0_u32, 0_u32);
            while !is_over.load(Ordering::Relaxed) && captured < 2_000 {
                let friend = contact(&format!("friend{task}x{captured}@example.com"), "");
                let id = world.capture(advocate(captured as usize % 3), friend).await;
                captured += 1;
                if captured % 4 == 0 {
                    assert_eq!(world.delete(&id).await, Deletion::Done);
                    deleted += 1;
                }
                tokio::time::sleep(Duration::from_millis(u64::from(captured * 97 % 700))).await;
            }
            captured - deleted
        });
    }
    for round in 0..4 {
        for (person, total) in people.iter().zip([50, 0, round]) {
            set_total(&world, &person.id, total).await;
        }
        let mut right = HashSet::new();
        for _ in 0..20 {
            let (report, _) = step(&world, Place::Counters { after: None }).await;
            right.extend(report.corrected.into_iter().map(|entry| entry.person_id));
            if right.len() == people.len() {
                break;
            }
        }
        assert_eq!(right.len(), people.len(), "each is put right while captures go on");
    }
    assert!(!tasks.is_empty() && tasks.try_join_next().is_none(), "they still capture");
    is_over.store(true, Ordering::Relaxed);
    let captured: u32 = tasks.join_all().await.into_iter().sum();
    assert!(captured > 12, "{captured} are left");
    assert_agreement(&world).await;
    assert_eq!(world.rows("REFERRAL").await.len(), 12 + captured as usize);
    assert!(found_nothing(&walk(&world).await));
}

#[tokio::test]
async fn a_counter_is_replaced_only_in_the_version_that_was_read() {
    let world = World::new().await;
    let before = advocates(&world).await.remove(0);
    world.capture(advocate(0), contact("one.more@example.com", "")).await;
    let correction = Correction { person: before.id.clone(), read: before.version, total: 4, at: before.updated_at };
    let correct = async |correction| world.ledger.correct_total(&Fixtures::scope(), &correction).await;
    assert_eq!(correct(correction.clone()).await, Ok(CorrectionOutcome::Moved));
    assert_agreement(&world).await;
    let now = Correction { read: before.version + 1, total: 7, ..correction };
    assert_eq!(correct(now).await, Ok(CorrectionOutcome::Corrected));
    assert_eq!(world.person(before.id.as_str()).await.total_referrals, 7);
}

#[tokio::test]
async fn who_keeps_moving_is_reported_and_never_written_blindly() {
    let world = World::new().await;
    let people = advocates(&world).await;
    set_total(&world, &people[0].id, 9).await;
    let mover = {
        let (world, id) = (world.clone(), people[0].id.clone());
        tokio::spawn(async move {
            loop {
                let update = world.store.client.update_item().table_name(&world.store.table);
                update
                    .set_key(Some(primary(&keys::person(&Fixtures::scope(), &id))))
                    .update_expression("ADD version :one")
                    .expression_attribute_values(":one", AttributeValue::N("1".to_owned()))
                    .send()
                    .await
                    .unwrap();
            }
        })
    };
    let reports = walk(&world).await;
    mover.abort();
    let busy: Vec<_> = reports.iter().flat_map(|report| &report.busy).collect();
    assert_eq!((busy, corrected(&reports)), (vec![&people[0].id], vec![]));
    assert_eq!(world.person(people[0].id.as_str()).await.total_referrals, 9);
    assert_eq!(corrected(&walk(&world).await).len(), 1);
    assert_agreement(&world).await;
}

#[tokio::test]
async fn a_row_without_its_link_gets_it_and_the_counter_counts_it() {
    let world = World::new().await;
    let people = advocates(&world).await;
    let rows: Vec<Referral> = {
        let mut rows = Vec::new();
        for item in world.rows("REFERRAL").await {
            rows.push(world.referral(&ReferralId::parse(item.text("id")).unwrap()).await);
        }
        rows
    };
    // Of one only the link is lost, of another the count as well, and of the third all links.
    let of = |person: &Person| rows.iter().filter(|row| row.referrer_person_id == person.id).collect::<Vec<_>>();
    let lost = [vec![of(&people[0])[0]], vec![of(&people[1])[1]], of(&people[2])].concat();
    for row in &lost {
        take_away(&world, &keys::referred_link(&Fixtures::scope(), row)).await;
    }
    set_total(&world, &people[1].id, 3).await;
    let reports = walk(&world).await;
    let mut restored: Vec<_> = reports.iter().flat_map(|report| report.restored.clone()).collect();
    let mut expected: Vec<_> = lost.iter().map(|row| ends(&row.referrer_person_id, &row.id)).collect();
    for list in [&mut restored, &mut expected] {
        list.sort_by(|one, other| one.referral_id.cmp(&other.referral_id));
    }
    assert_eq!(restored, expected);
    // A counter that was right stays right all the time.
    assert_eq!(corrected(&reports), [Corrected { person_id: people[1].id.clone(), was: 3, is: 4 }]);
    assert_agreement(&world).await;
    assert!(found_nothing(&walk(&world).await));
}

#[tokio::test]
async fn a_link_that_leads_nowhere_is_reported_and_left() {
    let world = World::new().await;
    let people = advocates(&world).await;
    let gone = Bulk::referral(7, &people[0].id);
    let row = world.referral(&ReferralId::parse(world.rows("REFERRAL").await[0].text("id")).unwrap()).await;
    let stranger = people.iter().find(|person| person.id != row.referrer_person_id).unwrap();
    let foreign = Referral { referrer_person_id: stranger.id.clone(), ..row.clone() };
    let late = Referral { created_at: row.created_at.plus_seconds(1), ..row.clone() };
    Bulk::put(&world.store, [&gone, &foreign, &late].map(Bulk::link)).await;
    // Whoever lists by this referrer meets two links of one referral, and one of none.
    let filter = ReferralFilter { referrer: Some(row.referrer_person_id.clone()), ..ReferralFilter::default() };
    let listed = world.ledger.list_referrals(&Fixtures::scope(), &filter, None, 100).await.unwrap();
    assert_eq!(listed.items.iter().filter(|found| found.id == row.id).count(), 1);
    for _ in 0..2 {
        let reports = walk(&world).await;
        let mut dangling: Vec<_> = reports.iter().flat_map(|report| report.dangling.clone()).collect();
        let mut expected = [&gone, &foreign, &late].map(|row| ends(&row.referrer_person_id, &row.id));
        for list in [&mut dangling[..], &mut expected] {
            list.sort_by(|one, other| (&one.referral_id, &one.person_id).cmp(&(&other.referral_id, &other.person_id)));
        }
        assert_eq!(dangling, expected);
    }
}

#[tokio::test]
async fn a_row_whose_referrer_is_gone_is_reported() {
    let world = World::new().await;
    let row = Bulk::referral(7, &PersonId::parse("person_gone").unwrap());
    Bulk::put(&world.store, [Bulk::row(&row)]).await;
    let reports = walk(&world).await;
    assert_eq!(reports[0].orphaned, [ends(&row.referrer_person_id, &row.id)]);
    assert!(world.ledger.find_links(&Fixtures::scope(), &[Link::of(&row)]).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_call_has_an_end_however_much_there_is() {
    let world = World::new().await;
    let people: Vec<_> = (0..249).map(Bulk::person).collect();
    let rows: Vec<_> = (0..1_000).map(|number| Bulk::referral(number, &people[0].id)).collect();
    Bulk::put(&world.store, people.iter().map(Bulk::person_row)).await;
    Bulk::put(&world.store, rows.iter().flat_map(|row| [Bulk::row(row), Bulk::link(row)])).await;
    assert_eq!(world.ledger.count_links(&Fixtures::scope(), &people[0].id).await.unwrap(), 1_000);
    let reports = walk(&world).await;
    let checked: Vec<_> = reports.iter().map(|report| report.checked).collect();
    let (rows, rest) = checked.split_at(10);
    let (counters, rest) = rest.split_at(3);
    let (figures, links) = rest.split_at(3);
    assert_eq!(figures.iter().map(|checked| checked.cells).collect::<Vec<_>>(), [0, 0, 1]);
    assert!(rows.iter().all(|checked| checked.referrals == 100), "{checked:?}");
    assert_eq!(counters.iter().map(|checked| checked.people).collect::<Vec<_>>(), [100, 100, 50]);
    // 500 links in a call, and at the end of the people there are none.
    assert_eq!(links.iter().map(|checked| checked.links).sum::<usize>(), 1_000);
    assert!(links.iter().all(|checked| checked.links <= 500) && links.len() <= 5, "{links:?}");
    let was = Corrected { person_id: people[0].id.clone(), was: 0, is: 1_000 };
    assert_eq!(corrected(&reports), [was]);
    assert_eq!(reports.iter().map(|report| report.corrected_cells.len()).sum::<usize>(), 1);
    assert!(found_nothing(&walk(&world).await));
}

#[tokio::test]
async fn without_time_nothing_is_begun() {
    let world = World::new().await;
    let people = advocates(&world).await;
    set_total(&world, &people[0].id, 9).await;
    for place in [
        Place::default(),
        Place::Counters { after: None },
        Place::Figures { after: None },
        Place::Links { after: None, link: None },
    ] {
        let walked =
            reconcile_counters(&world.ledger, &*world.clock, &Fixtures::scope(), place.clone(), || false).await;
        assert_eq!(walked, Ok((Report::default(), Some(place))));
    }
}
