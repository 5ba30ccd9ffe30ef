//! Events of the gateway, answered.
//!
//! Whatever the event is, there is an answer that can be written as JSON, is not kept by anybody, and carries the request's
//! id where that can stand in a header. A request that comes through has a path, and a body that comes back as it was sent.

use std::{cell::RefCell, convert::Infallible, rc::Rc};

use axum::{
    body::{Body, to_bytes},
    http::{HeaderValue, Request, Response, header},
};
use referrals::http::{RequestId, SourceIp, answer};
use serde_json::Value;

pub fn check(data: &[u8]) {
    let Ok(event) = std::str::from_utf8(data) else { return };
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().build() else { return };
    let seen = Rc::new(RefCell::new(None));
    let echo = |request: Request<Body>| {
        let seen = seen.clone();
        async move {
            assert!(request.uri().path().starts_with('/') && request.uri().host().is_none());
            assert!(request.extensions().get::<SourceIp>().is_some());
            let id = request.extensions().get::<RequestId>().map(|id| id.0.clone());
            let body = to_bytes(request.into_body(), usize::MAX).await.unwrap_or_default();
            *seen.borrow_mut() = Some((id, body.clone()));
            Ok::<_, Infallible>(Response::new(Body::from(body)))
        }
    };
    let answer = runtime.block_on(answer(tower::service_fn(echo), event));
    assert_eq!(answer.headers.get(header::CACHE_CONTROL).map(HeaderValue::as_bytes), Some(&b"no-store"[..]));
    let id = answer.headers.get("x-request-id").cloned();
    let (status, is_base64) = (answer.status_code, answer.is_base64_encoded);
    let written = serde_json::to_value(answer);
    let Ok(written) = written else { panic!("an answer can be written") };

    let Some((request_id, body)) = seen.take() else { return assert!(matches!(status, 204 | 400)) };
    assert_eq!(status, 200);
    assert_eq!(is_base64, std::str::from_utf8(&body).is_err());
    let text = written.get("body").and_then(Value::as_str).unwrap_or_default();
    assert!(is_base64 || text.as_bytes() == body);
    let own = request_id.unwrap_or_default();
    assert!(id.is_none_or(|id| id.as_bytes() == own.as_bytes()));
    // A body that is not encoded comes to the function as the gateway sent it.
    let event: Value = serde_json::from_str(event).unwrap_or_default();
    if event.get("isBase64Encoded").and_then(Value::as_bool) != Some(true) {
        assert_eq!(text, event.get("body").and_then(Value::as_str).unwrap_or_default());
    }
}
