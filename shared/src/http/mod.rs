//! The HTTP edge: from a gateway event to a request, from an outcome to an answer. No rule of the product lives here.

mod caller;
mod cursor;
mod edge;
mod form;
mod idempotency;
mod media;
mod problem;

pub use caller::{Authenticated, ClaimNames, authenticate};
pub use cursor::{CursorKey, InvalidCursor, ListIdentity};
pub use edge::{RequestId, SourceIp, answer, serve};
pub use form::{Fields, MAX_BODY_BYTES, camel_case};
pub use idempotency::idempotent_request;
pub use media::require_json;
pub use problem::{Code, FieldError, Problem};
