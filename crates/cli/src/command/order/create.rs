//! `cartwright order create`

use api::order::v1 as pb;
use clap::Args;
use types::{Currency, CustomerId};

use super::view;
use crate::{
    args::KeyArg,
    failure::Failure,
    input::{self, LineArg},
    output::Output,
    shop::Shop,
};

#[derive(Debug, Args)]
pub struct Create {
    /// Who orders.
    #[arg(long, short, value_name = "CUSTOMER")]
    customer: CustomerId,
    /// What is ordered: SKU=QTY, or SKU=QTY@PRICE for another price than the
    /// list price, which needs the right to set prices. May be repeated.
    #[arg(long = "line", short, value_name = "SKU=QTY[@PRICE]", required = true)]
    lines: Vec<LineArg>,
    /// ISO 4217 code of all amounts.
    #[arg(long, default_value = "GBP", value_name = "CODE")]
    currency: Currency,
    /// A token of the payment provider; never a card number.
    #[arg(long, default_value = "pm_card_visa", value_name = "TOKEN")]
    payment_method: String,
    /// Take the money with the first shipment instead of at once.
    #[arg(long)]
    manual_capture: bool,
    /// Refuse the order unless it costs this, for example 12.34.
    #[arg(long, value_name = "AMOUNT")]
    expected_total: Option<String>,
    /// Your own name for the order.
    #[arg(
        long,
        default_value = "",
        hide_default_value = true,
        value_name = "TEXT"
    )]
    reference: String,
    /// Answer as soon as the order is stored.
    #[arg(long)]
    no_wait: bool,
    #[command(flatten)]
    key: KeyArg,
}

impl Create {
    fn request(&self) -> Result<pb::CreateOrderRequest, Failure> {
        let lines = self.lines.iter().map(|line| self.line(line));
        let total = self.expected_total.as_deref();
        let total = total.map(|total| input::amount("--expected-total", total, self.currency));
        Ok(pb::CreateOrderRequest {
            customer_id: self.customer.to_string(),
            currency_code: self.currency.code().to_owned(),
            lines: lines.collect::<Result<_, _>>()?,
            payment_method: self.payment_method.clone(),
            capture_method: match self.manual_capture {
                true => pb::CaptureMethod::Manual.into(),
                false => pb::CaptureMethod::Automatic.into(),
            },
            expected_total: total.transpose()?,
            wait: match self.no_wait {
                true => pb::CreateOrderWait::Accepted.into(),
                false => pb::CreateOrderWait::Outcome.into(),
            },
            reference: self.reference.clone(),
        })
    }

    fn line(&self, line: &LineArg) -> Result<pb::NewOrderLine, Failure> {
        let price = line.price.as_deref();
        let field = format!("--line {}: the price", line.sku);
        let price = price.map(|price| input::amount(&field, price, self.currency));
        Ok(pb::NewOrderLine {
            sku: line.sku.to_string(),
            quantity: line.quantity.get(),
            unit_price: price.transpose()?,
        })
    }
}

pub async fn run(args: &Create, shop: &Shop, output: Output) -> Result<(), Failure> {
    let request = args.request()?;
    let key = args.key.or_new();
    let answer = shop
        .orders
        .change(&key, request, |mut client, request| async move {
            client.create_order(request).await
        })
        .await?;
    if let Some(order) = &answer.order
        && order.state() == pb::OrderState::Pending
        && !args.no_wait
    {
        let id = &order.id;
        eprintln!("accepted, not decided yet; to see how it ends: cartwright order watch {id}");
    }
    output.message(&answer, |answer| view::order_of(answer.order.as_ref()))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may fail by panic")]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        create: Create,
    }

    fn request(args: &[&str]) -> Result<pb::CreateOrderRequest, Failure> {
        let all = ["create", "--customer", "alice"].iter().chain(args);
        Line::try_parse_from(all).unwrap().create.request()
    }

    #[test]
    fn prices_are_read_by_the_exponent_of_the_currency() {
        let minor = |args: &[&str]| request(args).unwrap().lines[0].unit_price.clone().unwrap();
        assert_eq!(minor(&["--line", "mug=2@7.5"]).minor_units, 750);
        assert_eq!(
            minor(&["--line", "mug=2@7", "--currency", "JPY"]).minor_units,
            7
        );
        let dinar = minor(&["--line", "mug=2@7.001", "--currency", "BHD"]);
        assert_eq!(
            (dinar.minor_units, dinar.currency_code.as_str()),
            (7001, "BHD")
        );
    }

    #[test]
    fn a_price_with_too_many_places_is_refused_by_name() {
        let failure = request(&["--line", "mug=2@7.005"]).unwrap_err();
        assert_eq!(
            failure.to_string(),
            "--line mug: the price \"7.005\" must have at most 2 decimal places in GBP"
        );
        assert_eq!(failure.exit(), crate::exit::Exit::BadInput);
        let failure = request(&["--line", "mug=2", "--expected-total", "1e3"]).unwrap_err();
        assert!(
            failure
                .to_string()
                .starts_with("--expected-total \"1e3\" must be")
        );
    }

    #[test]
    fn flags_choose_capture_and_wait() {
        let plain = request(&["--line", "mug=2", "--line", "mug=1"]).unwrap();
        assert_eq!(plain.lines.len(), 2);
        assert_eq!(plain.capture_method(), pb::CaptureMethod::Automatic);
        assert_eq!(plain.wait(), pb::CreateOrderWait::Outcome);
        let other = request(&["--line", "mug=2", "--manual-capture", "--no-wait"]).unwrap();
        assert_eq!(other.capture_method(), pb::CaptureMethod::Manual);
        assert_eq!(other.wait(), pb::CreateOrderWait::Accepted);
    }
}
