//! The algorithm of a token is what its key is for, and nothing else.

use auth::{Authenticator, Rejected, developer::Key};
use aws_lc_rs::{
    rand::SystemRandom,
    rsa::KeySize,
    signature::{
        ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, KeyPair,
        RSA_PKCS1_SHA256, RSA_PKCS1_SHA512, RSA_PSS_SHA256, RSA_PSS_SHA384, RsaEncoding,
        RsaKeyPair,
    },
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use crate::issuer::{ISSUER, Issuer};

fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn message(alg: &str, kid: &str) -> String {
    let header = json!({ "alg": alg, "kid": kid });
    let claims = json!({
        "iss": ISSUER, "aud": "cartwright", "sub": "ada", "exp": 4_000_000_000_u64,
    });
    format!(
        "{}.{}",
        encode(header.to_string()),
        encode(claims.to_string())
    )
}

struct Rsa(RsaKeyPair);

impl Rsa {
    fn generate(size: KeySize) -> Self {
        Self(RsaKeyPair::generate(size).unwrap())
    }

    fn jwk(&self) -> Value {
        let public = self.0.public_key();
        let n = encode(public.modulus().big_endian_without_leading_zero());
        let e = encode(public.exponent().big_endian_without_leading_zero());
        json!({ "kty": "RSA", "kid": "rsa", "n": n, "e": e })
    }

    fn token(&self, alg: &str, encoding: &'static dyn RsaEncoding) -> String {
        let message = message(alg, "rsa");
        let mut signature = vec![0; self.0.public_modulus_len()];
        let random = SystemRandom::new();
        self.0
            .sign(encoding, &random, message.as_bytes(), &mut signature)
            .unwrap();
        format!("{message}.{}", encode(signature))
    }
}

struct Ec(EcdsaKeyPair, &'static str);

impl Ec {
    fn jwk(&self) -> Value {
        let point = self.0.public_key().as_ref();
        let (x, y) = point[1..].split_at(point.len() / 2);
        json!({ "kty": "EC", "crv": self.1, "kid": self.1, "x": encode(x), "y": encode(y) })
    }

    fn sign(&self, alg: &str) -> String {
        let message = message(alg, self.1);
        let signature = self
            .0
            .sign(&SystemRandom::new(), message.as_bytes())
            .unwrap();
        format!("{message}.{}", encode(signature))
    }
}

fn with(mut jwk: Value, name: &str, value: impl Into<Value>) -> Value {
    jwk[name] = value.into();
    jwk
}

async fn accepts(keys: &[Value], token: &str) -> Result<(), Rejected> {
    let auth = Issuer::of(keys).start().await;
    auth.verify(token).await.map(drop)
}

#[tokio::test]
async fn an_rsa_key_is_for_the_algorithm_that_it_names() {
    let rsa = Rsa::generate(KeySize::Rsa2048);
    let rs256 = rsa.token("RS256", &RSA_PKCS1_SHA256);
    let rs512 = rsa.token("RS512", &RSA_PKCS1_SHA512);
    let ps256 = rsa.token("PS256", &RSA_PSS_SHA256);
    let ps384 = rsa.token("PS384", &RSA_PSS_SHA384);
    for token in [&rs256, &rs512, &ps256, &ps384] {
        assert_eq!(
            accepts(&[rsa.jwk()], token).await,
            Ok(()),
            "a key that names none"
        );
    }
    let pinned = [with(rsa.jwk(), "alg", "PS256")];
    assert_eq!(accepts(&pinned, &ps256).await, Ok(()));
    for token in [&rs256, &rs512, &ps384] {
        assert_eq!(accepts(&pinned, token).await, Err(Rejected::Algorithm));
    }
    let mixed = rsa.token("PS256", &RSA_PKCS1_SHA256);
    assert_eq!(
        accepts(&[rsa.jwk()], &mixed).await,
        Err(Rejected::Signature)
    );
}

#[tokio::test]
async fn each_curve_has_one_algorithm() {
    let p256 = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
    let p384 = EcdsaKeyPair::generate(&ECDSA_P384_SHA384_FIXED_SIGNING).unwrap();
    let (p256, p384) = (Ec(p256, "P-256"), Ec(p384, "P-384"));
    let keys = [p256.jwk(), p384.jwk()];
    assert_eq!(accepts(&keys, &p256.sign("ES256")).await, Ok(()));
    assert_eq!(accepts(&keys, &p384.sign("ES384")).await, Ok(()));
    for (key, wrong) in [
        (&p256, "ES384"),
        (&p384, "ES256"),
        (&p256, "EdDSA"),
        (&p256, "RS256"),
    ] {
        assert_eq!(
            accepts(&keys, &key.sign(wrong)).await,
            Err(Rejected::Algorithm)
        );
    }
    for (alg, kid, length) in [("ES256", "P-256", 64), ("ES384", "P-384", 96)] {
        let zeros = format!("{}.{}", message(alg, kid), encode(vec![0; length]));
        assert_eq!(
            accepts(&keys, &zeros).await,
            Err(Rejected::Signature),
            "r = s = 0"
        );
    }
}

#[tokio::test]
async fn a_public_key_of_any_kind_is_no_shared_secret() {
    let rsa = Rsa::generate(KeySize::Rsa2048).jwk();
    for jwk in [
        rsa.clone(),
        with(rsa, "alg", "RS256"),
        Key::generate().unwrap().jwk(),
    ] {
        for alg in ["HS256", "HS384", "HS512", "none", "rs256", ""] {
            let kid = jwk["kid"].as_str().unwrap();
            let token = format!("{}.{}", message(alg, kid), encode([0; 32]));
            let answer = accepts(std::slice::from_ref(&jwk), &token).await;
            assert_eq!(answer, Err(Rejected::Algorithm), "{alg}");
        }
    }
}

#[tokio::test]
async fn keys_that_are_weak_or_not_for_signatures_are_not_used() {
    let good = Key::generate().unwrap().jwk();
    let rsa = Rsa::generate(KeySize::Rsa2048).jwk();
    let short = encode([0xc1_u8; 128]);
    let p521 = json!({ "kty": "EC", "crv": "P-521", "x": encode([1; 66]), "y": encode([1; 66]) });
    let k256 =
        json!({ "kty": "EC", "crv": "secp256k1", "x": encode([1; 32]), "y": encode([1; 32]) });
    for (jwk, says) in [
        (with(rsa.clone(), "n", short), "2048 to 8192 bits, got 1024"),
        (with(rsa.clone(), "n", encode([0xff; 1200])), "got 9600"),
        (with(rsa.clone(), "e", encode([1])), "`e` must be odd"),
        (with(rsa.clone(), "e", encode([3])), "`e` must be odd"),
        (with(rsa.clone(), "e", encode([1, 0, 0])), "`e` must be odd"),
        (with(rsa.clone(), "e", encode([1; 9])), "`e` must be odd"),
        (with(rsa.clone(), "n", "!"), "`n` is not base64url"),
        (with(rsa.clone(), "use", "enc"), "`use` is not `sig`"),
        (
            with(rsa.clone(), "key_ops", json!(["encrypt"])),
            "no `verify`",
        ),
        (with(rsa.clone(), "alg", "HS256"), "is not for such a key"),
        (with(rsa.clone(), "alg", "EdDSA"), "is not for such a key"),
        (
            with(rsa.clone(), "alg", "RSA-OAEP"),
            "is not for such a key",
        ),
        (with(rsa, "d", "AQAB"), "a private key stands among"),
        (with(good.clone(), "crv", "X25519"), "`crv` must be"),
        (
            with(good.clone(), "x", encode([1; 31])),
            "`x` must have 32 bytes, got 31",
        ),
        (with(good.clone(), "x", Value::Null), "`x` is missing"),
        (
            json!({ "kty": "oct", "k": "c2VjcmV0" }),
            "holds no public key",
        ),
        (json!("key"), "invalid type"),
        (p521, "`crv` must be"),
        (k256, "`crv` must be"),
    ] {
        let issuer = Issuer::of(std::slice::from_ref(&jwk));
        let error = Authenticator::start(&issuer.settings()).await.unwrap_err();
        assert!(error.to_string().contains(says), "{says}: {error}");
        let beside = Issuer::of(&[jwk, good.clone()]);
        beside.start().await;
    }
}
