//! Errors as RFC 9457 problems, from one list of codes. Input is never echoed.

use axum::{
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;

use utoipa::ToSchema;

use crate::{
    domain::{
        lifecycle,
        referral::{ReferralStatus, RewardStatus},
        reward_action,
    },
    ports::StoreError,
};

/// Stable names of what can go wrong. Clients compare these, not texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ProblemCode)]
pub enum Code {
    BadRequest,
    InvalidJson,
    InvalidQuery,
    InvalidCursor,
    InvalidIdempotencyKey,
    Unauthenticated,
    Forbidden,
    AccountSuspended,
    NotFound,
    MethodNotAllowed,
    InvalidTransition,
    DealAlreadyLinked,
    DealAlreadyAttributed,
    RewardLocked,
    InvalidRewardTransition,
    RewardNotSent,
    NothingToResend,
    ReferralConverted,
    ContactTaken,
    PersonErased,
    SlugTaken,
    AnswerErased,
    PreconditionFailed,
    BodyTooLarge,
    UnsupportedMediaType,
    UnsupportedContentEncoding,
    InvalidFields,
    InvalidFile,
    SelfReferral,
    DealRequired,
    ComplianceAcknowledgementRequired,
    ReportTooLarge,
    IdempotencyKeyReused,
    TooManyRequests,
    Internal,
    Unavailable,
}

impl Code {
    pub const ALL: [Self; 36] = [
        Self::BadRequest,
        Self::InvalidJson,
        Self::InvalidQuery,
        Self::InvalidCursor,
        Self::InvalidIdempotencyKey,
        Self::Unauthenticated,
        Self::Forbidden,
        Self::AccountSuspended,
        Self::NotFound,
        Self::MethodNotAllowed,
        Self::InvalidTransition,
        Self::DealAlreadyLinked,
        Self::DealAlreadyAttributed,
        Self::RewardLocked,
        Self::InvalidRewardTransition,
        Self::RewardNotSent,
        Self::NothingToResend,
        Self::ReferralConverted,
        Self::ContactTaken,
        Self::PersonErased,
        Self::SlugTaken,
        Self::AnswerErased,
        Self::PreconditionFailed,
        Self::BodyTooLarge,
        Self::UnsupportedMediaType,
        Self::UnsupportedContentEncoding,
        Self::InvalidFields,
        Self::InvalidFile,
        Self::SelfReferral,
        Self::DealRequired,
        Self::ComplianceAcknowledgementRequired,
        Self::ReportTooLarge,
        Self::IdempotencyKeyReused,
        Self::TooManyRequests,
        Self::Internal,
        Self::Unavailable,
    ];

    /// The status and the one sentence that go with the code.
    #[must_use]
    pub fn status_and_title(self) -> (StatusCode, &'static str) {
        match self {
            Self::BadRequest => (StatusCode::BAD_REQUEST, "The request cannot be read."),
            Self::InvalidJson => (StatusCode::BAD_REQUEST, "The body is not valid JSON."),
            Self::InvalidQuery => (StatusCode::BAD_REQUEST, "A query parameter is unknown or not valid."),
            Self::InvalidCursor => {
                (StatusCode::BAD_REQUEST, "The cursor does not belong to this list, or has expired.")
            }
            Self::InvalidIdempotencyKey => {
                (StatusCode::BAD_REQUEST, "The Idempotency-Key has to be 1 to 255 visible ASCII characters.")
            }
            Self::Unauthenticated => (StatusCode::UNAUTHORIZED, "A valid access token is required."),
            Self::Forbidden => (StatusCode::FORBIDDEN, "The access token does not allow this."),
            Self::AccountSuspended => (StatusCode::FORBIDDEN, "The member or the organization is suspended."),
            Self::NotFound => (StatusCode::NOT_FOUND, "There is nothing here."),
            Self::MethodNotAllowed => (StatusCode::METHOD_NOT_ALLOWED, "The method is not allowed here."),
            Self::InvalidTransition => (StatusCode::CONFLICT, "The referral cannot go from its status to that one."),
            Self::DealAlreadyLinked => {
                (StatusCode::CONFLICT, "The referral is converted by another deal. A patch corrects it.")
            }
            Self::DealAlreadyAttributed => (StatusCode::CONFLICT, "The deal belongs to another referral."),
            Self::RewardLocked => (StatusCode::CONFLICT, "The reward can be changed only until it is decided."),
            Self::InvalidRewardTransition => {
                (StatusCode::CONFLICT, "The reward cannot go from its status to that one.")
            }
            Self::RewardNotSent => {
                (StatusCode::CONFLICT, "The reward was not sent: there is nothing to thank for yet.")
            }
            Self::NothingToResend => (StatusCode::CONFLICT, "No thank-you is over without having been accepted."),
            Self::ReferralConverted => (StatusCode::CONFLICT, "A converted referral cannot be deleted."),
            Self::ContactTaken => (StatusCode::CONFLICT, "The address or number belongs to another person."),
            Self::PersonErased => {
                (StatusCode::CONFLICT, "The person was erased. There is nothing of them to be changed.")
            }
            Self::AnswerErased => {
                (StatusCode::GONE, "The request was answered. Somebody whom the answer showed was erased since.")
            }
            Self::SlugTaken => (StatusCode::CONFLICT, "The slug belongs to another profile."),
            Self::PreconditionFailed => {
                (StatusCode::PRECONDITION_FAILED, "It has changed since the version named in If-Match.")
            }
            Self::BodyTooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "The body is larger than is taken here."),
            Self::UnsupportedMediaType => {
                (StatusCode::UNSUPPORTED_MEDIA_TYPE, "The body is not of a media type that is read here.")
            }
            Self::UnsupportedContentEncoding => {
                (StatusCode::UNSUPPORTED_MEDIA_TYPE, "The body has to be sent without content encoding.")
            }
            Self::InvalidFields => (StatusCode::UNPROCESSABLE_ENTITY, "Some fields are not valid."),
            Self::InvalidFile => {
                (StatusCode::UNPROCESSABLE_ENTITY, "The file cannot be imported. Nothing of it was stored.")
            }
            Self::SelfReferral => (StatusCode::UNPROCESSABLE_ENTITY, "Referrer and referred are the same person."),
            Self::DealRequired => {
                (StatusCode::UNPROCESSABLE_ENTITY, "A converted referral needs the deal that it led to.")
            }
            Self::ComplianceAcknowledgementRequired => {
                (StatusCode::UNPROCESSABLE_ENTITY, "Sending this reward needs `complianceAcknowledged`.")
            }
            Self::ReportTooLarge => (
                StatusCode::UNPROCESSABLE_ENTITY,
                "The report has too many rows; ask for fewer months, one agent, or sums.",
            ),
            Self::IdempotencyKeyReused => {
                (StatusCode::UNPROCESSABLE_ENTITY, "The Idempotency-Key was used for another request.")
            }
            Self::TooManyRequests => (StatusCode::TOO_MANY_REQUESTS, "Too many requests. Try again later."),
            Self::Internal => (StatusCode::INTERNAL_SERVER_ERROR, "Something went wrong on our side."),
            Self::Unavailable => (StatusCode::SERVICE_UNAVAILABLE, "The service is busy. Try again shortly."),
        }
    }
}

