//! Documents that are written from the code and committed for its readers.

/// Fails when the committed document is not what the code says. With `UPDATE_OPENAPI` set, writes it anew.
pub fn assert_committed(path: &str, text: &str) {
    let file = format!("{}/../../{path}", env!("CARGO_MANIFEST_DIR"));
    let text = format!("{text}\n");
    if std::env::var_os("UPDATE_OPENAPI").is_some() {
        std::fs::write(&file, &text).expect("the document is written");
    }
    let committed = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(committed == text, "{path} is stale: run `make openapi`");
}
