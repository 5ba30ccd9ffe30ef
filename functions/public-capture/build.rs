//! Makes what browsers get out of `assets/`: the page's style and script with the hashes that its policy names them by, and
//! the widget as one file, small and compressed. What `assets.json` says of them is printed by `make build`.

use std::{
    env,
    error::Error,
    fs,
    path::{Path, PathBuf},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256, Sha384};

const LANGUAGES: [&str; 2] = ["en", "es"];
/// Budgets, in bytes as they travel.
const WIDGET_MAX_BYTES: usize = 6_144;

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=assets");
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or("run by cargo only")?);
    let form_style = read("form.css")?;

    let style = minifier::css::minify(&format!("{}{form_style}", read("page.css")?))?.to_string();
    let script = minifier::js::minify(&read("page.js")?)?.to_string();
    for (name, text) in [("page.css", &style), ("page.js", &script)] {
        fs::write(out.join(name), text)?;
        let hash = STANDARD.encode(Sha256::digest(text));
        println!("cargo:rustc-env={}_HASH=sha256-{hash}", name.replace('.', "_").to_uppercase());
    }

    let widget = widget(&minifier::css::minify(&form_style)?.to_string())?;
    let compressed = gzip(widget.as_bytes())?;
    if compressed.len() >= WIDGET_MAX_BYTES {
        return Err(
            format!("the widget has {} bytes compressed, {WIDGET_MAX_BYTES} are too many", compressed.len()).into()
        );
    }
    fs::write(out.join("widget.js"), &widget)?;
    fs::write(out.join("widget.js.gz"), &compressed)?;
    println!("cargo:rustc-env=WIDGET_HASH={}", STANDARD.encode(Sha256::digest(&widget)));

    let assets = json!([{
        "path": "/widget/v1.js",
        "bytes": widget.len(),
        "gzipBytes": compressed.len(),
        "gzipMaxBytes": WIDGET_MAX_BYTES,
        "integrity": format!("sha384-{}", STANDARD.encode(Sha384::digest(&widget))),
    }]);
    fs::write(out.join("assets.json"), assets.to_string())?;
    Ok(())
}

/// The widget's code with its texts and its style in it.
fn widget(style: &str) -> Result<String, Box<dyn Error>> {
    let mut wording = serde_json::Map::new();
    for language in LANGUAGES {
        let texts: Value = serde_json::from_str(&read(&format!("wording/{language}.json"))?)?;
        let form = texts.get("form").ok_or("a wording without `form`")?;
        wording.insert(language.to_owned(), form.clone());
    }
    // Minified first: the texts are none of its business.
    let code = minifier::js::minify(&read("widget.js")?)?.to_string();
    let code = filled(&code, "__WORDING__", &Value::Object(wording).to_string())?;
    filled(&code, "__CSS__", &Value::from(style).to_string())
}

fn filled(code: &str, place: &str, value: &str) -> Result<String, Box<dyn Error>> {
    match code.matches(place).count() {
        1 => Ok(code.replace(place, value)),
        count => Err(format!("{place} stands {count} times in the widget, once is expected").into()),
    }
}

fn read(name: &str) -> Result<String, Box<dyn Error>> {
    let path = Path::new("assets").join(name);
    fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()).into())
}

fn gzip(bytes: &[u8]) -> Result<Vec<u8>, Box<dyn Error>> {
    // Slow and small; and without a time in it, so that the same content is the same file.
    let mut compressed = Vec::new();
    zopfli::compress(zopfli::Options::default(), zopfli::Format::Gzip, bytes, &mut compressed)?;
    Ok(compressed)
}
