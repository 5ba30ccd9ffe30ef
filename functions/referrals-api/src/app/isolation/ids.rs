//! Ids in paths, bodies and queries.

use super::*;

const UNKNOWN: [&str; 3] =
    ["ref_00000000000000000000000000", "person_00000000000000000000000000", "imp_00000000000000000000000000"];

fn unknown(kind: Kind) -> &'static str {
    match kind {
        Kind::Referral => UNKNOWN[0],
        Kind::Person => UNKNOWN[1],
        Kind::Import => UNKNOWN[2],
    }
}

/// Every way to ask for something that is not there for `who`, other than by a well-formed id that nobody has.
fn ids(border: &Border, kind: Kind, who: Who) -> Vec<String> {
    let foreign = border.foreign.of(kind);
    let mut ids: Vec<String> = foreign.to_vec();
    if kind == Kind::Referral && who == JANE {
        ids.push(border.bens.clone());
        ids.push(border.own.referrals[0].clone());
    }
    // Of another kind, this organization's and the other's.
    let other_kind = if kind == Kind::Referral { Kind::Person } else { Kind::Referral };
    if kind == Kind::Import && who == JANE {
        ids.push(border.own.imports[0].clone());
    }
    ids.extend([border.own.of(other_kind)[0].clone(), border.foreign.of(other_kind)[0].clone()]);
    ids.extend([who.0, who.1, Fixtures::OTHER_ORGANIZATION, "user_902", "deal_canary"].map(str::to_owned));
    // No ids at all.
    let long = format!("ref_{}", "a".repeat(65));
    let malformed =
        ["nonsense", "_", "ref_", "_1", "REF_1", "ref-1", "ref_1 ", "ref_ä", "ref_1'", "null", "0", "..", ".", &long];
    ids.extend(malformed.map(str::to_owned));
    // Oddities, some of which come to the other organization's id when they are decoded, trimmed or resolved.
    let victim = &foreign[0];
    let (head, tail) = victim.split_at(1);
    ids.extend([
        "%00".to_owned(),
        "%ff".to_owned(),
        "%".to_owned(),
        "a%2Fb".to_owned(),
        "%2e%2e".to_owned(),
        format!("%{:02x}{tail}", head.as_bytes()[0]),
        format!("%25{:02x}{tail}", head.as_bytes()[0]),
        format!("{victim}%00"),
        format!("{victim}%20"),
        format!("{victim}%2F"),
        format!("{victim}%2Fhistory"),
        format!("{victim}%3Flimit=1"),
        format!("{victim}#"),
        format!("{victim}#AUDIT"),
        format!("..%2F{victim}"),
        victim.to_lowercase(),
        format!("{}%23REFERRAL%23{victim}", Fixtures::OTHER_ORGANIZATION),
        format!("ORG#{}#REFERRAL#{victim}", Fixtures::OTHER_ORGANIZATION),
    ]);
    ids
}

/// How a request is sent: what it says beside the id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Manner {
    Plain,
    AnyTag,
    FirstTag,
    StaleTag,
    Named,
    WrongBody,
}

impl Manner {
    fn all(operation: &Operation) -> Vec<Self> {
        let mut all = vec![Self::Plain];
        if operation.takes("If-Match") {
            all.extend([Self::AnyTag, Self::FirstTag, Self::StaleTag]);
        }
        if operation.takes("Idempotency-Key") {
            all.push(Self::Named);
        }
        if operation.has_body {
            all.push(Self::WrongBody);
        }
        all
    }

    fn request(self, operation: &Operation, who: Who, id: &str) -> Call {
        let request = call(who, operation.method, operation.path(id));
        let request = match operation.body() {
            Some(_) if self == Self::WrongBody => request.json(json!({"colour": 1})),
            Some(body) => request.json(body),
            None => request,
        };
        match self {
            Self::Plain | Self::WrongBody => request,
            Self::AnyTag => request.header("if-match", "*"),
            Self::FirstTag => request.header("if-match", "\"1\""),
            Self::StaleTag => request.header("if-match", "\"99\""),
            Self::Named => request.header("idempotency-key", "key-1"),
        }
    }
}

#[tokio::test]
async fn an_id_in_a_path_is_the_callers_own_or_nobodys() {
    let mut border = Border::new().await;
    let before = border.dump().await;
    let nothing = border.world.call(call(OWNER, "GET", "/api/nothing")).await.bytes();
    for operation in Operation::all() {
        let Some(kind) = operation.kind() else { continue };
        for who in CALLERS {
            for manner in Manner::all(&operation) {
                let reference = manner.request(&operation, who, unknown(kind));
                let reference = border.cell(&operation.name(), reference).await;
                if manner == Manner::WrongBody {
                    // What a body should be is not told apart by ids either.
                    assert_eq!(reference.code(), (422, "invalid_fields"), "{}", operation.name());
                } else if kind == Kind::Import && who == JANE {
                    // Whatever the id: imports are not a member's to see.
                    assert_eq!(reference.status, 403, "{}", operation.name());
                } else if operation.method == "HEAD" {
                    assert_eq!(reference.status, 404, "{}", operation.name());
                } else {
                    assert_eq!(reference.bytes(), nothing, "{}", operation.name());
                }
                for id in ids(&border, kind, who) {
                    let request = manner.request(&operation, who, &id);
                    let answered = border.cell(&operation.name(), request).await;
                    let case = format!("{} as {} {manner:?} {id}", operation.name(), who.2);
                    assert_eq!(answered.bytes(), reference.bytes(), "{case}");
                }
            }
        }
    }
    // Methods that no operation has.
    let all = Operation::all();
    let mut templates = BTreeSet::new();
    for operation in all.iter().filter(|operation| templates.insert(&operation.template)) {
        let Some(kind) = operation.kind() else { continue };
        let has = |method: &str| all.iter().any(|o| o.template == operation.template && o.method == method);
        for method in ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"].into_iter().filter(|method| !has(method)) {
            let name = format!("other methods of {}", operation.template);
            let reference = border.cell(&name, call(OWNER, method, operation.path(unknown(kind)))).await;
            assert_eq!(reference.status, 405, "{name}");
            for id in ids(&border, kind, OWNER) {
                let answered = border.cell(&name, call(OWNER, method, operation.path(&id))).await;
                assert_eq!(answered.bytes(), reference.bytes(), "{name} {id}");
            }
        }
    }
    assert_unchanged(&before, &border.dump().await);
    insta::assert_snapshot!(border.counts());
}

