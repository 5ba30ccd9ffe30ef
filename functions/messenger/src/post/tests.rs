use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use referrals::{aws, domain::email::Email, settings::AwsSettings};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

use super::*;
use crate::fixtures::{Names, letter, settings};

const NAMES: Names<'_> = Names { agent: "Jane Doe", brokerage: "Doe Realty", referrer: "Pat", referred: "Sam Lee" };

/// What a service does with each call.
#[derive(Debug, Clone)]
enum Service {
    Answers(u16, &'static str),
    HangsUp,
    Hesitates,
    IsNotThere,
}

/// A service at a port of its own, and the requests that it got.
async fn service(kind: Service) -> (Post, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let requests = Arc::new(Mutex::new(Vec::new()));
    let seen = requests.clone();
    if matches!(kind, Service::IsNotThere) {
        drop(listener);
    } else {
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut request = Vec::new();
                while !is_whole(&request) {
                    let mut chunk = [0; 16_384];
                    let read = stream.read(&mut chunk).await.unwrap();
                    request.extend_from_slice(&chunk[..read]);
                }
                seen.lock().unwrap().push(String::from_utf8(request).unwrap());
                match kind {
                    Service::Answers(status, body) => {
                        let answer = format!(
                            "HTTP/1.1 {status} X\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
                            body.len()
                        );
                        stream.write_all(answer.as_bytes()).await.unwrap();
                    }
                    Service::Hesitates => tokio::time::sleep(Duration::from_mins(1)).await,
                    Service::HangsUp | Service::IsNotThere => {}
                }
            }
        });
    }
    let sdk = aws::sdk_config(&AwsSettings {
        region: "us-east-1".to_owned(),
        access_key_id: "test".to_owned(),
        secret_access_key: "test".to_owned(),
        session_token: None,
        endpoint_url: Some(endpoint),
    });
    (Post::new(&sdk, settings()), requests)
}

fn is_whole(request: &[u8]) -> bool {
    let text = String::from_utf8_lossy(request);
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length = head.lines().find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
    body.len() >= length.unwrap_or(0)
}

fn to(address: Address) -> Letter {
    Letter { to: address, ..letter(MessageKind::ThankYou, NAMES) }
}

fn by_mail() -> Letter {
    to(Address::Email(Email::parse("pat@bücher.example").unwrap()))
}

fn by_sms() -> Letter {
    to(Address::Phone(Phone::parse("+14155550199", &referrals::domain::phone::Region::default()).unwrap()))
}

const MAIL_TAKEN: &str = r#"{"MessageId":"m-1"}"#;
const SMS_TAKEN: &str = "<PublishResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\"><PublishResult>\
                         <MessageId>s-1</MessageId></PublishResult></PublishResponse>";

#[tokio::test]
async fn a_mail_leaves_once_with_its_tags() {
    let (post, requests) = service(Service::Answers(200, MAIL_TAKEN)).await;
    assert_eq!(post.send(&by_mail()).await, Sending::Accepted("m-1".to_owned()));
    let requests = requests.lock().unwrap();
    let [request] = requests.as_slice() else { panic!("{requests:?}") };
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("POST /v2/email/outbound-emails "), "{head}");
    let body: serde_json::Value = serde_json::from_str(body).unwrap();
    assert_eq!(body["FromEmailAddress"], "referrals@mail.example.com");
    assert_eq!(body["Destination"]["ToAddresses"], serde_json::json!(["pat@xn--bcher-kva.example"]));
    assert_eq!(body["ConfigurationSetName"], "referrals");
    let tag = |name: &str, value: &str| serde_json::json!({"Name": name, "Value": value});
    assert_eq!(
        body["EmailTags"],
        serde_json::json!([
            tag("organization", "org_winnerr_demo"),
            tag("referral", "ref_1"),
            tag("message_kind", "THANK_YOU"),
            tag("channel", "EMAIL"),
            tag("token", "01KAAAAAAAAAAAAAAAAAAAAAAA"),
        ])
    );
}

