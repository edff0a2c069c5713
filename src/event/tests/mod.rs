//! Payload shapes, one line each, and the errors of those that are refused.

mod wrappings;

use serde_json::{Value, json};

use super::*;

fn event(key: &str) -> Value {
    json!({
        "version": "0",
        "id": "17793124-05d4-b198-2fde-7ededc63b103",
        "detail-type": "Object Created",
        "source": "aws.s3",
        "account": "111122223333",
        "time": "2026-10-01T08:30:00Z",
        "region": "eu-west-1",
        "detail": {
            "bucket": {"name": "example-site"},
            "object": {"key": key, "size": 5, "sequencer": "617f08299329d189"},
            "reason": "PutObject"
        }
    })
}

fn record(key: &str) -> Value {
    json!({
        "eventVersion": "2.1",
        "eventSource": "aws:s3",
        "awsRegion": "eu-west-1",
        "eventTime": "2026-10-01T08:30:00.000Z",
        "eventName": "ObjectCreated:Put",
        "responseElements": {"x-amz-request-id": "D82B88E5F771F645"},
        "s3": {
            "bucket": {"name": "example-site"},
            "object": {"key": key, "size": 5, "sequencer": "617f08299329d189"}
        }
    })
}

fn records(records: impl IntoIterator<Item = Value>) -> Value {
    json!({"Records": records.into_iter().collect::<Vec<_>>()})
}

fn test_event() -> Value {
    json!({"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": "example-site"})
}

fn message(id: &str, body: &Value) -> Value {
    let body = body.as_str().map_or_else(|| body.to_string(), str::to_owned);
    json!({"messageId": id, "receiptHandle": "AQEB", "body": body, "eventSource": "aws:sqs"})
}

fn sns(message: &Value) -> Value {
    json!({"EventSource": "aws:sns", "Sns": envelope(message)})
}

fn envelope(message: &Value) -> Value {
    let topic = "arn:aws:sns:eu-west-1:111122223333:changes";
    json!({"Type": "Notification", "TopicArn": topic, "Message": message.to_string()})
}

fn with(mut value: Value, pointer: &str, new: Value) -> Value {
    *value.pointer_mut(pointer).unwrap() = new;
    value
}

fn without(mut value: Value, parent: &str, name: &str) -> Value {
    value.pointer_mut(parent).unwrap().as_object_mut().unwrap().remove(name).unwrap();
    value
}

fn read(payload: &str) -> Result<Payload, Unreadable> {
    super::read(payload.as_bytes(), "request-1")
}

fn only_change(payload: &Value) -> Change {
    let mut payload = read(&payload.to_string()).unwrap();
    let mut delivery = payload.deliveries.remove(0);
    assert_eq!((delivery.changes.len(), &delivery.unreadable[..]), (1, &[][..]));
    delivery.changes.remove(0)
}

/// Summarizes deliveries as `id:changes/skipped/unreadable`.
fn outcome(payload: &str) -> String {
    let Ok(payload) = read(payload) else { return "error".to_owned() };
    let mut outcome = format!("{:?}", payload.source).to_lowercase();
    for delivery in &payload.deliveries {
        let Delivery { id, changes, skipped, unreadable, .. } = delivery;
        let id = id.as_deref().unwrap_or("-");
        outcome += &format!(" {id}:{}/{skipped}/{}", changes.len(), unreadable.len());
    }
    outcome
}

#[test]
fn a_byte_order_mark_is_removed() {
    let mark = |json: &Value| format!("\u{feff}{json}");
    assert_eq!(outcome(&mark(&event("k"))), "direct -:1/0/0");
    assert_eq!(outcome(&mark(&json!([event("k")]))), "direct -:1/0/0");
    let body = json!({"Records": [{"messageId": "m", "body": mark(&event("k")), "eventSource": "aws:sqs"}]});
    assert_eq!(outcome(&body.to_string()), "queue m:1/0/0");
}

