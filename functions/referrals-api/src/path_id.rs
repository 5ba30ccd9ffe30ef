//! The id in a path. Whatever is no id is answered like an id that nobody has.

use axum::{
    extract::{FromRequestParts, Path},
    http::request::Parts,
};
use referrals::http::{Code, Problem};

#[derive(Debug)]
pub struct PathId<T>(pub T);

impl<S: Send + Sync, T: TryFrom<String>> FromRequestParts<S> for PathId<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Path(text) = Path::<String>::from_request_parts(parts, state).await.map_err(|_| Code::NotFound)?;
        Ok(Self(T::try_from(text).map_err(|_| Code::NotFound)?))
    }
}
