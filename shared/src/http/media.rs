//! Which bodies are read at all: JSON, the form of the hosted page, and files of rows where they are imported; not compressed.

use axum::http::{HeaderMap, HeaderName, Method, header};

use super::problem::{Code, Problem};
use crate::domain::import::FileFormat;

const JSON: &str = "application/json";
/// What a browser sends a form as.
const FORM: &str = "application/x-www-form-urlencoded";
const MERGE_PATCH: &str = "application/merge-patch+json";
/// JSON Lines has no registered name; these two are what is in use.
const FILES: [(&str, FileFormat); 3] = [
    ("text/csv", FileFormat::Csv),
    ("application/x-ndjson", FileFormat::JsonLines),
    ("application/jsonl", FileFormat::JsonLines),
];

/// # Errors
/// 415 for any other content type, a charset other than UTF-8, or a content encoding.
pub fn require_json(method: &Method, headers: &HeaderMap) -> Result<(), Problem> {
    // Only POST and PATCH have a header of their own for this (RFC 9110, 15.5.16).
    let name = if method == Method::POST { HeaderName::from_static("accept-post") } else { header::ACCEPT };
    require(headers, &[JSON], (name, "application/json"))
}

/// # Errors
/// As [`require_json`].
pub fn require_form(headers: &HeaderMap) -> Result<(), Problem> {
    require(headers, &[FORM], (HeaderName::from_static("accept-post"), FORM))
}

/// # Errors
/// As [`require_json`]; a merge patch (RFC 7396) may also say that it is plain JSON.
pub fn require_merge_patch(headers: &HeaderMap) -> Result<(), Problem> {
    let accepted = "application/merge-patch+json, application/json";
    require(headers, &[MERGE_PATCH, JSON], (HeaderName::from_static("accept-patch"), accepted))
}

/// # Errors
/// As [`require_json`].
pub fn require_file(headers: &HeaderMap) -> Result<FileFormat, Problem> {
    let accepted = "text/csv, application/x-ndjson, application/jsonl";
    require(headers, &FILES.map(|(media, _)| media), (HeaderName::from_static("accept-post"), accepted))?;
    let format = FILES.iter().find(|(media, _)| media.eq_ignore_ascii_case(media_type(headers)));
    format.map(|(_, format)| *format).ok_or(Problem::new(Code::UnsupportedMediaType))
}

/// The content type without its parameters.
fn media_type(headers: &HeaderMap) -> &str {
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    content_type.split(';').next().unwrap_or_default().trim()
}

fn require(headers: &HeaderMap, media_types: &[&str], accepted: (HeaderName, &'static str)) -> Result<(), Problem> {
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let parts = content_type.split(';').skip(1).map(str::trim);
    let is_known = media_types.iter().any(|known| media_type(headers).eq_ignore_ascii_case(known));
    let is_utf8 = parts.filter_map(|parameter| parameter.split_once('=')).all(|(name, value)| {
        !name.eq_ignore_ascii_case("charset") || value.trim_matches('"').eq_ignore_ascii_case("utf-8")
    });
    if !is_known || !is_utf8 {
        return Err(Problem::new(Code::UnsupportedMediaType).with_header(accepted.0, accepted.1));
    }
    let encoding = headers.get(header::CONTENT_ENCODING).map(|value| value.to_str().unwrap_or("unreadable"));
    match encoding {
        None => Ok(()),
        Some(encoding) if encoding.trim().eq_ignore_ascii_case("identity") || encoding.trim().is_empty() => Ok(()),
        Some(_) => Err(Problem::new(Code::UnsupportedContentEncoding).with_header(header::ACCEPT_ENCODING, "identity")),
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn check(content_type: Option<&'static str>, encoding: Option<&'static str>) -> Result<(), Code> {
        let mut headers = HeaderMap::new();
        if let Some(value) = content_type {
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(value));
        }
        if let Some(value) = encoding {
            headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(value));
        }
        require_json(&Method::POST, &headers).map_err(|problem| problem.code)
    }

    #[test]
    fn json_in_its_spellings_is_read() {
        for value in ["application/json", "Application/JSON; charset=utf-8", "application/json;charset=\"UTF-8\""] {
            assert_eq!(check(Some(value), None), Ok(()), "{value}");
        }
        assert_eq!(check(Some("application/json"), Some("identity")), Ok(()));
    }

    #[test]
    fn everything_else_is_refused() {
        for value in
            [None, Some(""), Some("text/plain"), Some("application/jsonp"), Some("application/json; charset=latin1")]
        {
            assert_eq!(check(value, None), Err(Code::UnsupportedMediaType), "{value:?}");
        }
        for value in ["gzip", "br", "identity, gzip"] {
            assert_eq!(check(Some("application/json"), Some(value)), Err(Code::UnsupportedContentEncoding), "{value}");
        }
    }

    #[test]
    fn a_file_says_what_it_is() {
        let format = |value: &'static str| {
            let headers = HeaderMap::from_iter([(header::CONTENT_TYPE, HeaderValue::from_static(value))]);
            require_file(&headers).map_err(|problem| problem.code)
        };
        for (value, wanted) in [
            ("text/csv", Ok(FileFormat::Csv)),
            ("Text/CSV ; header=present; charset=UTF-8", Ok(FileFormat::Csv)),
            ("application/x-ndjson", Ok(FileFormat::JsonLines)),
            ("application/jsonl;charset=utf-8", Ok(FileFormat::JsonLines)),
            ("text/csv; charset=iso-8859-1", Err(Code::UnsupportedMediaType)),
            ("text/plain", Err(Code::UnsupportedMediaType)),
            ("application/json", Err(Code::UnsupportedMediaType)),
            ("", Err(Code::UnsupportedMediaType)),
        ] {
            assert_eq!(format(value), wanted, "{value}");
        }
    }
}
