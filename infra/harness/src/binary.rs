//! Where the functions' binaries are, and whether they are those of the sources.

use std::{
    fs,
    path::{Path, PathBuf},
    time::SystemTime,
};

/// The binary of the function `name`, as `cargo build --workspace` leaves it beside this program or, of a test, above it.
pub fn find(name: &str) -> PathBuf {
    // target/<profile>/<program>, target/<profile>/deps/<test> → target/<profile>/<name>
    let program = std::env::current_exe().expect("this program's path");
    let beside = program.parent().expect("a folder");
    let folder = if beside.ends_with("deps") { beside.parent().expect("the profile's folder") } else { beside };
    let binary = folder.join(name);
    assert!(binary.is_file(), "{name} is not built. Build it first");
    let built = changed(&binary);
    // Cargo writes beside each binary which sources went into it.
    let sources = fs::read_to_string(folder.join(format!("{name}.d"))).unwrap_or_default();
    for source in sources.split_whitespace().skip(1) {
        assert!(
            !Path::new(source).exists() || changed(Path::new(source)) <= built,
            "{name} is older than {source}. Build it first"
        );
    }
    binary
}

fn changed(path: &Path) -> SystemTime {
    fs::metadata(path).and_then(|metadata| metadata.modified()).expect("a time of change")
}
