//! The reference of all keys, as people and as programs read it.

use schemars::JsonSchema;
use settings::Key;

use crate::{ENV_PREFIX, Settings};

/// How the tables are to be read.
pub const PREFACE: &str = "\
Settings come from one file in TOML or YAML (`--config FILE`, or `CARTWRIGHT_CONFIG`) \
and from the environment, which wins. `_` and `__` in a variable's name are not the same: \
two underscores part the levels. In the place of any key `x` the key `x_file` (the variable \
`…__X_FILE`) names a file that holds the value; keys marked as secret belong there. \
Unknown keys are errors, also in the environment.

The file and the secret files are read anew every two seconds (`reload.interval_ms`). \
What is marked as re-read takes effect then, without a restart; every change is logged, \
and settings that are not good are refused as a whole while the old ones stay.
";

/// The keys that every process has.
pub fn common() -> Vec<Key> {
    settings::keys::<Settings>()
}

/// A heading and a table per section.
pub fn tables(keys: &[Key]) -> String {
    let mut text = String::new();
    let mut section = None;
    for key in keys {
        let (name, _) = key.path.split_once('.').unwrap_or(("", ""));
        if section != Some(name) {
            section = Some(name);
            text.push_str(&heading(name));
        }
        text.push_str(&row(key));
    }
    text
}

fn heading(section: &str) -> String {
    let head = "| Key | Type | Default | Re-read | Variable | Meaning |\n\
                |---|---|---|---|---|---|\n";
    match section {
        "" => format!("\n### Top level\n\n{head}"),
        section => format!("\n### `{section}`\n\n{head}"),
    }
}

fn row(key: &Key) -> String {
    let default = match &key.default {
        Some(text) if text.is_empty() => "empty".to_owned(),
        Some(text) => format!("`{text}`"),
        None if key.required => "**required**".to_owned(),
        None => "–".to_owned(),
    };
    let (path, reload) = (&key.path, if key.reload { "yes" } else { "–" });
    let secret = match key.path.rsplit_once('.') {
        _ if !key.secret => String::new(),
        Some((_, name)) => format!(" Secret: use `{name}_file`."),
        None => format!(" Secret: use `{path}_file`."),
    };
    let variable = key.variable(ENV_PREFIX);
    let about = key.about.replace('|', "\\|");
    let kind = key.kind.replace('|', "\\|");
    format!("| `{path}` | {kind} | {default} | {reload} | `{variable}` | {about}{secret} |\n")
}

/// The JSON schema of the file of the process `name`, whose own settings are
/// `S`: for editors and for checks before a deployment.
pub fn schema<S: JsonSchema>(name: &str) -> serde_json::Value {
    let parts = [settings::schema::<Settings>(), settings::schema::<S>()];
    settings::file_schema(name, &parts)
}

pub(crate) fn markdown<S: JsonSchema>(name: &str) -> String {
    let mut keys = [common(), settings::keys::<S>()].concat();
    settings::sort(&mut keys);
    format!("# Settings of {name}\n\n{PREFACE}{}", tables(&keys))
}
