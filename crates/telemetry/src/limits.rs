//! How much one span or one record of the log may carry.

use opentelemetry::{Array, KeyValue, StringValue, Value};
use opentelemetry_sdk::trace::SpanLimits;

use crate::variables::Variables;

const COUNT: u32 = 128;

#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    pub(crate) span: SpanLimits,
    pub(crate) span_values: Length,
    pub(crate) record_attributes: usize,
    pub(crate) record_values: Length,
}

/// The most characters of a text; `None`: any.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Length(pub(crate) Option<usize>);

impl Limits {
    /// What is set for spans or records wins over what is set for both.
    pub(crate) fn read(variables: &Variables) -> Self {
        let count = |name, default: u32| variables.parsed(name, default).unwrap_or(default);
        let attributes = count("OTEL_ATTRIBUTE_COUNT_LIMIT", COUNT);
        let length = |name, default: Option<usize>| {
            let instead = default.map_or("no limit".to_owned(), |length| length.to_string());
            variables.parsed(name, instead).or(default)
        };
        let values = length("OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT", None);
        let record_attributes = count("OTEL_LOGRECORD_ATTRIBUTE_COUNT_LIMIT", attributes);
        Self {
            span: SpanLimits {
                max_attributes_per_span: count("OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", attributes),
                max_events_per_span: count("OTEL_SPAN_EVENT_COUNT_LIMIT", COUNT),
                max_links_per_span: count("OTEL_SPAN_LINK_COUNT_LIMIT", COUNT),
                max_attributes_per_event: count("OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT", COUNT),
                max_attributes_per_link: count("OTEL_LINK_ATTRIBUTE_COUNT_LIMIT", COUNT),
            },
            span_values: Length(length("OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT", values)),
            record_attributes: usize::try_from(record_attributes).unwrap_or(usize::MAX),
            record_values: Length(length(
                "OTEL_LOGRECORD_ATTRIBUTE_VALUE_LENGTH_LIMIT",
                values,
            )),
        }
    }
}

impl Length {
    pub(crate) fn cut(self, text: &mut String) {
        let Some(most) = self.0 else { return };
        if let Some((end, _)) = text.char_indices().nth(most) {
            text.truncate(end);
        }
    }

    pub(crate) fn cut_all(self, attributes: &mut [KeyValue]) {
        if self.0.is_none() {
            return;
        }
        for attribute in attributes {
            match &mut attribute.value {
                Value::String(text) => self.cut_value(text),
                Value::Array(Array::String(texts)) => {
                    texts.iter_mut().for_each(|text| self.cut_value(text));
                }
                _ => {}
            }
        }
    }

    fn cut_value(self, value: &mut StringValue) {
        if self.0.is_some_and(|most| value.as_str().len() > most) {
            let mut text = value.as_str().to_owned();
            self.cut(&mut text);
            *value = text.into();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_general_limit_holds_where_no_special_one_is_set() {
        let limits = Limits::read(&Variables::of(&[
            ("OTEL_ATTRIBUTE_COUNT_LIMIT", "10"),
            ("OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT", "20"),
            ("OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", "3"),
            ("OTEL_LOGRECORD_ATTRIBUTE_VALUE_LENGTH_LIMIT", "5"),
            ("OTEL_SPAN_LINK_COUNT_LIMIT", "7"),
            ("OTEL_SPAN_EVENT_COUNT_LIMIT", "lots"),
        ]));
        assert_eq!(limits.span.max_attributes_per_span, 3);
        assert_eq!(limits.span.max_links_per_span, 7);
        assert_eq!(limits.span.max_events_per_span, 128);
        assert_eq!(limits.span_values, Length(Some(20)));
        assert_eq!(limits.record_attributes, 10);
        assert_eq!(limits.record_values, Length(Some(5)));
    }

    #[test]
    fn texts_are_cut_between_characters_and_numbers_are_left_alone() {
        let mut attributes = [
            KeyValue::new("a", "grüße"),
            KeyValue::new("b", 12_345),
            KeyValue::new("c", "gr"),
        ];
        Length(Some(3)).cut_all(&mut attributes);
        assert_eq!(attributes[0].value.as_str(), "grü");
        assert_eq!(attributes[1].value, Value::I64(12_345));
        assert_eq!(attributes[2].value.as_str(), "gr");
        Length(Some(0)).cut_all(&mut attributes);
        assert_eq!(attributes[2].value.as_str(), "");
    }
}
