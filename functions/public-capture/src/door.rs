//! Which of the three doors a request came to.

use axum::{body::Body, http::Request, response::Response};

use crate::{capture, hosted, submit::App, widget};

/// By the path's first part, as the gateway's routes have it; what is neither page nor widget is the API's.
pub async fn handle(app: &App, request: Request<Body>) -> Response {
    let path = request.uri().path();
    if hosted::is_at(path) {
        hosted::handle(app, request).await
    } else if path.starts_with(widget::PREFIX) {
        widget::handle(&request)
    } else {
        capture::handle(app, request).await
    }
}
