//! The structure that Cargo cannot keep inside one crate: which layer may name what, and where a line belongs.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::{
    fs,
    path::{Path, PathBuf},
};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// Every Rust file below `folder`, as (path from the root, text), tests left out.
fn sources(folder: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") && !is_unit_test(&path) {
                let text = fs::read_to_string(&path).unwrap();
                let name = path.strip_prefix(root()).unwrap().to_str().unwrap().to_owned();
                found.push((name, text));
            }
        }
    }
    assert!(!found.is_empty(), "{folder} has no sources");
    found
}

/// Unit tests in files of their own: `tests.rs`, and what is in a `tests` folder below `src`.
fn is_unit_test(path: &Path) -> bool {
    let mut folders = path.components().map(std::path::Component::as_os_str).skip_while(|part| *part != "src");
    path.ends_with("tests.rs") || path.ends_with("hostile.rs") || folders.any(|part| part == "tests")
}

/// Tests that fill more than one file. They are read like code, but may name what the code may not.
const TESTS: [&str; 2] = ["functions/referrals-api/src/app/isolation", "functions/referrals-api/src/app/model"];

/// The code without its unit tests and without comments.
fn code(text: &str) -> String {
    let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    // What only tests name before that: one line each.
    let mut is_test = false;
    let is_code = |line: &&str| {
        let is_left_out = is_test || line.trim_start().starts_with("//");
        is_test = line.starts_with("#[cfg(test)]");
        !is_left_out && !is_test
    };
    code.lines().filter(is_code).collect::<Vec<_>>().join("\n")
}

#[track_caller]
fn nobody_names(words: &[&str], folder: &str, except: &[&str]) {
    for (path, text) in sources(folder) {
        if except.iter().chain(&TESTS).any(|except| path.starts_with(except)) {
            continue;
        }
        for word in words {
            assert!(!code(&text).contains(word), "{path} names {word}");
        }
    }
}

/// Which module of the shared crate may name which others.
const LAYERS: [(&str, &[&str]); 12] = [
    ("domain", &[]),
    ("events", &["domain"]),
    ("ports", &["domain", "events"]),
    ("usecase", &["domain", "events", "ports", "metrics"]),
    ("store", &["domain", "events", "ports"]),
    ("aws", &["events", "ports", "settings"]),
    ("http", &["domain", "ports", "metrics", "settings", "system"]),
    ("queue", &["events", "ports", "system"]),
    ("system", &["domain", "ports"]),
    ("metrics", &["domain", "settings"]),
    ("logging", &["metrics", "settings"]),
    ("settings", &[]),
];

/// The modules of the crate that a text names, alone or in braces.
fn named_modules(text: &str) -> Vec<String> {
    let word = |text: &str| text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
    let mut names = Vec::new();
    for rest in text.split("crate::").skip(1) {
        let Some(list) = rest.strip_prefix('{') else {
            names.push(word(rest));
            continue;
        };
        let (mut depth, mut is_start) = (0, true);
        for (place, c) in list.char_indices() {
            match c {
                '{' => depth += 1,
                '}' if depth == 0 => break,
                '}' => depth -= 1,
                ',' if depth == 0 => is_start = true,
                _ if is_start && depth == 0 && !c.is_whitespace() => {
                    names.push(word(list.get(place..).unwrap_or_default()));
                    is_start = false;
                }
                _ => {}
            }
        }
    }
    names
}

#[test]
fn modules_are_found_alone_and_in_braces() {
    let text = "use crate::{\n    domain::{id::OrgId, time},\n    ports::Clock,\n    store,\n};\nuse super::a; crate::aws::sdk();";
    assert_eq!(named_modules(text), ["domain", "ports", "store", "aws"]);
}

