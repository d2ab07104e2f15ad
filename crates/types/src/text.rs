//! Names given by people and other programs: printable ASCII of limited length.

/// Why a text is not what it should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseTextError {
    #[error("must be 1 to {max} printable ASCII characters, got {got}")]
    Length { max: usize, got: usize },
    #[error("must be 1 to {max} printable ASCII characters, character {position} is {found:?}")]
    NotPrintableAscii {
        max: usize,
        /// Counted from 1.
        position: usize,
        found: char,
    },
    #[error("must not begin or end with a space")]
    OuterSpace,
}

fn check(text: &str, max: usize) -> Result<(), ParseTextError> {
    let got = text.chars().count();
    if got == 0 || got > max {
        return Err(ParseTextError::Length { max, got });
    }
    let printable = |c: &char| *c == ' ' || c.is_ascii_graphic();
    if let Some((index, found)) = text.chars().enumerate().find(|(_, c)| !printable(c)) {
        let position = index + 1;
        return Err(ParseTextError::NotPrintableAscii {
            max,
            position,
            found,
        });
    }
    if text.starts_with(' ') || text.ends_with(' ') {
        return Err(ParseTextError::OuterSpace);
    }
    Ok(())
}

macro_rules! text {
    ($(#[$doc:meta])* $name:ident, $max:literal) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(std::sync::Arc<str>);

        impl $name {
            pub const MAX_CHARS: usize = $max;

            pub fn parse(text: &str) -> Result<Self, ParseTextError> {
                check(text, Self::MAX_CHARS)?;
                Ok(Self(text.into()))
            }

            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(&self.0)
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, concat!(stringify!($name), "({:?})"), self.as_str())
            }
        }

        impl std::str::FromStr for $name {
            type Err = ParseTextError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Self::parse(text)
            }
        }

        impl TryFrom<&str> for $name {
            type Error = ParseTextError;

            fn try_from(text: &str) -> Result<Self, Self::Error> {
                Self::parse(text)
            }
        }

        impl TryFrom<String> for $name {
            type Error = ParseTextError;

            fn try_from(text: String) -> Result<Self, Self::Error> {
                Self::parse(&text)
            }
        }

        impl From<$name> for String {
            fn from(text: $name) -> Self {
                text.as_str().to_owned()
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                self.as_str()
            }
        }

        /// Maps keyed by this can be asked with a plain `&str`.
        impl std::borrow::Borrow<str> for $name {
            fn borrow(&self) -> &str {
                self.as_str()
            }
        }
    };
}

text!(
    /// A stock keeping unit. Case matters: `15056BL` and `15056bl` are two SKUs.
    Sku,
    64
);
text!(
    /// The shop's own name for a customer.
    CustomerId,
    64
);
text!(
    /// The shop's own name for a place that holds stock.
    LocationId,
    64
);
text!(
    /// What a caller sends so that asking twice acts once.
    IdempotencyKey,
    255
);
