//! The reference of all keys, as people and as programs read it.

use schemars::JsonSchema;
use settings::{Key, Need};

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

/// A heading, what the section is for, and a table, for each section.
pub fn tables(keys: &[Key]) -> String {
    let mut text = String::new();
    let mut section = None;
    for key in keys {
        if section != Some(key.parent()) {
            section = Some(key.parent());
            text.push_str(&heading(key));
        }
        text.push_str(&row(key));
    }
    text
}

fn heading(first: &Key) -> String {
    let name = match first.parent() {
        "" => "Top level".to_owned(),
        section => format!("`{section}`"),
    };
    let about = match first.section.as_str() {
        "" => String::new(),
        about => format!("{about}\n\n"),
    };
    format!(
        "\n### {name}\n\n{about}\
         | Key | Type | Default | Re-read | Variable | Meaning |\n\
         |---|---|---|---|---|---|\n"
    )
}

fn row(key: &Key) -> String {
    let default = match (&key.default, key.need) {
        (Some(text), _) if text.is_empty() => "empty".to_owned(),
        (Some(text), _) => format!("`{text}`"),
        (None, Need::Always) => "**required**".to_owned(),
        (None, Need::WithSection) => "required in this section".to_owned(),
        (None, Need::Optional) => "–".to_owned(),
    };
    let (path, reload) = (&key.path, if key.reload { "yes" } else { "–" });
    let secret = match key.secret {
        true => format!(" Secret: better `{path}_file`."),
        false => String::new(),
    };
    let variable = key.variable(ENV_PREFIX);
    let about = key.about.replace('|', "\\|");
    let kind = &key.kind;
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
