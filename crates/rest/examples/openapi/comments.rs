//! The comments of the protos.

use prost_reflect::FileDescriptor;

/// The comment before what is at `path`, its lines joined to paragraphs.
pub fn of(file: &FileDescriptor, path: &[i32]) -> String {
    let source = file.file_descriptor_proto().source_code_info.as_ref();
    let location = source.and_then(|info| info.location.iter().find(|one| one.path == path));
    let comment = location
        .map(|one| one.leading_comments())
        .unwrap_or_default();
    let paragraphs = comment.split("\n\n").map(|paragraph| {
        let lines: Vec<&str> = paragraph.lines().map(str::trim).collect();
        lines.join(" ").trim().to_owned()
    });
    paragraphs
        .collect::<Vec<_>>()
        .join("\n\n")
        .trim()
        .to_owned()
}

/// The first sentence, and without the name that it begins with.
pub fn summary(comment: &str, name: &str) -> String {
    let text = comment.strip_prefix(name).unwrap_or(comment).trim_start();
    let end = text.find(". ").unwrap_or(text.len());
    let sentence = text[..end].trim_end_matches('.');
    let mut letters = sentence.chars();
    match letters.next() {
        Some(first) => first.to_uppercase().chain(letters).collect(),
        None => String::new(),
    }
}
