//! Which languages a browser asks for.

/// More than any browser says.
const MAX_TAGS: usize = 32;

/// The tags of `Accept-Language` (RFC 9110, 12.5.4), the best first. Of what nobody would send, nothing.
pub fn accepted(header: &str) -> Vec<&str> {
    let mut tags: Vec<(&str, f32)> = header.split(',').take(MAX_TAGS).filter_map(tag_and_quality).collect();
    // Stable: of two that are as good, the first.
    tags.sort_by(|(_, one), (_, other)| other.total_cmp(one));
    tags.into_iter().map(|(tag, _)| tag).collect()
}

/// None for a language that is refused, or whose quality is none.
fn tag_and_quality(entry: &str) -> Option<(&str, f32)> {
    let (tag, quality) = match entry.split_once(';') {
        None => (entry, 1.0),
        Some((tag, parameter)) => (tag, parameter.trim().strip_prefix("q=")?.parse().ok()?),
    };
    (quality > 0.0 && quality <= 1.0).then(|| (tag.trim(), quality))
}
