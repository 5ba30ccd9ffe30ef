//! Profiles, and the slugs that lead to them.

use std::{collections::BTreeSet, sync::Arc};

use referrals::{
    domain::{
        access::Caller,
        id::{OrgId, UserId},
        organization::{Role, Slug},
        profile::{AgentProfile, MAX_SLUGS, ProfileContent},
        time::Timestamp,
        version::Expected,
    },
    ports::{Clock, ProfileDirectory as _},
    store::{ProfileCache, Provision, Provisioned},
    usecase::{
        capture_referral::Captured,
        find_profile::find_profile,
        keep_profile::{KeptProfile, keep_profile},
    },
};
use referrals_testing::{Fixtures, TestClock, contact, name, submission};
use serde_json::json;

use crate::world::World;

fn jane() -> Caller {
    Fixtures::caller(Fixtures::ORGANIZATION, Fixtures::AGENT, Role::Member)
}

fn ben() -> Caller {
    Fixtures::caller(Fixtures::ORGANIZATION, "user_790", Role::Member)
}

fn omar() -> Caller {
    Fixtures::caller(Fixtures::OTHER_ORGANIZATION, Fixtures::OTHER_OWNER, Role::Owner)
}

fn content(slug: &str, display_name: &str, published: bool) -> ProfileContent {
    ProfileContent {
        slug: Slug::parse(slug).unwrap(),
        display_name: name(display_name),
        brokerage: name("Doe Realty Group"),
        published,
    }
}

const TRIES: usize = 5;

async fn keep(world: &World, caller: &Caller, content: &ProfileContent, expected: &Expected) -> KeptProfile {
    for _ in 0..TRIES {
        match keep_profile(&world.ledger, &*world.clock, caller, content, expected).await {
            // On a slow machine somebody of many at once is told to come again, and does.
            Err(error) if error.is_retryable() => {}
            kept => return kept.unwrap(),
        }
    }
    panic!("nothing became of it {TRIES} times over")
}

async fn rename(world: &World, caller: &Caller, slug: &str) -> KeptProfile {
    keep(world, caller, &content(slug, "Jane Doe", true), &Expected::Any).await
}

#[track_caller]
fn done(kept: KeptProfile) -> AgentProfile {
    match kept {
        KeptProfile::Done(profile) => *profile,
        other => panic!("not done but {other:?}"),
    }
}

/// The agent whom a slug leads to now, without anything remembered.
async fn agent_of(world: &World, slug: &str) -> Option<String> {
    let profile = world.store.directory().find_open_profile(&Slug::parse(slug).unwrap()).await.unwrap();
    profile.map(|profile| profile.agent_user_id.as_str().to_owned())
}

#[tokio::test]
async fn a_slug_is_resolved_in_two_reads_and_remembered() {
    let world = World::new().await;
    for (slug, calls) in [
        (Fixtures::SLUG, &["GetItem", "BatchGetItem"][..]),
        (Fixtures::SLUG, &[]),
        ("nobody-here", &["GetItem"]),
        ("ben-ito-homes", &["GetItem", "BatchGetItem"]),
    ] {
        let _ = world.store.calls.take();
        let _ = world.profiles.find_open_profile(&Slug::parse(slug).unwrap()).await.unwrap();
        assert_eq!(world.store.calls.take(), calls, "{slug}");
    }
}

#[tokio::test]
async fn a_first_profile_is_made_and_then_kept() {
    let world = World::new().await;
    let owner = Fixtures::owner();
    assert_eq!(find_profile(&world.ledger, &owner).await, Ok(None));
    let first = content("olivia-grant", "Olivia Grant", false);
    for expected in [Expected::Existing, Expected::OneOf(vec![1]), Expected::OneOf(vec![])] {
        assert_eq!(keep(&world, &owner, &first, &expected).await, KeptProfile::PreconditionFailed, "{expected:?}");
    }
    let made = done(keep(&world, &owner, &first, &Expected::Any).await);
    assert_eq!((made.version, made.agent_user_id.as_str(), made.published), (1, Fixtures::OWNER, false));
    assert_eq!(find_profile(&world.ledger, &owner).await, Ok(Some(made.clone())));
    assert_eq!(agent_of(&world, "olivia-grant").await, None);

    let published = ProfileContent { published: true, ..first };
    assert_eq!(keep(&world, &owner, &published, &Expected::OneOf(vec![2])).await, KeptProfile::PreconditionFailed);
    let second = done(keep(&world, &owner, &published, &Expected::OneOf(vec![1])).await);
    assert_eq!((second.version, second.updated_at > made.updated_at), (2, true));
    assert_eq!(agent_of(&world, "olivia-grant").await.as_deref(), Some(Fixtures::OWNER));
    // The same again writes nothing.
    let _ = world.store.calls.take();
    for expected in [Expected::Any, Expected::Existing, Expected::OneOf(vec![2])] {
        assert_eq!(done(keep(&world, &owner, &published, &expected).await), second);
    }
    assert_eq!(world.store.calls.take(), ["GetItem"; 3]);
}