/// A recursive reader would exhaust the stack.
#[test]
fn a_deeply_nested_payload_is_unreadable() {
    for wrapping in ["{\"requestPayload\":", "{\"Data\":", "[", "{\"Records\":["] {
        let payload = wrapping.repeat(100_000);
        read(&payload).expect_err(wrapping);
    }
    let nested = format!("{}{{}}{}", "{\"requestPayload\":".repeat(10_000), "}".repeat(10_000));
    read(&nested).expect_err("nested");
}

#[test]
fn shapes() {
    let (e, r, nothing) = (event("k"), record("k"), json!({}));
    let foreign = with(event("k"), "/source", json!("aws.ec2"));
    let reduced =
        json!({"source": e["source"], "detail-type": e["detail-type"], "detail": e["detail"]});
    let data = |inner: &Value| json!({"Data": inner, "Metadata": {}});
    let failed = |inner: &Value| json!({"requestContext": {}, "requestPayload": inner});
    for (payload, expected) in [
        // Direct.
        (e.clone(), "direct -:1/0/0"),
        (reduced, "direct -:1/0/0"),
        (json!([e, e]), "direct -:2/0/0"),
        (data(&e), "direct -:1/0/0"),
        (json!([data(&e), e]), "direct -:2/0/0"),
        (data(&json!([e, e])), "direct -:2/0/0"),
        (records([r.clone(), r.clone(), r.clone()]), "direct -:3/0/0"),
        (json!([records([r.clone()]), e]), "direct -:2/0/0"),
        (records([sns(&e), sns(&records([r.clone(), r.clone()]))]), "direct -:3/0/0"),
        (envelope(&e), "direct -:1/0/0"),
        (failed(&e), "direct -:1/0/0"),
        (failed(&json!([e, data(&e)])), "direct -:2/0/0"),
        (failed(&records([sns(&e)])), "direct -:1/0/0"),
        (failed(&failed(&records([r.clone()]))), "direct -:1/0/0"),
        (json!([failed(&e), e]), "direct -:2/0/0"),
        (records([sns(&failed(&e))]), "direct -:1/0/0"),
        (test_event(), "direct -:0/1/0"),
        (records([sns(&test_event())]), "direct -:0/1/0"),
        (nothing.clone(), "direct -:0/0/0"),
        (json!([]), "direct -:0/0/0"),
        (records([]), "direct -:0/0/0"),
        (json!([{}]), "direct -:0/0/0"),
        // Valid events that are no change.
        (with(e.clone(), "/detail-type", json!("Object Restore Initiated")), "direct -:0/1/0"),
        (with(e.clone(), "/detail-type", json!("Object Renamed")), "direct -:0/1/0"),
        (
            records([with(r.clone(), "/eventName", json!("Replication:X")), r.clone()]),
            "direct -:1/1/0",
        ),
        // Direct, with unreadable elements.
        (json!([e, foreign, 7, e, [e]]), "direct -:2/0/3"),
        (records([r.clone(), json!({}), json!({"eventSource": "aws:kinesis"})]), "direct -:1/0/2"),
        (records([sns(&json!("hello")), r.clone()]), "direct -:1/0/1"),
        (records([e.clone()]), "direct -:0/0/1"),
        (records([json!({"Records": [r]})]), "direct -:0/0/1"),
        (json!([{"Records": [message("a", &e)]}]), "direct -:0/0/1"),
        // Queues.
        (records([message("a", &e), message("b", &json!([e, e]))]), "queue a:1/0/0 b:2/0/0"),
        (json!([message("a", &e), message("b", &data(&e))]), "queue a:1/0/0 b:1/0/0"),
        (records([message("a", &records([r.clone(), r.clone()]))]), "queue a:2/0/0"),
        (records([message("a", &envelope(&e))]), "queue a:1/0/0"),
        (records([message("a", &envelope(&records([r.clone()])))]), "queue a:1/0/0"),
        (records([message("a", &records([sns(&e)]))]), "queue a:1/0/0"),
        (records([message("a", &failed(&e)), message("b", &e)]), "queue a:1/0/0 b:1/0/0"),
        (records([message("a", &failed(&json!([e, foreign])))]), "queue a:1/0/1"),
        (records([message("a", &envelope(&failed(&e)))]), "queue a:1/0/0"),
        (
            records([message("a", &test_event()), message("b", &envelope(&test_event()))]),
            "queue a:0/1/0 b:0/1/0",
        ),
        (records([message("a", &nothing), message("b", &json!([]))]), "queue a:0/0/0 b:0/0/0"),
        (records([message("a", &json!("hello")), message("b", &e)]), "queue a:0/0/1 b:1/0/0"),
        (records([message("a", &json!([e, foreign]))]), "queue a:1/0/1"),
        (records([message("a", &records([message("b", &e)]))]), "queue a:0/0/1"),
        (records([message("a", &e), message("a", &e)]), "queue a:1/0/0 a:1/0/0"),
        (
            records([with(message("a", &e), "/body", json!(7)), message("b", &e)]),
            "queue a:0/0/1 b:1/0/0",
        ),
        (json!([without(message("a", &e), "", "eventSource")]), "queue a:1/0/0"),
        // Bodies that Pipes parsed for an input transformer.
        (
            json!([{"messageId": "a", "body": e}, {"messageId": "b", "body": [e]}]),
            "queue a:1/0/0 b:1/0/0",
        ),
        // Queues with elements that have no id.
        (json!([message("a", &e), e]), "queue a:1/0/0 -:1/0/0"),
        (records([message("a", &e), r.clone(), json!(7)]), "queue a:1/0/0 -:1/0/1"),
        (records([message("a", &e), message("", &e)]), "queue a:1/0/0 -:0/0/1"),
        (records([without(message("a", &e), "", "messageId")]), "direct -:0/0/1"),
        // Refused.
        (foreign, "error"),
        (data(&data(&e)), "error"),
        (data(&r), "error"),
        (data(&json!("hello")), "error"),
        (data(&json!(null)), "error"),
        ((0..5).fold(e.clone(), |inner, _| failed(&inner)), "direct -:1/0/0"),
        ((0..6).fold(e.clone(), |inner, _| failed(&inner)), "error"),
        (failed(&json!(null)), "error"),
        (failed(&json!("hello")), "error"),
        (failed(&records([message("a", &e)])), "direct -:0/0/1"),
        (data(&failed(&e)), "error"),
        (envelope(&failed(&envelope(&e))), "error"),
        (envelope(&envelope(&e)), "error"),
        (json!({"message": "hello"}), "error"),
        (json!({"Records": {}}), "error"),
        (json!({"Records": null}), "error"),
        (message("a", &e), "error"),
        (r, "error"),
        (e["detail"].clone(), "error"),
        (json!(null), "error"),
        (json!("hello"), "error"),
        (json!(7), "error"),
    ] {
        let (compact, pretty) = (payload.to_string(), format!("\n{payload:#}\n"));
        assert_eq!(outcome(&compact), expected, "{pretty}");
        assert_eq!(outcome(&pretty), expected, "{pretty}");
    }
}

