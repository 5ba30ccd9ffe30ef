//! Who gets which claims at sign-in, and what an operator puts in place.

use referrals::{
    domain::{
        id::{OrgId, UserId},
        organization::Role,
    },
    ports::Clock as _,
    store::{Provision, ProvisionError, Provisioned},
    usecase::issue_claims::{Claims, issue_claims},
};

use crate::world::World;

#[tokio::test]
async fn an_active_member_of_an_active_organization_gets_claims() {
    let world = World::new().await;
    let rows = [
        ("sub-owner", "org_winnerr_demo", "user_456", Ok(Role::Owner)),
        ("sub-member", "org_winnerr_demo", "user_789", Ok(Role::Member)),
        ("sub-suspended", "org_winnerr_demo", "user_791", Err("suspended_member")),
        ("sub-organization", "org_suspended_demo", "user_950", Err("suspended_organization")),
        ("sub-stranger", "org_winnerr_demo", "user_901", Err("unknown_member")),
    ];
    for (subject, organization, user, expected) in rows {
        let (organization, user) = (OrgId::parse(organization).unwrap(), UserId::parse(user).unwrap());
        world.store.directory().link_login(subject, &organization, &user).await.unwrap();
        let expected = match expected {
            Ok(role) => Claims::Granted { organization, user, role },
            Err(reason) => Claims::Withheld(reason),
        };
        assert_eq!(issue_claims(&world.store.directory(), subject).await, Ok(expected), "{subject}");
    }
    assert_eq!(issue_claims(&world.store.directory(), "sub-unknown").await, Ok(Claims::Withheld("unknown_login")));
}

#[tokio::test]
async fn putting_records_in_place_twice_changes_nothing() {
    let world = World::new().await;
    let id = world
        .capture(referrals_testing::contact("robin.park@example.com", ""), referrals_testing::contact("", ""))
        .await;
    let demo = concat!(env!("CARGO_MANIFEST_DIR"), "/../infra/local/demo.json");
    let records: Provision = serde_json::from_str(&std::fs::read_to_string(demo).unwrap()).unwrap();
    let done = world.store.directory().provision(&records, world.clock.now()).await.unwrap();
    assert_eq!(done, Provisioned { created: 0, present: 14 });
    assert_eq!(world.referrer_of(&id).await.total_referrals, 1);
}

#[tokio::test]
async fn what_belongs_to_somebody_else_is_not_put_in_place() {
    let world = World::new().await;
    let load = async |records: serde_json::Value| {
        let records: Provision = serde_json::from_value(records).unwrap();
        world.store.directory().provision(&records, world.clock.now()).await
    };
    let slug = serde_json::json!({"profiles": [{"slug": "jane-doe-realty", "organizationId": "org_other_demo",
        "agentUserId": "user_901", "displayName": "O", "brokerage": "H", "published": true}]});
    assert!(matches!(load(slug).await, Err(ProvisionError::SlugTaken(_))));
    let mut person = serde_json::to_value(world.person("person_111").await).unwrap();
    person["id"] = "person_200".into();
    assert!(matches!(load(serde_json::json!({"people": [person]})).await, Err(ProvisionError::ContactTaken(_))));
}

#[tokio::test]
async fn what_a_record_does_not_say_is_as_with_somebody_new() {
    let world = World::new().await;
    world
        .add_people(&[serde_json::json!({"id": "person_1", "organizationId": "org_winnerr_demo", "name": "Kim Bo"})])
        .await;
    let person = world.person("person_1").await;
    assert_eq!((person.version, person.total_referrals, person.created_at), (1, 0, person.updated_at));
    assert!(person.created_at.to_string().starts_with("2026-11-22T07:00:"));
    assert!(!person.email_marketing_consent && !person.sms_marketing_consent && !person.do_not_contact);
    let misspelt = serde_json::json!({"people": [{"id": "person_2", "organizationId": "org_winnerr_demo",
        "name": "Lou Bo", "mail": "lou@example.com"}]});
    assert!(serde_json::from_value::<Provision>(misspelt).is_err());
}
