//! Why a token is not accepted.

/// Holds nothing of the token: it may be logged and, for the most part, told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum Rejected {
    /// Not the fault of the token: no key of the issuer could be read yet.
    #[error("the keys of the issuer cannot be read yet")]
    KeysUnavailable,
    #[error("the token is longer than 8 KiB")]
    TooLong,
    #[error("the token is not a signed JWT")]
    Malformed,
    /// Also when the header asks for what we do not know (`crit`, `zip`, …).
    #[error("the header of the token asks for what is not supported")]
    Header,
    #[error("the algorithm of the token is not that of its key")]
    Algorithm,
    #[error("the token names no key of the issuer")]
    UnknownKey,
    #[error("the signature of the token is wrong")]
    Signature,
    #[error("a claim of the token is missing or of the wrong kind")]
    Claims,
    #[error("the token has expired")]
    Expired,
    #[error("the token is not valid yet")]
    NotYetValid,
    #[error("the token is valid for longer than is allowed")]
    Lifetime,
    #[error("the token is of another issuer")]
    Issuer,
    #[error("the token is for another audience")]
    Audience,
    #[error("the subject of the token is not 1 to 255 printable ASCII characters")]
    Subject,
    #[error("the scopes of the token are malformed")]
    Scope,
}

impl Rejected {
    /// For logs and metrics; never changes.
    pub fn label(self) -> &'static str {
        match self {
            Self::KeysUnavailable => "keys_unavailable",
            Self::TooLong => "too_long",
            Self::Malformed => "malformed",
            Self::Header => "header",
            Self::Algorithm => "algorithm",
            Self::UnknownKey => "unknown_key",
            Self::Signature => "signature",
            Self::Claims => "claims",
            Self::Expired => "expired",
            Self::NotYetValid => "not_yet_valid",
            Self::Lifetime => "lifetime",
            Self::Issuer => "issuer",
            Self::Audience => "audience",
            Self::Subject => "subject",
            Self::Scope => "scope",
        }
    }

    /// True when the same token may well be accepted a little later: answer
    /// `UNAVAILABLE`, not `UNAUTHENTICATED`.
    pub fn is_temporary(self) -> bool {
        self == Self::KeysUnavailable
    }
}
