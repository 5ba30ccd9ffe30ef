//! `GET` and `PUT /api/reputation/reward-policy`: what the organization gives for referrals.

use axum::{
    extract::State,
    http::StatusCode,
    response::{IntoResponse as _, Response},
};
use referrals::{
    domain::{
        change::Patch,
        money::Currency,
        referral::RewardType,
        reward::{ComplianceGate, MAX_DAYS, PolicyContent, RewardPolicy, ThankYouChannel, WrongValue},
        scope::OrgScope,
    },
    http::{Authenticated, Code, Fields, Problem},
    system::SystemClock,
    usecase::{
        find_policy::find_policy as find,
        keep_policy::{KeptPolicy, keep_policy as keep},
    },
};
use utoipa::ToSchema;

use super::view::PolicyView;
use crate::{app::App, incoming::Incoming, once::Answer, openapi::IfMatch};

/// Fields of a policy that nobody sets.
const READ_ONLY: [&str; 4] = ["organizationId", "updatedAt", "updatedBy", "version"];

/// What is left out has its default.
#[derive(Debug, ToSchema)]
#[schema(rename_all = "camelCase", example = json!({"rewardType": "gift_card", "rewardValue": 5000, "provider": "Giftly", "complianceGate": "WARN"}))]
#[expect(dead_code, reason = "describes the body")]
struct PolicyForm {
    #[schema(nullable = false, default = "none")]
    reward_type: Option<RewardType>,
    /// Minor units of `currency`, or basis points (0 to 10,000) for a commission share. Required, unless the type is
    /// `none`, which has no value, or `custom`.
    #[schema(minimum = 0, maximum = 9_007_199_254_740_991_i64)]
    reward_value: Option<i64>,
    #[schema(nullable = false, default = "USD")]
    currency: Option<Currency>,
    /// Who fulfils it, in your own words.
    #[schema(min_length = 1, max_length = 200, example = "Giftly")]
    provider: Option<String>,
    /// Whether the referrer is thanked by itself once a reward is sent.
    #[schema(nullable = false, default = true)]
    auto_thank: Option<bool>,
    #[schema(nullable = false, default = "EMAIL")]
    thank_you_channel: Option<ThankYouChannel>,
    /// How long after it came in a referral can still lead to a deal.
    #[schema(nullable = false, minimum = 1, maximum = 3650, default = 730)]
    attribution_window_days: Option<u32>,
    /// How long after the win a reward waits.
    #[schema(nullable = false, minimum = 0, maximum = 3650, default = 0)]
    holding_period_days: Option<u32>,
    /// What the law on referral fees asks for before a reward is sent: nothing, an acknowledgement, or a release.
    #[schema(nullable = false, default = "WARN")]
    compliance_gate: Option<ComplianceGate>,
}

/// The organization's policy: the default, in version 0, until somebody sets one.
#[utoipa::path(
    get,
    path = "/api/reputation/reward-policy",
    tag = "rewards",
    responses((status = 200, body = PolicyView, headers(("etag" = String))))
)]
pub async fn find_policy(State(app): State<App>, Authenticated(caller): Authenticated) -> Result<Response, Problem> {
    Ok(answer(find(&app.ledger, &caller).await?).into_response())
}

/// Sets the whole policy; for owners and admins. A reward that has come up keeps the terms of then.
#[utoipa::path(
    put,
    path = "/api/reputation/reward-policy",
    tag = "rewards",
    params(IfMatch),
    request_body = PolicyForm,
    responses((status = 200, body = PolicyView, headers(("etag" = String))))
)]
pub async fn keep_policy(
    State(app): State<App>,
    Authenticated(caller): Authenticated,
    incoming: Incoming,
) -> Result<Response, Problem> {
    let content = read(incoming.json()?, &caller.scope)?;
    match keep(&app.ledger, &SystemClock, &caller, &content, &incoming.expected()).await? {
        KeptPolicy::Done(policy) => Ok(answer(*policy).into_response()),
        KeptPolicy::NotAllowed => Err(Problem::new(Code::Forbidden)),
        KeptPolicy::PreconditionFailed => Err(Problem::new(Code::PreconditionFailed)),
    }
}

fn answer(policy: RewardPolicy) -> Answer {
    let version = policy.version;
    Answer::resource(StatusCode::OK, &PolicyView::from(policy), version)
}

fn read(mut fields: Fields, scope: &OrgScope) -> Result<PolicyContent, Problem> {
    let default = RewardPolicy::default_of(scope.organization().clone());
    let reward_type = fields.required_code("rewardType");
    let reward_type = fields.parsed("rewardType", reward_type, "unknown_reward_type", RewardType::find).value();
    let reward_value = fields.patched_number("rewardValue");
    let currency = fields.required_code("currency");
    let currency = fields.parsed("currency", currency, "unknown_currency", |text| Currency::parse(text).ok()).value();
    let provider = fields.text("provider");
    let channel = fields.required_code("thankYouChannel");
    let channel = fields.parsed("thankYouChannel", channel, "unknown_channel", ThankYouChannel::find).value();
    let gate = fields.required_code("complianceGate");
    let gate = fields.parsed("complianceGate", gate, "unknown_compliance_gate", ComplianceGate::find).value();
    let content = PolicyContent {
        reward_type: reward_type.unwrap_or(default.reward_type),
        reward_value: reward_value.value(),
        currency: currency.unwrap_or(default.currency),
        provider: fields.name("provider", provider.as_deref()),
        auto_thank: fields.patched_flag("autoThank").unwrap_or(default.auto_thank),
        thank_you_channel: channel.unwrap_or(default.thank_you_channel),
        attribution_window_days: days(&mut fields, "attributionWindowDays", 1, default.attribution_window_days),
        holding_period_days: days(&mut fields, "holdingPeriodDays", 0, default.holding_period_days),
        compliance_gate: gate.unwrap_or(default.compliance_gate),
    };
    match content.check_value() {
        Ok(()) => {}
        // Without a type that is one, nothing can be said about the value.
        Err(_) if fields.is_rejected("rewardType") => {}
        Err(WrongValue::Required) => fields.reject("rewardValue", "required"),
        Err(WrongValue::OutOfRange) => fields.reject("rewardValue", "out_of_range"),
    }
    fields.refuse_read_only(&READ_ONLY);
    fields.refuse_unknown();
    fields.finish()?;
    Ok(content)
}

fn days(fields: &mut Fields, name: &str, least: u32, default: u32) -> u32 {
    let days = match fields.patched_number(name) {
        Patch::Keep => return default,
        Patch::Clear => {
            fields.reject(name, "required");
            return default;
        }
        Patch::Set(days) => u32::try_from(days).ok().filter(|days| (least..=MAX_DAYS).contains(days)),
    };
    days.unwrap_or_else(|| {
        fields.reject(name, "out_of_range");
        default
    })
}