#[tokio::test]
async fn the_row_of_a_slug_says_whose_it_is_and_no_more() {
    let world = World::new().await;
    let items = world.store.items().await;
    let rows: Vec<_> = items.iter().filter(|item| item.kind() == "SLUG").collect();
    assert_eq!(rows.len(), 4);
    for row in rows {
        let attributes: BTreeSet<_> = row.0.keys().map(String::as_str).collect();
        assert_eq!(attributes, BTreeSet::from(["agentUserId", "organizationId", "pk", "sk"]));
    }
}

#[tokio::test]
async fn a_renamed_slug_leads_to_the_profile_for_ever() {
    let world = World::new().await;
    for (slug, friend) in
        [("jane-two", "a@example.com"), ("jane-three", "b@example.com"), ("jane-two", "c@example.com")]
    {
        let profile = done(rename(&world, &jane(), slug).await);
        assert_eq!(profile.slug.as_str(), slug);
        for held in &profile.slugs {
            assert_eq!(agent_of(&world, held.as_str()).await.as_deref(), Some(Fixtures::AGENT), "{held}");
        }
        // Whoever has the first card still reaches Jane.
        let form = submission(contact("pat@example.com", ""), contact(friend, ""));
        let Ok(Captured::Recorded(_, id)) = world.submit(&form).await else { panic!("not recorded") };
        assert_eq!(world.referral(&id).await.agent_user_id.as_str(), Fixtures::AGENT);
    }
    // One friend through two addresses of one agent is one referral.
    let form = submission(contact("pat@example.com", ""), contact("a@example.com", ""));
    assert!(matches!(world.submit_to("jane-three", &form).await, Ok(Captured::Repeated(_))));
    let profile = find_profile(&world.ledger, &jane()).await.unwrap().unwrap();
    let held: Vec<_> = profile.slugs.iter().map(Slug::as_str).collect();
    assert_eq!((held, profile.version), (vec![Fixtures::SLUG, "jane-two", "jane-three"], 4));
}

#[tokio::test]
async fn nobody_takes_a_slug_that_was_ever_somebodys() {
    let world = World::new().await;
    done(rename(&world, &jane(), "jane-two").await);
    for slug in ["jane-two", Fixtures::SLUG] {
        for caller in [ben(), omar(), Fixtures::owner()] {
            let before = find_profile(&world.ledger, &caller).await.unwrap();
            assert_eq!(rename(&world, &caller, slug).await, KeptProfile::SlugTaken, "{slug}");
            assert_eq!(find_profile(&world.ledger, &caller).await.unwrap(), before);
        }
        assert_eq!(agent_of(&world, slug).await.as_deref(), Some(Fixtures::AGENT));
    }
    assert_eq!(done(rename(&world, &jane(), Fixtures::SLUG).await).slug.as_str(), Fixtures::SLUG);
}

#[tokio::test]
async fn an_agent_holds_ten_slugs_and_no_more() {
    let world = World::new().await;
    for number in 2..=MAX_SLUGS {
        done(rename(&world, &jane(), &format!("jane-{number}-realty")).await);
    }
    assert_eq!(rename(&world, &jane(), "one-too-many").await, KeptProfile::TooManySlugs);
    assert_eq!(agent_of(&world, "one-too-many").await, None);
    // Nobody holds what was refused.
    done(rename(&world, &ben(), "one-too-many").await);
    done(rename(&world, &jane(), Fixtures::SLUG).await);
}

/// A clock that can be put forward while a cache has it.
struct Shared(Arc<TestClock>);

impl Clock for Shared {
    fn now(&self) -> Timestamp {
        self.0.now()
    }
}