#[test]
fn every_member_of_a_change() {
    let bridge = only_change(&event("public/a+b %41.html"));
    assert_eq!((&*bridge.bucket, bridge.kind), ("example-site", Kind::Created));
    assert_eq!(bridge.key, "public/a+b %41.html");
    assert_eq!((bridge.time_ms, bridge.size), (Some(1_790_843_400_000), Some(5)));
    assert_eq!(bridge.account.as_deref(), Some("111122223333"));
    assert_eq!(bridge.region.as_deref(), Some("eu-west-1"));
    let notified = only_change(&records([record("public/a%2Bb+%2541.html")]));
    assert_eq!(notified, Change { account: None, ..bridge });
}

#[test]
fn invalid_sizes_and_times_are_missing() {
    for (size, expected) in [
        ("0", Some(0)),
        ("18446744073709551615", Some(u64::MAX)),
        ("18446744073709551616", None),
        ("-1", None),
        ("-0", None),
        ("5.0", None),
        ("1e3", None),
        ("\"5\"", None),
        ("null", None),
        ("{\"bytes\": 5}", None),
    ] {
        let payload = event("k").to_string().replace("\"size\":5", &format!("\"size\":{size}"));
        assert_eq!(read(&payload).unwrap().deliveries[0].changes[0].size, expected, "{size}");
    }
    for time in [json!("yesterday"), json!(1_790_843_400), json!(null), json!({})] {
        assert_eq!(only_change(&with(event("k"), "/time", time)).time_ms, None);
    }
}

