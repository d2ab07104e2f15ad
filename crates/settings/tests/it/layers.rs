//! File, environment, defaults, and which wins.

use secrecy::ExposeSecret;
use serde::Deserialize;
use settings::Source;

use crate::{DATABASE, Files, Limits, Mode, Shop, from_env};

#[test]
fn a_variable_wins_over_the_file_and_leaves_its_neighbours() {
    let files = Files::toml(
        "[database]\nurl = \"postgres://file\"\nmax_connections = 5\n[limits]\nlines = 7\n",
    );
    let shop = files
        .load(&[("CARTWRIGHT__DATABASE__URL", "postgres://env")])
        .unwrap();
    assert_eq!(shop.database.url.expose_secret(), "postgres://env");
    assert_eq!(shop.database.max_connections, Some(5));
    assert_eq!(shop.limits.lines, 7);
    assert_eq!(shop.listen, None);
}

#[test]
fn text_of_the_environment_is_parsed_by_the_type_of_the_field() {
    let shop: Shop = from_env(&[
        ("CARTWRIGHT__DATABASE__URL", "12345"),
        ("CARTWRIGHT__DATABASE__MAX_CONNECTIONS", " 20 "),
        ("CARTWRIGHT__LIMITS__LINES", "1000"),
        ("CARTWRIGHT__LIMITS__RATIO", "0.25"),
        ("CARTWRIGHT__LIMITS__STRICT", "true"),
        ("CARTWRIGHT__LIMITS__HOSTS", "a.example, b.example,"),
        ("CARTWRIGHT__LIMITS__PORTS", "80,443"),
        ("CARTWRIGHT__LIMITS__MODE", "careful"),
        ("CARTWRIGHT__LISTEN", "127.0.0.1:8080"),
    ])
    .unwrap();
    let wanted = Limits {
        lines: 1000,
        ratio: 0.25,
        strict: true,
        hosts: vec!["a.example".to_owned(), "b.example".to_owned()],
        ports: vec![80, 443],
        mode: Mode::Careful,
    };
    assert_eq!(shop.limits, wanted);
    assert_eq!(shop.database.url.expose_secret(), "12345");
    assert_eq!(shop.database.max_connections, Some(20));
    assert_eq!(shop.listen, Some(([127, 0, 0, 1], 8080).into()));
}

#[test]
fn toml_and_yaml_say_the_same() {
    let toml = Files::toml(
        "listen = \"127.0.0.1:1\"\n[database]\nurl = \"u\"\n[limits]\nratio = 0.5\nports = [1, 2]\n",
    );
    let yaml = Files::new(
        "shop.yaml",
        "listen: 127.0.0.1:1\ndatabase:\n  url: u\nlimits:\n  ratio: 0.5\n  ports: [1, 2]\n",
    );
    let (toml, yaml) = (toml.load(&[]).unwrap(), yaml.load(&[]).unwrap());
    assert_eq!(toml.limits, yaml.limits);
    assert_eq!(toml.limits.ports, [1, 2]);
    assert_eq!(toml.listen, yaml.listen);
}

#[test]
fn an_empty_variable_takes_away_an_optional_value() {
    let files = Files::toml(&format!("listen = \"127.0.0.1:1\"\n{DATABASE}"));
    assert!(files.load(&[]).unwrap().listen.is_some());
    assert!(
        files
            .load(&[("CARTWRIGHT__LISTEN", "")])
            .unwrap()
            .listen
            .is_none()
    );
}

#[test]
fn other_variables_are_not_ours() {
    let files = Files::toml(DATABASE);
    let env = [
        ("CARTWRIGHT_CONFIG", "x"),
        ("CARTWRIGHT_ORDER_SERVICE_PORT", "tcp://10.0.0.1:80"),
        ("PATH", "/bin"),
    ];
    assert!(files.load(&env).is_ok());
}

#[derive(Debug, Deserialize)]
struct Common {
    name: String,
    #[serde(default)]
    log: Log,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Log {
    level: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Own {
    port: u16,
}

#[test]
fn two_structs_share_the_top_level() {
    let env = [
        ("CARTWRIGHT__NAME", "orders"),
        ("CARTWRIGHT__PORT", "8080"),
        ("CARTWRIGHT__LOG__LEVEL", "debug"),
    ];
    let source = Source::new(None, "CARTWRIGHT", env);
    let (common, own, _) = source.load_pair::<Common, Own>().unwrap();
    assert_eq!((common.name.as_str(), own.port), ("orders", 8080));
    assert_eq!(common.log.level, "debug");
}

#[test]
fn a_key_of_neither_struct_is_unknown_and_both_are_listed() {
    let env = [("CARTWRIGHT__PROT", "8080")];
    let source = Source::new(None, "CARTWRIGHT", env);
    let error = source.load_pair::<Common, Own>().unwrap_err();
    assert_eq!(
        error.to_string(),
        "unknown key `prot` (from CARTWRIGHT__PROT); known here: `name`, `log`, `port`"
    );
}

#[test]
fn a_section_without_required_keys_may_be_missing_as_a_whole() {
    #[derive(Deserialize)]
    struct Service {
        #[allow(dead_code)] // Read by its type only.
        log: Log,
    }
    assert!(from_env::<Service>(&[]).is_ok());
}