#[tokio::test]
async fn a_withdrawal_closes_every_slug_within_thirty_seconds() {
    let mut world = World::new().await;
    done(rename(&world, &jane(), "jane-two").await);
    let form = submission(contact("pat@example.com", ""), contact("sam@example.com", ""));
    let profiles = ProfileCache::new(world.store.directory(), Shared(world.clock.clone()));
    let slugs = [Fixtures::slug(), Slug::parse("jane-two").unwrap()];
    for slug in &slugs {
        assert!(profiles.find_open_profile(slug).await.unwrap().is_some());
    }
    let withdrawn = content("jane-two", "Jane Doe", false);
    done(keep(&world, &jane(), &withdrawn, &Expected::Any).await);
    world.clock.advance_seconds(29);
    for slug in &slugs {
        assert!(profiles.find_open_profile(slug).await.unwrap().is_some(), "{slug} is remembered");
    }
    world.clock.advance_seconds(1);
    for slug in &slugs {
        assert_eq!(profiles.find_open_profile(slug).await, Ok(None), "{slug}");
    }
    // Another instance remembers nothing.
    world.profiles = World::new_profiles(&world.store);
    for slug in &slugs {
        assert_eq!(world.submit_to(slug.as_str(), &form).await, Ok(Captured::NoOpenProfile), "{slug}");
    }
    done(rename(&world, &jane(), "jane-two").await);
    assert!(matches!(world.submit(&form).await, Ok(Captured::Recorded(..))));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_agents_who_take_one_slug_at_once_one_has_it() {
    let world = World::new().await;
    for round in 0..MAX_SLUGS - 1 {
        let slug = format!("corner-office-{round}");
        let tasks = [jane(), omar()].map(|caller| {
            let (world, slug) = (world.clone(), slug.clone());
            tokio::spawn(async move {
                let kept = rename(&world, &caller, &slug).await;
                (caller.user.as_str().to_owned(), kept)
            })
        });
        let mut winners = Vec::new();
        for task in tasks {
            match task.await.unwrap() {
                (user, KeptProfile::Done(profile)) => {
                    assert_eq!(profile.slug.as_str(), slug);
                    winners.push(user);
                }
                (_, kept) => assert_eq!(kept, KeptProfile::SlugTaken),
            }
        }
        assert_eq!(winners.len(), 1, "{slug}");
        assert_eq!(agent_of(&world, &slug).await.as_deref(), Some(winners[0].as_str()));
    }
    // What a profile holds leads to it, and every slug is held by one profile.
    let (mut held, rows) = (0, world.store.items().await.into_iter().filter(|item| item.kind() == "SLUG").count());
    for caller in [jane(), ben(), omar()] {
        held += find_profile(&world.ledger, &caller).await.unwrap().unwrap().slugs.len();
    }
    assert_eq!(held + 1, rows, "the suspended organization has one too");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twenty_who_make_one_profile_at_once_all_land() {
    let world = World::new().await;
    let tasks: Vec<_> = (0..20)
        .map(|number| {
            let world = world.clone();
            tokio::spawn(async move {
                let content = content("olivia-grant", &format!("Olivia {number}"), true);
                done(keep(&world, &Fixtures::owner(), &content, &Expected::Any).await).version
            })
        })
        .collect();
    let mut versions = BTreeSet::new();
    for task in tasks {
        versions.insert(task.await.unwrap());
    }
    assert_eq!(versions, (1..=20).collect());
    let profile = find_profile(&world.ledger, &Fixtures::owner()).await.unwrap().unwrap();
    assert_eq!((profile.version, profile.slugs.len()), (20, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_with_the_same_tag_one_is_late() {
    let world = World::new().await;
    let tasks = ["one", "two"].map(|name| {
        let (world, content) = (world.clone(), content(Fixtures::SLUG, name, true));
        tokio::spawn(async move { keep(&world, &jane(), &content, &Expected::OneOf(vec![1])).await })
    });
    let mut late = 0;
    for task in tasks {
        late += usize::from(task.await.unwrap() == KeptProfile::PreconditionFailed);
    }
    assert_eq!(late, 1);
    assert_eq!(find_profile(&world.ledger, &jane()).await.unwrap().unwrap().version, 2);
}

#[tokio::test]
async fn an_operator_changes_no_profile_and_mends_a_half_one() {
    let world = World::new().await;
    let load = async |records: serde_json::Value| {
        let records: Provision = serde_json::from_value(json!({"profiles": [records]})).unwrap();
        world.store.directory().provision(&records, world.clock.now()).await.unwrap()
    };
    let record = |slug: &str, user: &str| {
        json!({"slug": slug, "organizationId": Fixtures::ORGANIZATION, "agentUserId": user,
            "displayName": "Somebody", "brokerage": "Doe Realty Group"})
    };
    done(rename(&world, &jane(), "jane-two").await);
    let before = find_profile(&world.ledger, &jane()).await.unwrap();
    for slug in [Fixtures::SLUG, "jane-two", "jane-three"] {
        assert_eq!(load(record(slug, Fixtures::AGENT)).await, Provisioned { created: 0, present: 1 }, "{slug}");
    }
    assert_eq!(find_profile(&world.ledger, &jane()).await.unwrap(), before);
    assert_eq!(agent_of(&world, "jane-three").await, None);
    // What is not said to be published is not.
    assert_eq!(load(record("olivia-grant", Fixtures::OWNER)).await, Provisioned { created: 1, present: 0 });
    let made = find_profile(&world.ledger, &Fixtures::owner()).await.unwrap().unwrap();
    assert_eq!((made.published, made.version, made.slugs.len()), (false, 1, 1));
    let (organization, user) = (OrgId::parse(Fixtures::ORGANIZATION).unwrap(), UserId::parse(Fixtures::OWNER).unwrap());
    assert_eq!((made.organization_id, made.agent_user_id), (organization, user));
    // A slug without its profile, as an earlier version may have left one, is mended by loading.
    world
        .store
        .client
        .delete_item()
        .table_name(&world.store.table)
        .key("pk", aws_sdk_dynamodb::types::AttributeValue::S(format!("ORG#{}", Fixtures::ORGANIZATION)))
        .key("sk", aws_sdk_dynamodb::types::AttributeValue::S(format!("PROFILE#{}", Fixtures::OWNER)))
        .send()
        .await
        .unwrap();
    assert_eq!(agent_of(&world, "olivia-grant").await, None);
    assert_eq!(load(record("olivia-grant", Fixtures::OWNER)).await, Provisioned { created: 1, present: 0 });
}
