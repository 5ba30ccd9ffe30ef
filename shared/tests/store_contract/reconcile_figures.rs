//! The figures agree with the rows in the end, whatever was broken and whatever goes on meanwhile.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use aws_sdk_dynamodb::types::AttributeValue;
use fastrand::Rng;
use referrals::{
    domain::{
        attribution::{Cell, Figures},
        calendar::Month,
        change::ReferralChange,
        id::PersonId,
        lifecycle::Step,
        version::Expected,
    },
    ports::{AttributionKeeper as _, AttributionReader as _, CellCorrection, CorrectionOutcome},
    store::{keys, transaction::primary},
    system::RandomIds,
    usecase::{
        change_referral::{ChangeRequest, change_referral},
        reconcile_counters::{CorrectedCell, Place, Report, reconcile_counters},
    },
};
use referrals_testing::{Bulk, Fixtures, contact};

use crate::{
    attribution::{all_rows, assert_report_is_right},
    world::World,
};

async fn walk(world: &World) -> Report {
    let (mut found, mut place) = (Report::default(), Some(Place::default()));
    while let Some(at) = place {
        let (ledger, clock, scope) = (&world.ledger, &*world.clock, Fixtures::scope());
        let (report, next) = reconcile_counters(ledger, clock, &scope, at, || true).await.unwrap();
        found.corrected_cells.extend(report.corrected_cells);
        found.busy.extend(report.busy);
        found.checked.cells += report.checked.cells;
        place = next;
    }
    found
}

async fn cells(world: &World) -> Vec<Cell> {
    let month = |text| Month::parse(text).unwrap();
    world.ledger.cells_between(&Fixtures::scope(), month("1970-01"), month("9999-12")).await.unwrap()
}

/// Changes a cell behind everybody's back.
async fn set(world: &World, cell: &Cell, attribute: &str, number: i64) {
    let update = world.store.client.update_item().table_name(&world.store.table);
    update
        .set_key(Some(primary(&keys::attribution_cell(&Fixtures::scope(), &cell.id))))
        .update_expression("SET #attribute = :number")
        .expression_attribute_names("#attribute", attribute)
        .expression_attribute_values(":number", AttributeValue::N(number.to_string()))
        .send()
        .await
        .unwrap();
}

async fn three_advocates() -> World {
    let world = World::new().await;
    for number in 0..9 {
        let pat = format!("pat{}@example.com", number % 3);
        world.capture(contact(&pat, ""), contact(&format!("sam{number}@example.com"), "")).await;
    }
    world
}

#[tokio::test]
async fn whatever_was_broken_is_put_right_and_nothing_else() {
    let world = three_advocates().await;
    let before = cells(&world).await;
    assert_eq!(before.len(), 3);
    let _ = world.store.calls.take();
    assert_eq!(walk(&world).await, Report { checked: referrals_checked(3), ..Report::default() });
    // Three advocates and one who sent nobody: four calls for each of the four, three for each advocate, and the pages: rows with
    // their links, the people three times, with the people themselves once.
    assert_eq!(world.store.calls.take().len(), 4 * 4 + 3 * 3 + 2 + 3 + 1);
    set(&world, &before[0], "referrals", 7).await;
    set(&world, &before[1], "salesVolumeEUR", 12).await;
    let delete = world.store.client.delete_item().table_name(&world.store.table);
    let gone = primary(&keys::attribution_cell(&Fixtures::scope(), &before[2].id));
    delete.set_key(Some(gone)).send().await.unwrap();
    // Of a month in which nobody referred anybody.
    let mut nowhere = before[0].id.clone();
    nowhere.month = Month::parse("2020-01").unwrap();
    let invented =
        CellCorrection { id: nowhere.clone(), read: None, figures: Figures { referrals: 1, ..Figures::default() } };
    assert_eq!(world.ledger.correct_cell(&Fixtures::scope(), &invented).await, Ok(CorrectionOutcome::Corrected));

    let mut corrected = walk(&world).await.corrected_cells;
    corrected.sort_by_key(|cell| (cell.month, cell.person_id.clone()));
    let mut wanted: Vec<CorrectedCell> =
        before.iter().map(|cell| cell.id.clone()).chain([nowhere]).map(CorrectedCell::from).collect();
    wanted.sort_by_key(|cell| (cell.month, cell.person_id.clone()));
    assert_eq!(corrected, wanted);
    assert!(walk(&world).await.corrected_cells.is_empty());
    assert_report_is_right(&world, &mut Rng::new()).await;
}

