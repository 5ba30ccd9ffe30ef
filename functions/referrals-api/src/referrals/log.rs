//! `POST /api/reputation/referrals`: an agent logs a referral that came by word of mouth.

use axum::{
    Extension,
    extract::State,
    http::{StatusCode, header},
    response::Response,
};
use referrals::{
    domain::{
        access::Caller,
        id::{PersonId, UserId},
        organization::Organization,
        phone::Region,
        referral::{Channel, Referral},
    },
    http::{Authenticated, Code, FieldError, Fields, Problem},
    ports::Named,
    system::{RandomIds, SystemClock},
    usecase::{
        self,
        log_referral::{Advocate, Entry, Logged},
    },
};
use utoipa::ToSchema;
use validator::Validate;

use crate::{
    app::App,
    incoming::Incoming,
    once::{Answer, once},
    openapi::IdempotencyKey,
    view::ReferralView,
};

/// Absent, null and blank are the same.
#[derive(Debug, Validate, ToSchema)]
#[schema(rename_all = "camelCase", example = json!({"referrerPersonId": "person_111", "agentUserId": "user_789", "channel": "MANUAL", "referredName": "Sam Lee", "notes": "Sam is selling their condo this spring."}))]
struct LogForm {
    /// Who sent the friend; this or `referrer`.
    #[schema(value_type = Option<PersonId>)]
    referrer_person_id: Option<String>,
    /// Who sent the friend, where that is nobody of People yet; found by address, else by number, or created.
    #[validate(nested)]
    referrer: Option<ReferrerForm>,
    /// The agent whose referral it is; the caller, when absent.
    #[schema(value_type = Option<UserId>)]
    agent_user_id: Option<String>,
    /// Always `MANUAL`.
    #[schema(pattern = "^MANUAL$", example = "MANUAL")]
    channel: Option<String>,
    #[validate(required)]
    #[schema(required = true, nullable = false, min_length = 1, max_length = 200, example = "Sam Lee")]
    referred_name: Option<String>,
    #[validate(length(max = 254))]
    #[schema(max_length = 254, example = "sam@example.com")]
    referred_email: Option<String>,
    /// Without `+` it is read in the organization's region.
    #[validate(length(max = 32))]
    #[schema(max_length = 32, example = "(415) 555-2671")]
    referred_phone: Option<String>,
    #[schema(max_length = 4000, example = "Sam is selling their condo this spring.")]
    notes: Option<String>,
}

#[derive(Debug, Validate, ToSchema)]
struct ReferrerForm {
    #[validate(required)]
    #[schema(required = true, nullable = false, min_length = 1, max_length = 200, example = "Pat Jones")]
    name: Option<String>,
    #[validate(length(max = 254))]
    #[schema(max_length = 254, example = "pat@example.com")]
    email: Option<String>,
    #[validate(length(max = 32))]
    #[schema(max_length = 32)]
    phone: Option<String>,
}

/// Logs a referral. What looks like one that is there already is recorded too, with the flag `POSSIBLE_DUPLICATE`.
#[utoipa::path(
    post,
    path = "/api/reputation/referrals",
    tag = "referrals",
    params(IdempotencyKey),
    request_body = LogForm,
    responses((status = 201, body = ReferralView, headers(("etag" = String), ("location" = String))))
)]
pub async fn log_referral(
    State(app): State<App>,
    Authenticated(caller): Authenticated,
    Extension(organization): Extension<Organization>,
    incoming: Incoming,
) -> Result<Response, Problem> {
    let entry = read(incoming.json()?, &caller, &organization)?;
    let request = incoming.named(&caller)?;
    let write_down = |referral: &Referral| answer(referral).written();
    let named = request.as_ref().map(|request| Named { request, write_down: &write_down });
    let work = Box::pin(log(&app, &caller, &entry, &incoming.request_id, named));
    once(&app, &caller, request.as_ref(), work).await
}

