//! Every invariant can fail: each is broken on purpose, past the constraints
//! where there are some, and the audit says so.

use crate::shop::Shop;

/// Breaks the books without asking constraints and triggers.
async fn tamper(shop: &Shop, statements: &[&'static str]) {
    for statement in statements {
        shop.execute(statement).await.unwrap();
    }
}

async fn violations(shop: &Shop, invariant: &str) -> i64 {
    shop.audit().await[invariant].0
}

#[tokio::test]
async fn each_broken_invariant_is_found_by_its_name() {
    type Row = (&'static str, &'static [&'static str]);
    let table: [Row; 9] = [
        (
            "M1",
            &["update captures set amount_minor = amount_minor + 1"],
        ),
        (
            "M2",
            &[
                "alter table payments drop constraint payments_amounts_fit_state",
                "update payments set state = 7",
            ],
        ),
        (
            "M3",
            &[
                "alter table ledger_entries disable trigger all",
                "update ledger_entries set amount_minor = amount_minor + 1 where account = 1",
            ],
        ),
        (
            "M4",
            &["update payments set provider_reference = 'pi_elsewhere'"],
        ),
        (
            "M5",
            &["insert into order_tombstones (order_id, reason)
                 select order_id, 'late' from payments"],
        ),
        (
            "M6",
            &["update refunds set reason = 'paid with 4242 4242 4242 4242'"],
        ),
        ("O6", &["delete from outbox where sequence = 2"]),
        (
            "O8",
            &["update idempotency_keys
               set state = 1, code = null, body = null, lease_until = now()
               where method = 'RefundPayment'"],
        ),
        (
            "O8",
            &["update idempotency_keys
               set resource = gen_random_uuid()
               where method = 'CreatePayment'"],
        ),
    ];
    for (invariant, statements) in table {
        let shop = Shop::open_without_webhooks().await;
        let payment = shop.captured_by("pm_card_visa").await;
        shop.refund(&payment.id, Some(10)).await.unwrap();
        assert_eq!(violations(&shop, invariant).await, 0, "{invariant}");
        tamper(&shop, statements).await;
        assert!(violations(&shop, invariant).await > 0, "{invariant}");
    }
}

#[tokio::test]
async fn the_ledger_is_append_only_and_balanced_whoever_writes() {
    let shop = Shop::open_without_webhooks().await;
    shop.captured_by("pm_card_visa").await;
    for statement in [
        "update ledger_entries set amount_minor = 0",
        "delete from ledger_entries",
        "truncate ledger_entries",
        "insert into ledger_entries
             (transaction_id, payment_id, order_id, account, amount_minor, currency, reversal)
         select gen_random_uuid(), id, order_id, 1, 5, currency, false from payments",
        "insert into ledger_entries
             (transaction_id, payment_id, order_id, account, amount_minor, currency, reversal)
         select transaction_id, payment_id, order_id, account, amount_minor, currency, reversal
         from ledger_entries",
    ] {
        assert!(shop.execute(statement).await.is_err(), "{statement}");
    }
    assert_eq!(shop.count("select count(*) from ledger_entries").await, 2);
}

#[tokio::test]
async fn the_tables_themselves_refuse_amounts_that_do_not_add_up() {
    let shop = Shop::open_without_webhooks().await;
    shop.captured_by("pm_card_visa").await;
    for statement in [
        "update payments set captured_minor = authorized_minor + 1",
        "update payments set capture_pending_minor = 1",
        "update payments set refunded_minor = 600, refund_pending_minor = 401",
        "update payments set refund_pending_minor = -1",
        "update payments set state = 7",
        "update payments set state = 11",
        "update payments set payment_method = '4242424242424242'",
        "insert into payments
             (id, order_id, attempt, state, currency, amount_minor, payment_method, provider_key)
         select gen_random_uuid(), order_id, 2, 2, currency, amount_minor, 'pm', 'key'
         from payments",
    ] {
        let refused = shop.execute(statement).await.unwrap_err();
        let code = refused
            .as_database_error()
            .unwrap()
            .code()
            .unwrap()
            .into_owned();
        assert!(code.starts_with("23"), "{statement}: {refused}");
    }
}

#[tokio::test]
async fn the_provider_can_be_left_out() {
    let mut shop = Shop::open_without_webhooks().await;
    shop.authorized().await;
    shop.provider_down().await;
    let request = api::payment::v1::RunAuditRequest {
        skip_provider: true,
    };
    let findings = shop
        .admin
        .clone()
        .run_audit(request)
        .await
        .unwrap()
        .into_inner()
        .findings;
    let names: Vec<_> = findings
        .iter()
        .map(|finding| finding.invariant.as_str())
        .collect();
    assert_eq!(names, ["M1", "M2", "M3", "M5", "M6", "O6", "O8"]);
    assert!(findings.iter().all(|finding| finding.violations == 0));
}
