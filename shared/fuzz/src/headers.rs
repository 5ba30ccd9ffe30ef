//! Headers of a request, a line each: media types, `If-Match`, `Idempotency-Key`, `Accept-Language`; and the same lines as the
//! claims of a token.
//!
//! A body is read only if its header names its type; a precondition holds for the versions that it names and no other; a
//! caller is who the claims say, byte for byte, and never one of a list; the languages are those of the header, the best first.

use std::collections::HashMap;

use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use referrals::{
    domain::version::Expected,
    http::{
        ClaimNames, Code, authenticate, expected_version, idempotent_request, require_file, require_form, require_json,
        require_merge_patch,
    },
};

/// The function's own source: a binary has no library that could be named.
#[path = "../../../functions/public-capture/src/accept_language.rs"]
mod accept_language;

pub fn check(data: &[u8]) {
    let (mut headers, mut claims) = (HeaderMap::new(), HashMap::new());
    for line in data.split(|byte| *byte == b'\n').take(64) {
        let mut parts = line.splitn(2, |byte| *byte == b':');
        let (name, value) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default().trim_ascii());
        if let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name), HeaderValue::from_bytes(value)) {
            headers.append(name, value);
        }
        claims.insert(String::from_utf8_lossy(name).into_owned(), String::from_utf8_lossy(value).into_owned());
    }
    media_types(&headers);
    versions(&headers);
    caller(claims);

    let named = idempotent_request(&headers, &["api"], data);
    let keys = headers.get_all("idempotency-key").iter().count();
    assert!(named.as_ref().map_or(keys > 0, |named| named.is_some() == (keys == 1)));
    assert!(named.err().is_none_or(|problem| problem.code == Code::InvalidIdempotencyKey));

    let accepted = headers.get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let tags = accept_language::accepted(accepted);
    assert!(tags.len() <= 32 && tags.iter().all(|tag| accepted.contains(tag)));
    // Without qualities they are as good as they come.
    assert!(tags.is_empty() || accept_language::accepted(&tags.join(",")) == tags);
}

fn media_types(headers: &HeaderMap) {
    let text = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let text = text.to_ascii_lowercase();
    let file = require_file(headers).map(|_| ());
    for (read, names) in [
        (require_json(&Method::POST, headers), &["application/json"][..]),
        (require_form(headers), &["application/x-www-form-urlencoded"]),
        (require_merge_patch(headers), &["application/merge-patch+json", "application/json"]),
        (file, &["text/csv", "application/x-ndjson", "application/jsonl"]),
    ] {
        match read {
            Ok(()) => assert!(names.iter().any(|name| text.trim_start().starts_with(name))),
            Err(problem) => {
                assert!(matches!(problem.code, Code::UnsupportedMediaType | Code::UnsupportedContentEncoding));
            }
        }
    }
}

fn versions(headers: &HeaderMap) {
    let is_there = headers.contains_key(header::IF_MATCH);
    let expected = expected_version(headers);
    assert_eq!(expected.admits_absence(), !is_there);
    let Expected::OneOf(versions) = expected else { return };
    for version in versions {
        let tag = format!("\"{version}\"");
        let mut values = headers.get_all(header::IF_MATCH).iter().filter_map(|value| value.to_str().ok());
        assert!(values.any(|value| value.contains(&tag)));
    }
}

fn caller(mut claims: HashMap<String, String>) {
    let names = ClaimNames { organization: "org".into(), user: "user".into(), role: "role".into() };
    match authenticate(&claims, &names) {
        Ok(caller) => {
            let said = [caller.scope.organization().as_str(), caller.user.as_str(), caller.role.as_str()];
            assert!(
                ["org", "user", "role"]
                    .iter()
                    .zip(said)
                    .all(|(name, text)| claims.get(*name).is_some_and(|it| it == text))
            );
        }
        Err(problem) => assert!(matches!(problem.code, Code::Forbidden | Code::Unauthenticated)),
    }
    // As the gateway writes a list of one.
    for claim in claims.values_mut() {
        *claim = format!("[{claim}]");
    }
    assert!(authenticate(&claims, &names).is_err());
}
