//! Requests that the client has named are done once: the answer is written down in the transaction of the change, and
//! given again to the byte.

use axum::{
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use referrals::{
    domain::{access::Caller, idempotency::IdempotentRequest},
    http::{Code, Problem},
    ports::{AnswerBook as _, Clock as _},
    system::SystemClock,
};
use serde::{Deserialize, Serialize};

use crate::app::App;

/// An answer in full, as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Answer {
    /// A single resource: a bare object, and its version as the entity tag.
    pub fn resource<V: Serialize>(status: StatusCode, view: &V, version: u64) -> Self {
        let headers = [(header::CONTENT_TYPE, "application/json".to_owned()), (header::ETAG, format!("\"{version}\""))];
        Self {
            status: status.as_u16(),
            headers: headers.map(|(name, value)| (name.as_str().to_owned(), value)).into(),
            // A view of plain fields cannot fail to be JSON.
            body: serde_json::to_string(view).unwrap_or_default(),
        }
    }

    pub fn with_header(mut self, name: &HeaderName, value: String) -> Self {
        self.headers.push((name.as_str().to_owned(), value));
        self
    }

    /// As text, to be kept.
    pub fn written(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut headers = HeaderMap::new();
        for (name, value) in &self.headers {
            if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
                headers.insert(name, value);
            }
        }
        (status, headers, self.body).into_response()
    }
}

/// Does `work`, unless the request is named and was answered before. When `work` fails for whatever reason and the same
/// request turns out to have been answered meanwhile, or by the very attempt whose answer was lost, that answer is given.
pub async fn once(
    app: &App,
    caller: &Caller,
    named: Option<&IdempotentRequest>,
    work: impl Future<Output = Result<Answer, Problem>>,
) -> Result<Response, Problem> {
    let Some(request) = named else { return work.await.map(IntoResponse::into_response) };
    if let Some(answer) = replayed(app, caller, request).await? {
        return Ok(answer);
    }
    match work.await {
        Ok(answer) => Ok(answer.into_response()),
        Err(problem) => replayed(app, caller, request).await?.ok_or(problem),
    }
}

/// # Errors
/// 410 when the answer showed somebody who was erased since, 422 when the name was used for another request.
async fn replayed(app: &App, caller: &Caller, request: &IdempotentRequest) -> Result<Option<Response>, Problem> {
    let Some(used) = app.ledger.find_answer(&caller.scope, request, SystemClock.now()).await? else { return Ok(None) };
    if used.body != request.body {
        return Err(Problem::new(Code::IdempotencyKeyReused));
    }
    let written = used.answer.ok_or(Code::AnswerErased)?;
    let answer: Answer = serde_json::from_str(&written).map_err(|_| Code::Internal)?;
    Ok(Some(answer.into_response()))
}