#[tokio::test]
async fn an_id_in_a_body_is_the_callers_own_or_nobodys() {
    let mut border = Border::new().await;
    let before = border.dump().await;
    for operation in Operation::all() {
        for field in &operation.references {
            let name = format!("{} {field}", operation.name());
            for who in CALLERS {
                let own = match operation.kind() {
                    Some(Kind::Person) => &border.own.people[0],
                    _ if who == JANE => &border.own.referrals[1],
                    _ => &border.own.referrals[0],
                };
                let path = operation.path(own);
                let Some(body) = operation.body_that_names(field, "person_00000000000000000000000000") else {
                    continue;
                };
                let reference = border.cell(&name, call(who, operation.method, path.clone()).json(body)).await;
                // A member is told that acting for others is not theirs, whoever the other is.
                let names_agent = field == "agentUserId" || field == "ownerUserId";
                let wanted = if names_agent && who == JANE { 403 } else { 422 };
                assert_eq!(reference.status, wanted, "{name}");
                let foreign = border.foreign.people.iter().chain(&border.foreign.referrals).cloned();
                let others = ["user_901", "user_902", Fixtures::OTHER_ORGANIZATION].map(str::to_owned);
                for id in foreign.chain(others).collect::<Vec<_>>() {
                    let body = operation.body_that_names(field, &id).unwrap();
                    let answered = border.cell(&name, call(who, operation.method, path.clone()).json(body)).await;
                    assert_eq!(answered.bytes(), reference.bytes(), "{name} as {}: {id}", who.2);
                }
            }
        }
    }
    assert_unchanged(&before, &border.dump().await);
    insta::assert_snapshot!(border.counts());
}

/// Values of a query parameter: one of the other organization's, and one that nobody has. None for parameters that name
/// nobody.
fn wanted(parameter: &str) -> Option<(Vec<&'static str>, &'static str)> {
    match parameter {
        "agentUserId" => Some((vec!["user_901", "user_902"], "user_000")),
        "email" => Some((vec!["quill@canary.example", "QUILL@canary.example"], "nobody@canary.example")),
        "phone" => Some((vec!["%2B14155550142", "(415)%20555-0142"], "%2B14155550149")),
        "q" => Some((vec!["Quill", "Sparrow"], "Nobody")),
        "status" | "channel" | "rewardStatus" | "lane" | "from" | "to" | "groupBy" | "format" | "limit" | "cursor"
        | "Idempotency-Key" | "If-Match" | "outcome" | "dryRun" => None,
        _ => panic!("{parameter}: say here whom it names"),
    }
}

#[tokio::test]
async fn a_filter_finds_the_callers_own_or_nobody() {
    let mut border = Border::new().await;
    let before = border.dump().await;
    for operation in Operation::all() {
        for parameter in &operation.parameters {
            let (mut foreign, unknown): (Vec<String>, _) = if parameter == "referrerPersonId" {
                (border.foreign.people.clone(), UNKNOWN[1])
            } else {
                let Some((foreign, unknown)) = wanted(parameter) else { continue };
                (foreign.into_iter().map(str::to_owned).collect(), unknown)
            };
            if parameter.ends_with("Id") {
                // An agent's list of somebody who is no agent, and the like.
                foreign.extend(border.foreign.referrals.clone());
            }
            let name = format!("{} ?{parameter}", operation.name());
            for who in CALLERS {
                let limit = if operation.takes("limit") { "&limit=1" } else { "" };
                let path = |value: &str| format!("{}?{parameter}={value}{limit}", operation.template);
                let reference = border.cell(&name, call(who, operation.method, path(unknown))).await;
                assert_eq!(reference.status, 200, "{name}");
                let is_empty = |value: &Value| value.as_array().is_some_and(Vec::is_empty);
                let shows_nothing = match reference.body.as_object() {
                    Some(body) => body.values().any(is_empty),
                    // A file with nothing but its header.
                    None => reference.bytes().lines().count() == 1,
                };
                assert!(operation.method == "HEAD" || shows_nothing, "{name}: {}", reference.bytes());
                for value in &foreign {
                    let answered = border.cell(&name, call(who, operation.method, path(value))).await;
                    assert_eq!(answered.bytes(), reference.bytes(), "{name} as {}: {value}", who.2);
                }
            }
        }
    }
    assert_unchanged(&before, &border.dump().await);
    insta::assert_snapshot!(border.counts());
}

/// Without any filter there is what is the caller's own, and nothing else.
#[tokio::test]
async fn a_list_holds_the_callers_own() {
    let mut border = Border::new().await;
    for operation in Operation::all().into_iter().filter(|o| o.is_list_of_all() && o.method == "GET") {
        for who in CALLERS {
            let answered = border.cell(&operation.name(), call(who, "GET", operation.template.clone())).await;
            assert_eq!(answered.status, 200, "{}", operation.name());
            assert!(who != JANE || !answered.bytes().contains(&border.bens), "another agent's");
        }
    }
    insta::assert_snapshot!(border.counts());
}