fn referrals_checked(cells: usize) -> referrals::usecase::reconcile_counters::Checked {
    referrals::usecase::reconcile_counters::Checked { cells, ..Default::default() }
}

/// A ledger that is older than its figures.
#[tokio::test]
async fn figures_that_never_were_are_added_up_from_the_rows() {
    let world = World::new().await;
    let people: Vec<_> = (0..2).map(Bulk::person).collect();
    let rows: Vec<_> = (1..=250).map(|number| Bulk::referral(number, &people[number as usize % 2].id)).collect();
    Bulk::put(&world.store, people.iter().map(Bulk::person_row)).await;
    Bulk::put(&world.store, rows.iter().flat_map(|row| [Bulk::row(row), Bulk::link(row)])).await;
    assert_eq!(walk(&world).await.corrected_cells.len(), 2);
    let referrals: i64 = cells(&world).await.iter().map(|cell| cell.figures.referrals).sum();
    assert_eq!((referrals, walk(&world).await.corrected_cells.len()), (250, 0));
}

/// While referrals come in and change, cells that were broken are put right, and none that is right is spoiled.
#[tokio::test]
async fn nothing_that_goes_on_meanwhile_is_lost_or_counted_twice() {
    let world = three_advocates().await;
    for cell in cells(&world).await {
        set(&world, &cell, "referrals", 100).await;
        set(&world, &cell, "contacted", 50).await;
    }
    let is_over = Arc::new(AtomicBool::new(false));
    let mut busy = tokio::task::JoinSet::new();
    for worker in 0..3_u32 {
        let (world, is_over) = (world.clone(), is_over.clone());
        busy.spawn(async move {
            let mut made = 0_u32;
            while !is_over.load(Ordering::Relaxed) {
                made += 1;
                let friend = format!("kim{worker}x{made}@example.com");
                let id = world.capture(contact(&format!("pat{worker}@example.com"), ""), contact(&friend, "")).await;
                let change = ReferralChange { step: Some(Step::Contact), ..ReferralChange::default() };
                let request =
                    ChangeRequest { change: &change, expected: &Expected::Any, request_id: "request-6", named: None };
                let (found, owner) = (world.referral(&id).await, Fixtures::owner());
                change_referral(&world.ledger, &*world.clock, &RandomIds, &owner, found, &request).await.unwrap();
                // Somebody who never stops for a moment is busy, and told of as such.
                tokio::time::sleep(Duration::from_millis(u64::from(made * 97 % 400))).await;
            }
            made
        });
    }
    let mut seen: Vec<PersonId> = Vec::new();
    for _ in 0..10 {
        let found = walk(&world).await;
        seen.extend(found.corrected_cells.into_iter().map(|cell| cell.person_id));
        if seen.len() == 3 {
            break;
        }
    }
    assert!(!seen.is_empty(), "cells are put right while referrals come in");
    // And what is right now stays so.
    seen.extend(walk(&world).await.corrected_cells.into_iter().map(|cell| cell.person_id));
    is_over.store(true, Ordering::Relaxed);
    let made: u32 = busy.join_all().await.into_iter().sum();
    // Who kept moving all the time is put right now that it is quiet.
    seen.extend(walk(&world).await.corrected_cells.into_iter().map(|cell| cell.person_id));
    seen.sort();
    let mut people = seen.clone();
    people.dedup();
    assert_eq!((seen.len(), people.len()), (3, 3), "each of the three was put right once");
    assert_eq!(all_rows(&world).await.len(), 9 + made as usize);
    assert!(walk(&world).await.corrected_cells.is_empty());
    assert_report_is_right(&world, &mut Rng::new()).await;
}
