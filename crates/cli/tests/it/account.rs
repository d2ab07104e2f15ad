//! Two programs that share no code must come to the same account: ours, and
//! `crates/e2e/account.py`, which reads the file alone.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use cli::replay::{self, Account, Plan};
use serde_json::Value;

fn e2e() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../e2e")
}

fn expected(file: &Path) -> Value {
    let sheet = replay::parse(&std::fs::read(file).unwrap()).unwrap();
    let account = Account::expected(&Plan::of(&sheet).unwrap()).unwrap();
    let mut account = serde_json::to_value(account).unwrap();
    for only_ours in ["seconds", "orders_per_second", "rejected", "problems"] {
        account.as_object_mut().unwrap().remove(only_ours).unwrap();
    }
    account
}

/// `None` where there is no Python.
fn by_the_other_program(file: &Path) -> Option<Value> {
    let script = e2e().join("account.py");
    let output = match Command::new("python3").arg(script).arg(file).output() {
        Ok(output) => output,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return None,
        Err(error) => panic!("{error}"),
    };
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    Some(serde_json::from_slice(&output.stdout).unwrap())
}

fn agree(file: &Path) {
    match by_the_other_program(file) {
        Some(theirs) => assert_eq!(expected(file), theirs),
        None => eprintln!(
            "python3 is not installed: {} was not compared",
            file.display()
        ),
    }
}

#[test]
fn the_excerpt_has_the_account_that_is_kept_beside_it() {
    let data = e2e().join("data");
    let kept = std::fs::read(data.join("online-retail-excerpt.account.json")).unwrap();
    let kept: Value = serde_json::from_slice(&kept).unwrap();
    let excerpt = data.join("online-retail-excerpt.csv");
    assert_eq!(expected(&excerpt), kept);
    agree(&excerpt);
}

#[test]
fn ten_days_of_a_real_shop_have_the_account_of_the_other_program() {
    let beside = e2e().join("../../../shared/data/online-retail/2010-12-01_to_10.csv");
    let file = std::env::var_os("ONLINE_RETAIL_CSV").map_or(beside, PathBuf::from);
    if !file.exists() {
        eprintln!("{} is not there: set ONLINE_RETAIL_CSV", file.display());
        return;
    }
    agree(&file);
    assert_eq!(expected(&file)["lines"]["read"], 25281);
}

#[test]
fn both_programs_call_the_same_lines_malformed() {
    let rows = [
        "1,20b,Mug,2,01/12/2010 08:26,1.50,7,UK",
        "1, 20B ,Mug,2,01/12/2010 08:26,1.500,7,UK",
        "1,20B,Mug,2,01/12/2010 08:26,1.505,7,UK",
        "1,20B,Mug,0,01/12/2010 08:26,1.50,7,UK",
        "1,20B,Mug,1000001,01/12/2010 08:26,1.50,7,UK",
        "1,20B,Mug,1,31/02/2010 08:26,1.50,7,UK",
        "1,20B,Mug,1,01/12/2010 08:26,-1.50,7,UK",
        "1,20B,,-3,01/12/2010 08:26,0,,UK",
        "1,M,,-3,01/12/2010 08:26,0,,UK",
        "A1,20B,Mug,1,01/12/2010 08:26,1.50,7,UK",
        "1,20B,Mug,1,01/12/2010 08:26,1.50",
        "1,,Mug,1,01/12/2010 08:26,1.50,7,UK",
        "C2,20B,Mug,1,01/12/2010 08:26,1.50,7,UK",
        "C2,20B,Mug,-3,01/12/2010 08:26,1.50,7,UK",
        "C2,20B,Mug,-3,01/12/2010 08:26,1.5,7,UK",
        "C2,20B,Mug,-3,01/12/2010 08:26,1.5,,UK",
        "",
        "C2,20B,Mug,-3,01/12/2010 08:26,0,7,UK",
    ];
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("odd.csv");
    std::fs::write(
        &file,
        format!("{}{}\n", crate::lines::HEADER, rows.join("\n")),
    )
    .unwrap();
    let account = expected(&file);
    assert_eq!(account["lines"]["malformed"], 9);
    assert_eq!(account["units_unmatched"], 8);
    agree(&file);
}
