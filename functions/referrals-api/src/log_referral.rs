//! `POST /api/reputation/referrals`: an agent logs a referral that came by word of mouth.

use axum::{
    Extension,
    body::{Body, to_bytes},
    extract::State,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::Response,
};
use referrals::{
    domain::{
        access::Caller,
        id::{PersonId, UserId},
        phone::Region,
    },
    http::{Authenticated, Code, FieldError, Fields, MAX_BODY_BYTES, Problem, RequestId, require_json},
    system::{RandomIds, SystemClock},
    usecase::{
        self,
        log_referral::{Entry, Logged},
    },
};
use validator::Validate;

use crate::{
    app::App,
    view::{ReferralView, resource},
};

/// As sent. Absent, null and blank are the same.
#[derive(Debug, Validate)]
struct LogForm {
    #[validate(required)]
    referrer_person_id: Option<String>,
    /// The caller, when absent.
    agent_user_id: Option<String>,
    channel: Option<String>,
    #[validate(required)]
    referred_name: Option<String>,
    #[validate(length(max = 254))]
    referred_email: Option<String>,
    #[validate(length(max = 32))]
    referred_phone: Option<String>,
    notes: Option<String>,
}

pub async fn log_referral(
    State(app): State<App>,
    Authenticated(caller): Authenticated,
    Extension(request_id): Extension<RequestId>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    require_json(&headers)?;
    let body = to_bytes(body, MAX_BODY_BYTES).await.map_err(|_| Code::BodyTooLarge)?;
    let entry = read(&app, &caller, Fields::parse(&body)?).await?;
    let logged =
        usecase::log_referral::log_referral(&app.ledger, &SystemClock, &RandomIds, &caller, &entry, &request_id.0)
            .await?;
    let unknown = |pointer| Problem::fields(Code::InvalidFields, vec![FieldError::new(pointer, "unknown_id")]);
    match logged {
        Logged::NotAllowed => Err(Problem::new(Code::Forbidden)),
        Logged::UnknownReferrer => Err(unknown("/referrerPersonId")),
        Logged::UnknownAgent => Err(unknown("/agentUserId")),
        Logged::Recorded(referral) => {
            let location = format!("/api/reputation/referrals/{}", referral.id);
            let version = referral.version;
            let mut response = resource(&ReferralView::from(*referral), version);
            *response.status_mut() = StatusCode::CREATED;
            if let Ok(location) = HeaderValue::from_str(&location) {
                response.headers_mut().insert(header::LOCATION, location);
            }
            Ok(response)
        }
    }
}

async fn read(app: &App, caller: &Caller, mut fields: Fields) -> Result<Entry, Problem> {
    let form = LogForm {
        referrer_person_id: fields.text("referrerPersonId"),
        agent_user_id: fields.text("agentUserId"),
        channel: fields.text("channel"),
        referred_name: fields.text("referredName"),
        referred_email: fields.text("referredEmail"),
        referred_phone: fields.text("referredPhone"),
        notes: fields.text("notes"),
    };
    fields.absorb(form.validate());
    fields.refuse_unknown();
    let referrer = form.referrer_person_id.as_deref().map(PersonId::parse);
    if matches!(referrer, Some(Err(_))) {
        fields.reject("referrerPersonId", "unknown_id");
    }
    let agent = form.agent_user_id.as_deref().map_or_else(|| Ok(caller.user.clone()), UserId::parse);
    if agent.is_err() {
        fields.reject("agentUserId", "unknown_id");
    }
    if form.channel.as_deref().is_some_and(|channel| channel != "MANUAL") {
        fields.reject("channel", "unknown_channel");
    }
    let referred_name = fields.name("referredName", form.referred_name.as_deref());
    let region = match &form.referred_phone {
        Some(_) => usecase::find_region::find_region(&app.directory, caller).await?,
        None => Region::default(),
    };
    let referred_contact = fields.contact(
        ("referredEmail", form.referred_email.as_deref()),
        ("referredPhone", form.referred_phone.as_deref()),
        &region,
    );
    let notes = fields.notes("notes", form.notes.as_deref());
    fields.finish()?;
    let (Some(Ok(referrer_person_id)), Ok(agent_user_id), Some(referred_name)) = (referrer, agent, referred_name)
    else {
        // Required above; finish() has answered already.
        return Err(Problem::new(Code::InvalidFields));
    };
    Ok(Entry { referrer_person_id, agent_user_id, referred_name, referred_contact, notes })
}
