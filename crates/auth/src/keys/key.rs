//! One public key, and which algorithms it is for.

use jsonwebtoken::{Algorithm, DecodingKey, crypto};
use serde::Deserialize;
use serde_json::Value;

use crate::base64url;

const RSA: [Algorithm; 6] = [
    Algorithm::RS256,
    Algorithm::RS384,
    Algorithm::RS512,
    Algorithm::PS256,
    Algorithm::PS384,
    Algorithm::PS512,
];
const RSA_BITS: std::ops::RangeInclusive<usize> = 2048..=8192;
/// NIST SP 800-56B; an exponent of 1 would make every signature right.
const RSA_EXPONENT_MIN: u64 = 65537;

#[derive(Debug, Clone)]
pub(crate) struct Key {
    kid: Option<String>,
    algorithms: Vec<Algorithm>,
    public: DecodingKey,
    /// Tells whether two keys are the same.
    jwk: Value,
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        self.jwk == other.jwk
    }
}

#[derive(Deserialize)]
struct Jwk {
    kty: String,
    kid: Option<String>,
    alg: Option<String>,
    #[serde(rename = "use")]
    purpose: Option<String>,
    key_ops: Option<Vec<String>>,
    crv: Option<String>,
    n: Option<String>,
    e: Option<String>,
    x: Option<String>,
    y: Option<String>,
    d: Option<Value>,
}

impl Key {
    pub(crate) fn parse(value: Value) -> Result<Self, String> {
        let jwk: Jwk = Deserialize::deserialize(&value).map_err(|error| error.to_string())?;
        jwk.check_purpose()?;
        let (possible, public) = match jwk.kty.as_str() {
            "RSA" => (RSA.to_vec(), jwk.rsa()?),
            "EC" => jwk.ec()?,
            "OKP" => (vec![Algorithm::EdDSA], jwk.ed25519()?),
            other => return Err(format!("`kty` is {other:?}, which holds no public key")),
        };
        Ok(Self {
            algorithms: jwk.pinned(possible)?,
            kid: jwk.kid,
            public,
            jwk: value,
        })
    }

    pub(crate) fn is_named(&self, kid: &str) -> bool {
        self.kid.as_deref() == Some(kid)
    }

    pub(crate) fn name(&self) -> &str {
        self.kid.as_deref().unwrap_or("(no kid)")
    }

    /// The algorithm that a header asks for, if this key is for it.
    pub(crate) fn algorithm(&self, name: &str) -> Option<Algorithm> {
        let asked = algorithm(name)?;
        self.algorithms.contains(&asked).then_some(asked)
    }

    /// Whether `signature` (base64url) over `message` was made by this key's
    /// private half.
    pub(crate) fn signed(&self, message: &str, signature: &str, algorithm: Algorithm) -> bool {
        crypto::verify(signature, message.as_bytes(), &self.public, algorithm).unwrap_or(false)
    }
}

/// The asymmetric ones; a name that differs in case is another name. `Ed25519`
/// is what RFC 9864 calls the only curve of `EdDSA` that we know.
fn algorithm(name: &str) -> Option<Algorithm> {
    match name {
        "RS256" => Some(Algorithm::RS256),
        "RS384" => Some(Algorithm::RS384),
        "RS512" => Some(Algorithm::RS512),
        "PS256" => Some(Algorithm::PS256),
        "PS384" => Some(Algorithm::PS384),
        "PS512" => Some(Algorithm::PS512),
        "ES256" => Some(Algorithm::ES256),
        "ES384" => Some(Algorithm::ES384),
        "EdDSA" | "Ed25519" => Some(Algorithm::EdDSA),
        _ => None,
    }
}

impl Jwk {
    fn check_purpose(&self) -> Result<(), String> {
        if self.d.is_some() {
            return Err("a private key stands among the public ones".to_owned());
        }
        if self.purpose.as_deref().is_some_and(|one| one != "sig") {
            return Err("`use` is not `sig`".to_owned());
        }
        match &self.key_ops {
            Some(operations) if !operations.iter().any(|one| one == "verify") => {
                Err("`key_ops` has no `verify`".to_owned())
            }
            _ => Ok(()),
        }
    }

    /// What the key is for: its `alg` if it says one, else all that it can.
    fn pinned(&self, possible: Vec<Algorithm>) -> Result<Vec<Algorithm>, String> {
        let Some(name) = &self.alg else {
            return Ok(possible);
        };
        match algorithm(name) {
            Some(one) if possible.contains(&one) => Ok(vec![one]),
            _ => Err(format!("`alg` {name:?} is not for such a key")),
        }
    }

    fn rsa(&self) -> Result<DecodingKey, String> {
        let (n, e) = (bytes("n", &self.n)?, bytes("e", &self.e)?);
        let leading = n.first().map_or(0, |byte| byte.leading_zeros() as usize);
        let bits = n.len() * 8 - leading;
        if leading == 8 || !RSA_BITS.contains(&bits) {
            let (low, high) = (RSA_BITS.start(), RSA_BITS.end());
            return Err(format!("`n` must have {low} to {high} bits, got {bits}"));
        }
        let small = e.len() <= 8;
        let exponent = e
            .iter()
            .fold(0_u64, |sum, byte| (sum << 8) | u64::from(*byte));
        if !small || exponent < RSA_EXPONENT_MIN || exponent % 2 == 0 {
            return Err(format!("`e` must be odd and at least {RSA_EXPONENT_MIN}"));
        }
        Ok(DecodingKey::from_rsa_raw_components(&n, &e))
    }

    fn ec(&self) -> Result<(Vec<Algorithm>, DecodingKey), String> {
        let (algorithm, length) = match self.crv.as_deref() {
            Some("P-256") => (Algorithm::ES256, 32),
            Some("P-384") => (Algorithm::ES384, 48),
            other => return Err(unknown_curve(other)),
        };
        let (x, y) = (bytes("x", &self.x)?, bytes("y", &self.y)?);
        if x.len() != length || y.len() != length {
            return Err(format!("`x` and `y` must have {length} bytes"));
        }
        // Uncompressed: the point's two coordinates after a byte that says so.
        let point = [&[4], x.as_slice(), y.as_slice()].concat();
        Ok((vec![algorithm], DecodingKey::from_ec_der(&point)))
    }

    fn ed25519(&self) -> Result<DecodingKey, String> {
        if self.crv.as_deref() != Some("Ed25519") {
            return Err(unknown_curve(self.crv.as_deref()));
        }
        let x = bytes("x", &self.x)?;
        match x.len() {
            32 => Ok(DecodingKey::from_ed_der(&x)),
            other => Err(format!("`x` must have 32 bytes, got {other}")),
        }
    }
}

fn unknown_curve(curve: Option<&str>) -> String {
    format!("`crv` must be P-256, P-384 or Ed25519, got {curve:?}")
}

fn bytes(name: &str, value: &Option<String>) -> Result<Vec<u8>, String> {
    let text = value
        .as_deref()
        .ok_or_else(|| format!("`{name}` is missing"))?;
    base64url::decode(text).ok_or_else(|| format!("`{name}` is not base64url"))
}
