//! A sample's value: any float, with NaN and the infinities, written as Prometheus writes it.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A value that may be NaN. Two NaN are the same answer, so they compare equal here: a sample equals itself.
#[derive(Debug, Clone, Copy)]
pub struct Number(pub f64);

impl Number {
    /// Reads a value of Prometheus' JSON: `0.5`, `NaN`, `+Inf`.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        text.parse().ok().map(Self)
    }
}

impl PartialEq for Number {
    fn eq(&self, other: &Self) -> bool {
        self.0.total_cmp(&other.0).is_eq() || (self.0.is_nan() && other.0.is_nan())
    }
}

impl Eq for Number {}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            v if v.is_nan() => f.write_str("NaN"),
            v if v.is_infinite() => f.write_str(if v > 0.0 { "+Inf" } else { "-Inf" }),
            v => write!(f, "{v}"),
        }
    }
}

impl Serialize for Number {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        // As text: JSON has no NaN.
        to.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        Self::read(&text).ok_or_else(|| serde::de::Error::custom(format!("`{text}` is no number")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_survives_json() {
        for value in [0.0, -0.0, 0.1, 1e300, f64::INFINITY, f64::NEG_INFINITY, f64::NAN] {
            let json = serde_json::to_string(&Number(value)).unwrap();
            assert_eq!(serde_json::from_str::<Number>(&json).unwrap(), Number(value), "{json}");
        }
        assert_eq!(Number::read("+Inf"), Some(Number(f64::INFINITY)));
        assert_eq!(Number::read("x"), None);
    }
}
