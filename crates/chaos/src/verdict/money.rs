//! Whose money it is: orders, payments, the ledger and the provider say the
//! same, to the cent.

use std::collections::{BTreeMap, HashMap};

use super::books_orders::NEEDS_ATTENTION;
use super::books_payments::{CAPTURED, PENDING, PaymentRow, SUCCEEDED, TransferRow};
use super::books_provider::Totals;
use super::check::Check;
use super::evidence::Evidence;

pub fn checks(evidence: &Evidence<'_>) -> Vec<Check> {
    vec![
        payments(evidence),
        ledger(evidence),
        orders_and_payments(evidence),
        provider_by_payment(evidence),
        provider_by_order(evidence),
        provider_in_total(evidence),
    ]
}

fn payments(evidence: &Evidence<'_>) -> Check {
    let mut check = Check::new(
        "payment-amounts",
        "amounts of payments are within their bounds and the sums of captures and refunds, dead \
         payments hold nothing, and an order has one live payment at most (M1, M2, M5)",
    );
    let mut live: HashMap<&str, u32> = HashMap::new();
    for payment in &evidence.payments.payments {
        check.looked();
        *live.entry(&payment.order_id).or_default() += u32::from(payment.is_live());
        let sum = |of: &HashMap<String, Vec<TransferRow>>, state: i16| -> i64 {
            let transfers = of.get(&payment.id).into_iter().flatten();
            let in_state = transfers.filter(|transfer| transfer.state == state);
            in_state.map(|transfer| transfer.amount_minor).sum()
        };
        let (captures, refunds) = (&evidence.payments.captures, &evidence.payments.refunds);
        let captured = sum(captures, SUCCEEDED) == payment.captured_minor
            && sum(captures, PENDING) == payment.capture_pending_minor;
        let refunded = sum(refunds, SUCCEEDED) == payment.refunded_minor
            && sum(refunds, PENDING) == payment.refund_pending_minor;
        // Once all is at rest, who wanted it voided has been heard.
        let heard = !payment.void_requested || payment.state >= CAPTURED;
        let right = captured && refunded && heard && is_within(payment);
        check.expect(right, Some(&payment.order_id), || format!("{payment:?}"));
    }
    for (order, live) in live.into_iter().filter(|(_, live)| *live > 1) {
        check.broken(Some(order), format!("{live} live payments"));
    }
    check
}

fn is_within(payment: &PaymentRow) -> bool {
    let taken = payment.captured_minor + payment.capture_pending_minor;
    let back = payment.refunded_minor + payment.refund_pending_minor;
    let is_dead = payment.state > CAPTURED;
    let holds = payment.authorized_minor + taken + back;
    (0..=payment.authorized_minor).contains(&taken)
        && (0..=payment.captured_minor).contains(&back)
        && payment.authorized_minor <= payment.amount_minor
        && !(is_dead && holds != 0)
}

fn ledger(evidence: &Evidence<'_>) -> Check {
    let mut check = Check::new(
        "ledger",
        "each transaction of the ledger balances, and its sums are those of the payments (M3)",
    );
    let mut balances: BTreeMap<&str, i64> = BTreeMap::new();
    let mut sums: HashMap<&str, [i64; 3]> = HashMap::new();
    let mut orders: HashMap<&str, &str> = HashMap::new();
    for payment in &evidence.payments.payments {
        orders.insert(&payment.id, &payment.order_id);
    }
    for entry in &evidence.payments.ledger {
        check.looked();
        *balances.entry(&entry.transaction_id).or_default() += entry.amount_minor;
        let account = usize::try_from(entry.account - 1).unwrap_or(usize::MAX);
        match sums.entry(&entry.payment_id).or_default().get_mut(account) {
            Some(sum) => *sum += entry.amount_minor,
            None => check.broken(None, format!("no such account: {entry:?}")),
        }
        if !orders.contains_key(entry.payment_id.as_str()) {
            check.broken(None, format!("no such payment: {entry:?}"));
        }
    }
    for (transaction, balance) in balances.into_iter().filter(|(_, balance)| *balance != 0) {
        check.broken(
            None,
            format!("transaction {transaction} is off by {balance}"),
        );
    }
    for payment in &evidence.payments.payments {
        let booked = sums.get(payment.id.as_str()).copied().unwrap_or_default();
        let right = [
            payment.kept_minor(),
            -payment.captured_minor,
            payment.refunded_minor,
        ];
        check.expect(booked == right, Some(&payment.order_id), || {
            format!("provider, sales, refunds are {booked:?}, should be {right:?}")
        });
    }
    check
}

