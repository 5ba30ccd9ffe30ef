//! An agent logs a referral.

use std::collections::BTreeSet;

use referrals::{
    domain::{
        calendar::Zone,
        id::{PersonId, UserId},
        organization::Role,
        referral::{Channel, RiskFlag},
    },
    usecase::log_referral::{Advocate, Entry, Logged},
};
use referrals_testing::{Fixtures, contact, name, submission};

use crate::world::World;

pub fn entry(referred_email: &str) -> Entry {
    Entry {
        referrer: Advocate::Known(Fixtures::person_111()),
        agent_user_id: UserId::parse(Fixtures::AGENT).unwrap(),
        referred_name: name("Sam Lee"),
        referred_contact: contact(referred_email, ""),
        notes: None,
        zone: Zone::utc(),
    }
}

fn recorded(logged: Logged) -> referrals::domain::referral::Referral {
    match logged {
        Logged::Recorded(referral) => *referral,
        other => panic!("not recorded but {other:?}"),
    }
}

#[tokio::test]
async fn an_entry_is_a_row_a_credit_and_an_event() {
    let world = World::new().await;
    let referral = recorded(world.log(&Fixtures::owner(), &entry("")).await);
    assert_eq!((referral.channel, referral.risk_flags.len()), (Channel::Manual, 0));
    assert_eq!(world.person("person_111").await.total_referrals, 1);
    assert_eq!(world.event_of(&referral.id).await.data.referrer_person_id, Fixtures::person_111());
    assert_eq!(world.rows("AUDIT").await[0].text("actor"), Fixtures::OWNER);
}

#[tokio::test]
async fn an_entry_is_never_swallowed_but_flagged() {
    let world = World::new().await;
    recorded(world.log(&Fixtures::owner(), &entry("")).await);
    let second = recorded(world.log(&Fixtures::owner(), &entry("")).await);
    assert_eq!(second.risk_flags, BTreeSet::from([RiskFlag::PossibleDuplicate]));
    assert_eq!(world.rows("REFERRAL").await.len(), 2);
    assert_eq!(world.person("person_111").await.total_referrals, 2);
    // What the agent logged holds off the same pair from the public form.
    let mut form = submission(contact("robin.park@example.com", ""), contact("", ""));
    form.referrer_name = name("Robin Park");
    assert!(matches!(world.submit(&form).await, Ok(referrals::usecase::capture_referral::Captured::Repeated(_))));
}

#[tokio::test]
async fn references_are_checked_in_the_same_organization() {
    let world = World::new().await;
    let mut unknown_person = entry("");
    unknown_person.referrer = Advocate::Known(PersonId::parse("person_999").unwrap());
    assert_eq!(world.log(&Fixtures::owner(), &unknown_person).await, Logged::UnknownReferrer);
    for agent in ["user_999", Fixtures::OTHER_OWNER, "user_791"] {
        let mut foreign_agent = entry("");
        foreign_agent.agent_user_id = UserId::parse(agent).unwrap();
        assert_eq!(world.log(&Fixtures::owner(), &foreign_agent).await, Logged::UnknownAgent, "{agent}");
    }
    let other = Fixtures::caller(Fixtures::OTHER_ORGANIZATION, Fixtures::OTHER_OWNER, Role::Owner);
    assert_eq!(world.log(&other, &entry("")).await, Logged::UnknownReferrer);
    assert!(world.rows("REFERRAL").await.is_empty());
    assert_eq!(world.person("person_111").await.total_referrals, 0);
}

#[tokio::test]
async fn a_member_logs_for_themselves_only() {
    let world = World::new().await;
    let jane = Fixtures::caller(Fixtures::ORGANIZATION, Fixtures::AGENT, Role::Member);
    recorded(world.log(&jane, &entry("")).await);
    let ben = Fixtures::caller(Fixtures::ORGANIZATION, "user_790", Role::Member);
    assert_eq!(world.log(&ben, &entry("")).await, Logged::NotAllowed);
    let admin = Fixtures::caller(Fixtures::ORGANIZATION, "user_790", Role::Admin);
    recorded(world.log(&admin, &entry("lou@example.com")).await);
}

#[tokio::test]
async fn a_referrer_who_refers_themselves_is_flagged() {
    let world = World::new().await;
    let referral = recorded(world.log(&Fixtures::owner(), &entry("Robin.Park+x@example.com")).await);
    assert_eq!(referral.risk_flags, BTreeSet::from([RiskFlag::SelfReferral]));
}
