//! Query parameters of lists. Unknown and repeated ones are refused: a filter that is silently dropped shows somebody
//! the wrong rows.

use axum::extract::RawQuery;
use referrals::{
    domain::time::Timestamp,
    http::{Code, CursorKey, FieldError, ListIdentity, Problem},
    ports::{Page, Position},
};
use utoipa::IntoParams;

const DEFAULT_LIMIT: u32 = 25;
const MAX_LIMIT: u32 = 100;

#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes parameters")]
pub struct PageParams {
    #[param(minimum = 1, maximum = 100, default = 25)]
    limit: Option<u32>,
    /// `nextCursor` of the page before, with the same filters. Good for a day.
    cursor: Option<String>,
}

#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes a parameter")]
pub struct CursorParam {
    /// As the `next` link of the page before has it, with the same filters. Good for a day.
    cursor: Option<String>,
}

/// The parameters of one request.
#[derive(Debug)]
pub struct Parameters(Vec<(String, String)>);

fn invalid(name: &str, code: &'static str) -> Problem {
    Problem::fields(Code::InvalidQuery, vec![FieldError::new(format!("?{name}"), code)])
}

impl Parameters {
    /// # Errors
    /// 400 for a parameter that is not among `known`, or is there twice.
    pub fn read(RawQuery(query): RawQuery, known: &[&str]) -> Result<Self, Problem> {
        let pairs: Vec<(String, String)> =
            form_urlencoded::parse(query.unwrap_or_default().as_bytes()).into_owned().collect();
        for (place, (name, _)) in pairs.iter().enumerate() {
            let Some(known) = known.iter().find(|known| *known == name) else {
                // The name is not echoed: it is whatever somebody typed.
                return Err(Problem::fields(Code::InvalidQuery, vec![FieldError::new("?", "unknown_parameter")]));
            };
            if pairs.iter().take(place).any(|(earlier, _)| earlier == name) {
                return Err(invalid(known, "repeated"));
            }
        }
        Ok(Self(pairs))
    }

    pub fn find(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
    }

    /// The query of the next page: the same parameters, and where to go on.
    pub fn followed_by(&self, cursor: &str) -> String {
        let kept = self.0.iter().filter(|(name, _)| name != "cursor");
        form_urlencoded::Serializer::new(String::new()).extend_pairs(kept).append_pair("cursor", cursor).finish()
    }

    /// # Errors
    /// 400 for a value that `parse` does not know.
    pub fn parsed<T>(&self, name: &str, parse: impl Fn(&str) -> Option<T>) -> Result<Option<T>, Problem> {
        self.find(name).map(|text| parse(text).ok_or_else(|| invalid(name, "invalid"))).transpose()
    }

    /// # Errors
    /// 400 for anything but 1 to 100.
    pub fn limit(&self) -> Result<u32, Problem> {
        self.limit_of(DEFAULT_LIMIT, MAX_LIMIT)
    }

    /// # Errors
    /// 400 for anything but 1 to `most`.
    pub fn limit_of(&self, default: u32, most: u32) -> Result<u32, Problem> {
        let parse = |text: &str| text.parse().ok().filter(|limit| (1..=most).contains(limit));
        Ok(self.parsed("limit", parse)?.unwrap_or(default))
    }

    /// # Errors
    /// 400 for a cursor of another list.
    pub fn after(&self, key: &CursorKey, list: &ListIdentity, now: Timestamp) -> Result<Option<Position>, Problem> {
        let open = |cursor| key.open(list, cursor, now).map_err(|_| Problem::new(Code::InvalidCursor));
        self.find("cursor").map(open).transpose()
    }
}

/// The cursor of the next page.
pub fn next_cursor<T>(page: &Page<T>, key: &CursorKey, list: &ListIdentity, now: Timestamp) -> Option<String> {
    page.next.as_ref().and_then(|position| key.seal(list, position, now))
}