#[test]
fn dependencies_point_one_way() {
    let mut seen = std::collections::BTreeSet::new();
    for (path, text) in sources("shared/src") {
        let module = path.trim_start_matches("shared/src/").split(['/', '.']).next().unwrap().to_owned();
        if module == "lib" {
            continue;
        }
        let found = LAYERS.iter().find(|(name, _)| *name == module);
        let (_, allowed) = found.unwrap_or_else(|| panic!("{path} is of no layer"));
        for name in named_modules(&code(&text)) {
            assert!(name == module || allowed.contains(&name.as_str()), "{path} names {name}");
            seen.insert((module.clone(), name));
        }
    }
    for (module, allowed) in LAYERS {
        for name in allowed {
            assert!(seen.contains(&(module.to_owned(), (*name).to_owned())), "{module} never names {name}");
        }
    }
    let edges = ["aws_sdk", "aws_smithy", "aws_lambda_events", "axum", "lambda_", "tower"];
    for folder in ["shared/src/domain", "shared/src/events", "shared/src/ports", "shared/src/usecase"] {
        nobody_names(&edges, folder, &[]);
    }
    nobody_names(&["aws_sdk_dynamodb"], "shared/src", &["shared/src/store/"]);
    nobody_names(&["aws_sdk_eventbridge"], "shared/src", &["shared/src/aws/"]);
}

#[test]
fn an_organization_is_taken_only_from_where_it_can_be_trusted() {
    for (constructor, homes) in [
        ("from_verified_claims", &["shared/src/http/caller.rs"][..]),
        ("from_slug_record", &["shared/src/store/directory.rs"]),
        ("from_published_profile", &["shared/src/usecase/capture_referral.rs"]),
        (
            "from_bus_event",
            &[
                "functions/messenger/src/messages.rs",
                "shared/src/usecase/enter_pipeline.rs",
                "shared/src/usecase/hear_of_deal.rs",
                "shared/src/usecase/hear_of_delivery.rs",
                "shared/src/usecase/import_chunk.rs",
            ],
        ),
        ("from_login_directory", &["shared/src/usecase/issue_claims.rs"]),
        ("from_unsubscribe_link", &["shared/src/http/unsubscribe.rs"]),
        ("from_due_row", &["shared/src/store/rewards.rs"]),
        ("from_organization_list", &["shared/src/store/organizations.rs"]),
        ("from_operator", &["shared/src/store/provision.rs", "functions/ledger-reconcile/src/reconcile.rs"]),
    ] {
        let except = [homes, &["shared/src/domain/scope.rs"]].concat();
        for folder in ["shared/src", "functions", "infra/admin"] {
            nobody_names(&[constructor], folder, &except);
        }
    }
}

#[test]
fn keys_are_built_in_one_place() {
    let words = [
        "\"ORG#",
        "#PERSON#",
        "#REFERRAL#",
        "#CONTACT#",
        "\"PROFILE#",
        "\"SLUG#",
        "\"LOGIN#",
        "\"PENDING#",
        "\"POISON#",
        "#INBOX#",
        "#PAIR#",
        "#ORIGIN#",
        "#IMPORT#",
    ];
    for folder in ["shared/src", "functions", "infra/admin"] {
        nobody_names(&words, folder, &["shared/src/store/keys"]);
    }
}

/// Whoever else wrote a referral's row would have to move its figures too.
#[test]
fn rows_of_referrals_are_written_where_their_figures_move() {
    let homes = ["attribution.rs", "import_chunks.rs", "keys", "record_referral.rs"];
    let homes = homes.map(|file| format!("shared/src/store/{file}"));
    let homes: Vec<&str> = homes.iter().map(String::as_str).collect();
    for folder in ["shared/src", "functions", "infra/admin"] {
        nobody_names(&["referral_row("], folder, &homes);
    }
}

#[test]
fn the_environment_is_read_in_one_place() {
    for folder in ["shared/src", "functions", "infra/admin"] {
        // A build script is told by Cargo where to write.
        nobody_names(&["env::var"], folder, &["shared/src/settings.rs", "functions/public-capture/build.rs"]);
    }
}

/// What may stand in the logs: ids, codes and counts. Never what somebody typed.
const LOGGED: [&str; 37] = [
    "captures.expired",
    "captures.failed",
    "claims.reason",
    "deal.id",
    "error.message",
    "error.retryable",
    "event.id",
    "event.outcome",
    "event.reason",
    "holds.dropped",
    "holds.failed",
    "holds.released",
    "http.method",
    "http.status",
    "import.chunk",
    "import.created",
    "import.failed",
    "import.id",
    "import.line",
    "import.unchanged",
    "message.id",
    "organization.id",
    "outbox.published",
    "outbox.set_aside",
    "outbox.still_pending",
    "people.erased",
    "person.id",
    "receipt.id",
    "reconcile.busy",
    "reconcile.found",
    "reconcile.cells",
    "reconcile.links",
    "reconcile.people",
    "reconcile.referrals",
    "referral.id",
    "request.id",
    "user.id",
];

