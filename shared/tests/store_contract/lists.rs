//! Pages of referrals and people.

use referrals::{
    domain::{
        access::Caller,
        filter::{PeopleFilter, ReferralFilter},
        organization::Role,
        referral::ReferralStatus,
    },
    ports::{Page, Position},
    usecase::{find_referral::find_referral, list_people::list_people, list_referrals::list_referrals},
};
use referrals_testing::{Fixtures, contact};

use crate::world::World;

async fn with_referrals(count: usize) -> (World, Vec<String>) {
    let world = World::new().await;
    let mut newest_first = Vec::new();
    for number in 0..count {
        let referrer = contact(&format!("referrer{number}@example.com"), "");
        newest_first.insert(0, world.capture(referrer, contact("sam@example.com", "")).await.as_str().to_owned());
    }
    (world, newest_first)
}

async fn pages(world: &World, caller: &Caller, status: Option<ReferralStatus>, limit: u32) -> Vec<Vec<String>> {
    let filter = ReferralFilter { status, ..ReferralFilter::default() };
    let mut pages = Vec::new();
    let mut after: Option<Position> = None;
    loop {
        let page: Page<_> = list_referrals(&world.ledger, caller, &filter, after.as_ref(), limit).await.unwrap();
        pages.push(page.items.into_iter().map(|row| row.id.as_str().to_owned()).collect());
        after = page.next;
        if after.is_none() {
            return pages;
        }
    }
}

#[tokio::test]
async fn every_way_through_the_list_shows_each_row_once_newest_first() {
    let (world, expected) = with_referrals(7).await;
    let jane = Fixtures::caller(Fixtures::ORGANIZATION, Fixtures::AGENT, Role::Member);
    for caller in [Fixtures::owner(), jane] {
        for status in [None, Some(ReferralStatus::Received)] {
            for (limit, sizes) in [(3, vec![3, 3, 1]), (7, vec![7]), (100, vec![7])] {
                let pages = pages(&world, &caller, status, limit).await;
                assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), sizes, "{status:?} {limit}");
                assert_eq!(pages.concat(), expected, "{status:?} {limit}");
            }
        }
        assert_eq!(pages(&world, &caller, Some(ReferralStatus::Lost), 3).await.concat(), Vec::<String>::new());
    }
}

#[tokio::test]
async fn a_page_is_one_call() {
    let (world, _) = with_referrals(5).await;
    let _ = world.store.calls.take();
    for status in [None, Some(ReferralStatus::Received)] {
        let filter = ReferralFilter { status, ..ReferralFilter::default() };
        list_referrals(&world.ledger, &Fixtures::owner(), &filter, None, 3).await.unwrap();
        assert_eq!(world.store.calls.take(), ["Query"]);
    }
}

#[tokio::test]
async fn others_see_nothing() {
    let (world, ids) = with_referrals(2).await;
    let ben = Fixtures::caller(Fixtures::ORGANIZATION, "user_790", Role::Member);
    let other = Fixtures::caller(Fixtures::OTHER_ORGANIZATION, Fixtures::OTHER_OWNER, Role::Owner);
    let id = referrals::domain::id::ReferralId::parse(&ids[0]).unwrap();
    for caller in [ben, other] {
        assert_eq!(pages(&world, &caller, None, 10).await.concat(), Vec::<String>::new());
        assert_eq!(find_referral(&world.ledger, &caller, &id).await, Ok(None));
    }
    assert!(find_referral(&world.ledger, &Fixtures::owner(), &id).await.unwrap().is_some());
}

#[tokio::test]
async fn people_are_listed_newest_first() {
    let (world, _) = with_referrals(3).await;
    world.enter_all().await;
    let first = list_people(&world.ledger, &Fixtures::owner(), &PeopleFilter::default(), None, 3).await.unwrap();
    let second =
        list_people(&world.ledger, &Fixtures::owner(), &PeopleFilter::default(), first.next.as_ref(), 3).await.unwrap();
    let names: Vec<_> = first.items.iter().chain(&second.items).map(|person| person.name.as_str()).collect();
    // The lead entered last; person_111 is of last January.
    assert_eq!(names, ["Sam Lee", "Pat Jones", "Pat Jones", "Pat Jones", "Robin Park"]);
    assert_eq!(second.next, None);
}
