//! The id in a path. Whatever is no id is answered like an id that nobody has, and at the same point of the operation.

use std::convert::Infallible;

use axum::{
    extract::{FromRequestParts, Path},
    http::request::Parts,
};
use referrals::http::{Code, Problem};

#[derive(Debug)]
pub struct PathId<T>(Option<T>);

impl<T> PathId<T> {
    /// # Errors
    /// 404 for what is no id.
    pub fn known(self) -> Result<T, Problem> {
        self.0.ok_or(Problem::new(Code::NotFound))
    }
}

impl<S: Send + Sync, T: TryFrom<String>> FromRequestParts<S> for PathId<T> {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Infallible> {
        let path = Path::<String>::from_request_parts(parts, state).await.ok();
        Ok(Self(path.and_then(|Path(text)| T::try_from(text).ok())))
    }
}
