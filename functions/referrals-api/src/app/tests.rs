use std::collections::BTreeMap;

use aws_lambda_events::apigw::ApiGatewayV2httpResponse;
use aws_sdk_dynamodb::types::AttributeValue;
use referrals::{
    http::answer,
    ports::{Clock as _, Ids as _},
    system::RandomIds,
};
use referrals_testing::{Fixtures, TestStore};
use serde_json::{Value, json};

use super::*;

const LIST: &str = include_str!("../../../../events/http/list-referrals.json");
const LOG: &str = include_str!("../../../../events/http/log-referral.json");
pub(super) const REFERRALS: &str = "/api/reputation/referrals";
const PEOPLE: &str = include_str!("../../../../events/http/list-people.json");

mod accounts;
mod attribution;
mod changes;
mod erasure;
mod export;
mod import_reports;
mod imports;
mod links;
mod once;
mod people;
mod policy;
mod profile;
mod resending;
mod rewards;

pub(super) use imports::IMPORTS;
pub(super) use resending::skipped_thanks;

pub(super) struct World {
    pub(super) router: Router,
    pub(super) store: TestStore,
}

/// A text that no other call of this gives.
fn unique() -> String {
    RandomIds.ulid(SystemClock.now()).to_string()
}

/// Somebody who calls: organization, user, role.
pub(super) type Who = (&'static str, &'static str, &'static str);
pub(super) const OWNER: Who = (Fixtures::ORGANIZATION, Fixtures::OWNER, "OWNER");
pub(super) const JANE: Who = (Fixtures::ORGANIZATION, Fixtures::AGENT, "MEMBER");
pub(super) const BEN: Who = (Fixtures::ORGANIZATION, "user_790", "MEMBER");
pub(super) const OTHER: Who = (Fixtures::OTHER_ORGANIZATION, Fixtures::OTHER_OWNER, "OWNER");

/// One request, in few words.
#[derive(Clone)]
pub(super) struct Call {
    pub(super) who: Who,
    pub(super) method: &'static str,
    pub(super) path: String,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: Option<String>,
}

pub(super) fn call(who: Who, method: &'static str, path: impl Into<String>) -> Call {
    Call { who, method, path: path.into(), headers: vec![], body: None }
}

impl Call {
    pub(super) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    pub(super) fn json(mut self, body: impl std::fmt::Display) -> Self {
        self.body = Some(body.to_string());
        self.header("content-type", "application/json")
    }
}

/// What came back, and all of it that is the same for the same answer.
#[derive(Debug, PartialEq)]
pub(super) struct Answered {
    pub(super) status: i64,
    pub(super) body: Value,
    pub(super) response: ApiGatewayV2httpResponse,
}

impl Answered {
    pub(super) fn code(&self) -> (i64, &str) {
        (self.status, self.body["code"].as_str().unwrap_or_default())
    }

    pub(super) fn header(&self, name: &str) -> &str {
        self.response.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// Everything but the id of the request.
    pub(super) fn bytes(&self) -> String {
        let mut headers = self.response.headers.clone();
        headers.remove("x-request-id");
        format!(
            "{} {headers:?} {}",
            self.status,
            String::from_utf8_lossy(self.response.body.as_deref().unwrap_or_default())
        )
    }
}

impl World {
    pub(super) async fn new() -> Self {
        let store = TestStore::start().await;
        Fixtures::load(&store).await;
        let claims = ClaimNames { organization: "organization_id".into(), user: "user_id".into(), role: "role".into() };
        Self {
            router: router(App {
                accounts: Arc::new(AccountCache::new(store.directory(), SystemClock)),
                ledger: store.ledger(),
                cursor_key: CursorKey::new("key"),
                claims,
            }),
            store,
        }
    }

    pub(super) async fn call(&self, call: Call) -> Answered {
        let (path, query) = call.path.split_once('?').unwrap_or((&call.path, ""));
        let (status, body, response) = self
            .send(LIST, |event| {
                claims(call.who.0, call.who.1, call.who.2)(event);
                event["requestContext"]["http"]["method"] = json!(call.method);
                event["requestContext"]["requestId"] = json!(unique());
                event["rawPath"] = json!(path);
                event["rawQueryString"] = json!(query);
                event["body"] = json!(call.body);
                for (name, value) in &call.headers {
                    event["headers"][name] = json!(value);
                }
            })
            .await;
        Answered { status, body, response }
    }

    /// A new referral of Jane's, logged for its own friend; gives its path.
    pub(super) async fn logged(&self, friend: &str) -> String {
        let body = json!({"referrerPersonId": "person_111", "agentUserId": Fixtures::AGENT, "referredName": friend});
        let answered = self.call(call(OWNER, "POST", REFERRALS).json(body)).await;
        assert_eq!(answered.status, 201, "{}", answered.body);
        format!("{REFERRALS}/{}", answered.body["id"].as_str().unwrap())
    }

    /// Every item of both tables, in one order.
    pub(super) async fn dump(&self) -> Vec<String> {
        let mut items = self.store.items().await;
        items.extend(self.store.outbox_items().await);
        let mut lines: Vec<String> = items.into_iter().map(|item| canonical(&AttributeValue::M(item.0))).collect();
        lines.sort();
        lines
    }

    async fn total(&self) -> i64 {
        self.call(call(OWNER, "GET", "/api/people/person_111")).await.body["totalReferrals"].as_i64().unwrap()
    }

    async fn send(&self, golden: &str, change: impl FnOnce(&mut Value)) -> (i64, Value, ApiGatewayV2httpResponse) {
        let mut event: Value = serde_json::from_str(golden).unwrap();
        change(&mut event);
        let response = answer(self.router.clone(), &event.to_string()).await;
        let body = serde_json::from_slice(response.body.as_deref().unwrap_or_default()).unwrap_or(Value::Null);
        (response.status_code, body, response)
    }

    async fn get(&self, path: &str) -> (i64, Value, ApiGatewayV2httpResponse) {
        self.send(LIST, |event| {
            let (path, query) = path.split_once('?').unwrap_or((path, ""));
            event["rawPath"] = json!(path);
            event["rawQueryString"] = json!(query);
        })
        .await
    }
}

/// One text for one value: a map's attributes stand in the order of their names.
fn canonical(value: &AttributeValue) -> String {
    match value {
        AttributeValue::M(map) => {
            let sorted: BTreeMap<_, _> = map.iter().map(|(name, value)| (name, canonical(value))).collect();
            format!("{sorted:?}")
        }
        AttributeValue::L(list) => format!("{:?}", list.iter().map(canonical).collect::<Vec<_>>()),
        other => format!("{other:?}"),
    }
}

fn claims(organization: &'static str, user: &'static str, role: &'static str) -> impl FnOnce(&mut Value) {
    move |event| {
        let claims = &mut event["requestContext"]["authorizer"]["jwt"]["claims"];
        claims["organization_id"] = json!(organization);
        claims["user_id"] = json!(user);
        claims["role"] = json!(role);
    }
}

#[tokio::test]
async fn the_contracts_examples_work_to_the_letter_and_twice() {
    let world = World::new().await;
    let mut ids = Vec::new();
    for flags in [json!([]), json!(["POSSIBLE_DUPLICATE"])] {
        let (status, body, response) = world.send(LOG, |_| {}).await;
        assert_eq!(status, 201, "{body}");
        assert_eq!(body["riskFlags"], flags);
        assert_eq!(response.headers["etag"], "\"1\"");
        let id = body["id"].as_str().unwrap().to_owned();
        assert_eq!(response.headers["location"], format!("/api/reputation/referrals/{id}"));
        let (status, found, response) = world.get(&format!("/api/reputation/referrals/{id}")).await;
        assert_eq!((status, &found, &response.headers["etag"]), (200, &body, &"\"1\"".parse().unwrap()));
        ids.insert(0, id);
    }
    let (status, body, _) = world.send(LIST, |_| {}).await;
    assert_eq!(status, 200);
    let listed: Vec<_> = body["referrals"].as_array().unwrap().iter().map(|row| row["id"].as_str().unwrap()).collect();
    assert_eq!((listed, &body["nextCursor"]), (ids.iter().map(String::as_str).collect(), &Value::Null));
    let (status, body, _) = world.send(PEOPLE, |_| {}).await;
    assert_eq!((status, &body["people"][0]["totalReferrals"]), (200, &json!(2)));
}

#[tokio::test]
async fn a_referral_has_every_field_of_the_contract() {
    let world = World::new().await;
    let (_, mut body, _) = world.send(LOG, |_| {}).await;
    for name in ["id", "createdAt", "updatedAt"] {
        body[name] = json!("set");
    }
    insta::assert_json_snapshot!(body);
    let (_, mut person, _) = world.get("/api/people/person_111").await;
    person["updatedAt"] = json!("set");
    insta::assert_json_snapshot!(person);
}

#[tokio::test]
async fn without_an_authorizers_word_nothing_is_answered() {
    let world = World::new().await;
    for path in ["/api/reputation/referrals", "/api/people", "/api/nothing", "/api/people/person_111"] {
        let (status, body, _) = world
            .send(LIST, |event| {
                event["rawPath"] = json!(path);
                event["requestContext"].as_object_mut().unwrap().remove("authorizer");
            })
            .await;
        assert_eq!((status, &body["code"]), (401, &json!("unauthenticated")), "{path}");
    }
}

#[tokio::test]
async fn a_refused_caller_does_not_learn_which_routes_there_are() {
    let world = World::new().await;
    let nobody = (Fixtures::ORGANIZATION, "user_999", "OWNER");
    for method in ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"] {
        let unknown = world.call(call(nobody, method, "/api/nothing")).await.bytes();
        for path in [REFERRALS, "/api/reputation/referrals/ref_1", "/api/people", "/api/people/person_111"] {
            assert_eq!(world.call(call(nobody, method, path)).await.bytes(), unknown, "{method} {path}");
        }
    }
}

#[tokio::test]
async fn another_organization_sees_nothing_and_cannot_tell() {
    let world = World::new().await;
    let (_, logged, _) = world.send(LOG, |_| {}).await;
    let other = || claims(Fixtures::OTHER_ORGANIZATION, Fixtures::OTHER_OWNER, "OWNER");
    let (_, body, _) = world.send(LIST, other()).await;
    assert_eq!(body, json!({"referrals": [], "nextCursor": null}));
    let (_, body, _) = world.send(PEOPLE, other()).await;
    assert_eq!(body, json!({"people": [], "nextCursor": null}));
    let mut answers = Vec::new();
    for id in [logged["id"].as_str().unwrap(), "ref_00000000000000000000000000", "nonsense", "ref_%00", "a%2Fb"] {
        let (status, body, _) = world
            .send(LIST, |event| {
                event["rawPath"] = json!(format!("/api/reputation/referrals/{id}"));
                event["rawQueryString"] = json!("");
                other()(event);
            })
            .await;
        answers.push((status, body.to_string()));
    }
    assert!(answers.iter().all(|answer| answer.0 == 404 && *answer == answers[0]), "{answers:?}");
    let (status, body, _) = world.send(LOG, other()).await;
    assert_eq!((status, &body["errors"]), (422, &json!([{"pointer": "/referrerPersonId", "code": "unknown_id"}])));
}

#[tokio::test]
async fn a_cursor_goes_on_only_in_its_own_list() {
    let world = World::new().await;
    for _ in 0..3 {
        world.send(LOG, |_| {}).await;
    }
    let (_, first, _) = world.get("/api/reputation/referrals?limit=2").await;
    let cursor = first["nextCursor"].as_str().unwrap();
    let (_, second, _) = world.get(&format!("/api/reputation/referrals?limit=2&cursor={cursor}")).await;
    assert_eq!((second["referrals"].as_array().unwrap().len(), &second["nextCursor"]), (1, &Value::Null));
    for elsewhere in [
        format!("/api/reputation/referrals?status=RECEIVED&cursor={cursor}"),
        format!("/api/people?cursor={cursor}"),
        format!("/api/reputation/referrals?cursor=x{cursor}"),
        "/api/reputation/referrals?cursor=".to_owned(),
    ] {
        let (status, body, _) = world.get(&elsewhere).await;
        assert_eq!((status, &body["code"]), (400, &json!("invalid_cursor")), "{elsewhere}");
    }
    let (status, body, _) = world
        .send(LIST, |event| {
            event["rawQueryString"] = json!(format!("cursor={cursor}"));
            claims(Fixtures::ORGANIZATION, Fixtures::AGENT, "MEMBER")(event);
        })
        .await;
    assert_eq!((status, &body["code"]), (400, &json!("invalid_cursor")));
}

#[tokio::test]
async fn a_wrong_query_is_refused_and_not_ignored() {
    let world = World::new().await;
    for query in [
        "to=-000001-01-01T00:00:00Z",
        "from=1969-12-31T23:59:59Z",
        "status=received",
        "status=",
        "limit=0",
        "limit=101",
        "limit=x",
        "agentuserid=user_1",
        "limit=1&limit=2",
    ] {
        let (status, body, _) = world.get(&format!("/api/reputation/referrals?{query}")).await;
        assert_eq!((status, &body["code"]), (400, &json!("invalid_query")), "{query}");
    }
}

#[tokio::test]
async fn wrong_bodies_are_named_field_by_field() {
    let world = World::new().await;
    let (status, body, _) = world
        .send(LOG, |event| {
            event["body"] = json!(
                r#"{"referrerPersonId":"x y","agentUserId":7,"channel":"WIDGET","referredEmail":"no",
                    "referredPhone":"1","rewardStatus":"SENT"}"#
            );
        })
        .await;
    assert_eq!(status, 422);
    insta::assert_json_snapshot!(body);
    let (status, body, _) = world.send(LOG, |event| event["headers"]["content-type"] = json!("text/csv")).await;
    assert_eq!((status, &body["code"]), (415, &json!("unsupported_media_type")));
}

#[tokio::test]
async fn numbers_without_a_plus_are_of_the_organizations_region() {
    let world = World::new().await;
    let (status, body, _) = world
        .send(LOG, |event| {
            event["body"] =
                json!(r#"{"referrerPersonId":"person_111","referredName":"Sam Lee","referredPhone":"(415) 555-2671"}"#);
        })
        .await;
    assert_eq!((status, &body["referredContact"]["phone"]), (201, &json!("+14155552671")), "{body}");
    // Without an agent it is the caller's own.
    assert_eq!(body["agentUserId"], json!(Fixtures::OWNER));
}

#[tokio::test]
async fn other_methods_and_paths_are_answered_as_problems() {
    let world = World::new().await;
    let (status, body, response) =
        world.send(LIST, |event| event["requestContext"]["http"]["method"] = json!("DELETE")).await;
    assert_eq!((status, &body["code"]), (405, &json!("method_not_allowed")));
    assert_eq!(response.headers["allow"], "GET,HEAD,POST");
    for path in ["/api/nothing", "/api/reputation/referrals/", "/api/people/person_1/x", "/api/people/%ff"] {
        let (status, body, _) = world.get(path).await;
        assert_eq!((status, &body["code"]), (404, &json!("not_found")), "{path}");
    }
}
