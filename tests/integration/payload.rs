//! The files of events/ and the schema of payloads, held against the reader.
#![expect(clippy::unwrap_used, reason = "a test that cannot read its files fails")]

use std::{collections::BTreeMap, fs, path::Path};

use jsonschema::Validator;
use s3_cloudfront_invalidator::event::{self, Delivery, Payload, Unreadable};
use serde_json::{Value, json};

fn files(directory: &str) -> BTreeMap<String, String> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join(directory);
    fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| {
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            (name, fs::read_to_string(path).unwrap())
        })
        .collect()
}

/// schemas/event.schema.json, looking into texts too, as `contentSchema` says.
struct Schema {
    payload: Validator,
    document: Validator,
    topic_document: Validator,
}

impl Schema {
    fn load() -> Self {
        let schema = &files("schemas")["event.schema"];
        let schema: Value = serde_json::from_str(schema).unwrap();
        jsonschema::meta::validate(&schema).unwrap();
        let of = |definition: &str| {
            let reference = format!("#/$defs/{definition}");
            let schema = json!({"$ref": reference, "$defs": schema["$defs"]});
            jsonschema::validator_for(&schema).unwrap()
        };
        Self {
            payload: jsonschema::validator_for(&schema).unwrap(),
            document: of("document"),
            topic_document: of("topicDocument"),
        }
    }

    fn accepts(&self, payload: &Value) -> bool {
        self.payload.is_valid(payload) && self.accepts_texts(payload)
    }

    /// Whether the bodies and messages in a valid document are valid.
    fn accepts_texts(&self, value: &Value) -> bool {
        let holds = |text: &Value, validator: &Validator| {
            let document = text.as_str().and_then(|text| serde_json::from_str(text).ok());
            document.is_some_and(|document| {
                validator.is_valid(&document) && self.accepts_texts(&document)
            })
        };
        if let Value::Array(elements) = value {
            return elements.iter().all(|element| self.accepts_texts(element));
        }
        let has_id = value["messageId"].as_str().is_some_and(|id| !id.is_empty());
        let is_message = value["eventSource"] == "aws:sqs" || (has_id && !value["body"].is_null());
        if value["Records"].is_array() {
            self.accepts_texts(&value["Records"])
        } else if value["s3"].is_object() {
            true
        } else if is_message && value["body"].is_string() {
            holds(&value["body"], &self.document)
        } else if is_message {
            self.accepts_texts(&value["body"])
        } else if value["Sns"].is_object() {
            holds(&value["Sns"]["Message"], &self.topic_document)
        } else if value["Message"].is_string()
            && value["detail"].is_null()
            && value["Data"].is_null()
        {
            holds(&value["Message"], &self.topic_document)
        } else {
            true
        }
    }
}

fn read(payload: &str) -> Result<Payload, Unreadable> {
    event::read(payload.as_bytes(), "request-1")
}

fn is_understood(payload: &str) -> bool {
    read(payload).is_ok_and(|payload| {
        payload.deliveries.iter().all(|delivery| delivery.unreadable.is_empty())
    })
}

/// How a payload is answered, and for each delivery `changes/skipped`.
fn outcome(payload: &str) -> String {
    let payload = read(payload).unwrap();
    let mut outcome = format!("{:?}", payload.source).to_lowercase();
    for Delivery { changes, unreadable, skipped, .. } in &payload.deliveries {
        assert_eq!(unreadable, &[]);
        outcome += &format!(" {}/{skipped}", changes.len());
    }
    outcome
}

