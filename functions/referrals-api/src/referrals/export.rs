//! `GET /api/reputation/referrals.csv`: the list as a file that a spreadsheet opens and an import reads.

use axum::{
    extract::{RawQuery, State},
    http::{HeaderValue, header},
    response::{IntoResponse as _, Response},
};
use referrals::{
    domain::{
        email::Email,
        id::DealId,
        import::{Column, OWN_SYSTEM},
        money::Currency,
        person::Person,
        phone::Phone,
        referral::Referral,
        spreadsheet::guarded,
        text::{Label, Notes, Reason},
        time::Timestamp,
    },
    http::{Authenticated, Code, Problem},
    ports::Clock as _,
    system::SystemClock,
    usecase,
};

use super::list::{FILTERS, FilterParams, filter, identity};
use crate::{
    app::App,
    page::{CursorParam, Parameters},
};

const ROUTE: &str = "/api/reputation/referrals.csv";

/// The columns, as an import reads them. An agent is named by their id; the address would be the same agent twice.
fn columns() -> impl Iterator<Item = Column> {
    Column::ALL.iter().copied().filter(|column| *column != Column::AgentEmail)
}

/// Lambda takes six megabytes of answer, the body as a JSON string. This leaves room for a row and the headers.
const MAX_ESCAPED_BYTES: usize = 3_500_000;

/// A page of the file.
struct Sheet {
    writer: csv::Writer<Vec<u8>>,
    /// Bytes that count; a row that did not fit is behind them.
    kept: usize,
    escaped: usize,
    max_escaped: usize,
    rows: u32,
}

impl Sheet {
    fn new(max_escaped: usize) -> Result<Self, Problem> {
        let writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
        let mut sheet = Self { writer, kept: 0, escaped: 0, max_escaped, rows: 0 };
        sheet.add(columns().map(|column| column.as_str().to_owned()))?;
        Ok(sheet)
    }

    /// False, with nothing added, when there is no room for another row. There always is for the first.
    fn add_referral(&mut self, row: &Referral, referrer: Option<&Person>) -> Result<bool, Problem> {
        let has_room = self.rows < usecase::export_referrals::MAX_ROWS;
        if has_room && self.add(columns().map(|column| cell(column, row, referrer)))? {
            self.rows += 1;
            return Ok(true);
        }
        Ok(false)
    }

    fn add(&mut self, cells: impl Iterator<Item = String>) -> Result<bool, Problem> {
        // Writing to memory cannot fail.
        for cell in cells {
            self.writer.write_field(guarded(&cell).as_bytes()).map_err(|_| Code::Internal)?;
        }
        self.writer.write_record(None::<&[u8]>).map_err(|_| Code::Internal)?;
        self.writer.flush().map_err(|_| Code::Internal)?;
        let written = self.writer.get_ref();
        let added: usize = written.iter().skip(self.kept).map(|byte| escaped_bytes(*byte)).sum();
        if self.rows > 0 && self.escaped + added > self.max_escaped {
            return Ok(false);
        }
        self.kept = written.len();
        self.escaped += added;
        Ok(true)
    }

    fn into_body(self) -> Result<Vec<u8>, Problem> {
        let mut body = self.writer.into_inner().map_err(|_| Code::Internal)?;
        body.truncate(self.kept);
        Ok(body)
    }
}

/// Of a byte of UTF-8 in a JSON string.
fn escaped_bytes(byte: u8) -> usize {
    match byte {
        b'"' | b'\\' | b'\n' | b'\r' | b'\t' | 0x08 | 0x0C => 2,
        0x00..=0x1F => 6,
        _ => 1,
    }
}