fn orders_and_payments(evidence: &Evidence<'_>) -> Check {
    let mut check = Check::new(
        "orders-and-payments",
        "what an order says was taken and given back is what its payments say, and no payment is \
         without an order",
    );
    for order in evidence.orders.orders.values() {
        check.looked();
        // A person decides about these, and looks at the payment for it.
        if order.state == NEEDS_ATTENTION {
            continue;
        }
        let payments = || evidence.payments.of(&order.id);
        let captured: i64 = payments().map(|payment| payment.captured_minor).sum();
        let refunded: i64 = payments().map(|payment| payment.refunded_minor).sum();
        let pending: i64 = payments().map(|p| p.refund_pending_minor).sum();
        let right = (captured, refunded) == (order.captured_minor, order.refunded_minor)
            && pending == 0
            && order.refund_pending_minor == 0;
        check.expect(right, Some(&order.id), || {
            let (taken, back) = (order.captured_minor, order.refunded_minor);
            let waits = order.refund_pending_minor;
            format!(
                "captured {taken} and {captured}, refunded {back} and {refunded}, \
                 pending {waits} and {pending}"
            )
        });
    }
    for payment in &evidence.payments.payments {
        let known = evidence.orders.orders.contains_key(&payment.order_id);
        check.expect(known, Some(&payment.order_id), || {
            format!("a payment of no order: {payment:?}")
        });
    }
    check
}

fn provider_by_payment(evidence: &Evidence<'_>) -> Check {
    let mut check = Check::new(
        "provider-by-payment",
        "each payment is in the provider's books once, with the same amounts, and nothing else \
         is (M4)",
    );
    let provider = &evidence.provider;
    let mut ours: HashMap<&str, &PaymentRow> = HashMap::new();
    for payment in &evidence.payments.payments {
        check.looked();
        match &payment.provider_reference {
            Some(reference) => {
                ours.insert(reference, payment);
            }
            // Refused there, or never arrived.
            None => check.expect(!payment.is_live(), Some(&payment.order_id), || {
                format!("live, and the provider is not known to know it: {payment:?}")
            }),
        }
    }
    for intent in provider.intents.values() {
        check.looked();
        let Some(payment) = ours.remove(intent.id.as_str()) else {
            let harmless = intent.captured_minor == 0 && intent.capturable_minor() == 0;
            check.expect(harmless, intent.order(), || {
                format!("only the provider has it: {intent:?}")
            });
            continue;
        };
        let theirs = (
            intent.amount_minor,
            intent.captured_minor,
            intent.capturable_minor(),
            provider.refunded_minor(&intent.id),
            provider.refund_pending_minor(&intent.id),
            intent.order(),
            intent.payment(),
        );
        let ours = (
            payment.amount_minor,
            payment.captured_minor,
            payment.held_minor(),
            payment.refunded_minor,
            payment.refund_pending_minor,
            Some(payment.order_id.as_str()),
            Some(payment.id.as_str()),
        );
        check.expect(ours == theirs, Some(&payment.order_id), || {
            format!(
                "amount, captured, held, refunded, pending, order, payment: ours {ours:?}, \
                 theirs {theirs:?}"
            )
        });
    }
    for (reference, payment) in ours {
        check.broken(
            Some(&payment.order_id),
            format!("the provider has no {reference}"),
        );
    }
    check
}

fn provider_by_order(evidence: &Evidence<'_>) -> Check {
    let mut check = Check::new(
        "charged-once",
        "the provider has charged each order once at most and no more than its total, nothing \
         remains of an order that was rejected or cancelled, and an order that is not there was \
         never charged",
    );
    let mut charged: BTreeMap<&str, (u32, i64, i64)> = BTreeMap::new();
    for intent in evidence.provider.intents.values() {
        check.looked();
        let Some(order) = intent.order() else {
            check.broken(None, format!("for no order: {intent:?}"));
            continue;
        };
        let refunded = evidence.provider.refunded_minor(&intent.id);
        let of_order = charged.entry(order).or_default();
        let held_or_taken = intent.captured_minor + intent.capturable_minor();
        of_order.0 += u32::from(held_or_taken > 0);
        of_order.1 += held_or_taken;
        of_order.2 += held_or_taken - refunded;
    }
    for (id, (times, charged, kept)) in charged {
        let Some(order) = evidence.orders.orders.get(id) else {
            check.expect(charged == 0, Some(id), || {
                format!("{charged} for an order that is not there")
            });
            continue;
        };
        let total = order.total_minor.unwrap_or(0);
        check.expect(times <= 1 && charged <= total, Some(id), || {
            format!("charged {times} times, {charged} of {total}")
        });
        check.expect(!order.is_dead() || kept == 0, Some(id), || {
            format!("it was not sold, and the provider keeps {kept}")
        });
    }
    check
}

fn provider_in_total(evidence: &Evidence<'_>) -> Check {
    let mut check = Check::new(
        "provider-in-total",
        "all money together is the same in our books, in the provider's journal and in what it \
         shows of itself",
    );
    let mut ours = Totals::default();
    for payment in &evidence.payments.payments {
        check.looked();
        ours.captured_minor += payment.captured_minor;
        ours.capturable_minor += payment.held_minor();
        ours.refunded_minor += payment.refunded_minor;
        ours.refund_pending_minor += payment.refund_pending_minor;
    }
    let (journal, shown) = (evidence.provider.totals(), evidence.provider.shown);
    check.expect(ours == journal, None, || {
        format!("ours {ours:?}, the journal's {journal:?}")
    });
    check.expect(journal == shown, None, || {
        format!("the journal's {journal:?}, shown {shown:?}")
    });
    check.remark = Some(format!(
        "captured {} and refunded {}, in minor units",
        ours.captured_minor, ours.refunded_minor
    ));
    check
}
