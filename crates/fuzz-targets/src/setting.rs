//! Settings: a file in TOML or YAML, and the environment over it.

use std::{fs, path::PathBuf, sync::LazyLock};

use ::settings::{SettingsError, Source};

use crate::text::lossy;

/// Of this process alone.
static FOLDER: LazyLock<PathBuf> = LazyLock::new(|| tempfile::tempdir().unwrap().keep());

/// Up to the first zero byte a file; behind each further one a variable.
pub(crate) fn settings(data: &[u8]) {
    // Settings name files of secrets, and an operator may name any: these
    // would never end.
    if lossy(data).contains("/dev") || lossy(data).contains("/proc") {
        return;
    }
    let mut parts = data.split(|byte| *byte == 0);
    let file = parts.next().unwrap_or_default();
    let variables: Vec<(String, String)> = parts
        .filter_map(|part| {
            let part = lossy(part);
            let (name, value) = part.split_once('=')?;
            Some((format!("CARTWRIGHT__{name}"), value.to_owned()))
        })
        .collect();
    for name in ["settings.toml", "settings.yaml"] {
        let path = FOLDER.join(name);
        fs::write(&path, file).unwrap();
        let source = Source::new(Some(&path), "CARTWRIGHT", variables.clone());
        one_line(source.load_pair::<process::Settings, order_service::Settings>());
        one_line(source.load_pair::<process::Settings, payment_service::Settings>());
        one_line(source.load_pair::<process::Settings, inventory_service::Settings>());
        one_line(source.load_pair::<process::Settings, payment_simulator::Settings>());
    }
}

/// An operator gets one line that says what is wrong.
fn one_line<T>(read: Result<T, SettingsError>) {
    if let Err(error) = read {
        let said = error.to_string();
        assert!(!said.is_empty() && !said.contains('\n'), "{said:?}");
    }
}