#[test]
fn unexpected_members_are_ignored() {
    let odd = without(event("k"), "", "time").to_string().replacen(
        '{',
        r#"{"resources": [{"a": [[1e999, "\ud800"]]}], "requester": -1E+400,
           "time": 1e99, "key": "no", "Records": "none", "body": "{", "s3": [], "Sns": ["a"],"#,
        1,
    );
    assert_eq!(outcome(&format!("[{odd}, {}]", event("k"))), "direct -:2/0/0");
    assert_eq!(outcome("{\"a\": 1e999, \"Records\": []}"), "direct -:0/0/0");
}

#[test]
fn nesting_does_not_exhaust_the_stack() {
    for open in ["[", "{\"a\":", "{\"Data\":", "{\"Sns\":", "{\"Records\":[", "{\"detail\":"] {
        let _ = read(&open.repeat(100_000));
        let _ = read(&format!("{{\"Records\":[{{\"s3\":{}", open.repeat(100_000)));
    }
    let lists = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    assert_eq!(outcome(&lists), "direct -:0/0/1");
    assert_eq!(outcome(&format!("{{\"Records\":[],\"a\":{lists}}}")), "direct -:0/0/0");
    assert_eq!(outcome(&format!("{{\"Data\":{lists}}}")), "direct -:0/0/1");
}

#[test]
fn keys() {
    let long = "한".repeat(400);
    for (key, readable) in
        [("", false), ("/", true), ("dir/", true), ("a\0b", true), (" ", true), (&*long, true)]
    {
        let encoded = percent_encoding::utf8_percent_encode(key, percent_encoding::CONTROLS);
        for payload in [event(key), records([record(&encoded.to_string())])] {
            let keys: Vec<_> = read(&payload.to_string())
                .into_iter()
                .flat_map(|payload| payload.deliveries)
                .flat_map(|delivery| delivery.changes)
                .map(|change| change.key)
                .collect();
            assert_eq!(keys, if readable { vec![key] } else { vec![] }, "{payload}");
        }
    }
    let surrogate = event("k").to_string().replace("\"k\"", "\"\\ud800\"");
    assert_eq!(outcome(&surrogate), "error");
}

#[test]
fn only_messages_of_fifo_queues_have_a_group() {
    let grouped = |queue: &str| {
        let mut message = message("a", &event("k"));
        message["attributes"] = json!({ "MessageGroupId": "g" });
        message["eventSourceARN"] = format!("arn:aws:sqs:eu-west-1:111122223333:{queue}").into();
        message
    };
    let payload = records([grouped("q.fifo"), grouped("q"), message("b", &event("k"))]).to_string();
    let groups: Vec<_> =
        read(&payload).unwrap().deliveries.into_iter().map(|delivery| delivery.group).collect();
    assert_eq!(groups, [Some("g".to_owned()), None, None]);
}