/// What whoever sends a reward has to have thought of. It says what the law is about, never that a reward is legal.
const REFERRAL_FEE_WARNING: &str = "In the United States, section 8 of RESPA (12 U.S.C. 2607) forbids giving a thing of \
    value for referring settlement-service business, and state licence laws restrict who may receive a referral fee. \
    Whether this reward may be given is yours to decide, with your broker or counsel if in doubt. Send \
    `complianceAcknowledged: true` to record that you have.";

impl Code {
    /// More than the title says, where somebody has to decide something.
    fn detail(self) -> Option<&'static str> {
        (self == Self::ComplianceAcknowledgementRequired).then_some(REFERRAL_FEE_WARNING)
    }
}

/// A status of a referral, or of its reward.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(untagged)]
#[schema(as = ProblemStatus)]
pub enum EitherStatus {
    Referral(ReferralStatus),
    Reward(RewardStatus),
}

/// A move that there is not, and those that there are.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Transition {
    from: EitherStatus,
    to: EitherStatus,
    allowed: Vec<EitherStatus>,
}

/// What is wrong with one field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct FieldError {
    /// JSON Pointer (RFC 6901) into the body, or `?name` for a query parameter.
    pub pointer: String,
    pub code: &'static str,
}

impl FieldError {
    #[must_use]
    pub fn new(pointer: impl Into<String>, code: &'static str) -> Self {
        Self { pointer: pointer.into(), code }
    }
}

