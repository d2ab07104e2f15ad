//! Settings that change while the process runs: however they are written, what
//! is good is taken over, what is not is refused, and the log tells.

use std::{
    fs::{self, File},
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use serde_json::Value;
use tempfile::TempDir;

use crate::child::{Service, command, free_address};

const PATIENCE: Duration = Duration::from_secs(20);
/// Several times the interval that the tests set.
const A_WHILE: Duration = Duration::from_millis(700);

/// A service, its settings in a folder, and its log in a file.
struct Shop {
    folder: TempDir,
    service: Service,
}

impl Shop {
    /// `files` are put into a new folder first; the settings are `shop.toml`.
    fn started(text: &str, env: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("shop.toml"), text).unwrap();
        Self::started_in(folder, env)
    }

    fn started_in(folder: TempDir, env: &[(&str, &str)]) -> Self {
        let address = free_address();
        let log = File::create(folder.path().join("log")).unwrap();
        let mut command = command(&["--config"]);
        command
            .arg(folder.path().join("shop.toml"))
            .env("CARTWRIGHT__PRIVATE_LISTEN", address.to_string())
            .env("CARTWRIGHT__RELOAD__INTERVAL_MS", "50")
            .env_remove("CARTWRIGHT__WORK_MS")
            .envs(env.iter().copied())
            .stderr(log);
        let service = Service::of(&mut command, address);
        let shop = Self { folder, service };
        shop.service.wait_until("/health/ready", 200);
        shop
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// As a shell's `>` does.
    fn write(&self, text: &str) {
        fs::write(self.path("shop.toml"), text).unwrap();
    }

    fn log(&self) -> Vec<Value> {
        let text = fs::read_to_string(self.path("log")).unwrap();
        let lines = text.lines().map(serde_json::from_str);
        // The last line may not be whole yet.
        lines.filter_map(Result::ok).collect()
    }

    fn told(&self, message: &str) -> Vec<Value> {
        let lines = self.log().into_iter();
        lines.filter(|line| line["message"] == message).collect()
    }

    fn wait_for(&self, what: impl Fn(&[Value]) -> bool) -> Vec<Value> {
        let began = Instant::now();
        loop {
            let log = self.log();
            if what(&log) {
                return log;
            }
            assert!(began.elapsed() < PATIENCE, "never told: {log:#?}");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// The line that tells of a change of `key` to `new`.
    fn changed(&self, key: &str, new: &str) -> Value {
        let is_it = |line: &Value| line["key"] == key && line["new"] == new;
        let log = self.wait_for(|log| log.iter().any(is_it));
        log.into_iter().find(is_it).unwrap()
    }

    fn level(&self) -> String {
        self.service.ask("GET", "/log/level", "").unwrap().1
    }

    fn wait_for_level(&self, level: &str) {
        let began = Instant::now();
        while self.level() != level {
            assert!(began.elapsed() < PATIENCE, "the level is {}", self.level());
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    fn wait_for_greeting(&self, greeting: &str) {
        self.wait_for(|log| log.iter().any(|line| line["greeting"] == greeting));
    }
}

fn text(level: &str, greeting: &str) -> String {
    format!("work_ms = 0\n[log]\nlevel = \"{level}\"\n[features]\ngreeting = \"{greeting}\"\n")
}

#[test]
fn a_file_that_is_written_in_place_is_taken_over_and_told_key_by_key() {
    let shop = Shop::started(&text("info", "hello"), &[]);
    shop.write(&text("debug", "good day"));
    shop.wait_for_level("debug");
    let line = shop.changed("log.level", "debug");
    assert_eq!(line["old"], "info");
    assert_eq!(line["message"], "a setting has changed");
    assert_eq!(
        shop.changed("features.greeting", "good day")["old"],
        "hello"
    );
    shop.wait_for_greeting("good day");
    // Each once, and nothing else.
    assert_eq!(shop.told("a setting has changed").len(), 2);
}

#[test]
fn a_file_that_an_editor_puts_in_place_by_renaming_is_taken_over() {
    let shop = Shop::started(&text("info", "hello"), &[]);
    for greeting in ["one", "two", "three"] {
        let draft = shop.path("shop.toml.swp");
        fs::write(&draft, text("info", greeting)).unwrap();
        fs::rename(&draft, shop.path("shop.toml")).unwrap();
        shop.wait_for_greeting(greeting);
    }
}

/// A mounted ConfigMap or Secret: files are links into `..data`, which is a
/// link to a folder with a date, and is swapped by renaming.
struct Mount(PathBuf);

impl Mount {
    fn new(at: &Path, files: &[(&str, &str)]) -> Self {
        fs::create_dir_all(at).unwrap();
        let mount = Self(at.to_owned());
        mount.publish("..2026_11_21_08_00_00.1", files);
        for (name, _) in files {
            symlink(Path::new("..data").join(name), at.join(name)).unwrap();
        }
        mount
    }

    fn publish(&self, folder: &str, files: &[(&str, &str)]) {
        fs::create_dir(self.0.join(folder)).unwrap();
        for (name, text) in files {
            fs::write(self.0.join(folder).join(name), text).unwrap();
        }
        let before = fs::read_link(self.0.join("..data"));
        symlink(folder, self.0.join("..data_tmp")).unwrap();
        fs::rename(self.0.join("..data_tmp"), self.0.join("..data")).unwrap();
        if let Ok(before) = before {
            fs::remove_dir_all(self.0.join(before)).unwrap();
        }
    }
}

#[test]
fn a_config_map_and_a_secret_that_kubernetes_swaps_are_taken_over() {
    let folder = tempfile::tempdir().unwrap();
    let secret = folder.path().join("secret");
    let settings = |greeting| {
        let file = secret.join("password");
        format!("password_file = {file:?}\n{}", text("info", greeting))
    };
    let secrets = Mount::new(&secret, &[("password", "hunter2\n")]);
    let config = Mount::new(folder.path(), &[("shop.toml", &settings("hello"))]);
    let shop = Shop::started_in(folder, &[]);

    config.publish(
        "..2026_11_21_09_00_00.2",
        &[("shop.toml", &settings("bye"))],
    );
    shop.wait_for_greeting("bye");
    secrets.publish(
        "..2026_11_21_10_00_00.3",
        &[("password", "correct horse\n")],
    );
    let line = shop.changed("password", "***");
    assert_eq!(line["old"], "***");
    shop.wait_for(|log| log.iter().any(|line| line["length"] == 13));
    let log = fs::read_to_string(shop.path("log")).unwrap();
    assert!(!log.contains("hunter2") && !log.contains("horse"), "{log}");
}

#[test]
fn a_broken_file_is_refused_once_by_key_and_the_old_settings_stay() {
    let shop = Shop::started(&text("info", "hello"), &[]);
    let refused = "the new settings are refused, the old ones stay";
    let table = [
        (text("loud", "x"), "key `log.level`: expected a level"),
        (
            text("debug", "x") + "greting = 1\n",
            "unknown key `features.greting`",
        ),
        (text("debug", "x").replace('=', ":"), "shop.toml"),
        (
            text("debug", "x").replace("work_ms", "wrok_ms"),
            "unknown key `wrok_ms`",
        ),
        (
            text("debug", "x").replace("work_ms = 0", ""),
            "missing key `work_ms`",
        ),
        (
            format!("password_file = \"/nowhere\"\n{}", text("debug", "x")),
            "key `password_file`: /nowhere",
        ),
    ];
    for (count, (text, says)) in table.iter().enumerate() {
        shop.write(text);
        shop.wait_for(|log| log.iter().filter(|line| line["message"] == refused).count() > count);
        std::thread::sleep(A_WHILE / 2);
        let told = shop.told(refused);
        assert_eq!(told.len(), count + 1, "{told:#?}");
        let reason = told[count]["error"].as_str().unwrap();
        assert!(reason.contains(says), "{reason}");
        assert_eq!(told[count]["level"], "ERROR");
    }
    assert_eq!(shop.level(), "info");
    assert!(shop.told("a setting has changed").is_empty());
    fs::remove_file(shop.path("shop.toml")).unwrap();
    shop.wait_for(|log| log.iter().filter(|line| line["message"] == refused).count() > table.len());
    // It goes on watching.
    shop.write(&text("debug", "hello"));
    shop.wait_for_level("debug");
}

#[test]
fn settings_that_are_as_they_were_before_they_broke_change_nothing() {
    let shop = Shop::started(&text("info", "hello"), &[]);
    shop.write("work_ms = ");
    shop.wait_for(|log| log.iter().any(|line| line["level"] == "ERROR"));
    shop.write(&text("info", "hello"));
    let good = "the settings are good again, and as they were";
    shop.wait_for(|log| log.iter().any(|line| line["message"] == good));
    assert!(shop.told("a setting has changed").is_empty());
}

#[test]
fn a_variable_stays_above_the_file() {
    let shop = Shop::started(
        &text("info", "hello"),
        &[("CARTWRIGHT__FEATURES__GREETING", "from the environment")],
    );
    shop.write(&text("debug", "good day"));
    shop.wait_for_level("debug");
    std::thread::sleep(A_WHILE);
    assert_eq!(shop.told("a setting has changed").len(), 1);
    let greeted = shop.told("taken over");
    assert!(!greeted.is_empty());
    for line in greeted {
        assert_eq!(line["greeting"], "from the environment");
    }
}

#[test]
fn a_key_that_needs_a_restart_says_so_and_one_that_is_gone_has_its_default() {
    let shop = Shop::started(&text("debug", "hello"), &[]);
    shop.write("work_ms = 7\n[drain]\ndeadline_ms = 20000\n[telemetry]\nsample_ratio = 0.5\n");
    let restart = "a setting has changed that needs a restart";
    assert_eq!(shop.changed("work_ms", "7")["message"], restart);
    let line = shop.changed("drain.deadline_ms", "20000");
    assert_eq!(
        (&line["old"], &line["message"]),
        (&"10000".into(), &restart.into())
    );
    assert_eq!(shop.changed("log.level", "info")["old"], "debug");
    assert_eq!(shop.changed("features.greeting", "")["old"], "hello");
    let line = shop.changed("telemetry.sample_ratio", "0.5");
    assert_eq!(line["message"], "a setting has changed");
    shop.wait_for_level("info");
}

#[test]
fn half_a_file_is_not_taken_for_a_whole_one() {
    let whole = text("debug", "hello");
    let mut longest = Duration::ZERO;
    let shop = Shop::started(&whole, &[]);
    // Without its last lines the file would be good, too, and mean otherwise.
    for _ in 0..20 {
        let began = Instant::now();
        shop.write("work_ms = 0\n");
        std::thread::sleep(Duration::from_millis(20));
        shop.write(&whole);
        longest = longest.max(began.elapsed());
        std::thread::sleep(Duration::from_millis(150));
    }
    // On a machine that stood still, half of a file was there for long.
    if longest < Duration::from_millis(80) {
        let told = shop.told("a setting has changed");
        assert!(told.is_empty(), "{told:#?}");
    }
    shop.wait_for_level("debug");
}

#[test]
fn with_an_interval_of_0_nothing_is_read_anew() {
    let shop = Shop::started(
        &text("info", "hello"),
        &[("CARTWRIGHT__RELOAD__INTERVAL_MS", "0")],
    );
    shop.write(&text("debug", "good day"));
    std::thread::sleep(A_WHILE);
    assert_eq!(shop.level(), "info");
}
