//! Who is let in, and who is not although the token is good.

use super::*;

#[tokio::test]
async fn a_suspended_account_is_refused_on_every_path() {
    let world = World::new().await;
    let suspended_member = (Fixtures::ORGANIZATION, "user_791", "MEMBER");
    let suspended_organization = ("org_suspended_demo", "user_950", "OWNER");
    for path in [REFERRALS, "/api/people", "/api/people/person_111", "/api/nothing"] {
        for who in [suspended_member, suspended_organization] {
            assert_eq!(world.call(call(who, "GET", path)).await.code(), (403, "account_suspended"), "{who:?} {path}");
        }
        for who in [
            (Fixtures::ORGANIZATION, "user_999", "OWNER"),
            (Fixtures::ORGANIZATION, Fixtures::OTHER_OWNER, "OWNER"),
            ("org_unknown", Fixtures::OWNER, "OWNER"),
        ] {
            assert_eq!(world.call(call(who, "GET", path)).await.code(), (403, "forbidden"), "{who:?} {path}");
        }
    }
}

#[tokio::test]
async fn claims_are_read_strictly() {
    let world = World::new().await;
    let odd_roles = ["owner", " OWNER", "OWNER ", "[OWNER]", "OWNER ADMIN", "[OWNER ADMIN]", "ROOT", ""];
    for role in odd_roles {
        let who = (Fixtures::ORGANIZATION, Fixtures::OWNER, role);
        assert_eq!(world.call(call(who, "GET", REFERRALS)).await.code(), (403, "forbidden"), "{role:?}");
    }
    for organization in
        ["", "[org_winnerr_demo]", "[org_winnerr_demo org_other_demo]", "org_winnerr_demo,org_other_demo", "ORG#x"]
    {
        let who = (organization, Fixtures::OWNER, "OWNER");
        assert_eq!(world.call(call(who, "GET", REFERRALS)).await.code(), (403, "forbidden"), "{organization:?}");
    }
    for token_use in ["id", "refresh", "", "ACCESS"] {
        let (status, body, _) = world
            .send(LIST, |event| {
                event["requestContext"]["authorizer"]["jwt"]["claims"]["token_use"] = json!(token_use);
            })
            .await;
        assert_eq!((status, &body["code"]), (401, &json!("unauthenticated")), "{token_use:?}");
    }
}

#[tokio::test]
async fn an_account_is_read_once_in_a_while() {
    let world = World::new().await;
    let _ = world.store.calls.take();
    for _ in 0..3 {
        world.call(call(OWNER, "GET", REFERRALS)).await;
    }
    assert_eq!(world.store.calls.take(), ["BatchGetItem", "Query", "Query", "Query"]);
}
