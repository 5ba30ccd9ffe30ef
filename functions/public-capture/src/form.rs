//! The fields of the public form. Unknown fields are ignored; each wrong one is named.

use referrals::{
    domain::{
        consent::{ConsentText, FormConsent},
        phone::Region,
        referral::Channel,
    },
    http::{Code, Fields, Problem},
    usecase::capture_referral::Submission,
};
use utoipa::ToSchema;
use validator::Validate;

/// As typed. Absent, null and blank are the same; fields that nobody knows are ignored.
#[derive(Debug, Validate, ToSchema)]
#[schema(rename_all = "camelCase", as = Submission)]
pub struct CaptureForm {
    #[validate(required)]
    #[schema(required = true, nullable = false, min_length = 1, max_length = 200, example = "Pat Jones")]
    referrer_name: Option<String>,
    /// This or the number.
    #[validate(length(max = 254))]
    #[schema(max_length = 254, example = "pat@example.com")]
    referrer_email: Option<String>,
    /// Without `+` it is read in the deployment's region.
    #[validate(length(max = 32))]
    #[schema(max_length = 32)]
    referrer_phone: Option<String>,
    #[validate(required)]
    #[schema(required = true, nullable = false, min_length = 1, max_length = 200, example = "Sam Lee")]
    referred_name: Option<String>,
    #[validate(length(max = 254))]
    #[schema(max_length = 254, example = "sam@example.com")]
    referred_email: Option<String>,
    #[validate(length(max = 32))]
    #[schema(max_length = 32)]
    referred_phone: Option<String>,
    #[schema(max_length = 4000, example = "Sam is selling their condo this spring.")]
    notes: Option<String>,
    /// `PUBLIC_PROFILE`, when absent, or `WIDGET`.
    #[schema(example = "PUBLIC_PROFILE")]
    channel: Option<String>,
    /// The referrer may be written to by e-mail.
    #[schema(value_type = Option<bool>)]
    referrer_email_consent: bool,
    /// The referrer may be written to by SMS.
    #[schema(value_type = Option<bool>)]
    referrer_sms_consent: bool,
    /// The wording that was agreed to; required where a box is ticked.
    #[schema(example = "form-v1")]
    consent_text_id: Option<String>,
    /// People do not see this field. What is filled in by a machine is answered and not stored.
    website: Option<String>,
}

/// # Errors
/// 422 naming each wrong field, or saying that somebody refers themselves.
pub fn read(mut fields: Fields, region: &Region) -> Result<Submission, Problem> {
    let form = CaptureForm {
        referrer_name: fields.text("referrerName"),
        referrer_email: fields.text("referrerEmail"),
        referrer_phone: fields.text("referrerPhone"),
        referred_name: fields.text("referredName"),
        referred_email: fields.text("referredEmail"),
        referred_phone: fields.text("referredPhone"),
        notes: fields.text("notes"),
        channel: fields.text("channel"),
        referrer_email_consent: fields.flag("referrerEmailConsent"),
        referrer_sms_consent: fields.flag("referrerSmsConsent"),
        consent_text_id: fields.text("consentTextId"),
        website: fields.text("website"),
    };
    fields.absorb(form.validate());
    let referrer_name = fields.name("referrerName", form.referrer_name.as_deref());
    let referrer_contact = fields.contact(
        ("referrerEmail", form.referrer_email.as_deref()),
        ("referrerPhone", form.referrer_phone.as_deref()),
        region,
    );
    if form.referrer_email.is_none() && form.referrer_phone.is_none() {
        fields.reject("referrerEmail", "email_or_phone_required");
    }
    let referred_name = fields.name("referredName", form.referred_name.as_deref());
    let referred_contact = fields.contact(
        ("referredEmail", form.referred_email.as_deref()),
        ("referredPhone", form.referred_phone.as_deref()),
        region,
    );
    let notes = fields.notes("notes", form.notes.as_deref());
    let channel = match form.channel.as_deref() {
        None => Channel::PublicProfile,
        Some(text) => Channel::find_public(text).unwrap_or_else(|| {
            fields.reject("channel", "unknown_channel");
            Channel::PublicProfile
        }),
    };
    let consent = consent(&mut fields, &form);
    fields.finish()?;
    if referrer_contact.is_same_person(&referred_contact) {
        return Err(Problem::new(Code::SelfReferral));
    }
    let (Some(referrer_name), Some(referred_name)) = (referrer_name, referred_name) else {
        // Required above; finish() has answered already.
        return Err(Problem::new(Code::InvalidFields));
    };
    Ok(Submission {
        referrer_name,
        referrer_contact,
        referred_name,
        referred_contact,
        channel,
        notes,
        consent,
        is_trapped: form.website.is_some(),
    })
}

