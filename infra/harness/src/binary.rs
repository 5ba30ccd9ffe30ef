//! Where the functions' binaries are, and whether they are those of the sources.

use std::{
    fs,
    path::{Path, PathBuf},
    time::SystemTime,
};

/// The binary of the function `name`, as `cargo build --workspace` leaves it beside this test.
pub fn find(name: &str) -> PathBuf {
    // target/<profile>/deps/<test> → target/<profile>/<name>
    let test = std::env::current_exe().expect("this test's path");
    let folder = test.parent().and_then(Path::parent).expect("the profile's folder");
    let binary = folder.join(name);
    assert!(binary.is_file(), "{name} is not built. Run `cargo build --workspace` first");
    let built = changed(&binary);
    // Cargo writes beside each binary which sources went into it.
    let sources = fs::read_to_string(folder.join(format!("{name}.d"))).unwrap_or_default();
    for source in sources.split_whitespace().skip(1) {
        assert!(
            !Path::new(source).exists() || changed(Path::new(source)) <= built,
            "{name} is older than {source}. Run `cargo build --workspace` first"
        );
    }
    binary
}

fn changed(path: &Path) -> SystemTime {
    fs::metadata(path).and_then(|metadata| metadata.modified()).expect("a time of change")
}
