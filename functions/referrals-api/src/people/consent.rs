//! `PUT /api/people/{id}/consent`: what a person said about being written to on one channel, as their agent records it.

use axum::{extract::State, response::Response};
use referrals::{
    domain::{
        consent::{ConsentChange, ConsentChannel, ConsentText},
        id::PersonId,
        person_change::PersonChange,
    },
    http::{Authenticated, Code, Fields, Problem},
};
use utoipa::ToSchema;
use validator::Validate;

use super::change::change;
use crate::{
    app::App,
    incoming::Incoming,
    openapi::{IfMatch, PersonPath},
    path_id::PathId,
    view::PersonView,
};

#[derive(Debug, Validate, ToSchema)]
#[schema(rename_all = "camelCase")]
struct ConsentForm {
    #[validate(required)]
    #[schema(required = true, nullable = false, value_type = ConsentChannel)]
    channel: Option<String>,
    #[validate(required)]
    #[schema(required = true, nullable = false)]
    granted: Option<bool>,
    /// The wording that was agreed to. Required to grant.
    #[schema(value_type = Option<ConsentText>)]
    consent_text_id: Option<String>,
    /// How the agent knows. Required to grant.
    #[schema(max_length = 500, example = "Said so on the phone on 22 November.")]
    evidence: Option<String>,
}

/// Records consent, or its revocation. Each is an entry that stays; granting needs an address or number on the channel.
#[utoipa::path(
    put,
    path = "/api/people/{id}/consent",
    tag = "people",
    params(PersonPath, IfMatch),
    request_body = ConsentForm,
    responses((status = 200, body = PersonView, headers(("etag" = String))))
)]
pub async fn record_consent(
    State(app): State<App>,
    Authenticated(caller): Authenticated,
    id: PathId<PersonId>,
    incoming: Incoming,
) -> Result<Response, Problem> {
    let consent = read(incoming.json()?)?;
    change(&app, &caller, id, &incoming, &PersonChange::Consent(consent)).await
}

fn read(mut fields: Fields) -> Result<ConsentChange, Problem> {
    let form = ConsentForm {
        channel: fields.text("channel"),
        granted: fields.patched_flag("granted"),
        consent_text_id: fields.text("consentTextId"),
        evidence: fields.text("evidence"),
    };
    fields.absorb(form.validate());
    fields.refuse_unknown();
    let channel = form.channel.as_deref().map(ConsentChannel::find);
    if channel == Some(None) {
        fields.reject("channel", "unknown_channel");
    }
    let text = form.consent_text_id.as_deref().map(ConsentText::find);
    if text == Some(None) {
        fields.reject("consentTextId", "unknown_consent_text");
    }
    let evidence = fields.reason("evidence", form.evidence.as_deref());
    if form.granted == Some(true) {
        // A consent that cannot be shown later is worth nothing. Of a field that is wrong already, that is told.
        if text.flatten().is_none() {
            fields.reject("consentTextId", "required");
        }
        if evidence.is_none() {
            fields.reject("evidence", "required");
        }
    }
    fields.finish()?;
    let (Some(channel), Some(granted)) = (channel.flatten(), form.granted) else {
        // Required above; finish() has answered already.
        return Err(Problem::new(Code::InvalidFields));
    };
    Ok(ConsentChange { channel, granted, text: text.flatten(), evidence })
}
