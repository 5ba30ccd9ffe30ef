//! What the fuzzer has found so far, shown again to each of its targets: without a fuzzer, and so without nightly.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::{collections::BTreeSet, fs, path::Path};

use referrals::domain::phone::{Phone, Region};

#[path = "../fuzz/src/lib.rs"]
mod targets;

fn folder() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/fuzz"))
}

#[test]
fn every_target_stands_its_corpus() {
    let (mut names, mut bytes) = (BTreeSet::new(), 0);
    for (name, check) in targets::TARGETS {
        names.insert(name.to_owned());
        let files: Vec<_> = fs::read_dir(folder().join("corpus").join(name)).unwrap().collect();
        assert!(!files.is_empty(), "{name} has no corpus");
        for file in files {
            let path = file.unwrap().path();
            let data = fs::read(&path).unwrap();
            bytes += data.len();
            // Shown only when it fails, where it says which file it was.
            println!("{}", path.display());
            check(&data);
        }
    }
    let folders = fs::read_dir(folder().join("corpus")).unwrap();
    let folders: BTreeSet<_> = folders.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    assert_eq!(folders, names, "a folder for each target, and no other");
    assert!(bytes < 1_000_000, "the corpus has {bytes} bytes: `make fuzz` keeps the rest in .local");
}

/// A fuzzer makes numbers up, and some of them are somebody's.
#[test]
fn the_numbers_of_the_corpus_are_nobodys() {
    let mut found = Vec::new();
    for (name, _) in targets::TARGETS {
        for file in fs::read_dir(folder().join("corpus").join(name)).unwrap() {
            let path = file.unwrap().path();
            let data = fs::read(&path).unwrap();
            let text = String::from_utf8_lossy(&data);
            let regions = [text.lines().next().unwrap_or_default(), "US"];
            for region in regions.iter().filter_map(|region| Region::parse(region).ok()) {
                for phone in text.split(['\n', ',', '"', '&', '=']).filter_map(|part| Phone::parse(part, &region).ok())
                {
                    let number = phone.as_str();
                    // What is set aside for stories, in the two countries that the samples are of.
                    let is_american = number.starts_with("+1") && number.get(5..8) == Some("555");
                    if !is_american && !number.starts_with("+442079460") {
                        found.push(path.display().to_string());
                    }
                }
            }
        }
    }
    assert!(found.is_empty(), "to be taken out again:\n{}", found.join("\n"));
}

/// Packages of a `Cargo.lock`, as name and version.
fn packages(lock: &Path) -> BTreeSet<(String, String)> {
    let lock = fs::read_to_string(lock).unwrap();
    let packages = lock.split("[[package]]").skip(1).map(|package| {
        let value = |key: &str| {
            let (_, rest) = package.split_once(&format!("{key} = \"")).unwrap();
            rest.split('"').next().unwrap().to_owned()
        };
        (value("\nname"), value("\nversion"))
    });
    packages.collect()
}

#[test]
fn what_is_fuzzed_is_what_is_built() {
    let built = packages(&folder().join("../../Cargo.lock"));
    let fuzzed = packages(&folder().join("Cargo.lock"));
    let own: Vec<_> = fuzzed.difference(&built).map(|(name, _)| name.as_str()).collect();
    assert_eq!(own, ["arbitrary", "libfuzzer-sys", "referrals-fuzz"], "other versions than in the root's Cargo.lock");
}
