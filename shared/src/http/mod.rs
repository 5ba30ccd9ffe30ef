//! The HTTP edge: from a gateway event to a request, from an outcome to an answer. No rule of the product lives here.

mod caller;
mod cursor;
mod edge;
mod form;
mod idempotency;
mod media;
pub mod openapi;
mod precondition;
mod problem;
mod schema;
mod unsubscribe;

pub use caller::{Authenticated, ClaimNames, authenticate, caller_of};
pub use cursor::{CursorKey, InvalidCursor, ListIdentity};
pub use edge::{RequestId, SourceIp, answer, serve};
pub use form::{Fields, MAX_BODY_BYTES, camel_case};
pub use idempotency::idempotent_request;
pub use media::{require_file, require_form, require_json, require_merge_patch};
pub use precondition::expected_version;
pub use problem::{Code, FieldError, Problem, ProblemBody};
pub use unsubscribe::{InvalidToken, UnsubscribeKey, UnsubscribeLink};
