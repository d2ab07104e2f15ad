//! What a program can be made to do wrong, so that the tests are seen to see it.

/// A bug that is planted by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bug {
    pub name: &'static str,
    /// The programs to plant it in; in others it is not, or is another one.
    pub programs: &'static [&'static str],
    /// What they do wrong then.
    pub breaks: &'static str,
    /// What must count it.
    pub caught_by: &'static str,
    /// What must happen, beside a load, for it to show.
    pub provoked_by: &'static str,
    /// Points that make it show soon when they are armed in those programs;
    /// where there are none it shows under load, or by other faults alone.
    pub points: &'static [&'static str],
}

/// All of them.
pub const BUGS: &[Bug] = &[
    Bug {
        name: "skip-fencing",
        programs: &["order-service"],
        breaks: "an order is written whoever has claimed it since it was read",
        caught_by: "O5: an event does not begin where the one before ended; O2 to O4",
        provoked_by: "a process that stands still for longer than its lease while others go on, \
                      or a cancellation while the saga runs",
        points: &[],
    },
    Bug {
        name: "acknowledge-before-commit",
        programs: &["order-service"],
        breaks: "CreateOrder is answered 20 ms before its transaction is committed",
        caught_by: "an acknowledged order does not exist",
        provoked_by: "a kill within the 20 ms",
        points: &["idempotency.verb.before_commit"],
    },
    Bug {
        name: "outbox-by-cursor",
        programs: &["order-service", "payment-service", "inventory-service"],
        breaks: "all events up to the last one that was published count as published",
        caught_by: "the events of an aggregate in its stream have a gap",
        provoked_by: "transactions that take their place in the outbox early and commit late: \
                      several writers, a slow Postgres",
        points: &[],
    },
    Bug {
        name: "delete-before-publish",
        programs: &["order-service", "payment-service", "inventory-service"],
        breaks: "events leave the outbox before they are in the stream",
        caught_by: "the events of an aggregate in its stream have a gap",
        provoked_by: "a kill between the two, or a Redis that does not answer",
        points: &["outbox.relay.before_publish"],
    },
    Bug {
        name: "no-tombstone",
        programs: &["payment-service", "inventory-service"],
        breaks: "a release of stock, or the voiding of an order's payment, that comes before its \
                 original leaves nothing that refuses the original",
        caught_by: "O3 and O4 over the databases: a cancelled order holds stock, or money",
        provoked_by: "orders that are cancelled right after they were accepted, while a peer \
                      stands still or is slow to be reached",
        points: &[],
    },
    Bug {
        name: "dedupe-before-effect",
        programs: &["inventory-service"],
        breaks: "a call's idempotency key is committed before its effect",
        caught_by: "O2 and O3 over the databases: a confirmed order has no stock committed, a \
                    cancelled one holds some",
        provoked_by: "a kill between the two commits",
        points: &["idempotency.verb.before_commit"],
    },
    Bug {
        name: "blind-retry-new-key",
        programs: &["payment-service"],
        breaks: "each call of the provider has a new key, also when it repeats one whose outcome \
                 is not known",
        caught_by: "M4: the provider has a second intent, or a second refund",
        provoked_by: "answers of the provider that are lost, or a kill after a call of it",
        points: &["payment.authorize.after_call", "payment.refund.after_call"],
    },
    Bug {
        name: "no-row-lock-on-refund",
        programs: &["payment-service"],
        breaks: "a refund sets money aside on a payment that it has not locked",
        caught_by: "M1 and M3: what is set aside or refunded is not the sum of the refunds",
        provoked_by: "two calls of RefundPayment for parts of one payment at the same time, one \
                      at each replica",
        points: &[],
    },
    Bug {
        name: "expiry-ignores-commit",
        programs: &["inventory-service"],
        breaks: "a hold expires five seconds after it was made, committed or not",
        caught_by: "O2 over the databases: a confirmed order has no stock committed",
        provoked_by: "nothing but time",
        points: &[],
    },
    Bug {
        name: "undo-not-idempotent",
        programs: &["order-service"],
        breaks: "whoever asks again for a refund whose answer was lost gets a second one",
        caught_by: "an order and its payment differ in what was refunded",
        provoked_by: "refunds of a part of an order, and a kill or a lost answer after one",
        points: &["order.refund.after_call"],
    },
    Bug {
        name: "cancelled-begin",
        programs: &["order-service", "payment-service", "inventory-service"],
        breaks: "every thirtieth transaction gets a connection on which the begin of a caller \
                 that went away was never ended; its commit is acknowledged and lost",
        caught_by: "O2 and O3 over the databases, O5, M4; acknowledged changes of stock",
        provoked_by: "nothing but load",
        points: &[],
    },
];
