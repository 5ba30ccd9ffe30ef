use std::io::Read as _;

use axum::body::to_bytes;
use flate2::read::GzDecoder;

use super::*;

fn request(method: &str, path: &str, headers: &[(&str, &str)]) -> Request<Body> {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(Body::empty()).unwrap()
}

async fn get(headers: &[(&str, &str)]) -> (StatusCode, HeaderMap, Vec<u8>) {
    let response = handle(&request("GET", PATH, headers));
    let (parts, body) = response.into_parts();
    (parts.status, parts.headers, to_bytes(body, usize::MAX).await.unwrap().to_vec())
}

#[tokio::test]
async fn it_is_sent_as_small_as_the_browser_takes_it() {
    for (accepted, compressed) in [
        (None, false),
        (Some("gzip"), true),
        (Some("br, GZIP;q=0.5"), true),
        (Some("deflate, gzip;q=1.0, *;q=0.5"), true),
        (Some("gzip;q=0"), false),
        (Some("gzip;q=0.000"), false),
        (Some("x-gzip, br"), false),
        (Some("identity"), false),
        (Some(""), false),
    ] {
        let headers: Vec<_> = accepted.map(|value| ("accept-encoding", value)).into_iter().collect();
        let (status, headers, mut body) = get(&headers).await;
        assert_eq!(status, StatusCode::OK);
        assert_eq!(headers.contains_key(header::CONTENT_ENCODING), compressed, "{accepted:?}");
        if compressed {
            assert_eq!(headers[header::CONTENT_ENCODING], "gzip");
            assert!(body.len() < 6_144, "{} bytes", body.len());
            let mut plain = Vec::new();
            GzDecoder::new(body.as_slice()).read_to_end(&mut plain).unwrap();
            body = plain;
        }
        assert_eq!(String::from_utf8(body).unwrap(), PLAIN);
        for (name, value) in HEADERS {
            assert_eq!(headers[name], value);
        }
    }
}

#[tokio::test]
async fn what_a_browser_has_is_not_sent_again() {
    let (status, headers, body) = get(&[("if-none-match", ETAG), ("accept-encoding", "gzip")]).await;
    assert_eq!((status, body.len()), (StatusCode::NOT_MODIFIED, 0));
    assert_eq!(headers[header::ETAG], ETAG);
    assert_eq!(get(&[("if-none-match", "\"older\"")]).await.0, StatusCode::OK);
}

#[tokio::test]
async fn there_is_nothing_else_below_it() {
    for path in ["/widget/", "/widget/v2.js", "/widget/v1.js/", "/widget/V1.js", "/widget/../widget/v1.js"] {
        assert_eq!(handle(&request("GET", path, &[])).status(), StatusCode::NOT_FOUND, "{path}");
    }
    let refused = handle(&request("POST", PATH, &[]));
    assert_eq!(
        (refused.status(), &refused.headers()[header::ALLOW]),
        (StatusCode::METHOD_NOT_ALLOWED, &HeaderValue::from_static("GET, HEAD"))
    );
    let head = handle(&request("HEAD", PATH, &[]));
    assert_eq!((head.status(), &head.headers()[header::ETAG]), (StatusCode::OK, &HeaderValue::from_static(ETAG)));
    assert!(to_bytes(head.into_body(), usize::MAX).await.unwrap().is_empty());
}

#[test]
fn the_texts_and_the_style_are_in_it() {
    for words in ["Refer a friend to {agent}", "Recomiende a un amigo", "form-v1-es", ".form .alert", "referral-sent"] {
        assert!(PLAIN.contains(words), "{words}");
    }
    // Nothing that a strict policy of the site would refuse.
    for word in
        ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function", "cookie", "Storage"]
    {
        assert!(!PLAIN.contains(word), "{word}");
    }
}
