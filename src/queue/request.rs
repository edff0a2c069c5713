use serde::Deserialize;
use serde_json::value::RawValue;

/// The largest payload that is looked at: a drain request is short, and an
/// event payload of 6 MB should not be read twice.
const MAX_REQUEST_BYTES: usize = 1024;

/// The settings of a drain: `{"drain": {"quiet_seconds": 3}}`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DrainRequest {
    /// How long the queue must be quiet before the drain ends. When it is set,
    /// an empty queue is also waited on for this long.
    pub quiet_seconds: Option<u16>,
    /// The longest time to receive messages.
    pub max_wait_seconds: Option<u16>,
}

/// A drain request that cannot be read.
#[derive(Debug, thiserror::Error)]
#[error(
    "cannot read the drain request: {0}; expected {{\"drain\": {{}}}}, with `quiet_seconds` and `max_wait_seconds` \
     as whole numbers up to 65535 if the defaults do not fit"
)]
pub struct InvalidDrainRequest(serde_json::Error);

impl DrainRequest {
    /// Reads a payload that is a drain request. Returns `None` for any other
    /// payload.
    pub fn parse(payload: &[u8]) -> Option<Result<Self, InvalidDrainRequest>> {
        #[derive(Deserialize)]
        struct Probe<'p> {
            #[serde(borrow, rename = "drain")]
            _drain: &'p RawValue,
        }
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Envelope {
            drain: DrainRequest,
        }
        let payload = payload.strip_prefix(b"\xef\xbb\xbf").unwrap_or(payload);
        let is_object = payload.trim_ascii_start().starts_with(b"{");
        if !is_object
            || payload.len() > MAX_REQUEST_BYTES
            || serde_json::from_slice::<Probe>(payload).is_err()
        {
            return None;
        }
        let envelope: Result<Envelope, _> = serde_json::from_slice(payload);
        Some(envelope.map(|envelope| envelope.drain).map_err(InvalidDrainRequest))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drain_requests_are_told_from_events() {
        let parse = |payload: &str| {
            DrainRequest::parse(payload.as_bytes()).map(|read| read.map_err(|e| e.to_string()))
        };
        assert_eq!(parse(r#"{"drain": {}}"#), Some(Ok(DrainRequest::default())));
        assert_eq!(parse("\u{feff}{\"drain\": {}}"), Some(Ok(DrainRequest::default())));
        let both = r#"{"drain": {"quiet_seconds": 0, "max_wait_seconds": 10}}"#;
        let request = DrainRequest { quiet_seconds: Some(0), max_wait_seconds: Some(10) };
        assert_eq!(parse(both), Some(Ok(request)));
        for event in ["{}", "[]", r#"{"Records": []}"#, r#"[{"drain": {}}]"#, "7", "{"] {
            assert_eq!(parse(event), None, "{event}");
        }
        for (payload, reason) in [
            (r#"{"drain": {"quiet": 1}}"#, "unknown field `quiet`"),
            (r#"{"drain": {}, "source": "aws.s3"}"#, "unknown field `source`"),
            (r#"{"drain": {"quiet_seconds": -1}}"#, "invalid value"),
            (r#"{"drain": true}"#, "invalid type"),
        ] {
            let error = parse(payload).unwrap().unwrap_err();
            assert!(error.contains(reason) && error.contains("expected {\"drain\""), "{error}");
        }
    }
}