/// An answer that is an error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    pub code: Code,
    pub errors: Vec<FieldError>,
    transition: Option<Transition>,
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl Problem {
    #[must_use]
    pub fn new(code: Code) -> Self {
        Self::fields(code, Vec::new())
    }

    #[must_use]
    pub fn fields(code: Code, errors: Vec<FieldError>) -> Self {
        Self { code, errors, transition: None, headers: Vec::new() }
    }

    /// 409 that says where the referral could go instead.
    #[must_use]
    pub fn invalid_transition(from: ReferralStatus, to: ReferralStatus) -> Self {
        let allowed = lifecycle::targets(from).into_iter().map(EitherStatus::Referral).collect();
        let (from, to) = (EitherStatus::Referral(from), EitherStatus::Referral(to));
        Self { transition: Some(Transition { from, to, allowed }), ..Self::new(Code::InvalidTransition) }
    }

    /// 409 that says where the reward could go instead.
    #[must_use]
    pub fn invalid_reward_transition(from: RewardStatus, to: RewardStatus) -> Self {
        let allowed = reward_action::targets(from).iter().copied().map(EitherStatus::Reward).collect();
        let (from, to) = (EitherStatus::Reward(from), EitherStatus::Reward(to));
        Self { transition: Some(Transition { from, to, allowed }), ..Self::new(Code::InvalidRewardTransition) }
    }

    #[must_use]
    pub fn with_header(mut self, name: HeaderName, value: &'static str) -> Self {
        self.headers.push((name, HeaderValue::from_static(value)));
        self
    }

    /// 429 with `Retry-After`.
    #[must_use]
    pub fn too_many_requests(retry_after_seconds: u32) -> Self {
        let mut problem = Self::new(Code::TooManyRequests);
        problem.headers.push((header::RETRY_AFTER, HeaderValue::from(retry_after_seconds)));
        problem
    }

    /// The headers that go with the answer, whatever its body is.
    pub fn headers(&self) -> impl Iterator<Item = (HeaderName, HeaderValue)> {
        self.headers.iter().cloned()
    }

    /// After how many seconds another try makes sense, where that is known.
    #[must_use]
    pub fn retry_after_seconds(&self) -> Option<u32> {
        let (_, value) = self.headers.iter().find(|(name, _)| name == header::RETRY_AFTER)?;
        value.to_str().ok()?.parse().ok()
    }
}

impl From<Code> for Problem {
    fn from(code: Code) -> Self {
        Self::new(code)
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        tracing::error!(error.message = %error, error.retryable = error.is_retryable(), "the store failed");
        if error.is_retryable() {
            Self::new(Code::Unavailable).with_header(header::RETRY_AFTER, "2")
        } else {
            Self::new(Code::Internal)
        }
    }
}

/// The body of every answer that is an error (RFC 9457). The request's id stands in `x-request-id`.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Problem)]
pub struct ProblemBody {
    #[schema(example = "about:blank")]
    r#type: &'static str,
    /// One sentence for people; it may change.
    title: &'static str,
    status: u16,
    code: Code,
    /// More than the title says, where somebody has to decide something.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, nullable = false)]
    detail: Option<&'static str>,
    /// The fields or parameters that are wrong. Of a file the lines (`/lines/7`; the first is 1) and the columns
    /// (`/columns/receivedAt`).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    errors: Vec<FieldError>,
    /// With `invalid_transition` and `invalid_reward_transition`: the status of the referral, or of its reward.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, nullable = false)]
    from: Option<EitherStatus>,
    /// With these: the status that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, nullable = false)]
    to: Option<EitherStatus>,
    /// With these: the statuses that an agent can take it to.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, nullable = false)]
    allowed: Option<Vec<EitherStatus>>,
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let (status, title) = self.code.status_and_title();
        let body = ProblemBody {
            r#type: "about:blank",
            title,
            status: status.as_u16(),
            code: self.code,
            detail: self.code.detail(),
            errors: self.errors,
            from: self.transition.as_ref().map(|transition| transition.from),
            to: self.transition.as_ref().map(|transition| transition.to),
            allowed: self.transition.map(|transition| transition.allowed),
        };
        let json = serde_json::to_string(&body).unwrap_or_default();
        let mut response = (status, [(header::CONTENT_TYPE, "application/problem+json")], json).into_response();
        response.headers_mut().extend(self.headers);
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_catalogue_of_codes_is_stable() {
        let catalogue: Vec<String> = Code::ALL
            .iter()
            .map(|code| {
                let (status, title) = code.status_and_title();
                format!("{} {} {title}", status.as_u16(), serde_json::to_value(code).unwrap().as_str().unwrap())
            })
            .collect();
        insta::assert_snapshot!(catalogue.join("\n"));
    }
}
