//! The post office, as the SDK sees it: what was accepted is kept, and each fault is one that the SDK knows.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, clippy::disallowed_methods)]

use std::{sync::Arc, time::Duration};

use aws_sdk_sesv2::{
    error::ProvideErrorMetadata as _,
    primitives::Blob,
    types::{Destination, EmailContent, MessageTag, RawMessage},
};
use aws_smithy_types::{retry::RetryConfig, timeout::TimeoutConfig};
use referrals::{aws, settings::AwsSettings};
use referrals_harness::{Channel, Fault, Line, Mode, Plan, PostOffice, Proxy};

struct Sender {
    office: Arc<PostOffice>,
    proxy: Proxy,
    ses: aws_sdk_sesv2::Client,
    sns: aws_sdk_sns::Client,
}

impl Sender {
    /// Clients that ask once, as whoever sends has to.
    async fn new() -> Self {
        let office = Arc::new(PostOffice::default());
        let proxy = Proxy::start("http://127.0.0.1:9", Arc::default(), office.clone(), Line::default()).await;
        let settings = AwsSettings {
            region: "us-east-1".to_owned(),
            access_key_id: "test".to_owned(),
            secret_access_key: "test".to_owned(),
            session_token: None,
            endpoint_url: Some(proxy.endpoint()),
        };
        let timeouts = TimeoutConfig::builder().operation_timeout(Duration::from_secs(4)).build();
        let sdk = aws::sdk_config(&settings).to_builder();
        let sdk = sdk.retry_config(RetryConfig::disabled()).timeout_config(timeouts).build();
        Self { office, proxy, ses: aws_sdk_sesv2::Client::new(&sdk), sns: aws_sdk_sns::Client::new(&sdk) }
    }

    /// The message's id, or the error's code, or nothing where there was no answer.
    async fn mail(&self) -> Result<String, Option<String>> {
        let raw = RawMessage::builder().data(Blob::new("Subject: Thank you\r\n\r\nHello")).build().unwrap();
        let tag = MessageTag::builder().name("referral").value("ref_1").build().unwrap();
        let request = self.ses.send_email().destination(Destination::builder().to_addresses("pat@example.com").build());
        let sent = request.content(EmailContent::builder().raw(raw).build()).email_tags(tag).send().await;
        sent.map(|sent| sent.message_id.unwrap()).map_err(|error| error.code().map(str::to_owned))
    }

    async fn sms(&self) -> Result<String, Option<String>> {
        let kind = aws_sdk_sns::types::MessageAttributeValue::builder().data_type("String").string_value("Promotional");
        let request = self.sns.publish().phone_number("+14155550100").message("Thank you & goodbye");
        let sent = request.message_attributes("AWS.SNS.SMS.SMSType", kind.build().unwrap()).send().await;
        sent.map(|sent| sent.message_id.unwrap()).map_err(|error| error.code().map(str::to_owned))
    }

    async fn is_opted_out(&self) -> bool {
        let answer = self.sns.check_if_phone_number_is_opted_out().phone_number("+14155550100").send().await;
        answer.unwrap().is_opted_out
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_accepted_is_kept() {
    let sender = Sender::new().await;
    let ids = [sender.mail().await.unwrap(), sender.sms().await.unwrap()];
    let accepted = sender.office.accepted();
    assert_eq!(accepted.iter().map(|message| message.id.clone()).collect::<Vec<_>>(), ids);
    let [mail, sms] = accepted.as_slice() else { panic!("{accepted:?}") };
    assert_eq!((mail.channel, mail.to.as_str()), (Channel::Email, "pat@example.com"));
    assert_eq!((mail.tags["referral"].as_str(), mail.body.as_str()), ("ref_1", "Subject: Thank you\r\n\r\nHello"));
    assert_eq!((sms.channel, sms.to.as_str()), (Channel::Sms, "+14155550100"));
    assert_eq!((sms.tags["AWS.SNS.SMS.SMSType"].as_str(), sms.body.as_str()), ("Promotional", "Thank you & goodbye"));
    assert!(!sender.is_opted_out().await);
    sender.office.opt_out("+14155550100");
    assert!(sender.is_opted_out().await);
    let operations: Vec<String> = sender.proxy.calls().into_iter().map(|call| call.operation).collect();
    let asked = "CheckIfPhoneNumberIsOptedOut";
    assert_eq!(operations, ["SendEmail", "Publish", asked, asked]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fault_is_what_the_sdk_takes_it_for() {
    let sender = Sender::new().await;
    for (fault, leaves, of_mail, of_sms) in [
        (Fault::Refuse, false, None, None),
        (Fault::ForwardAndDrop, true, None, None),
        (Fault::Delay(Duration::from_millis(1)), true, None, None),
        (Fault::ServerError, false, Some("InternalFailure"), Some("InternalError")),
        (Fault::Throttle, false, Some("TooManyRequestsException"), Some("Throttled")),
    ] {
        for (channel, code) in [(Channel::Email, of_mail), (Channel::Sms, of_sms)] {
            let before = sender.office.accepted().len();
            sender.proxy.reset(Some(Plan::At { index: 0, fault, mode: Mode::Persistent }));
            let answer = if channel == Channel::Email { sender.mail().await } else { sender.sms().await };
            assert_eq!(answer, Err(code.map(str::to_owned)), "{fault:?} {channel:?}");
            assert_eq!(sender.proxy.calls().len(), 1, "nobody repeats it");
            assert_eq!(sender.office.accepted().len() - before, usize::from(leaves), "{fault:?} {channel:?}");
        }
    }
    sender.proxy.reset(None);
    sender.office.script([Some("MessageRejected"), Some("InvalidParameter"), None]);
    assert_eq!(sender.mail().await, Err(Some("MessageRejected".to_owned())));
    assert_eq!(sender.sms().await, Err(Some("InvalidParameter".to_owned())));
    assert!(sender.mail().await.is_ok());
}
