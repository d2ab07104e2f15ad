//! What a payment provider says: answers and webhooks.

use http::StatusCode;
use payment_service::{
    app::Told,
    http::{sign, verify},
    provider::{
        Event, ProviderError, refused,
        wire::{List, PaymentIntent, Refund},
    },
};
use secrecy::SecretString;

use crate::text::{lines, lossy};

const NOW_S: i64 = 1_700_000_000;

/// The first line is a signature, the rest a body.
pub(crate) fn answer(data: &[u8]) {
    let [header, body] = lines(data);
    signature(&lossy(header), body);
    if let Ok(event) = serde_json::from_slice::<Event>(body) {
        let _ = Told::of(&event, [0; 32]);
    }
    if let Ok(intent) = serde_json::from_slice::<PaymentIntent>(body) {
        intents(&intent);
    }
    if let Ok(refund) = serde_json::from_slice::<Refund>(body) {
        let _ = (refund.payment_id(), refund.refund_id(), refund.state());
    }
    if let Ok(list) = serde_json::from_slice::<List<PaymentIntent>>(body) {
        list.data.iter().for_each(intents);
    }
    refusals(body);
}

/// Only the secret signs, and only these bytes.
fn signature(header: &str, body: &[u8]) {
    let secrets = [SecretString::from("new"), SecretString::from("old")];
    assert!(
        verify(header, body, &secrets, NOW_S).is_err(),
        "a forged signature"
    );
    let signed = sign("old", NOW_S, body);
    assert_eq!(verify(&signed, body, &secrets, NOW_S), Ok(()));
    let other = [body, b" "].concat();
    assert!(verify(&signed, &other, &secrets, NOW_S).is_err());
    assert!(verify(&signed, body, &secrets, NOW_S + 301).is_err());
    // Whatever is written before it does not make it good for another body.
    let among = format!("{header},{signed}");
    assert!(verify(&among, &other, &secrets, NOW_S).is_err());
}

fn intents(intent: &PaymentIntent) {
    let _ = intent.payment_id();
    if let Some(read) = intent.intent() {
        assert_eq!(read.reference, intent.id);
    }
}

/// Only a definite answer of the provider is taken for one.
fn refusals(body: &[u8]) {
    for code in [402, 404, 400, 409, 401, 429, 301, 500, 503] {
        let error = refused(StatusCode::from_u16(code).unwrap(), body);
        let fits = match &error {
            ProviderError::Declined { .. } => code == 402,
            ProviderError::NotFound => code == 404,
            ProviderError::Refused { .. } => code == 400,
            ProviderError::Unavailable(_) => matches!(code, 401 | 429),
            ProviderError::Unknown(_) => !matches!(code, 401 | 429),
        };
        assert!(fits, "{code} was taken for {error:?}");
    }
}