/// A ticked box says yes to a wording, so the wording has to be one that we know.
fn consent(fields: &mut Fields, form: &CaptureForm) -> FormConsent {
    let text = form.consent_text_id.as_deref().map(ConsentText::find);
    if matches!(text, Some(None)) {
        fields.reject("consentTextId", "unknown_consent_text");
    }
    if text.is_none() && (form.referrer_email_consent || form.referrer_sms_consent) {
        fields.reject("consentTextId", "required");
    }
    FormConsent { email: form.referrer_email_consent, sms: form.referrer_sms_consent, text: text.flatten() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn errors(body: &str) -> Vec<(String, &'static str)> {
        let problem = read(Fields::parse(body.as_bytes()).unwrap(), &Region::default()).unwrap_err();
        assert_eq!(problem.code, Code::InvalidFields);
        problem.errors.into_iter().map(|error| (error.pointer, error.code)).collect()
    }

    fn own(rows: &[(&str, &'static str)]) -> Vec<(String, &'static str)> {
        rows.iter().map(|(pointer, code)| ((*pointer).to_owned(), *code)).collect()
    }

    #[test]
    fn the_contracts_example_is_read() {
        let body = include_bytes!("../../../events/http/public-capture.body.json");
        let submission = read(Fields::parse(body).unwrap(), &Region::default()).unwrap();
        assert_eq!(submission.referrer_name.as_str(), "Pat Jones");
        assert_eq!(submission.channel, Channel::PublicProfile);
        assert!(!submission.is_trapped);
    }

    #[test]
    fn each_wrong_field_is_named() {
        assert_eq!(
            errors("{}"),
            own(&[
                ("/referredName", "required"),
                ("/referrerEmail", "email_or_phone_required"),
                ("/referrerName", "required"),
            ])
        );
        assert_eq!(
            errors(
                r#"{"referrerName":7,"referrerEmail":"no","referrerPhone":"12","referredName":"a\u202eb",
                    "referredEmail":[],"referredPhone":true,"notes":{},"channel":"MANUAL","website":1}"#
            ),
            own(&[
                ("/channel", "unknown_channel"),
                ("/notes", "text_expected"),
                ("/referredEmail", "text_expected"),
                ("/referredName", "forbidden_character"),
                ("/referredPhone", "text_expected"),
                ("/referrerEmail", "invalid_email"),
                ("/referrerName", "text_expected"),
                ("/referrerPhone", "invalid_phone"),
                ("/website", "text_expected"),
            ])
        );
    }

    #[test]
    fn consent_needs_a_known_wording() {
        let with =
            |rest: &str| format!(r#"{{"referrerName":"P","referrerEmail":"p@example.com","referredName":"S",{rest}}}"#);
        let read = |rest: &str| read(Fields::parse(with(rest).as_bytes()).unwrap(), &Region::default());
        let given = read(r#""referrerEmailConsent":true,"consentTextId":"form-v1""#).unwrap().consent;
        assert_eq!(given, FormConsent { email: true, sms: false, text: Some(ConsentText::FormV1) });
        assert_eq!(read(r#""referrerEmailConsent":false"#).unwrap().consent, FormConsent::default());
        for (rest, error) in [
            (r#""referrerEmailConsent":true"#, ("/consentTextId", "required")),
            (r#""referrerSmsConsent":true,"consentTextId":"form-v0""#, ("/consentTextId", "unknown_consent_text")),
            (r#""referrerSmsConsent":"yes""#, ("/referrerSmsConsent", "true_or_false_expected")),
        ] {
            assert_eq!(errors(&with(rest)), own(&[error]), "{rest}");
        }
    }

    #[test]
    fn lengths_are_bounded() {
        let long = |name: &str, chars: usize| {
            let mut body =
                serde_json::json!({"referrerName": "P", "referrerEmail": "p@example.com", "referredName": "S"});
            body[name] = "x".repeat(chars).into();
            errors(&body.to_string())
        };
        for (name, max) in [
            ("referrerName", 200),
            ("referredName", 200),
            ("referrerEmail", 254),
            ("referredPhone", 32),
            ("notes", 4000),
        ] {
            assert_eq!(long(name, max + 1), own(&[(&format!("/{name}"), "too_long")]), "{name}");
        }
    }

    #[test]
    fn referring_oneself_is_refused() {
        let body = r#"{"referrerName":"Pat","referrerEmail":"pat@example.com","referredName":"P","referredEmail":"PAT+x@example.com"}"#;
        let problem = read(Fields::parse(body.as_bytes()).unwrap(), &Region::default()).unwrap_err();
        assert_eq!(problem.code, Code::SelfReferral);
    }
}
