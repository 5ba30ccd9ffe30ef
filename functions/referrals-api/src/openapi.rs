//! Parameters that several operations describe. What they are put together to, `document` says; no process needs that.

use referrals::domain::id::{ImportId, PersonId, ReferralId};
use utoipa::{IntoParams, ToSchema};

#[cfg(test)]
pub mod document;

/// An empty object.
#[derive(Debug, ToSchema)]
#[schema(example = json!({}))]
#[cfg_attr(not(test), expect(dead_code, reason = "describes a body"))]
pub struct EmptyForm {}

#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Path)]
#[expect(dead_code, reason = "describes a parameter")]
pub struct ReferralPath {
    #[param(value_type = ReferralId)]
    id: ReferralId,
}

#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Path)]
#[expect(dead_code, reason = "describes a parameter")]
pub struct ImportPath {
    id: ImportId,
}

#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Path)]
#[expect(dead_code, reason = "describes a parameter")]
pub struct PersonPath {
    id: PersonId,
}

#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "describes a parameter")]
pub struct IdempotencyKey {
    /// The client's own name for this request. Sent again within 24 hours, it is answered again and not done again.
    #[param(rename = "Idempotency-Key", min_length = 1, max_length = 255, pattern = "^[ -~]*[!-~][ -~]*$")]
    idempotency_key: Option<String>,
}

#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "describes a parameter")]
pub struct IfMatch {
    /// Entity tags of which the resource has to be in one, or `*`.
    #[param(rename = "If-Match", example = "\"3\"")]
    if_match: Option<String>,
}