/// What stands before the parenthesis that closes a call. Those in a text count too, and have to be pairs.
fn until_closed(text: &str) -> &str {
    let mut depth = 1;
    let closes = |c: char| {
        depth += i32::from(c == '(') - i32::from(c == ')');
        depth == 0
    };
    text.split(closes).next().unwrap_or_default()
}

#[test]
fn a_call_ends_where_it_is_closed() {
    assert_eq!(until_closed("a = f(b), \"c (d)\"),\n} let e = f;"), "a = f(b), \"c (d)\"");
    assert_eq!(until_closed("a = (b"), "a = (b");
}

#[test]
fn only_fields_of_the_list_are_logged() {
    let mut seen = std::collections::BTreeSet::new();
    for folder in ["shared/src", "functions"] {
        for (path, text) in sources(folder) {
            for call in code(&text).split("tracing::").skip(1) {
                let Some((head, rest)) = call.split_once('(') else { continue };
                if !head.ends_with('!') {
                    continue;
                }
                let arguments = until_closed(rest);
                // A field has a name: `%value` and `?value` alone would be named by whatever the variable is called.
                assert!(
                    !arguments.contains("(%") && !arguments.contains(", %") && !arguments.contains(", ?"),
                    "{path}: {arguments}"
                );
                for (place, _) in arguments.match_indices(" = ") {
                    let before = arguments.get(..place).unwrap_or_default();
                    let start = before
                        .rfind(|c: char| !(c.is_ascii_lowercase() || c == '_' || c == '.'))
                        .map_or(0, |at| at + 1);
                    let field = before.get(start..).unwrap_or_default().to_owned();
                    assert!(LOGGED.contains(&field.as_str()), "{path} logs {field}");
                    seen.insert(field);
                }
            }
        }
    }
    assert_eq!(seen, LOGGED.map(str::to_owned).into(), "the list says what is logged");
}

#[test]
fn files_stay_readable() {
    for folder in ["shared", "functions", "infra/admin", "infra/bench", "infra/harness", "infra/testing"] {
        for (path, text) in sources(folder) {
            let lines = text.lines().count();
            let most = if path.ends_with("main.rs") && path.starts_with("functions/") { 40 } else { 400 };
            assert!(lines <= most, "{path} has {lines} lines, at most {most} are wanted");
            assert!(path.contains("/tests/") || text.starts_with("//!"), "{path} does not say what it owns");
        }
    }
}

/// An event is published whether or not anybody has written down what it looks like.
#[test]
fn every_event_has_a_golden_file_a_schema_and_a_line_in_the_fuzzing() {
    let fuzzed = fs::read_to_string(root().join("shared/fuzz/src/bus.rs")).unwrap();
    for (path, text) in sources("shared/src/events") {
        for event in text.split("impl EventData for ").skip(1) {
            let (name, rest) = event.split_once(' ').unwrap();
            let kind = rest.split('"').nth(1).unwrap().to_lowercase().replace('_', "-");
            let file = format!("{kind}.v{}.json", name.rsplit('V').next().unwrap());
            for folder in ["events/bus", "infra/schemas"] {
                assert!(root().join(folder).join(&file).exists(), "{path}: there is no {folder}/{file}");
            }
            assert!(fuzzed.contains(&format!("ours::<{name}>(")), "{name} has no line in shared/fuzz/src/bus.rs");
        }
    }
}

#[test]
fn every_golden_event_is_used_by_a_test() {
    let mut texts = String::new();
    for folder in ["shared", "functions"] {
        let mut folders = vec![root().join(folder)];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else if path.extension().is_some_and(|extension| extension == "rs") {
                    texts.push_str(&fs::read_to_string(path).unwrap());
                }
            }
        }
    }
    for folder in fs::read_dir(root().join("events")).unwrap() {
        let folder = folder.unwrap().path();
        if folder.is_dir() {
            for file in fs::read_dir(&folder).unwrap() {
                let file = file.unwrap().path();
                let name = file.strip_prefix(root()).unwrap().to_str().unwrap();
                assert!(texts.contains(name), "no test uses {name}");
            }
        }
    }
}