/// What an import reads as the same value; empty when there is none. An imported row keeps the name that it came with, and the
/// channel: brought back to where it came from it is not new.
fn cell(column: Column, row: &Referral, referrer: Option<&Person>) -> String {
    let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
    let number = |value: Option<i64>| value.map(|value| value.to_string()).unwrap_or_default();
    let time = |at: Option<Timestamp>| at.map(|at| at.to_string()).unwrap_or_default();
    let (origin, contact) = (row.origin.as_ref(), &row.referred_contact);
    let revenue = row.conversion.as_ref().and_then(|conversion| conversion.revenue.as_ref());
    match column {
        Column::SourceSystem => origin.map_or(OWN_SYSTEM, |origin| origin.source_system.as_str()).to_owned(),
        Column::ExternalId => origin.map_or(row.id.as_str(), |origin| origin.external_id.as_str()).to_owned(),
        Column::ReferrerName => text(referrer.map(|person| person.name.as_str())),
        Column::ReferrerEmail => text(referrer.and_then(|person| person.email.as_ref()).map(Email::as_str)),
        Column::ReferrerPhone => text(referrer.and_then(|person| person.phone.as_ref()).map(Phone::as_str)),
        Column::ReferredName => row.referred_name.as_str().to_owned(),
        Column::ReferredEmail => text(contact.email.as_ref().map(Email::as_str)),
        Column::ReferredPhone => text(contact.phone.as_ref().map(Phone::as_str)),
        Column::AgentUserId => row.agent_user_id.to_string(),
        // Not in the file.
        Column::AgentEmail => String::new(),
        Column::Channel => {
            let original = origin.and_then(|origin| origin.channel.as_ref());
            original.map_or(row.channel.as_str(), Label::as_str).to_owned()
        }
        Column::Status => row.status.as_str().to_owned(),
        Column::ReceivedAt => time(Some(row.created_at)),
        Column::LostReason => text(row.lost_reason.as_ref().map(Reason::as_str)),
        Column::DealId => text(row.resulting_deal_id.as_ref().map(DealId::as_str)),
        Column::ConvertedAt => time(row.conversion.as_ref().map(|conversion| conversion.converted_at)),
        Column::SalePriceMinor => number(revenue.and_then(|revenue| revenue.sale_price_minor)),
        Column::GrossCommissionMinor => number(revenue.and_then(|revenue| revenue.gross_commission_minor)),
        Column::Currency => text(revenue.map(|revenue| revenue.currency.as_str())),
        Column::Reversed => row.reversed.to_string(),
        Column::RewardAmountMinor => number(row.reward.as_ref().and_then(|reward| reward.amount_minor)),
        Column::RewardType => row.reward_type.as_str().to_owned(),
        Column::RewardValue => number(row.reward_value),
        Column::RewardCurrency => text(row.reward_currency.as_ref().map(Currency::as_str)),
        Column::RewardStatus => row.reward_status.as_str().to_owned(),
        Column::RewardSentAt => time(row.reward_sent_at),
        Column::Notes => text(row.notes.as_ref().map(Notes::as_str)),
    }
}

/// The same referrals as a file, with the columns that an import reads. A page has at most 5,000 rows; it may be short,
/// or empty but for the header, before the end. A cell that a spreadsheet would take for a formula starts with `'`.
#[utoipa::path(
    get,
    path = "/api/reputation/referrals.csv",
    tag = "referrals",
    params(FilterParams, CursorParam),
    responses((
        status = 200,
        description = "One page, with the names of the columns in its first line.",
        content_type = "text/csv",
        body = String,
        headers(
            ("link" = String, description = "Where the file goes on, as `<…>; rel=\"next\"`; absent at its end."),
            ("content-disposition" = String)
        )
    ))
)]
pub async fn export_referrals(
    State(app): State<App>,
    Authenticated(caller): Authenticated,
    query: RawQuery,
) -> Result<Response, Problem> {
    let parameters = Parameters::read(query, &[&FILTERS[..], &["cursor"]].concat())?;
    let filter = filter(&parameters)?;
    let now = SystemClock.now();
    let list = identity("referrals.csv", &caller, &filter);
    let after = parameters.after(&app.cursor_key, &list, now)?;
    let mut sheet = Sheet::new(MAX_ESCAPED_BYTES)?;
    let write = |row: &Referral, referrer: Option<&Person>| sheet.add_referral(row, referrer);
    let next =
        usecase::export_referrals::export_referrals(&app.ledger, &caller, &filter, after.as_ref(), write).await?;
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8; header=present"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"referrals.csv\""),
    ];
    let mut response = (headers, sheet.into_body()?).into_response();
    if let Some(place) = next {
        // A page without its link would look like the end.
        let cursor = app.cursor_key.seal(&list, &place, now).ok_or(Code::Internal)?;
        let link = format!("<{ROUTE}?{}>; rel=\"next\"", parameters.followed_by(&cursor));
        response.headers_mut().insert(header::LINK, HeaderValue::try_from(link).map_err(|_| Code::Internal)?);
    }
    Ok(response)
}
