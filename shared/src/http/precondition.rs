//! The `If-Match` header and the entity tags that it names.

use axum::http::{HeaderMap, header};

use crate::domain::version::Expected;

/// The versions that a change is meant for. A tag that was never ours matches no version: the change is refused as stale.
#[must_use]
pub fn expected_version(headers: &HeaderMap) -> Expected {
    let mut versions = Vec::new();
    let mut is_conditional = false;
    for value in headers.get_all(header::IF_MATCH) {
        is_conditional = true;
        let tags = value.to_str().unwrap_or_default();
        for tag in tags.split(',').map(str::trim) {
            if tag == "*" {
                return Expected::Existing;
            }
            let version = tag.strip_prefix('"').and_then(|tag| tag.strip_suffix('"'));
            // Our tags have no sign and no leading zeros.
            versions
                .extend(version.and_then(|text| text.parse().ok().filter(|version: &u64| version.to_string() == text)));
        }
    }
    if is_conditional { Expected::OneOf(versions) } else { Expected::Any }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn tags_are_compared_strongly_and_exactly() {
        let rows: [(&[&str], Expected); 9] = [
            (&[], Expected::Any),
            (&["*"], Expected::Existing),
            (&["\"3\""], Expected::OneOf(vec![3])),
            (&["\"3\", \"4\""], Expected::OneOf(vec![3, 4])),
            (&["\"3\"", "\"4\""], Expected::OneOf(vec![3, 4])),
            (&["W/\"3\""], Expected::OneOf(vec![])),
            (&["3"], Expected::OneOf(vec![])),
            (&["\"+3\", \"03\", \"x\", \"\", \"-1\""], Expected::OneOf(vec![])),
            (&[""], Expected::OneOf(vec![])),
        ];
        for (values, wanted) in rows {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(header::IF_MATCH, HeaderValue::from_str(value).unwrap());
            }
            assert_eq!(expected_version(&headers), wanted, "{values:?}");
        }
        assert!(
            !expected_version(&HeaderMap::from_iter([(header::IF_MATCH, HeaderValue::from_static("x"))])).admits(1)
        );
    }
}