#[test]
fn identity_uses_the_first_id_there_is() {
    let identity = |payload: &Value| only_change(payload).identity;
    let expected = |occurrence, replay| {
        Identity::new("example-site", "k", Kind::Created, None, occurrence, replay)
    };
    let (e, r) = (event("k"), record("k"));
    let sequencer = expected(Occurrence::Sequencer("617f08299329d189"), None);
    assert_eq!(identity(&e), sequencer);
    assert_eq!(identity(&records([r.clone()])), sequencer);

    let e = without(e, "/detail/object", "sequencer");
    let event_id = "17793124-05d4-b198-2fde-7ededc63b103";
    assert_eq!(identity(&e), expected(Occurrence::Event(event_id), None));
    let mut replayed = e.clone();
    replayed["replay-name"] = json!("again");
    assert_eq!(identity(&replayed), expected(Occurrence::Event(event_id), Some("again")));
    let mut unnamed = without(e, "", "id");
    assert_eq!(identity(&unnamed), expected(Occurrence::Delivery("request-1"), None));
    let queued = records([message("message-1", &unnamed)]);
    assert_eq!(identity(&queued), expected(Occurrence::Delivery("message-1"), None));
    unnamed["detail"]["request-id"] = json!("N4N7GDK58NMKJ12R");
    assert_eq!(identity(&unnamed), expected(Occurrence::Event("N4N7GDK58NMKJ12R"), None));

    let r = without(r, "/s3/object", "sequencer");
    let request = expected(Occurrence::Event("D82B88E5F771F645"), None);
    assert_eq!(identity(&records([r.clone()])), request);
    let r = without(r, "", "responseElements");
    let direct = expected(Occurrence::Delivery("request-1"), None);
    assert_eq!(identity(&records([r])), direct);
}

#[test]
fn records_that_share_a_request_id_are_distinct() {
    let unsequenced = |key| without(record(key), "/s3/object", "sequencer");
    let mut version = unsequenced("a");
    version["s3"]["object"]["versionId"] = json!("v2");
    let removed = with(unsequenced("a"), "/eventName", json!("ObjectRemoved:Delete"));
    let payload = records([unsequenced("a"), unsequenced("b"), version, removed]).to_string();
    let mut identities: Vec<_> = read(&payload).unwrap().deliveries[0]
        .changes
        .iter()
        .map(|change| change.identity)
        .collect();
    identities.sort();
    identities.dedup();
    assert_eq!(identities.len(), 4);
}

/// The errors of a payload.
fn errors(payload: &str) -> String {
    match read(payload) {
        Err(unreadable) => unreadable.to_string(),
        Ok(payload) => {
            let unreadable = payload.deliveries.iter().flat_map(|delivery| &delivery.unreadable);
            unreadable.map(Unreadable::to_string).collect::<Vec<_>>().join("\n")
        }
    }
}

