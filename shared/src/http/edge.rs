//! From a gateway event to a request and back, for every function that the gateway calls.
//!
//! The gateway hands paths over decoded, and headers as they came. What cannot be a request is mended here or answered
//! with a problem: `lambda_http`'s own conversion would panic on it.

use std::convert::Infallible;

use axum::{
    body::Body as AxumBody,
    http::{HeaderName, HeaderValue, Method, Request, Response, StatusCode, Uri, header},
    response::IntoResponse,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use http_body_util::BodyExt as _;
use lambda_http::{
    Body,
    aws_lambda_events::apigw::{ApiGatewayV2httpRequest, ApiGatewayV2httpResponse},
    request::LambdaRequest,
};
use lambda_runtime::{Error, LambdaEvent};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use serde_json::value::RawValue;
use tower::{Service, ServiceExt as _};
use tracing::Instrument as _;

use super::problem::{Code, Problem};
use crate::{
    metrics::{self, Unit},
    ports::Clock as _,
    system::SystemClock,
};

/// What a URI's path cannot hold as it is. `%` stays: the gateway leaves `%25` as it came.
const NOT_IN_PATH: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'[')
    .add(b'\\')
    .add(b']')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');
const NOT_IN_QUERY: &AsciiSet = &NOT_IN_PATH.remove(b'?');

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The gateway's id of the request: stands in `x-request-id`, in the logs and in the audit entry.
#[derive(Debug, Clone)]
pub struct RequestId(pub String);

/// The address that the gateway saw. Never taken from a header: a client writes those.
#[derive(Clone)]
pub struct SourceIp(pub String);

impl std::fmt::Debug for SourceIp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SourceIp(redacted)")
    }
}

/// Runs a function behind the gateway until Lambda ends it.
///
/// # Errors
/// When the Lambda runtime fails.
pub async fn serve<S>(service: S) -> Result<(), Error>
where
    S: Service<Request<AxumBody>, Response = Response<AxumBody>, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send,
{
    let handler = lambda_runtime::service_fn(move |event: LambdaEvent<Box<RawValue>>| {
        let service = service.clone();
        async move { Ok::<_, Infallible>(answer(service, event.payload.get()).await) }
    });
    lambda_runtime::run(handler).await
}

/// Answers one gateway event (payload format 2.0), given as JSON.
pub async fn answer<S>(service: S, event: &str) -> ApiGatewayV2httpResponse
where
    S: Service<Request<AxumBody>, Response = Response<AxumBody>, Error = Infallible>,
{
    let Some(event) = read_event(event) else {
        tracing::warn!("the gateway's event is not a request");
        return finish(Problem::new(Code::BadRequest).into_response(), "").await;
    };
    let request_id = event.request_context.request_id.clone().unwrap_or_default();
    let method = event.request_context.http.method.clone();
    let span = tracing::info_span!("request", request.id = %request_id, http.method = known(&method));
    async {
        // A preflight carries no token. The gateway answers it, or adds its headers to this.
        if method == Method::OPTIONS {
            return finish(StatusCode::NO_CONTENT.into_response(), &request_id).await;
        }
        let response = match to_request(event, &request_id) {
            Ok(request) => match service.oneshot(request).await {
                Ok(response) => response,
                Err(never) => match never {},
            },
            Err(problem) => problem.into_response(),
        };
        tracing::info!(http.status = response.status().as_u16(), "answered");
        count_refusal(response.status());
        finish(response, &request_id).await
    }
    .instrument(span)
    .await
}

/// By function and status: the gateway counts 4xx and 5xx of all of them together.
fn count_refusal(status: StatusCode) {
    if status.is_client_error() || status.is_server_error() {
        let words = [("function", metrics::function()), ("status", status.as_str())];
        metrics::put(SystemClock.now(), "Refused", Unit::Count, 1, &words);
    }
}

/// A method of the standard. Any other is a word that a client chose, and is not for the logs.
fn known(method: &Method) -> &'static str {
    let standard = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"];
    standard.into_iter().find(|name| *name == method.as_str()).unwrap_or("OTHER")
}

fn read_event(json: &str) -> Option<ApiGatewayV2httpRequest> {
    if let Ok(event) = serde_json::from_str(json) {
        return Some(event);
    }
    // A header value that HTTP does not allow: the request is answered without that header.
    let mut event: serde_json::Value = serde_json::from_str(json).ok()?;
    event.get_mut("headers")?.as_object_mut()?.retain(|name, value| {
        name.parse::<HeaderName>().is_ok() && value.as_str().is_some_and(|value| HeaderValue::from_str(value).is_ok())
    });
    serde_json::from_value(event).ok()
}

fn to_request(mut event: ApiGatewayV2httpRequest, request_id: &str) -> Result<Request<AxumBody>, Problem> {
    // The host would become a part of the URI; nothing here depends on it, and it may be anything.
    event.headers.remove(header::HOST);
    event.request_context.domain_name = None;
    let path = utf8_percent_encode(event.raw_path.as_deref().unwrap_or_default(), NOT_IN_PATH).to_string();
    let path = if path.starts_with('/') { path } else { format!("/{path}") };
    let query = utf8_percent_encode(event.raw_query_string.as_deref().unwrap_or_default(), NOT_IN_QUERY).to_string();
    let target = if query.is_empty() { path.clone() } else { format!("{path}?{query}") };
    let Ok(uri) = Uri::try_from(target) else { return Err(Problem::new(Code::BadRequest)) };
    if event.is_base64_encoded && event.body.as_deref().is_some_and(|body| STANDARD.decode(body).is_err()) {
        return Err(Problem::new(Code::BadRequest));
    }
    let source_ip = SourceIp(event.request_context.http.source_ip.clone().unwrap_or_default());
    event.raw_path = Some(path);
    event.raw_query_string = Some(query);
    let mut request = lambda_http::Request::from(LambdaRequest::ApiGatewayV2(event));
    // The conversion resolves `.` and `..` in the path; what was asked for is what the gateway said.
    *request.uri_mut() = uri;
    request.extensions_mut().insert(RequestId(request_id.to_owned()));
    request.extensions_mut().insert(source_ip);
    Ok(request.map(|body| match body {
        Body::Text(text) => AxumBody::from(text),
        Body::Binary(bytes) => AxumBody::from(bytes),
        _ => AxumBody::empty(),
    }))
}

async fn finish(response: Response<AxumBody>, request_id: &str) -> ApiGatewayV2httpResponse {
    let (mut parts, body) = response.into_parts();
    // Bodies are in memory already; collecting them cannot fail.
    let bytes = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    parts.headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    parts.headers.remove(header::CONTENT_LENGTH);
    if let Ok(id) = HeaderValue::from_str(request_id)
        && !request_id.is_empty()
    {
        parts.headers.insert(REQUEST_ID, id);
    }
    let mut answer = ApiGatewayV2httpResponse::default();
    answer.status_code = i64::from(parts.status.as_u16());
    answer.headers = parts.headers;
    answer.body = Some(match String::from_utf8(bytes.to_vec()) {
        Ok(text) => Body::Text(text),
        Err(binary) => {
            answer.is_base64_encoded = true;
            Body::Binary(binary.into_bytes())
        }
    });
    answer
}
