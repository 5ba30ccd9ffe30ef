//! `POST /api/reputation/imports`: a file is taken in.

use axum::{
    extract::{RawQuery, Request, State},
    http::{StatusCode, header},
    response::Response,
};
use referrals::{
    domain::{
        import::{FileFormat, Import, MAX_BYTES},
        import_file::{FileError, Place},
    },
    http::{Authenticated, Code, FieldError, Problem},
    ports::Named,
    system::{RandomIds, SystemClock},
    usecase::start_import::{self as usecase, Started, Upload},
};
use utoipa::IntoParams;

use super::{allowed, view::ImportView};
use crate::{
    app::App,
    incoming::Incoming,
    once::{Answer, once},
    openapi::IdempotencyKey,
    page::Parameters,
};

#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
#[expect(dead_code, reason = "describes a parameter")]
pub struct DryRunParam {
    /// Only says what would become of each row: no referral and no person is written.
    #[param(default = false)]
    dry_run: Option<bool>,
}

/// Takes in a file of referrals from another system, to be worked through later. For owners and admins.
///
/// CSV (UTF-8, the names of the columns in its first line) or JSON Lines, at most 5,000 rows and 3,000,000 bytes. A row that is
/// wrong fails alone, and the report says why; what is wrong with the file as a whole is told at once, and nothing of it is
/// stored then. A row whose `sourceSystem` and `externalId` were imported before changes nothing, so a file may be sent again.
#[utoipa::path(
    post,
    path = "/api/reputation/imports",
    tag = "imports",
    params(DryRunParam, IdempotencyKey),
    request_body(content(
        (String = "text/csv", example = "sourceSystem,externalId,referrerName,referrerEmail,referredName,agentEmail,receivedAt\r\ncrm,4711,Pat Jones,pat@example.com,Sam Lee,jane.doe@doe-realty.example,2024-05-01T15:00:00Z\r\n"),
        (String = "application/x-ndjson", example = "{\"sourceSystem\":\"crm\",\"externalId\":4712,\"referrerName\":\"Pat Jones\",\"referrerEmail\":\"pat@example.com\",\"referredName\":\"Sam Lee\",\"agentEmail\":\"jane.doe@doe-realty.example\",\"receivedAt\":\"2024-05-01T15:00:00Z\"}\n"),
        (String = "application/jsonl")
    )),
    responses((status = 202, body = ImportView, headers(("etag" = String), ("location" = String))))
)]
pub async fn start_import(
    State(app): State<App>,
    Authenticated(caller): Authenticated,
    query: RawQuery,
    request: Request,
) -> Result<Response, Problem> {
    allowed(&caller)?;
    let parameters = Parameters::read(query, &["dryRun"])?;
    let dry_run = parameters.parsed("dryRun", |text| text.parse().ok())?.unwrap_or(false);
    let incoming = Incoming::at_most(MAX_BYTES, request).await?;
    let (format, bytes) = incoming.file()?;
    // The same bytes are another request when they are read another way, or only tried.
    let terms = [if format == FileFormat::Csv { "csv" } else { "json" }, if dry_run { "try" } else { "do" }];
    let request = incoming.named_with(&caller, &terms)?;
    let write_down = |import: &Import| answer(import).written();
    let named = request.as_ref().map(|request| Named { request, write_down: &write_down });
    let upload = Upload { format, bytes, dry_run, named };
    let work = Box::pin(async {
        match usecase::start_import(&app.ledger, &SystemClock, &RandomIds, &caller, &upload).await? {
            Started::Begun(import) => Ok(answer(&import)),
            Started::Refused(errors) => Err(refusal(&errors)),
            Started::KeyReused => Err(Problem::new(Code::IdempotencyKeyReused)),
        }
    });
    once(&app, &caller, request.as_ref(), work).await
}

fn answer(import: &Import) -> Answer {
    let location = format!("/api/reputation/imports/{}", import.id);
    Answer::resource(StatusCode::ACCEPTED, &ImportView::from(import), import.version)
        .with_header(&header::LOCATION, location)
}

fn refusal(errors: &[FileError]) -> Problem {
    let error = |error: &FileError| {
        let pointer = match error.place {
            Place::Line(line) => format!("/lines/{line}"),
            Place::Column(column) => format!("/columns/{}", column.as_str()),
        };
        FieldError::new(pointer, error.code)
    };
    Problem::fields(Code::InvalidFile, errors.iter().map(error).collect())
}
