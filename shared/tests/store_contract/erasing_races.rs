//! Somebody does something just when a person is erased, or there is no time for all of it.

use referrals::{
    domain::{access::Caller, id::PersonId},
    ports::Place,
    system::RandomIds,
    usecase::{
        enter_pipeline::Entered,
        erase_person::{Erased, Erasing, ErasureRequest, erase_person},
        gather_person::{Gathered, Gathering, gather_person},
    },
};
use referrals_testing::{Fixtures, contact};

use crate::{
    erasing::{SAM, is_sam_known, sam},
    meanwhile::{Meanwhile, Moment},
    world::World,
};

async fn erase(
    world: &World,
    store: &Meanwhile<'_>,
    person: &PersonId,
    after: Option<Place>,
    has_time: impl Fn() -> bool,
) -> Erased {
    let request = ErasureRequest { person, after, request_id: "request-8" };
    let owner: Caller = Fixtures::owner();
    let erased = erase_person(store, &*world.clock, &RandomIds, &owner, request, has_time);
    let Ok(Erasing::Done(erased)) = Box::pin(erased).await else { panic!("not erased") };
    erased
}

/// Forms about Sam that have not entered the pipeline.
async fn on_their_way(world: &World, count: usize) -> Vec<referrals::domain::id::ReferralId> {
    let mut ids = Vec::new();
    for number in 0..count {
        world.clock.advance_seconds(1);
        ids.push(world.capture(contact(&format!("una{number}@example.com"), ""), contact(SAM, "")).await);
    }
    ids
}

#[tokio::test]
async fn a_form_that_enters_the_pipeline_in_that_moment_brings_nobody_back() {
    for moment in [Moment::Before, Moment::After] {
        let world = World::new().await;
        let (_, sam) = sam(&world).await;
        let id = on_their_way(&world, 1).await.remove(0);
        let event = world.event_of(&id).await;
        let enters = async {
            assert_eq!(world.enter(&event).await, Entered::Ignored("who was referred is erased"));
        };
        let store = Meanwhile::new(&world, moment, enters);
        assert_eq!(erase(&world, &store, &sam, None, || true).await.next, None);
        assert!(store.has_come());
        assert!(!is_sam_known(&world).await, "{moment:?}");
    }
}

/// Nobody is erased before all referrals were looked through; what was done stays done.
#[tokio::test]
async fn what_there_is_no_time_for_is_done_when_it_is_asked_for_again() {
    let world = World::new().await;
    let (_, sam) = sam(&world).await;
    on_their_way(&world, 5).await;
    let store = Meanwhile::new(&world, Moment::Before, async {});
    let (mut after, mut rounds) = (None, 0);
    loop {
        let erased = erase(&world, &store, &sam, after.clone(), || false).await;
        assert_eq!(erased.erased_at.is_some(), world.person(sam.as_str()).await.is_erased());
        assert_eq!(erased.erased_at.is_none(), matches!(erased.next, Some(Place::Searched(_))));
        rounds += 1;
        after = erased.next;
        if after.is_none() {
            break;
        }
    }
    // Each of the five is a round's only work; then the person with the one that is theirs.
    assert!((6..=9).contains(&rounds), "{rounds}");
    assert!(!is_sam_known(&world).await);
}

/// Where a search went on says nothing of the referrals that are theirs.
#[tokio::test]
async fn an_old_place_of_the_search_leaves_nothing_out() {
    let world = World::new().await;
    let (_, sam) = sam(&world).await;
    on_their_way(&world, 2).await;
    let store = Meanwhile::new(&world, Moment::Before, async {});
    let place = erase(&world, &store, &sam, None, || false).await.next;
    assert!(matches!(place, Some(Place::Searched(_))));
    assert_eq!(erase(&world, &store, &sam, place.clone(), || true).await.next, None);
    let again = erase(&world, &store, &sam, place, || true).await;
    assert_eq!((again.next, again.erased_at.is_some()), (None, true));
    assert!(!is_sam_known(&world).await);
}

#[tokio::test]
async fn a_person_is_told_of_each_referral_once_page_by_page() {
    let world = World::new().await;
    let (own, sam) = sam(&world).await;
    let shown = on_their_way(&world, 5).await;
    let store = Meanwhile::new(&world, Moment::Before, async {});
    for (limit, has_time) in [(1, true), (2, false), (3, true), (25, false), (25, true)] {
        let (mut told, mut after) = (Vec::new(), None);
        loop {
            let page = gather_person(&store, &Fixtures::owner(), &sam, after, limit, || has_time).await.unwrap();
            let Gathering::Done(page) = page else { panic!("not gathered") };
            let Gathered { referrals, next, .. } = *page;
            assert!(referrals.len() <= limit);
            told.extend(referrals.into_iter().map(|(tie, _)| tie.referral));
            after = next;
            if after.is_none() {
                break;
            }
        }
        let expected: Vec<_> = std::iter::once(&own).chain(shown.iter().rev()).cloned().collect();
        assert_eq!(told, expected, "{limit} {has_time}");
    }
}
