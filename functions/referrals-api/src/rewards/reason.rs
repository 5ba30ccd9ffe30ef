//! The reason that goes with taking a decision about a reward.

use referrals::{
    domain::text::Reason,
    http::{Code, Problem},
};
use utoipa::ToSchema;
use validator::Validate;

use crate::incoming::Incoming;

#[derive(Debug, Validate, ToSchema)]
#[schema(rename_all = "camelCase")]
pub struct ReasonForm {
    /// Why; the history keeps it.
    #[validate(required)]
    #[schema(required = true, nullable = false, min_length = 1, max_length = 500, example = "Checked with the broker")]
    reason: Option<String>,
}

impl ReasonForm {
    /// # Errors
    /// As [`Incoming::json`], and 422 without a reason.
    pub fn read(incoming: &Incoming) -> Result<Reason, Problem> {
        let mut fields = incoming.json()?;
        let form = Self { reason: fields.text("reason") };
        fields.absorb(form.validate());
        fields.refuse_unknown();
        let reason = fields.reason("reason", form.reason.as_deref());
        if reason.is_none() {
            // Text of which nothing is left once it is cleaned.
            fields.reject("reason", "required");
        }
        fields.finish()?;
        // finish() has answered already.
        reason.ok_or(Problem::new(Code::InvalidFields))
    }
}
