//! A browser that submits the public form, and submits it again when the answer is lost or says that it may.

use referrals_testing::Fixtures;
use serde_json::{Value, json};

use crate::{Answer, Channel, Name, World};

/// A word that stands in every name, address and note, and must stand nowhere else.
pub(crate) const CANARY: &str = "quokka";

const GOLDEN: &str = include_str!("../../../events/http/public-capture.json");
const MAX_ATTEMPTS: usize = 6;
const SOURCE_IP: &str = "203.0.113.77";

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Somebody {
    pub name: String,
    pub email: String,
    /// E.164.
    pub phone: Option<String>,
}

impl Somebody {
    /// With a number when there is an area for it.
    pub(crate) fn new(role: &str, area: Option<&str>, number: u32) -> Self {
        Self {
            name: format!("{role} {CANARY} {number}"),
            email: format!("{role}-{CANARY}-{number}@example.com").to_lowercase(),
            // Not 555: those are of the demo organization.
            phone: area.map(|area| format!("+1{area}552{number:04}")),
        }
    }
}

/// A filled-in form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Submitted {
    pub(crate) referrer: Somebody,
    pub(crate) referred: Somebody,
    /// The request's own name, and with it a consent.
    pub(crate) key: Option<String>,
    /// Whether that consent is for SMS too.
    pub(crate) agrees_to_sms: bool,
    /// Whether an agent has logged it, and no form brought it.
    pub(crate) is_logged: bool,
}

impl Submitted {
    fn body(&self) -> String {
        let mut body = json!({
            "referrerName": self.referrer.name,
            "referrerEmail": self.referrer.email,
            "referrerPhone": self.referrer.phone,
            "referredName": self.referred.name,
            "referredEmail": self.referred.email,
            "referredPhone": self.referred.phone,
            "notes": format!("They heard of the {CANARY} house."),
        });
        if self.key.is_some() {
            body["referrerEmailConsent"] = true.into();
            body["referrerSmsConsent"] = self.agrees_to_sms.into();
            body["consentTextId"] = "form-v1".into();
        }
        body.to_string()
    }

    /// The same, as an agent logs it.
    pub(crate) fn logged(&self) -> Value {
        json!({
            "referrer": {
                "name": self.referrer.name, "email": self.referrer.email, "phone": self.referrer.phone,
            },
            "referredName": self.referred.name,
            "referredEmail": self.referred.email,
            "referredPhone": self.referred.phone,
            "notes": format!("They heard of the {CANARY} house."),
        })
    }

    /// Whether the referrer has agreed to be written to there, by this form.
    pub(crate) fn agrees_to(&self, channel: Channel) -> bool {
        self.key.is_some() && (channel == Channel::Email || self.agrees_to_sms)
    }

    /// What must not be found outside the ledger.
    pub(crate) fn numbers(&self) -> impl Iterator<Item = &str> {
        [&self.referrer.phone, &self.referred.phone].into_iter().flatten().map(|phone| phone.trim_start_matches("+1"))
    }
}

/// What the browser got.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Posted {
    /// 502 when the function gave no answer, as the gateway says then.
    pub status: u64,
    pub retry_after: Option<String>,
    pub body: String,
}

impl From<Answer> for Posted {
    fn from(answer: Answer) -> Self {
        match answer {
            // What is no answer over HTTP is all there is.
            Answer::Response(answer) if answer["statusCode"].is_null() => {
                Self { status: 200, retry_after: None, body: answer.to_string() }
            }
            Answer::Response(answer) => Self {
                status: answer["statusCode"].as_u64().unwrap_or_default(),
                retry_after: answer["headers"]["retry-after"].as_str().map(str::to_owned),
                body: answer["body"].as_str().unwrap_or_default().to_owned(),
            },
            Answer::Error(_) | Answer::Died | Answer::TimedOut => {
                Self { status: 502, retry_after: None, body: String::new() }
            }
        }
    }
}

impl World {
    /// A form about two people that nobody knows, both with address and number.
    pub fn fill_in(&mut self) -> Submitted {
        let number = self.number();
        self.distinct(Submitted {
            referrer: Somebody::new("Pat", Some("415"), number),
            referred: Somebody::new("Sam", Some("628"), number),
            key: None,
            agrees_to_sms: false,
            is_logged: false,
        })
    }

