//! Mail through SES and SMS through SNS. The clients repeat nothing: a call whose answer was lost may have sent the
//! message, and only the claim's owner may decide what follows.

use std::sync::OnceLock;

use aws_sdk_sesv2::{
    operation::send_email::SendEmailError,
    primitives::Blob,
    types::{Destination, EmailContent, MessageTag, RawMessage},
};
use aws_sdk_sns::{
    error::ProvideErrorMetadata,
    operation::{check_if_phone_number_is_opted_out::CheckIfPhoneNumberIsOptedOutError, publish::PublishError},
    types::MessageAttributeValue,
};
use aws_smithy_runtime_api::client::{orchestrator::HttpResponse, result::SdkError};
use aws_smithy_types::{retry::RetryConfig, timeout::TimeoutConfig};
use aws_types::SdkConfig;
use referrals::{
    domain::{
        id::EventId,
        letter::{Address, Letter},
        message::{MessageKind, Sending},
        phone::Phone,
    },
    ports::{Carrier, StoreError},
};

use crate::{mail, settings::Settings, sms};

/// SES and SNS answer a call slower than a store does; what is cut off here may have left.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(4);

/// The client of SNS is made when it is first needed: most processes never send by SMS.
#[derive(Debug, Clone)]
pub struct Post {
    ses: aws_sdk_sesv2::Client,
    sns: OnceLock<aws_sdk_sns::Client>,
    sdk: SdkConfig,
    settings: Settings,
}

impl Post {
    #[must_use]
    pub fn new(sdk: &SdkConfig, settings: Settings) -> Self {
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(std::time::Duration::from_secs(1))
            .operation_attempt_timeout(PATIENCE)
            .operation_timeout(PATIENCE)
            .build();
        let sdk = sdk.to_builder().retry_config(RetryConfig::disabled()).timeout_config(timeouts).build();
        Self { ses: aws_sdk_sesv2::Client::new(&sdk), sns: OnceLock::new(), sdk, settings }
    }

    fn sns(&self) -> &aws_sdk_sns::Client {
        self.sns.get_or_init(|| aws_sdk_sns::Client::new(&self.sdk))
    }

    async fn mail(&self, letter: &Letter, to: &str) -> Sending {
        let mime = match mail::write(&self.settings, letter, to) {
            Ok(mime) => mime,
            Err(mail::Unwritable(what)) => return Sending::Refused(what.to_owned()),
        };
        let Ok(raw) = RawMessage::builder().data(Blob::new(mime)).build() else {
            return Sending::Refused("MIME".to_owned());
        };
        let sent = self
            .ses
            .send_email()
            .from_email_address(&self.settings.sender)
            .destination(Destination::builder().to_addresses(to).build())
            .content(EmailContent::builder().raw(raw).build())
            .set_email_tags(Some(tags(letter)))
            .set_configuration_set_name(self.settings.configuration_set.clone())
            .send()
            .await;
        match sent {
            Ok(output) => Sending::Accepted(output.message_id.unwrap_or_default()),
            Err(error) => mail_refusal(&error),
        }
    }

    async fn sms(&self, letter: &Letter, to: &str) -> Sending {
        let mut request = self.sns().publish().phone_number(to).message(sms::text(letter));
        // A thank-you is no transaction of the referrer's: carriers and laws tell the two apart.
        let kind = if letter.id.kind == MessageKind::ThankYou { "Promotional" } else { "Transactional" };
        let origination = self.settings.sms_origination.as_deref();
        let attributes = [("AWS.SNS.SMS.SMSType", Some(kind)), ("AWS.MM.SMS.OriginationNumber", origination)];
        for (name, value) in attributes {
            if let Some(value) = value
                && let Ok(value) = MessageAttributeValue::builder().data_type("String").string_value(value).build()
            {
                request = request.message_attributes(name, value);
            }
        }
        match request.send().await {
            Ok(output) => Sending::Accepted(output.message_id.unwrap_or_default()),
            Err(error) => sms_refusal(&error),
        }
    }
}

