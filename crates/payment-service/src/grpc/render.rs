//! Answers of the app as messages of the contract, and as they are kept.

use api::common::v1 as common;
use api::payment::v1 as pb;
use idempotency::{Answer, Saved};
use prost::Message;

use crate::app::{
    CaptureMade, Confirmed, Created, Details, Difference, Finding, Kind, Place, Reconciled,
    RefundMade, Voided,
};
use crate::message;

fn saved(message: &impl Message) -> Saved {
    Saved {
        code: 0,
        body: message.encode_to_vec(),
    }
}

impl Answer for Created {
    fn saved(&self) -> Saved {
        saved(&pb::CreatePaymentResponse {
            payment: Some(message::payment(&self.0)),
        })
    }
}

impl Answer for Confirmed {
    fn saved(&self) -> Saved {
        saved(&pb::ConfirmPaymentResponse {
            payment: Some(message::payment(&self.0)),
        })
    }
}

impl Answer for CaptureMade {
    fn saved(&self) -> Saved {
        saved(&pb::CapturePaymentResponse {
            payment: Some(message::payment(&self.payment)),
            capture: Some(message::capture(&self.payment, &self.capture)),
        })
    }
}

impl Answer for Voided {
    fn saved(&self) -> Saved {
        saved(&pb::VoidPaymentResponse {
            payment: self.0.as_ref().map(message::payment),
        })
    }
}

impl Answer for RefundMade {
    fn saved(&self) -> Saved {
        saved(&pb::RefundPaymentResponse {
            refund: Some(message::refund(&self.refund)),
            payment: Some(message::payment(&self.payment)),
        })
    }
}

/// With its captures and refunds.
pub fn details(details: &Details) -> pb::Payment {
    let payment = &details.payment;
    let captures = details.captures.iter();
    pb::Payment {
        captures: captures
            .map(|capture| message::capture(payment, capture))
            .collect(),
        refunds: details.refunds.iter().map(message::refund).collect(),
        ..message::payment(payment)
    }
}

pub fn finding(finding: Finding) -> common::AuditFinding {
    common::AuditFinding {
        invariant: finding.invariant.to_owned(),
        description: finding.description.to_owned(),
        violations: finding.violations,
        samples: finding.samples,
    }
}

pub fn reconciled(done: &Reconciled, token: impl Fn(&Place) -> String) -> Saved {
    saved(&pb::ReconcileProviderResponse {
        compared: i32::try_from(done.compared).unwrap_or(i32::MAX),
        differences: done.differences.iter().map(difference).collect(),
        next_page_token: done.next.as_ref().map(token).unwrap_or_default(),
    })
}

fn difference(difference: &Difference) -> pb::BookDifference {
    let kind = match difference.kind {
        Kind::Payment => pb::BookDifferenceKind::Payment,
        Kind::Capture => pb::BookDifferenceKind::Capture,
        Kind::Refund => pb::BookDifferenceKind::Refund,
        Kind::State => pb::BookDifferenceKind::State,
        Kind::Unsettled => pb::BookDifferenceKind::Unsettled,
    };
    pb::BookDifference {
        kind: kind.into(),
        payment_id: difference.payment.to_string(),
        order_id: difference.order.to_string(),
        provider_reference: difference.reference.clone(),
        amount: Some(difference.amount.into()),
        message: difference.message.to_owned(),
    }
}
