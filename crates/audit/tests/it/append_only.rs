use audit::Filter;

use crate::{database, entry, list, record};

#[tokio::test]
async fn the_database_refuses_to_change_or_delete_an_entry() {
    let test = database().await;
    record(&test, &[entry("anna", "k-1"), entry("bert", "k-2")]).await;
    for statement in [
        "update audit_log set principal = 'somebody else'",
        "update audit_log set outcome = 'OK' where id = 1",
        "delete from audit_log where principal = 'anna'",
        "delete from audit_log",
        "truncate audit_log",
        "truncate audit_log cascade",
    ] {
        let mut conn = test.db.acquire().await.unwrap();
        let refused = sqlx::query(statement).execute(&mut *conn).await;
        let refused = database_error(refused.unwrap_err());
        assert_eq!(
            refused.constraint(),
            Some("audit_log_append_only"),
            "{statement}"
        );
    }
    assert_eq!(list(&test, &Filter::default(), None, 10).await.len(), 2);
}

fn database_error(error: sqlx::Error) -> database::Error {
    error.into()
}

#[tokio::test]
async fn an_act_that_is_rolled_back_leaves_no_entry() {
    let test = database().await;
    let mut tx = test.db.begin().await.unwrap();
    audit::record(&mut tx, &[entry("anna", "k-1")])
        .await
        .unwrap();
    tx.rollback().await.unwrap();
    assert!(list(&test, &Filter::default(), None, 10).await.is_empty());
    record(&test, &[]).await;
}