impl Carrier for Post {
    async fn send(&self, letter: &Letter) -> Sending {
        match &letter.to {
            Address::Email(email) => self.mail(letter, &email.wire_form()).await,
            Address::Phone(number) => self.sms(letter, number.as_str()).await,
        }
    }

    async fn is_opted_out(&self, number: &Phone) -> Result<bool, StoreError> {
        let operation = "asking whether a number has opted out";
        match self.sns().check_if_phone_number_is_opted_out().phone_number(number.as_str()).send().await {
            Ok(output) => Ok(output.is_opted_out),
            // No such number: sending to it will be refused, and that is recorded.
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(CheckIfPhoneNumberIsOptedOutError::is_invalid_parameter_exception) =>
            {
                Ok(false)
            }
            Err(error) => Err(StoreError::Unavailable { operation, reason: code(&error) }),
        }
    }
}

/// What SES's news of a mail is matched by. Ids and codes only: tags are shown in reports and events.
fn tags(letter: &Letter) -> Vec<MessageTag> {
    let id = &letter.id;
    let event = id.event.as_ref().map(EventId::as_str);
    let tags = [
        ("organization", Some(letter.scope.organization().as_str())),
        ("referral", Some(id.referral.as_str())),
        ("message_kind", Some(id.kind.as_str())),
        ("channel", Some(id.channel.as_str())),
        ("event", event),
        ("token", Some(letter.token.as_str())),
    ];
    tags.into_iter().filter_map(|(name, value)| MessageTag::builder().name(name).value(value?).build().ok()).collect()
}

fn mail_refusal(error: &SdkError<SendEmailError, HttpResponse>) -> Sending {
    let is_final = error.as_service_error().is_some_and(|error| {
        matches!(
            error,
            SendEmailError::MessageRejected(_)
                | SendEmailError::BadRequestException(_)
                | SendEmailError::AccountSuspendedException(_)
                | SendEmailError::MailFromDomainNotVerifiedException(_)
                | SendEmailError::NotFoundException(_)
        )
    });
    refusal(error, is_final)
}

fn sms_refusal(error: &SdkError<PublishError, HttpResponse>) -> Sending {
    let is_final = error.as_service_error().is_some_and(|error| {
        matches!(
            error,
            PublishError::InvalidParameterException(_)
                | PublishError::InvalidParameterValueException(_)
                | PublishError::ValidationException(_)
                | PublishError::EndpointDisabledException(_)
                | PublishError::NotFoundException(_)
        )
    });
    refusal(error, is_final)
}

/// Refused for good; not taken, where it is certain that nothing left; else nobody knows.
fn refusal<E: ProvideErrorMetadata + std::error::Error + 'static>(
    error: &SdkError<E, HttpResponse>,
    is_final: bool,
) -> Sending {
    let code = code(error);
    match error {
        SdkError::ConstructionFailure(_) => Sending::Refused(code),
        SdkError::ServiceError(_) if is_final => Sending::Refused(code),
        // Throttled, not allowed, paused: the service says no before it does anything.
        SdkError::ServiceError(answer) if answer.raw().status().as_u16() < 500 => Sending::NotTaken(code),
        SdkError::DispatchFailure(_) if never_connected(error) => Sending::NotTaken(code),
        _ => Sending::NoAnswer(code),
    }
}

fn code<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>) -> String {
    let word = match error {
        SdkError::ServiceError(answer) => answer.err().code().unwrap_or("NO_CODE"),
        SdkError::ConstructionFailure(_) => "NOT_A_REQUEST",
        SdkError::TimeoutError(_) => "TIMEOUT",
        SdkError::DispatchFailure(_) => "NO_CONNECTION",
        _ => "NO_ANSWER",
    };
    word.to_owned()
}

/// Whether the failure was in reaching the service at all.
fn never_connected(error: &(dyn std::error::Error + 'static)) -> bool {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if let Some(error) = error.downcast_ref::<hyper_util::client::legacy::Error>() {
            return error.is_connect();
        }
        cause = error.source();
    }
    false
}

#[cfg(test)]
mod tests;