#[test]
fn errors_say_what_was_expected_and_what_came() {
    let (e, r) = (event("k"), record("k"));
    let confirmation = json!({"Type": "SubscriptionConfirmation", "TopicArn": "arn", "Token": "t",
        "Message": "You have chosen to subscribe"});
    for (payload, expected) in [
        (json!("hello"), "neither an object nor an array; expected an S3 event of EventBridge"),
        (json!({"hello": "world"}), r#"; got `{"hello":"…"}`"#),
        (e["detail"].clone(), "`detail-type` and `detail`, which an input transformer must keep"),
        (without(e.clone(), "", "source"), "an EventBridge event without `source`; an input"),
        (json!({"detail": {}}), "without `source` and `detail-type`; "),
        (with(e.clone(), "/detail", json!("x")), "without `detail`; "),
        (
            with(e.clone(), "/source", json!("aws.ec2")),
            "an event of `aws.ec2` (`Object Created`), not of `aws.s3`; ",
        ),
        (
            without(e.clone(), "/detail/object", "key"),
            "`Object Created` event `17793124-05d4-b198-2fde-7ededc63b103` without `detail.object.key`",
        ),
        (without(e.clone(), "/detail", "bucket"), "without `detail.bucket.name`"),
        (with(e.clone(), "/detail/bucket", json!("b")), "without `detail.bucket.name`"),
        (json!([e, without(e.clone(), "/detail", "object")]), "[1]: `Object Created` event"),
        (
            records([r.clone(), without(r.clone(), "/s3/bucket", "name")]),
            "Records[1]: a record of `ObjectCreated:Put` without `s3.bucket.name`",
        ),
        (records([with(r.clone(), "/s3/object/key", json!(""))]), "without `s3.object.key`"),
        (
            records([without(r.clone(), "", "eventName")]),
            "Records[0]: an S3 record without `eventName`",
        ),
        (records([record("a%ff")]), "key `a%ff` of bucket `example-site` does not decode to UTF-8"),
        (
            records([json!({"eventSource": "aws:kinesis"})]),
            "Records[0]: a record of `aws:kinesis`; expected",
        ),
        (
            records([sns(&records([r.clone(), json!({})]))]),
            "Records[0]: Records[1]: expected an S3 event",
        ),
        (records([sns(&json!("hello"))]), "Records[0]: Message: neither an object nor"),
        (
            records([message("a", &confirmation)]),
            "a message of type `SubscriptionConfirmation` from SNS",
        ),
        (json!({"Type": "Notification"}), "an SNS notification without `Message`"),
        (envelope(&envelope(&e)), "Message: an SNS notification inside an SNS notification"),
        (json!({"Data": {"Data": e}}), "Data: expected an S3 event"),
        (message("a", &e), "an SQS message that is not an element of the payload's own list"),
        (records([message("", &e)]), "Records[0]: an SQS message without `messageId`"),
        (
            records([with(message("a", &e), "/body", json!(7))]),
            "an SQS message without a `body` that is text",
        ),
        (
            records([message("a", &json!("{\"detail\""))]),
            "not JSON, EOF while parsing an object at line 1 column 9; ",
        ),
        (json!([[]]), "[0]: neither an object nor"),
    ] {
        let errors = errors(&payload.to_string());
        assert!(errors.contains(expected), "{errors}\nlacks\n{expected}");
    }
    for (payload, expected) in [
        ("", "not JSON, EOF while parsing a value at line 1 column 0; "),
        ("hello world", "got `hello world`"),
        ("{\"Records\": [", "not JSON, EOF while parsing a list at line 1 column 13; "),
        (r#"{"source": "a", "source": "b"}"#, "duplicate field `source` at line 1 column 24; "),
        (r#"[{"s3": {"object": {"key": "a", "key": "b"}}}]"#, "[0]: duplicate field `key` at line"),
    ] {
        let errors = errors(payload);
        assert!(errors.contains(expected), "{errors}\nlacks\n{expected}");
    }
    let errors = super::read(b"\"caf\xe9\"", "request-1").unwrap_err().to_string();
    assert!(errors.starts_with("not UTF-8; expected"), "{errors}");
}

#[test]
fn errors_quote_no_secret() {
    let handle = "AQEBwJnKyrHigUMZj6rYigCgxlaS3SLy0a";
    let token = "2336412f37fb687f5d51e6e241d09c805a5a57b30d712f7948a98bac386edfe3e";
    for payload in [
        json!({"receiptHandle": handle, "Token": token}),
        records([json!({"receiptHandle": handle, "body": 7, "messageId": "a", "x": token})]),
        json!([[handle, token]]),
        json!({"Type": "SubscriptionConfirmation", "TopicArn": "arn", "Token": token, "x": handle}),
        envelope(&json!({"Signature": handle, "Token": token})),
    ] {
        let errors = errors(&payload.to_string());
        assert!(!errors.is_empty());
        assert!(!errors.contains("AQEB") && !errors.contains("2336"), "{errors}");
    }
}

#[test]
fn only_the_first_errors_are_kept() {
    let payload = format!("[{}7]", "7,".repeat(100_000));
    let payload = read(&payload).unwrap();
    let unreadable = &payload.deliveries[0].unreadable;
    assert_eq!(unreadable.len(), 21);
    assert_eq!(unreadable[20].to_string(), "and 99981 more that are unreadable");
}
