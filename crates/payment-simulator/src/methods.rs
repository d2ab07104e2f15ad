//! The named payment methods: Stripe's test tokens, and faults of our own that
//! begin with `pm_sim_`.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// One row of the table below. Copied around as a reference to it.
#[derive(Debug, Clone, Copy)]
pub struct Method(&'static Row);

#[derive(Debug)]
struct Row {
    name: &'static str,
    card: Card,
    on_confirm: OnConfirm,
    quirk: Quirk,
}

#[derive(Debug, Clone, Copy)]
pub struct Card {
    pub brand: &'static str,
    pub last4: &'static str,
}

/// What the bank says when the payment is confirmed.
#[derive(Debug, Clone, Copy)]
pub enum OnConfirm {
    Approve,
    /// 3-D Secure: the customer has to act first.
    Challenge,
    Decline(Decline),
}

/// Why a card was refused, in Stripe's words.
#[derive(Debug, Clone, Copy)]
pub struct Decline {
    pub code: &'static str,
    pub decline_code: Option<&'static str>,
    pub message: &'static str,
}

/// How a method misbehaves besides its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quirk {
    None,
    /// The confirmation is booked, its first answer never comes.
    ConfirmAnswerLost,
    /// Two seconds pass before the confirmation is booked.
    ConfirmSlow,
    /// Each webhook is sent three times at once.
    WebhooksTripled,
    /// Webhooks are delivered and acknowledged before the call is answered.
    WebhookFirst,
    /// The authorization is gone when it is to be captured.
    CaptureRefused,
    /// The capture is booked, its first answer never comes.
    CaptureAnswerLost,
    /// Refunds are pending at first and succeed later.
    RefundPending,
    /// Refunds are pending at first and fail later.
    RefundFails,
}

impl Method {
    pub fn named(name: &str) -> Option<Method> {
        METHODS.iter().find(|row| row.name == name).map(Method)
    }

    pub fn name(self) -> &'static str {
        self.0.name
    }

    pub fn card(self) -> Card {
        self.0.card
    }

    pub fn on_confirm(self) -> OnConfirm {
        self.0.on_confirm
    }

    pub fn quirk(self) -> Quirk {
        self.0.quirk
    }
}

impl Serialize for Method {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for Method {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Method, D::Error> {
        let name = String::deserialize(deserializer)?;
        Method::named(&name)
            .ok_or_else(|| de::Error::custom(format!("unknown payment method {name:?}")))
    }
}

const VISA: Card = Card {
    brand: "visa",
    last4: "4242",
};

const fn approving(name: &'static str, brand: &'static str, last4: &'static str) -> Row {
    Row {
        name,
        card: Card { brand, last4 },
        on_confirm: OnConfirm::Approve,
        quirk: Quirk::None,
    }
}

const fn declining(
    name: &'static str,
    code: &'static str,
    decline_code: Option<&'static str>,
    message: &'static str,
) -> Row {
    Row {
        name,
        card: VISA,
        on_confirm: OnConfirm::Decline(Decline {
            code,
            decline_code,
            message,
        }),
        quirk: Quirk::None,
    }
}

const fn quirky(name: &'static str, quirk: Quirk) -> Row {
    Row {
        name,
        card: VISA,
        on_confirm: OnConfirm::Approve,
        quirk,
    }
}

const DECLINED: &str = "Your card was declined.";

static METHODS: [Row; 19] = [
    approving("pm_card_visa", "visa", "4242"),
    approving("pm_card_mastercard", "mastercard", "4444"),
    approving("pm_card_amex", "amex", "8431"),
    declining(
        "pm_card_chargeDeclined",
        "card_declined",
        Some("generic_decline"),
        DECLINED,
    ),
    declining(
        "pm_card_chargeDeclinedInsufficientFunds",
        "card_declined",
        Some("insufficient_funds"),
        "Your card has insufficient funds.",
    ),
    declining(
        "pm_card_chargeDeclinedFraudulent",
        "card_declined",
        Some("fraudulent"),
        DECLINED,
    ),
    declining(
        "pm_card_chargeDeclinedExpiredCard",
        "expired_card",
        None,
        "Your card has expired.",
    ),
    declining(
        "pm_card_chargeDeclinedIncorrectCvc",
        "incorrect_cvc",
        None,
        "Your card's security code is incorrect.",
    ),
    declining(
        "pm_card_chargeDeclinedProcessingError",
        "processing_error",
        None,
        "An error occurred while processing your card. Try again in a little bit.",
    ),
    Row {
        name: "pm_card_authenticationRequired",
        card: VISA,
        on_confirm: OnConfirm::Challenge,
        quirk: Quirk::None,
    },
    quirky("pm_sim_timeout_but_succeeded", Quirk::ConfirmAnswerLost),
    Row {
        quirk: Quirk::ConfirmAnswerLost,
        ..declining(
            "pm_sim_timeout_and_failed",
            "card_declined",
            Some("generic_decline"),
            DECLINED,
        )
    },
    quirky("pm_sim_slow_2s", Quirk::ConfirmSlow),
    quirky("pm_sim_dup_webhook", Quirk::WebhooksTripled),
    quirky("pm_sim_webhook_first", Quirk::WebhookFirst),
    quirky("pm_sim_capture_fails", Quirk::CaptureRefused),
    quirky(
        "pm_sim_capture_timeout_but_succeeded",
        Quirk::CaptureAnswerLost,
    ),
    quirky("pm_sim_refund_pending", Quirk::RefundPending),
    quirky("pm_sim_refund_fails", Quirk::RefundFails),
];
