//! `GET /api/people`: `email`, `phone`, `q`, `limit` (1–100, 25), `cursor`; newest first.

use axum::{
    Extension, Json,
    extract::{RawQuery, State},
};
use referrals::{
    domain::{
        access::Caller,
        contact::{Contact, ContactKey},
        email::Email,
        filter::{NameQuery, PeopleFilter},
        organization::Organization,
        phone::{Phone, Region},
        text::NAME_MAX_CHARS,
    },
    http::{Authenticated, ListIdentity, Problem},
    ports::Clock as _,
    system::SystemClock,
    usecase,
};
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};

use crate::{
    app::App,
    page::{PageParams, Parameters, next_cursor},
    view::PersonView,
};

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PersonList {
    people: Vec<PersonView>,
    /// Where the list goes on; null at its end. A page may be short, or empty, before the end: a name that few have is
    /// looked for only so far.
    next_cursor: Option<String>,
}

#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes parameters")]
pub struct PeopleParams {
    /// The person who holds this address.
    #[param(max_length = 254)]
    email: Option<String>,
    /// The person who holds this number; without `+` (in a query `%2B`) it is read in the organization's region. With
    /// `email` too: who holds both.
    #[param(max_length = 32)]
    phone: Option<String>,
    /// Words, or parts of words, each of which stands in the name.
    #[param(max_length = 200)]
    q: Option<String>,
}

fn filter(parameters: &Parameters, region: &Region) -> Result<PeopleFilter, Problem> {
    let words = |text: &str| (text.chars().count() <= NAME_MAX_CHARS).then(|| NameQuery::new(text));
    Ok(PeopleFilter {
        contact: Contact {
            email: parameters.parsed("email", |text| Email::parse(text).ok())?,
            phone: parameters.parsed("phone", |text| Phone::parse(text, region).ok())?,
        },
        name: parameters.parsed("q", words)?.unwrap_or_default(),
    })
}

/// What a cursor of this list is bound to.
fn identity(caller: &Caller, filter: &PeopleFilter, parameters: &Parameters) -> ListIdentity {
    let keys = filter.contact.keys();
    let (mut email, mut phone) = ("", "");
    for key in &keys {
        match key {
            ContactKey::Email(key) => email = key.as_str(),
            ContactKey::Phone(key) => phone = key.as_str(),
        }
    }
    let words = parameters.find("q").unwrap_or_default();
    ListIdentity::new(["people", caller.scope.organization().as_str(), email, phone, words])
}

/// The organization's people, newest first: all of them, those of a name, or who holds an address or a number.
#[utoipa::path(
    get,
    path = "/api/people",
    tag = "people",
    params(PeopleParams, PageParams),
    responses((status = 200, body = PersonList))
)]
pub async fn list_people(
    State(app): State<App>,
    Authenticated(caller): Authenticated,
    Extension(organization): Extension<Organization>,
    query: RawQuery,
) -> Result<Json<PersonList>, Problem> {
    let parameters = Parameters::read(query, &["email", "phone", "q", "limit", "cursor"])?;
    let filter = filter(&parameters, &organization.default_region)?;
    let limit = parameters.limit()?;
    let now = SystemClock.now();
    let list = identity(&caller, &filter, &parameters);
    let after = parameters.after(&app.cursor_key, &list, now)?;
    let page = usecase::list_people::list_people(&app.ledger, &caller, &filter, after.as_ref(), limit).await?;
    let next_cursor = next_cursor(&page, &app.cursor_key, &list, now);
    Ok(Json(PersonList { people: page.items.into_iter().map(PersonView::from).collect(), next_cursor }))
}