    /// A form about two people that nobody knows, with an address each.
    pub fn fill_in_plain(&mut self) -> Submitted {
        let number = self.number();
        self.distinct(Submitted {
            referrer: Somebody::new("Pat", None, number),
            referred: Somebody::new("Sam", None, number),
            key: None,
            agrees_to_sms: false,
            is_logged: false,
        })
    }

    /// A form about two people that nobody knows, whose request has a name of its own.
    pub fn fill_in_named(&mut self) -> Submitted {
        self.fill_in_agreeing(false)
    }

    /// The same; consent is for mail, and for SMS where that is said.
    pub fn fill_in_agreeing(&mut self, agrees_to_sms: bool) -> Submitted {
        let mut form = self.fill_in();
        form.key = Some(format!("request-{}", self.number()));
        form.agrees_to_sms = agrees_to_sms;
        if let Some(last) = self.submissions.last_mut() {
            last.clone_from(&form);
        }
        form
    }

    /// Two people that nobody knows, of whom an agent has heard.
    pub(crate) fn fill_in_for_agent(&mut self) -> Submitted {
        let mut form = self.fill_in();
        form.is_logged = true;
        if let Some(last) = self.submissions.last_mut() {
            last.clone_from(&form);
        }
        form
    }

    /// The same referrer sends somebody else, who has an address only.
    pub fn fill_in_again(&mut self, first: &Submitted) -> Submitted {
        let number = self.number();
        let referred = Somebody::new("Sam", None, number);
        self.distinct(Submitted { referred, key: None, ..first.clone() })
    }

    /// Somebody else, who has an address only, sends the same person.
    pub fn fill_in_rival(&mut self, first: &Submitted) -> Submitted {
        let number = self.number();
        let referrer = Somebody::new("Pat", None, number);
        self.distinct(Submitted { referrer, key: None, ..first.clone() })
    }

    /// Somebody else, who has an address only, sends the referrer.
    pub fn fill_in_about_referrer(&mut self, first: &Submitted) -> Submitted {
        let number = self.number();
        let referrer = Somebody::new("Pat", None, number);
        self.distinct(Submitted {
            referrer,
            referred: first.referrer.clone(),
            key: None,
            agrees_to_sms: false,
            is_logged: false,
        })
    }

    pub(crate) fn distinct(&mut self, form: Submitted) -> Submitted {
        self.submissions.push(form.clone());
        form
    }

    /// What the gateway makes of one attempt.
    pub fn attempt(&mut self, form: &Submitted) -> Value {
        let mut event: Value = serde_json::from_str(GOLDEN).expect("the golden event is JSON");
        let path = format!("/api/public/referral/{}", Fixtures::SLUG);
        event["rawPath"] = path.clone().into();
        event["requestContext"]["http"]["path"] = path.into();
        event["requestContext"]["http"]["sourceIp"] = SOURCE_IP.into();
        event["requestContext"]["requestId"] = format!("request{}=", self.number()).into();
        event["headers"]["x-forwarded-for"] = SOURCE_IP.into();
        if let Some(key) = &form.key {
            event["headers"]["idempotency-key"] = key.clone().into();
        }
        event["body"] = form.body().into();
        event
    }

    /// One attempt.
    pub async fn post(&mut self, form: &Submitted) -> Posted {
        let event = self.attempt(form);
        self.invoke(Name::PublicCapture, &event).await.into()
    }

    /// Posts until the form is taken.
    ///
    /// # Errors
    /// When it is refused, or not taken after some attempts.
    pub async fn submit(&mut self, form: &Submitted) -> Result<Posted, String> {
        for _ in 0..MAX_ATTEMPTS {
            let posted = self.post(form).await;
            match posted.status {
                201 => return Ok(posted),
                500.. => {}
                _ => return Err(format!("a form was refused: {posted:?}")),
            }
        }
        Err(format!("a form was not taken in {MAX_ATTEMPTS} attempts"))
    }
}
