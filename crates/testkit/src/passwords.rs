//! Roles that need a password, to be changed by a test.

use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};

use crate::TestPostgres;

impl TestPostgres {
    /// Makes a role that may do everything, once it has shown its password.
    /// The other roles need none, as before.
    pub async fn add_role(&self, role: &str, password: &str) {
        let mut conn = self.superuser().await;
        let sql = format!("create role {role} login superuser password '{password}'");
        conn.execute(AssertSqlSafe(sql)).await.expect("a new role");
        let file: String = sqlx::query_scalar("select current_setting('hba_file')")
            .fetch_one(&mut conn)
            .await
            .expect("the superuser may see the file");
        let rules = std::fs::read_to_string(&file).expect("the file of a private server");
        let rules = format!("host all {role} all scram-sha-256\n{rules}");
        std::fs::write(&file, rules).expect("the file of a private server");
        conn.execute("select pg_reload_conf()")
            .await
            .expect("reloads");
        conn.close().await.ok();
    }

    /// From now on only this password opens a session.
    pub async fn set_password(&self, role: &str, password: &str) {
        let sql = format!("alter role {role} password '{password}'");
        let mut conn = self.superuser().await;
        conn.execute(AssertSqlSafe(sql))
            .await
            .expect("a role of ours");
        conn.close().await.ok();
    }

    /// Ends all sessions of a role. Returns how many there were.
    pub async fn disconnect(&self, role: &str) -> usize {
        let mut conn = self.superuser().await;
        let ended: Vec<bool> = sqlx::query_scalar(
            "select pg_terminate_backend(pid) from pg_stat_activity where usename = $1",
        )
        .bind(role)
        .fetch_all(&mut conn)
        .await
        .expect("the superuser may end sessions");
        conn.close().await.ok();
        ended.len()
    }

    async fn superuser(&self) -> PgConnection {
        let url = self.url("postgres");
        let conn = PgConnection::connect(&url).await;
        conn.expect("the private Postgres answers")
    }
}
