//! What only we can have written: cursors and the tokens of unsubscribe links. The lines are a time, a place in the text, what
//! to put there, and then what is sealed.
//!
//! What was not sealed does not open. What was sealed opens to what went in, and to nobody under another key, for another list,
//! after its time, altered or cut; and a cursor is no link.

use referrals::{
    domain::{
        consent::ConsentChannel,
        digest::digest,
        id::{OrgId, PersonId},
        scope::OrgScope,
        time::Timestamp,
    },
    http::{CursorKey, ListIdentity, UnsubscribeKey},
    ports::Position,
};

pub fn check(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    // A key for each text: the fuzzer watches what is compared, and would find the one tag that one key asks for.
    let secret = digest(&[data]);
    let (cursors, links) = (CursorKey::new(&secret), UnsubscribeKey::new(&secret));
    let mut lines = text.split('\n');
    let mut line = || lines.next().unwrap_or_default();
    let at = Timestamp::parse(line()).ok();
    let place = line().parse().unwrap_or(0_usize);
    let change = Change { place, text: line() };
    let list = ListIdentity::new(["referrals", line()]);
    let id = line();

    let now = at.map_or_else(|| Timestamp::parse("2026-11-22T07:00:00Z"), Ok).ok();
    let Some(now) = now else { return };
    assert!(cursors.open(&list, &text, now).is_err() && links.open(&text).is_err());
    let sealed = cursor(&cursors, &list, &Position { created_at: now, id: id.to_owned() }, now, &change);
    assert!(links.open(&sealed).is_err());
    if let (Ok(organization), Ok(person)) = (OrgId::parse(id), PersonId::parse(line())) {
        link(&links, &OrgScope::from_operator(organization), &person, &change);
    }
}

struct Change<'a> {
    place: usize,
    text: &'a str,
}

impl Change<'_> {
    /// The text with a part put in, replaced, or cut off.
    fn of(&self, sealed: &str) -> impl Iterator<Item = String> {
        let (head, tail) = sealed.split_at(self.place % sealed.len());
        let replaced = tail.get(self.text.len()..).map(|rest| format!("{head}{}{rest}", self.text));
        let texts =
            [Some(head.to_owned()), Some(tail.to_owned()), Some(format!("{head}{}{tail}", self.text)), replaced];
        texts.into_iter().flatten().filter(move |text| *text != sealed).collect::<Vec<_>>().into_iter()
    }
}

fn cursor(key: &CursorKey, list: &ListIdentity, position: &Position, now: Timestamp, change: &Change<'_>) -> String {
    let Some(sealed) = key.seal(list, position, now) else { panic!("a position can be sealed") };
    assert!(is_plain(&sealed));
    let later = now.plus_seconds(86_400);
    // At the end of time nothing lasts a day.
    let is_good = later.epoch_seconds() > now.epoch_seconds();
    assert_eq!(key.open(list, &sealed, now).ok().as_ref(), Some(position).filter(|_| is_good));
    assert!(key.open(&ListIdentity::new(["people"]), &sealed, now).is_err());
    assert!(CursorKey::new("other").open(list, &sealed, now).is_err());
    assert!(key.open(list, &sealed, later).is_err());
    assert!(change.of(&sealed).all(|altered| key.open(list, &altered, now).is_err()));
    sealed
}

fn link(key: &UnsubscribeKey, scope: &OrgScope, person: &PersonId, change: &Change<'_>) {
    for channel in ConsentChannel::ALL {
        let Some(sealed) = key.seal(scope, person, channel) else { panic!("a link can be sealed") };
        assert!(is_plain(&sealed));
        let opened = key.open(&sealed);
        assert!(opened.is_ok_and(|link| link.scope == *scope && link.person == *person && link.channel == channel));
        assert!(UnsubscribeKey::new("other").open(&sealed).is_err());
        assert!(change.of(&sealed).all(|altered| key.open(&altered).is_err()));
    }
}

/// Whether it can stand in a path or a query as it is.
fn is_plain(sealed: &str) -> bool {
    sealed.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
}
