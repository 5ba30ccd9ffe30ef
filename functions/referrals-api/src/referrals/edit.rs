//! `PATCH /api/reputation/referrals/{id}`: a JSON merge patch (RFC 7396). A field that is absent stays, null clears it.

use axum::{
    Extension,
    extract::State,
    response::{IntoResponse, Response},
};
use referrals::{
    domain::{
        change::{Patch, ReferralChange},
        email::Email,
        id::{DealId, PersonId, ReferralId},
        lifecycle::Step,
        organization::Organization,
        phone::{Phone, Region},
        referral::{ReferralStatus, RewardType},
    },
    http::{Authenticated, Fields, Problem},
};
use utoipa::ToSchema;

use super::change::change;
use crate::{
    app::App,
    incoming::Incoming,
    openapi::{IfMatch, ReferralPath},
    path_id::PathId,
    view::ReferralView,
};

/// Fields of a referral that other operations set, or nobody.
const READ_ONLY: [&str; 15] = [
    "id",
    "organizationId",
    "referrerPersonId",
    "agentUserId",
    "channel",
    "resultingLeadSource",
    "rewardStatus",
    "rewardCurrency",
    "rewardSentAt",
    "reward",
    "conversion",
    "riskFlags",
    "createdAt",
    "updatedAt",
    "version",
];

#[derive(Debug, ToSchema)]
#[schema(rename_all = "camelCase", example = json!({"notes": "Sam is selling in April.", "referredContact": {"phone": "+14155552671"}}))]
#[expect(dead_code, reason = "describes the body")]
struct ReferralPatch {
    /// Taking a lost referral up again is `CONTACTED`.
    #[schema(nullable = false)]
    status: Option<ReferralStatus>,
    /// With `LOST`.
    #[schema(nullable = false, max_length = 500)]
    lost_reason: Option<String>,
    /// May be linked before the deal is won. A converted referral always has one.
    resulting_deal_id: Option<DealId>,
    #[schema(nullable = false, min_length = 1, max_length = 200)]
    referred_name: Option<String>,
    referred_contact: Option<ContactPatch>,
    /// Links the referral to its lead, who is in People already.
    referred_person_id: Option<PersonId>,
    #[schema(max_length = 4000)]
    notes: Option<String>,
    #[schema(nullable = false)]
    reward_type: Option<RewardType>,
    /// Minor units of the reward's currency, or basis points for a commission share. Goes with the type that it was
    /// given for.
    #[schema(minimum = 0, maximum = 9_007_199_254_740_991_i64)]
    reward_value: Option<i64>,
}

#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "describes the body")]
struct ContactPatch {
    #[schema(max_length = 254)]
    email: Option<String>,
    /// Without `+` it is read in the organization's region.
    #[schema(max_length = 32)]
    phone: Option<String>,
}

/// Changes a referral: what it says, the lead and the deal that it is linked to, its status, its reward.
#[utoipa::path(
    patch,
    path = "/api/reputation/referrals/{id}",
    tag = "referrals",
    params(ReferralPath, IfMatch),
    request_body(content(
        (ReferralPatch = "application/merge-patch+json"),
        (ReferralPatch = "application/json")
    )),
    responses((status = 200, body = ReferralView, headers(("etag" = String))))
)]
pub async fn edit_referral(
    State(app): State<App>,
    Authenticated(caller): Authenticated,
    Extension(organization): Extension<Organization>,
    id: PathId<ReferralId>,
    incoming: Incoming,
) -> Result<Response, Problem> {
    let patch = read(incoming.merge_patch()?, &organization.default_region)?;
    change(&app, &caller, id, &incoming, &patch).await.map(IntoResponse::into_response)
}

fn read(mut fields: Fields, region: &Region) -> Result<ReferralChange, Problem> {
    let status = fields.required_code("status");
    let status = fields.parsed("status", status, "unknown_status", ReferralStatus::find);
    let lost_reason = fields.required_text("lostReason").value();
    let lost_reason = fields.reason("lostReason", lost_reason.as_deref());
    let deal = fields.patched_code("resultingDealId");
    let resulting_deal_id = fields.parsed("resultingDealId", deal, "invalid_id", |text| DealId::parse(text).ok());
    let name = fields.required_text("referredName").value();
    let referred_name = fields.name("referredName", name.as_deref());
    let (referred_email, referred_phone) = read_contact(&mut fields, region);
    let lead = fields.patched_code("referredPersonId");
    let referred_person_id = fields.parsed("referredPersonId", lead, "unknown_id", |text| PersonId::parse(text).ok());
    let notes = match fields.patched_text("notes") {
        Patch::Set(text) => fields.notes("notes", Some(&text)).map_or(Patch::Clear, Patch::Set),
        Patch::Clear => Patch::Clear,
        Patch::Keep => Patch::Keep,
    };
    let reward_type = fields.required_code("rewardType");
    let reward_type = fields.parsed("rewardType", reward_type, "unknown_reward_type", RewardType::find).value();
    let reward_value = fields.patched_number("rewardValue");
    fields.refuse_read_only(&READ_ONLY);
    fields.refuse_unknown();
    fields.finish()?;
    Ok(ReferralChange {
        step: status.value().map(Step::To),
        lost_reason,
        resulting_deal_id,
        referred_name,
        referred_email,
        referred_phone,
        referred_person_id,
        notes,
        reward_type,
        reward_value,
        reward_action: None,
    })
}

fn read_contact(fields: &mut Fields, region: &Region) -> (Patch<Email>, Patch<Phone>) {
    let mut contact = match fields.object("referredContact") {
        Patch::Keep => return (Patch::Keep, Patch::Keep),
        Patch::Clear => return (Patch::Clear, Patch::Clear),
        Patch::Set(contact) => contact,
    };
    let email = contact.patched_text("email");
    let email = contact.parsed("email", email, "invalid_email", |text| Email::parse(text).ok());
    let phone = contact.patched_text("phone");
    let phone = contact.parsed("phone", phone, "invalid_phone", |text| Phone::parse(text, region).ok());
    fields.close(contact);
    (email, phone)
}
