//! What must hold of an order that nobody works on any more, in our books and in
//! the provider's. The letters are those of ARCHITECTURE.md.

use inventory_service::domain::State as Stock;
use order_service::domain::{CaptureMethod, Effect, State};
use payment_service::domain::{Account, TransferState};

use super::way::{INK_ON_HAND, ink, pen};
use super::world::Next;
use super::{Plan, World};

impl<P: Plan> World<'_, P> {
    /// What must hold whenever a peer has done something.
    pub(super) fn look_at_peers(&mut self) {
        let live = self.money.entries.iter();
        let live = live.filter(|entry| !entry.account.payment.state.is_dead());
        if live.count() > 1 {
            self.breaks("M5: two payments of the order are live");
        }
        let total = self.way.price_minor * 3;
        let taken: i64 = self
            .money
            .provider
            .payments
            .iter()
            .map(|held| held.net_minor())
            .sum();
        if taken > total {
            self.breaks("O4: the customer has paid more than the order costs");
        }
        if taken < 0 {
            self.breaks("O4: the customer got back more than was paid");
        }
    }

    fn breaks(&mut self, what: &str) {
        if !self.broken.iter().any(|known| known == what) {
            self.broken.push(what.to_owned());
        }
    }

    fn must(&mut self, holds: bool, what: &str) {
        if !holds {
            self.breaks(what);
        }
    }

    pub(super) fn judge(&mut self) {
        self.stock.sell_nothing();
        match self.stored.order.state {
            State::Cancelled | State::Rejected => self.judge_undone(),
            State::Confirmed | State::PartiallyFulfilled | State::Fulfilled => self.judge_done(),
            other => self.breaks(&format!("O7: ended {}", other.name())),
        }
        let order = self.stored.order.clone();
        self.must(self.stored.next == Next::Never, "O7: it is still due");
        self.must(self.stored.works.is_empty(), "O7: a work still runs");
        self.must(
            order.refund_pending_minor == 0,
            "M1: a refund is still pending",
        );
        self.judge_payments();
        self.judge_levels();
        let provider = &self.money.provider.payments;
        let received: i64 = provider.iter().map(|held| held.intent.received_minor).sum();
        let refunded: i64 = provider.iter().map(|held| held.refunded_minor()).sum();
        self.must(
            (order.captured_minor, order.refunded_minor) == (received, refunded),
            "M4: the order does not know what was paid and paid back",
        );
        let owed = self.money.balances().get("provider").copied().unwrap_or(0);
        self.must(
            owed == received - refunded,
            "M3: the ledger is not what was paid",
        );
    }

    fn judge_undone(&mut self) {
        let order = self.stored.order.clone();
        let provider = &self.money.provider.payments;
        let net: i64 = provider.iter().map(|held| held.net_minor()).sum();
        let holds = provider.iter().any(|held| held.intent.is_holding());
        self.must(net == 0, "O4: the customer's money was kept");
        self.must(!holds, "O4: the customer's money is still promised");
        let kept = self.stock.reservation(order.id);
        let holds_stock = kept.is_some_and(|reservation| reservation.is_live());
        self.must(!holds_stock, "O3: stock is still held");
        let saga = &order.saga;
        let over = |effect| matches!(effect, Effect::Absent | Effect::Undone);
        let all_over = over(saga.stock) && over(saga.payment) && over(saga.capture);
        self.must(all_over, "O3: an effect counts as begun or done");
        self.must(!order.has_shipped(), "O2: goods have left for nothing");
    }

    fn judge_done(&mut self) {
        let order = self.stored.order.clone();
        let total = self.way.price_minor * 3;
        let automatic = self.way.capture == CaptureMethod::Automatic;
        let provider = &self.money.provider.payments;
        let received: i64 = provider.iter().map(|held| held.intent.received_minor).sum();
        let promised: i64 = provider
            .iter()
            .map(|held| held.intent.capturable_minor)
            .sum();
        let expected = if automatic || order.has_shipped() {
            total
        } else {
            0
        };
        let is_paid = received == expected;
        self.must(is_paid, "O2: what was captured is not what is owed");
        let is_funded = received + promised == total || self.authorization_ended;
        self.must(is_funded, "O2: no funds are held for a confirmed order");
        let total_known = order.total.is_some_and(|sum| sum.minor() == total);
        self.must(total_known, "O1: the total is not the sum of the lines");
        if self.goods_lost {
            return;
        }
        let kept = self.stock.reservation(order.id).cloned();
        let units = |open: bool| {
            let lines = kept.iter().flat_map(|reservation| &reservation.lines);
            lines
                .map(|line| if open { line.open() } else { line.fulfilled })
                .sum::<i64>()
        };
        let fulfilled: i64 = order.lines.iter().map(|line| line.fulfilled).sum();
        let state = kept.as_ref().map(|reservation| reservation.state);
        let promised = matches!(state, Some(Stock::Committed | Stock::Fulfilled));
        self.must(promised, "O2: confirmed without stock");
        let agree = (units(false), units(true)) == (fulfilled, 3 - fulfilled);
        self.must(agree, "O2: stock and order disagree about what has shipped");
    }

    fn judge_payments(&mut self) {
        for entry in self.money.entries.clone() {
            let account = entry.account;
            let payment = &account.payment;
            let pending = (payment.capture_pending_minor, payment.refund_pending_minor);
            self.must(pending == (0, 0), "M1: a transfer is still pending");
            let dead = payment.state.is_dead();
            self.must(
                !dead || payment.captured_minor == 0,
                "M2: captured, and ended",
            );
            self.must(
                sums_agree(&account),
                "M3: the transfers are not the payment",
            );
            let held = self.money.provider.held(payment.id);
            let theirs = held.map_or((0, 0), |held| {
                (held.intent.received_minor, held.refunded_minor())
            });
            let ours = (payment.captured_minor, payment.refunded_minor);
            self.must(ours == theirs, "M4: our books and the provider's differ");
            self.must(
                !payment.state.is_unknown(),
                "M4: an outcome is still unknown",
            );
        }
        let strangers = self.money.provider.payments.len() > self.money.entries.len();
        self.must(!strangers, "M4: the provider has a payment that we do not");
    }

    fn judge_levels(&mut self) {
        let order = self.stored.order.clone();
        let kept = self.stock.reservation(order.id).cloned();
        for (sku, on_hand) in [
            (
                pen(),
                self.way.on_hand.iter().sum::<i64>() - self.lost_units,
            ),
            (ink(), INK_ON_HAND),
        ] {
            let lines = kept.iter().flat_map(|reservation| &reservation.lines);
            let lines: Vec<_> = lines.filter(|line| line.sku == sku).collect();
            let out: i64 = lines.iter().map(|line| line.out()).sum();
            let open: i64 = lines.iter().map(|line| line.open()).sum();
            let committed = match kept.as_ref().map(|reservation| reservation.state) {
                Some(Stock::Committed) => open,
                _ => 0,
            };
            let levels = self.stock.totals(&sku);
            self.must(
                levels.0 == on_hand - out,
                "S3: stock has come or gone by itself",
            );
            self.must(
                (levels.1, levels.2) == (0, committed),
                "S2: held or committed for nobody",
            );
        }
        let sound = self.stock.room.levels.values().flat_map(|at| at.values());
        let sound = sound.into_iter().all(|level| level.is_sound());
        self.must(sound, "S1: a level is not sound");
    }
}

fn sums_agree(account: &Account) -> bool {
    let done = TransferState::Succeeded;
    let captures = account.captures.iter().filter(|one| one.state == done);
    let refunds = account.refunds.iter().filter(|one| one.state == done);
    let captured: i64 = captures.map(|one| one.amount_minor).sum();
    let refunded: i64 = refunds.map(|one| one.amount_minor).sum();
    let payment = &account.payment;
    (captured, refunded) == (payment.captured_minor, payment.refunded_minor)
}
