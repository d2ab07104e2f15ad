//! Page tokens: good for the list that made them, and for nothing else.

use std::sync::LazyLock;

use rpc::{Pages, Reason};
use secrecy::SecretString;

use crate::text::{lines, lossy};

static PAGES: LazyLock<Pages> = LazyLock::new(|| Pages::new(&SecretString::from("a secret")));
static OTHERS: LazyLock<Pages> = LazyLock::new(|| Pages::new(&SecretString::from("another")));

type Cursor = (i64, String);

/// The first line is the list, the second a token, the rest a cursor.
pub(crate) fn page_token(data: &[u8]) {
    let [list, token, cursor] = lines(data).map(lossy);
    match PAGES.decode::<Cursor>(&list, &token) {
        Ok(cursor) => assert!(cursor.is_none() && token.is_empty(), "a forged token"),
        Err(problem) => assert_eq!(problem.reason(), Reason::PageTokenInvalid),
    }
    let cursor = (data.len() as i64, cursor.into_owned());
    let made = PAGES.encode(&list, &cursor);
    assert!(
        made.bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
    );
    let read = PAGES.decode::<Cursor>(&list, &made).unwrap();
    assert_eq!(read.as_ref(), Some(&cursor));
    assert!(PAGES.decode::<Cursor>(&format!("{list}x"), &made).is_err());
    assert!(OTHERS.decode::<Cursor>(&list, &made).is_err());
    if !token.is_empty() {
        assert!(
            PAGES
                .decode::<Cursor>(&list, &format!("{made}{token}"))
                .is_err()
        );
    }
}
