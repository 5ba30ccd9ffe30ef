//! The OpenAPI document, put together from the operations that are served. The committed one is written by the test below.

use axum::routing::MethodRouter;
use referrals::{
    domain::{attribution::Grouping, reward_lane::RewardLane},
    http::{ProblemBody, openapi::complete},
};
use serde_json::Value;
use utoipa::{
    Modify, OpenApi,
    openapi::{
        self,
        security::{HttpAuthScheme, HttpBuilder, SecurityScheme},
    },
};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    app::{App, operations},
    attribution,
    attribution::report::ReportFormat,
    imports, people, profile, referrals as ledger, rewards,
};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Winnerr Referrals: the agent's API",
        version = "1",
        description = "What an agent's tools call. Errors are RFC 9457 problems with a stable `code`. The gateway in front \
                       answers some requests itself, as `{\"message\": …}`: 401 without a valid token, 413 above 10 MB, 429 \
                       when it throttles. Ids of another organization are answered like ids that nobody has."
    ),
    servers((url = "/")),
    security(("bearer" = [])),
    tags(
        (name = "referrals", description = "The ledger: who referred whom, and what became of it."),
        (name = "rewards", description = "What advocates are owed for referrals that converted."),
        (name = "attribution", description = "What advocates brought."),
        (name = "imports", description = "Files of referrals from other systems. For owners and admins."),
        (name = "people", description = "The address book: advocates and leads."),
        (name = "profile", description = "The caller's own public profile.")
    ),
    components(schemas(ProblemBody, Grouping, ReportFormat, RewardLane)),
    modifiers(&Bearer)
)]
struct Document;

struct Bearer;

impl Modify for Bearer {
    fn modify(&self, document: &mut openapi::OpenApi) {
        let scheme = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .bearer_format("JWT")
            .description(Some("An access token whose claims name one organization, the member and the role."))
            .build();
        let components = document.components.get_or_insert_default();
        components.security_schemes.insert("bearer".to_owned(), SecurityScheme::Http(scheme).into());
    }
}

macro_rules! describe {
    ($($path:literal { $($method:ident: $($handler:ident)::+),+ })+) => {
        OpenApiRouter::with_openapi(Document::openapi())$($(.routes(routes!($($handler)::+)))+)+
    };
}

/// The document before it is completed.
pub fn described() -> openapi::OpenApi {
    operations!(describe).into_openapi()
}

#[test]
fn the_committed_document_is_what_the_code_says() {
    let document = complete(described());
    referrals_testing::assert_committed("infra/openapi/agent-api.json", &document.to_pretty_json().unwrap());
}

macro_rules! each {
    ($($path:literal { $($method:ident: $($handler:ident)::+),+ })+) => {
        [$($(($path, stringify!($method), own(routes!($($handler)::+)))),+),+]
    };
}

/// What a handler says of itself: its path and methods.
fn own<S>((_, paths, _): (S, openapi::Paths, MethodRouter<App>)) -> Value {
    serde_json::to_value(paths.paths).unwrap()
}

/// Otherwise a route would be served that no test of all operations knows of, or one handler in another's place.
#[test]
fn what_is_served_is_what_is_described() {
    let served = operations!(each);
    for (path, method, own) in &served {
        let names = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
        assert_eq!(names(own), [*path]);
        assert_eq!(names(&own[path]), [*method], "{path}");
    }
    let document = serde_json::to_value(described()).unwrap();
    let described = document["paths"].as_object().unwrap().values().map(|item| item.as_object().unwrap().len());
    assert_eq!(described.sum::<usize>(), served.len());
}
