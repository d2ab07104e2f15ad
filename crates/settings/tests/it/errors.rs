//! Each error is one line that says where, what was expected and what was found.

use crate::{DATABASE, Files, Shop, from_env};

#[test]
fn errors_in_the_file_name_the_key_and_what_was_expected() {
    let table = [
        (
            "[database]\nurl = \"u\"\nmax_conections = 3\n",
            "database.max_conections",
            "; known here: `url`, `max_connections`",
        ),
        (
            "[database]\nurl = \"u\"\nmax_connections = \"many\"\n",
            "database.max_connections",
            "expected an integer from 0 to 65535, got the text \"many\" (in ",
        ),
        (
            "[database]\nurl = \"u\"\nmax_connections = 70000\n",
            "database.max_connections",
            "expected an integer from 0 to 65535, got the integer 70000",
        ),
        (
            "[database]\nurl = \"u\"\nmax_connections = -1\n",
            "database.max_connections",
            "expected an integer from 0 to 65535, got the integer -1",
        ),
        (
            "[database]\nurl = 5\n",
            "database.url",
            "expected a string, got the integer 5",
        ),
        (
            "database = \"u\"\n",
            "database",
            "expected a section, got the text \"u\"",
        ),
        (
            "[database]\nurl = \"u\"\n[limits]\nstrict = \"yes\"\n",
            "limits.strict",
            "expected `true` or `false`, got the text \"yes\"",
        ),
        (
            "[database]\nurl = \"u\"\n[limits]\nmode = \"slow\"\n",
            "limits.mode",
            "expected one of `fast`, `careful`, got the text \"slow\"",
        ),
        (
            "[database]\nurl = \"u\"\n[limits]\nports = [1, \"x\"]\n",
            "limits.ports.1",
            "expected an integer from 0 to 65535, got the text \"x\"",
        ),
        (
            "[database]\nurl = \"u\"\n[limits]\nhosts = \"a\"\n",
            "limits.hosts",
            "expected a list, got the text \"a\"",
        ),
        (
            "listen = \"nowhere\"\n[database]\nurl = \"u\"\n",
            "listen",
            "invalid socket address syntax, got the text \"nowhere\"",
        ),
    ];
    for (text, key, says) in table {
        let error = Files::toml(text).load(&[]).unwrap_err();
        let line = error.to_string();
        assert_eq!(error.key().as_deref(), Some(key), "{line}");
        assert!(
            line.contains(&format!("`{key}`")) && line.contains(says),
            "{line}"
        );
        assert_eq!(line.lines().count(), 1, "{line}");
    }
}

#[test]
fn errors_in_variables_name_the_variable() {
    let table = [
        (
            "CARTWRIGHT__LIMITS__LINES",
            "many",
            "key `limits.lines`: expected an integer from 0 to 4294967295, \
             got the text \"many\" (from CARTWRIGHT__LIMITS__LINES)",
        ),
        (
            "CARTWRIGHT__LIMITS__RATIO",
            "half",
            "key `limits.ratio`: expected a number, \
             got the text \"half\" (from CARTWRIGHT__LIMITS__RATIO)",
        ),
        (
            "CARTWRIGHT__LIMTS__LINES",
            "3",
            "unknown key `limts` (from CARTWRIGHT__LIMTS__LINES); \
             known here: `database`, `limits`, `listen`",
        ),
        (
            "CARTWRIGHT__LIMITS__LINES__MAX",
            "3",
            "key `limits.lines`: expected an integer from 0 to 4294967295, \
             got a section (from CARTWRIGHT__LIMITS__LINES__MAX)",
        ),
        (
            "CARTWRIGHT__LIMITS",
            "3",
            "key `limits`: expected a section, got the text \"3\" (from CARTWRIGHT__LIMITS)",
        ),
        (
            "CARTWRIGHT__LIMITS____LINES",
            "3",
            "CARTWRIGHT__LIMITS____LINES: expected one name between each two double underscores",
        ),
    ];
    for (name, value, says) in table {
        let error = Files::toml(DATABASE).load(&[(name, value)]).unwrap_err();
        assert_eq!(error.to_string(), says);
    }
}

#[test]
fn a_missing_key_is_named_also_in_a_section_that_is_missing() {
    for text in ["", "[database]\n", "[database]\nmax_connections = 3\n"] {
        let error = Files::toml(text).load(&[]).unwrap_err();
        assert_eq!(
            error.to_string(),
            "missing key `database.url`: set it in the file or by CARTWRIGHT__DATABASE__URL"
        );
    }
    let error = from_env::<Shop>(&[]).unwrap_err();
    assert_eq!(error.key().as_deref(), Some("database.url"));
}

#[test]
fn a_file_that_cannot_be_read_is_named() {
    let path = std::path::Path::new("/nowhere/shop.toml");
    let error = settings::load::<Shop>(Some(path), "CARTWRIGHT").unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("/nowhere/shop.toml: No such file"),
        "{error}"
    );
    let error = Files::new("shop.ini", "").load(&[]).unwrap_err();
    assert!(
        error
            .to_string()
            .ends_with("the name must end in .toml, .yaml or .yml")
    );
}

#[test]
fn a_rule_between_keys_reads_like_the_others() {
    let error = settings::SettingsError::invalid("auth.mode", "needs tokens");
    assert_eq!(error.to_string(), "key `auth.mode`: needs tokens");
}
