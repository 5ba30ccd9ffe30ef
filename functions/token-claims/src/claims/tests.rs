use referrals::domain::id::{OrgId, UserId};
use referrals_testing::{Fixtures, TestStore};
use serde_json::{Value, json};

use super::*;

async fn sign_in(linked: Option<&str>) -> Value {
    let store = TestStore::start().await;
    Fixtures::load(&store).await;
    let directory = store.directory();
    let event: CognitoEventUserPoolsPreTokenGenV2 =
        serde_json::from_str(include_str!("../../../../events/cognito/pre-token-generation.json")).unwrap();
    if let Some(user) = linked {
        let organization = OrgId::parse(Fixtures::ORGANIZATION).unwrap();
        let subject = &event.request.user_attributes["sub"];
        directory.link_login(subject, &organization, &UserId::parse(user).unwrap()).await.unwrap();
    }
    let names = ClaimNames { organization: "organization_id".into(), user: "user_id".into(), role: "role".into() };
    let groups = serde_json::to_value(&event.request.group_configuration).unwrap();
    let answer = serde_json::to_value(handle(&directory, &names, event).await.unwrap()).unwrap();
    let details = &answer["response"]["claimsAndScopeOverrideDetails"];
    assert_eq!(details["groupOverrideDetails"], groups, "the groups of the user pool stay");
    details["accessTokenGeneration"].clone()
}

#[tokio::test]
async fn a_member_gets_organization_user_and_role() {
    let access = sign_in(Some(Fixtures::OWNER)).await;
    let claims = json!({"organization_id": Fixtures::ORGANIZATION, "user_id": Fixtures::OWNER, "role": "OWNER"});
    assert_eq!(access["claimsToAddOrOverride"], claims);
}

#[tokio::test]
async fn anybody_else_gets_a_token_that_opens_nothing() {
    for linked in [None, Some("user_791"), Some("user_999")] {
        let access = sign_in(linked).await;
        assert_eq!(access["claimsToAddOrOverride"], json!({}), "{linked:?}");
        assert_eq!(access["claimsToSuppress"], json!(["organization_id", "user_id", "role"]), "{linked:?}");
    }
}
