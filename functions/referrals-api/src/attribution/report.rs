//! `GET /api/reputation/attribution`.

use axum::{
    Extension, Json,
    extract::{RawQuery, State},
    http::header,
    response::{IntoResponse as _, Response},
};
use referrals::{
    domain::{attribution::Grouping, calendar::Month, id::UserId, organization::Organization, referral::Channel},
    http::{Authenticated, Code, FieldError, Problem},
    ports::Clock as _,
    system::SystemClock,
    usecase::report_attribution::{MAX_MONTHS, Question, Reported, report_attribution as report},
};
use utoipa::{IntoParams, ToSchema};

use super::{
    sheet,
    view::{AttributionReport, AttributionRow, FiguresView},
};
use crate::{app::App, page::Parameters};

/// Months before the last one, where the first is not given.
const MONTHS_BEFORE: u16 = 11;

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ToSchema)]
#[schema(rename_all = "lowercase")]
pub enum ReportFormat {
    #[default]
    Json,
    Csv,
}

fn format(text: &str) -> Option<ReportFormat> {
    match text {
        "json" => Some(ReportFormat::Json),
        "csv" => Some(ReportFormat::Csv),
        _ => None,
    }
}

#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query, rename_all = "camelCase")]
#[expect(dead_code, reason = "describes parameters")]
pub struct ReportParams {
    /// First month; without it, eleven months before the last. At most 120 months in all.
    from: Option<Month>,
    /// Last month, included; without it, the present one of the organization's time zone.
    to: Option<Month>,
    agent_user_id: Option<UserId>,
    channel: Option<Channel>,
    #[param(default = "advocate")]
    group_by: Option<Grouping>,
    #[param(default = "json")]
    format: Option<ReportFormat>,
}

/// What advocates brought, by the month in which they referred: a member's own referrals, an owner's or admin's the whole
/// organization's. The cost does not grow with the number of referrals.
#[utoipa::path(
    get,
    path = "/api/reputation/attribution",
    tag = "attribution",
    params(ReportParams),
    responses((
        status = 200,
        description = "As CSV, a line for each row, with the names of the columns in the first.",
        content((AttributionReport = "application/json"), (String = "text/csv"))
    ))
)]
pub async fn report_attribution(
    State(app): State<App>,
    Authenticated(caller): Authenticated,
    Extension(organization): Extension<Organization>,
    query: RawQuery,
) -> Result<Response, Problem> {
    let parameters = Parameters::read(query, &["from", "to", "agentUserId", "channel", "groupBy", "format"])?;
    let month = |text: &str| Month::parse(text).ok();
    let present = || Month::of(SystemClock.now(), &organization.timezone);
    let last = parameters.parsed("to", month)?.unwrap_or_else(present);
    let first = parameters.parsed("from", month)?.unwrap_or_else(|| last.minus(MONTHS_BEFORE));
    if !(1..=MAX_MONTHS).contains(&first.months_to(last)) {
        // Each month is one; together they are no range.
        return Err(Problem::fields(Code::InvalidFields, vec![FieldError::new("?to", "invalid_range")]));
    }
    let question = Question {
        first,
        last,
        agent: parameters.parsed("agentUserId", |text| UserId::parse(text).ok())?,
        channel: parameters.parsed("channel", Channel::find)?,
        grouping: parameters.parsed("groupBy", Grouping::find)?.unwrap_or_default(),
    };
    let format = parameters.parsed("format", format)?.unwrap_or_default();
    let Reported::Report { rows, totals } = report(&app.ledger, &caller, &question).await? else {
        return Err(Problem::new(Code::ReportTooLarge));
    };
    Ok(match format {
        ReportFormat::Json => Json(AttributionReport {
            from: first,
            to: last,
            group_by: question.grouping,
            rows: rows.into_iter().map(AttributionRow::from).collect(),
            totals: FiguresView::from(&totals),
        })
        .into_response(),
        ReportFormat::Csv => {
            let headers = [
                (header::CONTENT_TYPE, "text/csv; charset=utf-8; header=present"),
                (header::CONTENT_DISPOSITION, "attachment; filename=\"attribution.csv\""),
            ];
            (headers, sheet::write(question.grouping, &rows)?).into_response()
        }
    })
}
