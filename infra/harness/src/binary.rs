//! Where the functions' binaries are, and whether they are those of the sources.

use std::{
    fs,
    path::{Path, PathBuf},
    time::SystemTime,
};

/// The binary of the function `name`: in `FUNCTIONS_DIRECTORY`, or where `cargo build --workspace` leaves it, which is beside
/// this program or, of a test, above it.
pub fn find(name: &str) -> PathBuf {
    let folder = std::env::var_os("FUNCTIONS_DIRECTORY").map_or_else(built_with_this, PathBuf::from);
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

/// target/<profile>/<program>, target/<profile>/deps/<test> → target/<profile>
fn built_with_this() -> PathBuf {
    let program = std::env::current_exe().expect("this program's path");
    let beside = program.parent().expect("a folder");
    let folder = if beside.ends_with("deps") { beside.parent().expect("the profile's folder") } else { beside };
    folder.to_owned()
}

fn changed(path: &Path) -> SystemTime {
    fs::metadata(path).and_then(|metadata| metadata.modified()).expect("a time of change")
}
