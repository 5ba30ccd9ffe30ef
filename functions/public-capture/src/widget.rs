//! `/widget/v1.js`: the script that shows the form in any site. Versioned by its path; within a version only mended.

use axum::{
    body::Body,
    http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use referrals::http::{Code, Problem};

use crate::etag;

pub const PREFIX: &str = "/widget/";
const PATH: &str = "/widget/v1.js";

const PLAIN: &str = include_str!(concat!(env!("OUT_DIR"), "/widget.js"));
const COMPRESSED: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/widget.js.gz"));
const ETAG: &str = concat!("W/\"", env!("WIDGET_HASH"), "\"");

const HEADERS: [(HeaderName, &str); 6] = [
    (header::CONTENT_TYPE, "text/javascript; charset=utf-8"),
    (header::ETAG, ETAG),
    // A mended widget is everywhere within the hour; the one that is there does while no other can be had.
    (header::CACHE_CONTROL, "public, max-age=3600, stale-if-error=604800"),
    // The gateway tells only those of its permission who say where they come from.
    (header::VARY, "accept-encoding, origin"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    // Any site may load it, those that isolate themselves included.
    (HeaderName::from_static("cross-origin-resource-policy"), "cross-origin"),
];

pub fn handle(request: &Request<Body>) -> Response {
    if request.uri().path() != PATH {
        return Problem::new(Code::NotFound).into_response();
    }
    if ![Method::GET, Method::HEAD].contains(request.method()) {
        return Problem::new(Code::MethodNotAllowed).with_header(header::ALLOW, "GET, HEAD").into_response();
    }
    let mut response = Response::new(Body::empty());
    response.headers_mut().extend(HEADERS.map(|(name, value)| (name, HeaderValue::from_static(value))));
    if etag::is_known(request.headers(), ETAG) {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        return response;
    }
    let is_compressed = takes_gzip(request.headers());
    if is_compressed {
        response.headers_mut().insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    if request.method() == Method::GET {
        *response.body_mut() = if is_compressed { Body::from(COMPRESSED) } else { Body::from(PLAIN) };
    }
    response
}

/// The gateway does not compress, so it is done here; every browser says that it takes gzip.
fn takes_gzip(headers: &HeaderMap) -> bool {
    let values = headers.get_all(header::ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|codings| codings.split(',')).any(|coding| {
        let mut parts = coding.split(';').map(str::trim);
        let is_gzip = parts.next().is_some_and(|name| name.eq_ignore_ascii_case("gzip"));
        // `gzip;q=0` says no.
        let quality = parts.find_map(|part| part.strip_prefix("q="));
        is_gzip && quality.is_none_or(|q| q.parse::<f32>().is_ok_and(|q| q > 0.0))
    })
}

#[cfg(test)]
mod tests;