#[tokio::test]
async fn an_sms_leaves_once() {
    let (post, requests) = service(Service::Answers(200, SMS_TAKEN)).await;
    assert_eq!(post.send(&by_sms()).await, Sending::Accepted("s-1".to_owned()));
    let requests = requests.lock().unwrap();
    let [request] = requests.as_slice() else { panic!("{requests:?}") };
    for part in ["Action=Publish", "PhoneNumber=%2B14155550199", "Promotional", "Reply%20STOP"] {
        assert!(request.contains(part), "{part} in {request}");
    }
}

/// Whether a message may have left decides what is done next; nothing is called twice.
#[tokio::test]
async fn every_answer_says_whether_the_message_left() {
    let mail_error = |status, code| Service::Answers(status, code);
    let rows = [
        (by_mail(), mail_error(400, r#"{"__type":"MessageRejected"}"#), "Refused(\"MessageRejected\")"),
        (by_mail(), mail_error(400, r#"{"__type":"BadRequestException"}"#), "Refused(\"BadRequestException\")"),
        (
            by_mail(),
            mail_error(429, r#"{"__type":"TooManyRequestsException"}"#),
            "NotTaken(\"TooManyRequestsException\")",
        ),
        (by_mail(), mail_error(400, r#"{"__type":"SendingPausedException"}"#), "NotTaken(\"SendingPausedException\")"),
        (by_mail(), mail_error(403, r#"{"__type":"AccessDeniedException"}"#), "NotTaken(\"AccessDeniedException\")"),
        (by_mail(), mail_error(500, r#"{"__type":"InternalFailure"}"#), "NoAnswer(\"InternalFailure\")"),
        (by_mail(), mail_error(503, "nothing to read"), "NoAnswer"),
        (by_mail(), Service::HangsUp, "NoAnswer"),
        (by_mail(), Service::Hesitates, "NoAnswer(\"TIMEOUT\")"),
        (by_mail(), Service::IsNotThere, "NotTaken(\"NO_CONNECTION\")"),
        (by_sms(), sms_error(400, "InvalidParameter"), "Refused(\"InvalidParameter\")"),
        (by_sms(), sms_error(403, "AuthorizationError"), "NotTaken(\"AuthorizationError\")"),
        (by_sms(), sms_error(400, "Throttling"), "NotTaken(\"Throttling\")"),
        (by_sms(), sms_error(500, "InternalError"), "NoAnswer(\"InternalError\")"),
        (by_sms(), Service::HangsUp, "NoAnswer"),
        (by_sms(), Service::IsNotThere, "NotTaken(\"NO_CONNECTION\")"),
    ];
    for (letter, kind, wanted) in rows {
        let (post, requests) = service(kind.clone()).await;
        let sending = format!("{:?}", post.send(&letter).await);
        assert!(sending.starts_with(wanted), "{kind:?}: {sending}");
        let calls = requests.lock().unwrap().len();
        assert_eq!(calls, usize::from(!matches!(kind, Service::IsNotThere)), "{kind:?}: called once");
    }
}

fn sms_error(status: u16, code: &'static str) -> Service {
    let body = format!("<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code></Error></ErrorResponse>");
    Service::Answers(status, body.leak())
}

#[tokio::test]
async fn a_number_that_has_opted_out_is_known() {
    let answer = |is_opted_out: bool| {
        let body = format!(
            "<CheckIfPhoneNumberIsOptedOutResponse><CheckIfPhoneNumberIsOptedOutResult><isOptedOut>{is_opted_out}\
             </isOptedOut></CheckIfPhoneNumberIsOptedOutResult></CheckIfPhoneNumberIsOptedOutResponse>"
        );
        Service::Answers(200, body.leak())
    };
    let number = Phone::parse("+14155550199", &referrals::domain::phone::Region::default()).unwrap();
    for is_opted_out in [true, false] {
        let (post, _) = service(answer(is_opted_out)).await;
        assert_eq!(post.is_opted_out(&number).await, Ok(is_opted_out));
    }
    let (post, _) = service(sms_error(400, "InvalidParameter")).await;
    assert_eq!(post.is_opted_out(&number).await, Ok(false), "no such number: sending to it is refused");
    let (post, _) = service(sms_error(500, "InternalError")).await;
    assert!(post.is_opted_out(&number).await.unwrap_err().is_retryable());
}
