//! A name that the other organization, or another member, has given to a request is no name of the caller's: it replays
//! nothing and is in nobody's way.

use super::{super::tests::skipped_thanks, *};

/// A referral of `who`'s own from which `operation` may go on.
async fn ready(border: &Border, operation: &Operation, who: Who) -> String {
    if operation.template.contains("/reward/") {
        let id = rewarded(border, who).await;
        if operation.template.ends_with("/resend-thanks") {
            let sent = call(who, "POST", format!("{REFERRALS}/{id}/reward/mark-sent"));
            let sent = border.world.call(sent.json(json!({"complianceAcknowledged": true}))).await;
            assert_eq!(sent.status, 200);
            skipped_thanks(&border.world, who.0, &id, &["EMAIL"]).await;
        }
        return id;
    }
    let body = json!({"referrer": {"name": "Robin"}, "referredName": "Kim"});
    let logged = border.world.call(call(who, "POST", REFERRALS).json(body)).await;
    let id = text(&logged, "id");
    if operation.template.ends_with("/reopen") {
        let lose = call(who, "POST", format!("{REFERRALS}/{id}/lose")).json(json!({"lostReason": "gone"}));
        assert_eq!(border.world.call(lose).await.status, 200);
    }
    id
}

fn named(who: Who, operation: &Operation, id: &str, body: &Value) -> Call {
    call(who, operation.method, operation.path(id)).header("idempotency-key", "the same name").json(body)
}

/// The operation's body, with a deal of its own where it takes one: a deal has room for one referral.
fn body(operation: &Operation, deal: &str) -> Value {
    let mut body = operation.body().unwrap();
    if operation.references.iter().any(|field| field == "resultingDealId") {
        body["resultingDealId"] = json!(deal);
    }
    body
}

#[tokio::test]
async fn a_name_given_by_somebody_else_is_no_name_here() {
    let mut border = Border::new().await;
    let is_named = |operation: &Operation| operation.takes("Idempotency-Key") && !operation.is_upload();
    let operations = Operation::all().into_iter().filter(is_named);
    for operation in operations {
        let name = operation.name();
        let theirs = ready(&border, &operation, OTHER).await;
        let sent = body(&operation, &format!("deal_{}", operation.template.len()));
        let first = border.world.call(named(OTHER, &operation, &theirs, &sent)).await;
        assert!(matches!(first.status, 200 | 201), "{name}: {}", first.body);
        border.canaries.extend([theirs.clone(), text(&first, "id"), text(&first, "referrerPersonId")]);
        let other_side = border.other_side().await;
        for who in CALLERS {
            let own = ready(&border, &operation, who).await;
            if operation.kind().is_some() {
                // The very same request, but for who sends it.
                let answered = border.cell(&name, named(who, &operation, &theirs, &sent)).await;
                assert_eq!(answered.code(), (404, "not_found"), "{name} as {}", who.2);
            }
            let other_body = if operation.kind().is_none() && who == JANE {
                json!({"referrer": {"name": "Robin"}, "referredName": "Another friend"})
            } else {
                body(&operation, &format!("deal_{}_{}", operation.template.len(), who.2))
            };
            let answered = border.cell(&name, named(who, &operation, &own, &other_body)).await;
            assert!(matches!(answered.status, 200 | 201), "{name} as {}: {}", who.2, answered.body);
            assert_eq!(answered.body["organizationId"], Fixtures::ORGANIZATION);
            assert!(operation.kind().is_none() || answered.body["id"] == json!(own), "{name}");
            // It is remembered as the caller's own from here on.
            let again = border.cell(&name, named(who, &operation, &own, &other_body)).await;
            assert_eq!(again.bytes(), answered.bytes(), "{name} as {}", who.2);
            // Another member of the organization, with the same name for the same request.
            if operation.kind().is_some() && who != JANE {
                let answered = border.cell(&name, named(JANE, &operation, &own, &other_body)).await;
                assert_eq!(answered.code(), (404, "not_found"), "{name}: somebody else's answer");
            }
        }
        assert_unchanged(&other_side, &border.other_side().await);
    }
    insta::assert_snapshot!(border.counts());
}

/// A deal is a word of each organization's own: the other's use of it is in nobody's way, and none of its business.
#[tokio::test]
async fn the_other_organizations_deal_is_free_here() {
    let mut border = Border::new().await;
    border.canaries.remove("deal_canary");
    let other_side = border.other_side().await;
    let path = format!("{REFERRALS}/{}", border.own.referrals[1]);
    let linked = call(JANE, "PATCH", path.clone()).json(json!({"resultingDealId": "deal_canary"}));
    assert_eq!(border.cell("PATCH a deal", linked).await.status, 200);
    let converted = call(JANE, "POST", format!("{path}/convert"));
    assert_eq!(border.cell("convert", converted).await.status, 200);
    let other =
        call(OWNER, "PATCH", format!("{REFERRALS}/{}", border.bens)).json(json!({"resultingDealId": "deal_canary"}));
    assert_eq!(border.cell("PATCH a deal", other).await.code(), (409, "deal_already_attributed"));
    assert_unchanged(&other_side, &border.other_side().await);
}
