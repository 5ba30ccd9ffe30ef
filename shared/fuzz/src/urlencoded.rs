//! What browsers send in the way of forms: the hosted form's body, and the query of a list.
//!
//! Nothing is read of what is not UTF-8. Of what is read, each field is written and read again as the same. A query has known
//! parameters, each once; the query of the next page says the same, and may stand in a header.

use axum::{extract::RawQuery, http::HeaderValue};
use page::Parameters;
use referrals::http::{Code, MAX_BODY_BYTES};
use typed::{BOXES, TEXTS, Typed};

/// The functions' own sources: a binary has no library that could be named.
#[path = "../../../functions/referrals-api/src/page.rs"]
#[allow(dead_code)]
mod page;
#[path = "../../../functions/public-capture/src/hosted/typed.rs"]
#[allow(dead_code)]
mod typed;

const PARAMETERS: [&str; 5] = ["status", "agentUserId", "q", "limit", "cursor"];

pub fn check(data: &[u8]) {
    form(data);
    if let Ok(text) = std::str::from_utf8(data) {
        query(text);
    }
}

fn form(body: &[u8]) {
    let typed = match Typed::read(body) {
        Ok(typed) => typed,
        Err(problem) => return assert_eq!(problem.code, Code::BadRequest),
    };
    let pairs = TEXTS.iter().chain(&BOXES).map(|name| (name, typed.get(name)));
    let written = form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs.clone()).finish();
    let again = Typed::read(written.as_bytes());
    assert!(again.is_ok_and(|again| pairs.clone().all(|(name, text)| again.get(name) == text)));

    let Ok(mut fields) = typed.fields() else {
        return assert!(body.len() > MAX_BODY_BYTES);
    };
    for name in TEXTS {
        assert_eq!(fields.text(name).unwrap_or_default(), typed.get(name).trim());
    }
    for name in BOXES {
        assert_eq!(fields.flag(name), typed.get(name) == "true");
    }
    fields.refuse_unknown();
    let is_whole = BOXES.iter().all(|name| !fields.is_rejected(name));
    assert_eq!(fields.finish().is_ok(), is_whole);
}

fn query(text: &str) {
    let parameters = match Parameters::read(RawQuery(Some(text.to_owned())), &PARAMETERS) {
        Ok(parameters) => parameters,
        Err(problem) => return assert_eq!(problem.code, Code::InvalidQuery),
    };
    match parameters.limit() {
        Ok(limit) => assert!((1..=100).contains(&limit)),
        Err(problem) => assert_eq!(problem.code, Code::InvalidQuery),
    }
    let next = parameters.followed_by("there");
    assert!(HeaderValue::try_from(format!("<?{next}>; rel=\"next\"")).is_ok() && !next.contains(['<', '>', '"', ' ']));
    let again = Parameters::read(RawQuery(Some(next)), &PARAMETERS);
    assert!(again.is_ok_and(|again| {
        let kept = PARAMETERS.iter().filter(|name| **name != "cursor");
        again.find("cursor") == Some("there") && kept.into_iter().all(|name| again.find(name) == parameters.find(name))
    }));
}
