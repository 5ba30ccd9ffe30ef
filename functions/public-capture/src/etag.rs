//! Asking again for what a browser has already.

use axum::http::{HeaderMap, header};

/// Whether one of the tags of `If-None-Match` is this one. Compared weakly (RFC 9110, 13.1.2): a compressed body is the
/// same.
pub fn is_known(headers: &HeaderMap, etag: &str) -> bool {
    let values = headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|tags| tags.split(',')).map(str::trim).any(|tag| tag == "*" || opaque(tag) == opaque(etag))
}

fn opaque(tag: &str) -> &str {
    tag.strip_prefix("W/").unwrap_or(tag)
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn tags_are_compared_weakly() {
        for (value, known) in [
            ("\"a\"", true),
            ("W/\"a\"", true),
            ("\"b\", W/\"a\"", true),
            ("*", true),
            ("\"b\"", false),
            ("a", false),
            ("", false),
        ] {
            let headers = HeaderMap::from_iter([(header::IF_NONE_MATCH, HeaderValue::from_static(value))]);
            assert_eq!(is_known(&headers, "W/\"a\""), known, "{value}");
        }
        assert!(!is_known(&HeaderMap::new(), "W/\"a\""));
    }
}