async fn log(
    app: &App,
    caller: &Caller,
    entry: &Entry,
    request_id: &str,
    named: Option<Named<'_>>,
) -> Result<Answer, Problem> {
    let logged =
        usecase::log_referral::log_referral(&app.ledger, &SystemClock, &RandomIds, caller, entry, request_id, named)
            .await?;
    let unknown = |pointer| Problem::fields(Code::InvalidFields, vec![FieldError::new(pointer, "unknown_id")]);
    match logged {
        Logged::Recorded(referral) => Ok(answer(&referral)),
        Logged::NotAllowed => Err(Problem::new(Code::Forbidden)),
        Logged::UnknownReferrer => Err(unknown("/referrerPersonId")),
        Logged::UnknownAgent => Err(unknown("/agentUserId")),
        Logged::KeyReused => Err(Problem::new(Code::IdempotencyKeyReused)),
    }
}

fn answer(referral: &Referral) -> Answer {
    Answer::resource(StatusCode::CREATED, &ReferralView::from(referral.clone()), referral.version)
        .with_header(&header::LOCATION, format!("/api/reputation/referrals/{}", referral.id))
}

fn read(mut fields: Fields, caller: &Caller, organization: &Organization) -> Result<Entry, Problem> {
    let region = &organization.default_region;
    let mut referrer = fields.object("referrer").value();
    let form = LogForm {
        referrer_person_id: fields.code("referrerPersonId"),
        referrer: referrer.as_mut().map(|object| ReferrerForm {
            name: object.text("name"),
            email: object.text("email"),
            phone: object.text("phone"),
        }),
        agent_user_id: fields.code("agentUserId"),
        channel: fields.code("channel"),
        referred_name: fields.text("referredName"),
        referred_email: fields.text("referredEmail"),
        referred_phone: fields.text("referredPhone"),
        notes: fields.text("notes"),
    };
    fields.absorb(form.validate());
    fields.refuse_unknown();
    let known = form.referrer_person_id.as_deref().map(PersonId::parse);
    match (&known, &form.referrer) {
        (None, None) => fields.reject("referrerPersonId", "required"),
        (Some(Err(_)), _) => fields.reject("referrerPersonId", "unknown_id"),
        (Some(Ok(_)), Some(_)) => fields.reject("referrer", "either_id_or_description"),
        _ => {}
    }
    let described = referrer.zip(form.referrer.as_ref());
    let advocate = described.and_then(|(object, form)| read_referrer(&mut fields, object, form, region));
    let agent = form.agent_user_id.as_deref().map_or_else(|| Ok(caller.user.clone()), UserId::parse);
    if agent.is_err() {
        fields.reject("agentUserId", "unknown_id");
    }
    if form.channel.as_deref().is_some_and(|channel| channel != Channel::Manual.as_str()) {
        fields.reject("channel", "unknown_channel");
    }
    let referred_name = fields.name("referredName", form.referred_name.as_deref());
    let referred_contact = fields.contact(
        ("referredEmail", form.referred_email.as_deref()),
        ("referredPhone", form.referred_phone.as_deref()),
        region,
    );
    let notes = fields.notes("notes", form.notes.as_deref());
    fields.finish()?;
    if let Some(Advocate::Described { contact, .. }) = &advocate
        && contact.is_same_person(&referred_contact)
    {
        return Err(Problem::new(Code::SelfReferral));
    }
    let referrer = advocate.or_else(|| known.and_then(Result::ok).map(Advocate::Known));
    let (Some(referrer), Ok(agent_user_id), Some(referred_name)) = (referrer, agent, referred_name) else {
        // Required above; finish() has answered already.
        return Err(Problem::new(Code::InvalidFields));
    };
    Ok(Entry { referrer, agent_user_id, referred_name, referred_contact, notes, zone: organization.timezone.clone() })
}

fn read_referrer(fields: &mut Fields, mut object: Fields, form: &ReferrerForm, region: &Region) -> Option<Advocate> {
    object.absorb(form.validate());
    let name = object.name("name", form.name.as_deref());
    let contact = object.contact(("email", form.email.as_deref()), ("phone", form.phone.as_deref()), region);
    fields.close(object);
    name.map(|name| Advocate::Described { name, contact })
}
