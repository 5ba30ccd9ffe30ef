//! What DynamoDB's errors mean to us. Only codes are kept: messages may quote keys, and keys may hold addresses.

use aws_sdk_dynamodb::{
    config::http::HttpResponse,
    error::{ProvideErrorMetadata, SdkError},
};

use crate::ports::StoreError;

/// Codes after which the same call may succeed.
const RETRYABLE: [&str; 8] = [
    "InternalServerError",
    "LimitExceededException",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "ServiceUnavailable",
    "ThrottlingException",
    "TransactionConflictException",
    "TransactionInProgressException",
];

/// Classifies an SDK error of `operation`.
pub fn store_error<E: ProvideErrorMetadata>(operation: &'static str, error: &SdkError<E, HttpResponse>) -> StoreError {
    let unavailable = |reason: &str| StoreError::Unavailable { operation, reason: reason.to_owned() };
    match error {
        SdkError::TimeoutError(_) => unavailable("timeout"),
        SdkError::DispatchFailure(_) => unavailable("no connection"),
        SdkError::ResponseError(_) => unavailable("no readable response"),
        SdkError::ServiceError(service) => {
            let code = service.err().code().unwrap_or("unknown code");
            if RETRYABLE.contains(&code) || service.raw().status().is_server_error() {
                unavailable(code)
            } else {
                StoreError::Failed { operation, reason: code.to_owned() }
            }
        }
        _ => StoreError::Failed { operation, reason: "the request could not be built".to_owned() },
    }
}

/// A row that does not have the shape it was written in.
pub fn unreadable_row(operation: &'static str) -> StoreError {
    StoreError::Failed { operation, reason: "a stored row cannot be read".to_owned() }
}