#[test]
fn every_event_file_is_understood() {
    let expected = [
        ("asset-with-hash", "direct 1/0"),
        ("custom-bus-array", "direct 2/0"),
        ("custom-bus-data", "direct 1/0"),
        ("empty-array", "direct 0/0"),
        ("empty-object", "direct 0/0"),
        ("empty-records", "direct 0/0"),
        ("eventbridge-array", "direct 3/0"),
        ("eventbridge-created", "direct 1/0"),
        ("eventbridge-deleted", "direct 1/0"),
        ("eventbridge-reduced", "direct 1/0"),
        ("eventbridge-replayed", "direct 1/0"),
        ("key-with-space-korean-plus", "direct 1/0"),
        ("key-without-rule", "direct 1/0"),
        ("page-created", "direct 1/0"),
        ("page-deleted", "direct 1/0"),
        ("pipes-sqs", "queue 1/0 1/0"),
        ("pipes-sqs-transformed", "queue 1/0 1/0"),
        ("restore-initiated", "direct 0/1"),
        ("s3-notification", "direct 5/1"),
        ("s3-test-event", "direct 0/1"),
        ("shop-price-list", "direct 1/0"),
        ("sns-eventbridge", "direct 1/0"),
        ("sns-s3-notification", "direct 2/0"),
        ("sqs-custom-bus", "queue 1/0 1/0"),
        ("sqs-eventbridge", "queue 1/0 1/0 1/0 1/0"),
        ("sqs-fifo", "queue 1/0 1/0 1/0"),
        ("sqs-s3-notification", "queue 2/0"),
        ("sqs-sns-eventbridge", "queue 1/0"),
        ("sqs-sns-raw", "queue 1/0"),
        ("sqs-sns-s3-notification", "queue 1/0"),
        ("sqs-test-event", "queue 0/1 0/1"),
        ("version-expired", "direct 1/0"),
    ];
    let files = files("events");
    let outcomes: Vec<_> = files.iter().map(|(name, text)| (&**name, outcome(text))).collect();
    assert_eq!(outcomes, expected.map(|(name, outcome)| (name, outcome.to_owned())));
}

#[test]
fn every_event_file_follows_the_schema() {
    let schema = Schema::load();
    for (name, text) in files("events") {
        assert!(schema.accepts(&serde_json::from_str(&text).unwrap()), "{name}");
    }
}

#[test]
fn refused_payloads_are_refused_by_the_schema_too() {
    let schema = Schema::load();
    let refused = files("tests/integration/payload/refused");
    assert!(!refused.is_empty());
    for (name, text) in refused {
        assert!(!is_understood(&text), "{name}");
        // What a percent-encoded key decodes to is more than a schema can say.
        let expressible = name != "key-not-utf8";
        assert_eq!(schema.accepts(&serde_json::from_str(&text).unwrap()), !expressible, "{name}");
    }
}

/// With any one value of any file taken out or made something else, the schema
/// and the reader still agree.
#[test]
fn the_schema_says_what_the_reader_does() {
    let schema = Schema::load();
    let mut payloads = files("events");
    payloads.extend(files("tests/integration/payload/refused"));
    payloads.remove("key-not-utf8");
    let mut verdicts = [0, 0];
    for (name, text) in payloads {
        let payload: Value = serde_json::from_str(&text).unwrap();
        for changed in variants(&payload) {
            let is_understood = is_understood(&changed.to_string());
            verdicts[usize::from(is_understood)] += 1;
            assert_eq!(schema.accepts(&changed), is_understood, "{name}: {changed:#}");
        }
    }
    assert!(verdicts.iter().all(|&count| count > 500), "{verdicts:?}");
}

/// The value with one value in it replaced, or one member or element missing.
fn variants(value: &Value) -> Vec<Value> {
    let others = [json!(null), json!(7), json!(""), json!("aws:sqs"), json!({}), json!([])];
    let mut variants = others.to_vec();
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                let with = |new| {
                    let mut members = members.clone();
                    members.insert(name.clone(), new);
                    Value::Object(members)
                };
                variants.extend(self::variants(member).into_iter().map(with));
                let mut members = members.clone();
                members.remove(name);
                variants.push(Value::Object(members));
            }
        }
        Value::Array(elements) => {
            for (at, element) in elements.iter().enumerate() {
                let with = |new| {
                    let mut elements = elements.clone();
                    elements[at] = new;
                    Value::Array(elements)
                };
                variants.extend(self::variants(element).into_iter().map(with));
                let mut elements = elements.clone();
                elements.remove(at);
                variants.push(Value::Array(elements));
            }
        }
        _ => {}
    }
    variants
}
