//! The Lambda binary between a Runtime API and the simulator.

use std::time::Duration;

use cloudfront_simulator::{Operation, Recorded, Simulator, SimulatorOptions, SimulatorServer};
use serde_json::{Value, json};

use crate::lambda::Lambda;

const RULES: &str = "
version: 1
targets:
  www: { distribution: E1EXAMPLEWWW, origin_path: /public, index_documents: [index.html] }
  blog: E2EXAMPLEBLOG
rules:
  - name: drafts
    bucket: site
    prefix: public/drafts/
    ignore: true
  - name: pages
    bucket: site
    suffix: .html
    invalidate: [www, blog]
";

/// An S3 event as EventBridge sends it.
fn event(detail_type: &str, bucket: &str, key: &str) -> Value {
    json!({
        "version": "0",
        "id": "17793124-05d4-b198-2fde-7ededc63b103",
        "detail-type": detail_type,
        "source": "aws.s3",
        "account": "111122223333",
        "time": "2026-11-12T00:00:00Z",
        "region": "eu-central-1",
        "resources": [format!("arn:aws:s3:::{bucket}")],
        "detail": {
            "version": "0",
            "bucket": { "name": bucket },
            "object": { "key": key, "size": 5, "etag": "b1946ac92492d2347c6235b4d2611184", "sequencer": "617f08299329d189" },
            "request-id": "N4N7GDK58NMKJ12R",
            "requester": "111122223333",
            "source-ip-address": "192.0.2.1",
            "reason": "PutObject"
        }
    })
}

fn created(bucket: &str, key: &str) -> String {
    event("Object Created", bucket, key).to_string()
}

/// A queue of messages `(id, body)`.
fn sqs(messages: &[(&str, &str)]) -> String {
    let records: Vec<Value> = messages
        .iter()
        .map(|(id, body)| {
            json!({
                "messageId": id,
                "receiptHandle": "AQEBsecretReceiptHandle",
                "body": body,
                "attributes": { "ApproximateReceiveCount": "1" },
                "messageAttributes": {},
                "eventSource": "aws:sqs",
                "eventSourceARN": "arn:aws:sqs:eu-central-1:111122223333:invalidations",
                "awsRegion": "eu-central-1"
            })
        })
        .collect();
    json!({ "Records": records }).to_string()
}

async fn simulator(options: SimulatorOptions) -> SimulatorServer {
    SimulatorServer::start(options).await.unwrap()
}

/// The function with `rules`, which sends to `simulator`.
async fn function(
    simulator: &SimulatorServer,
    rules: Option<&str>,
    environment: &[(&str, &str)],
) -> Lambda {
    let own = simulator.environment();
    let mut all: Vec<(&str, &str)> =
        own.iter().map(|(name, value)| (*name, value.as_str())).collect();
    all.extend_from_slice(environment);
    Lambda::start(rules, &all).await
}

/// What CloudFront accepted: distribution and items.
fn accepted(simulator: &Simulator) -> Vec<(String, Vec<String>)> {
    let mut accepted: Vec<_> = simulator
        .invalidations()
        .into_iter()
        .map(|Recorded { distribution, items, .. }| (distribution, items))
        .collect();
    accepted.sort();
    accepted
}

fn items(items: &[&str]) -> Vec<String> {
    items.iter().map(ToString::to_string).collect()
}

#[tokio::test]
async fn an_event_becomes_a_signed_create_invalidation() {
    let simulator = simulator(SimulatorOptions::default()).await;
    let mut function = function(&simulator, Some(RULES), &[]).await;
    let answer = function.invoke(created("site", "public/docs/index.html")).await.response();

    let invalidations = simulator.invalidations();
    let id = |distribution: &str| {
        let of = invalidations.iter().find(|i| i.distribution == distribution).unwrap();
        (of.id.clone(), of.caller_reference.clone())
    };
    let ((www, www_reference), (blog, _)) = (id("E1EXAMPLEWWW"), id("E2EXAMPLEBLOG"));
    assert_eq!(
        answer,
        json!({
            "changes": 1, "ignored": 0, "unmatched": 0, "not_served": 0, "skipped": 0, "unaddressable": 0,
            "invalidations": [
                { "distribution": "E1EXAMPLEWWW", "id": www, "items": ["/docs/", "/docs/index.html"] },
                { "distribution": "E2EXAMPLEBLOG", "id": blog, "items": ["/public/docs/index.html"] },
            ],
        })
    );
    let requests = simulator.calls();
    assert_eq!(requests.len(), 2, "{requests:?}");
    let www = requests.iter().find(|call| call.path.contains("E1EXAMPLEWWW")).unwrap();
    assert_eq!((&*www.method, www.operation), ("POST", Operation::CreateInvalidation));
    assert_eq!(www.path, "/2020-05-31/distribution/E1EXAMPLEWWW/invalidation");
    assert_eq!(
        www.body,
        format!(
            "<InvalidationBatch xmlns=\"http://cloudfront.amazonaws.com/doc/2020-05-31/\">\
             <Paths><Quantity>2</Quantity><Items><Path>/docs/</Path><Path>/docs/index.html</Path></Items></Paths>\
             <CallerReference>{www_reference}</CallerReference></InvalidationBatch>"
        )
    );
}

#[cfg(unix)]
#[tokio::test]
async fn connections_closed_while_the_function_is_frozen_lose_nothing() {
    let simulator = simulator(SimulatorOptions::default()).await;
    let mut function = function(&simulator, None, &[("DistributionId", "E3EXAMPLE")]).await;
    for count in 1..=3 {
        let key = format!("{count}.html");
        let answer = function.invoke(created("any", &key)).await.response();
        assert_eq!(answer["invalidations"][0]["items"], json!([format!("/{key}")]));
        assert_eq!(simulator.counters().billed_paths, count);
        function.signal("STOP");
        simulator.close_connections().await;
        function.signal("CONT");
    }
}

/// `cargo lambda watch` passes the developer's environment.
#[tokio::test]
async fn without_credentials_in_the_environment_those_of_the_profile_are_used() {
    let simulator = simulator(SimulatorOptions::default()).await;
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("credentials");
    let own = simulator.environment();
    let (_, key) = own.iter().find(|(name, _)| *name == "AWS_ACCESS_KEY_ID").unwrap();
    let profile = format!("[dev]\naws_access_key_id = {key}\naws_secret_access_key = secret\n");
    std::fs::write(&file, profile).unwrap();
    let environment = [
        ("AWS_ACCESS_KEY_ID", ""),
        ("AWS_SECRET_ACCESS_KEY", ""),
        ("AWS_SESSION_TOKEN", ""),
        ("AWS_SHARED_CREDENTIALS_FILE", file.to_str().unwrap()),
        ("AWS_PROFILE", "dev"),
    ];
    let mut function = function(&simulator, Some(RULES), &environment).await;
    function.invoke(created("site", "public/about.html")).await.response();
    assert_eq!(accepted(&simulator).len(), 2);
}

#[tokio::test]
async fn a_redelivered_event_is_the_same_invalidation() {
    let simulator = simulator(SimulatorOptions::default()).await;
    let mut function = function(&simulator, None, &[("DistributionId", "E3EXAMPLE")]).await;
    let first = function.invoke(created("any", "a.html")).await.response();
    let second = function.invoke(created("any", "a.html")).await.response();
    assert_eq!(first, second);
    assert_eq!(simulator.counters().billed_paths, 1);
}

#[tokio::test]
async fn without_rules_everything_goes_to_the_fallback() {
    let simulator = simulator(SimulatorOptions::default()).await;
    let mut function = function(&simulator, None, &[("DistributionId", "E3EXAMPLE")]).await;
    let record = |name: &str, key: &str, sequencer: &str| {
        json!({
            "eventVersion": "2.1", "eventSource": "aws:s3", "awsRegion": "us-east-2",
            "eventTime": "2026-09-03T19:37:27.192Z", "eventName": name,
            "responseElements": { "x-amz-request-id": "D82B88E5F771F645" },
            "s3": { "bucket": { "name": "site" }, "object": { "key": key, "size": 1, "sequencer": sequencer } },
        })
    };
    let notification = json!({ "Records": [
        record("ObjectCreated:Put", "my+file.html", "01"),
        record("ObjectRemoved:Delete", "%ED%95%9C%EA%B8%80+%2B.html", "02"),
        record("ObjectTagging:Put", "tagged.html", "03"),
    ] });
    let answer = function.invoke(notification.to_string()).await.response();
    assert_eq!(
        accepted(&simulator),
        [(
            "E3EXAMPLE".to_owned(),
            items(&[
                "/%ED%95%9C%EA%B8%80%20%2B.html",
                "/%ED%95%9C%EA%B8%80%20+.html",
                "/my%20file.html"
            ])
        )]
    );
    assert_eq!((&answer["changes"], &answer["unmatched"]), (&json!(3), &json!(1)));
}

#[tokio::test]
async fn unmatched_changes_go_to_the_fallback() {
    let simulator = simulator(SimulatorOptions::default()).await;
    let mut function = function(&simulator, Some(RULES), &[("DistributionId", "E3EXAMPLE")]).await;
    function.invoke(created("site", "logo.svg")).await.response();
    let ignored = function.invoke(created("site", "public/drafts/a.html")).await.response();
    assert_eq!(ignored["ignored"], 1);
    let restored = function
        .invoke(event("Object Restore Completed", "site", "b.svg").to_string())
        .await
        .response();
    assert_eq!(restored["unmatched"], 1);
    assert_eq!(accepted(&simulator), [("E3EXAMPLE".to_owned(), items(&["/logo.svg"]))]);
}

#[tokio::test]
async fn payloads_without_changes_succeed() {
    let simulator = simulator(SimulatorOptions::default()).await;
    let mut function = function(&simulator, Some(RULES), &[]).await;
    let test_event = r#"{"Service":"Amazon S3","Event":"s3:TestEvent","Time":"2014-10-13T15:57:02.089Z","Bucket":"site","RequestId":"5582815E1AEA5ADF","HostId":"8cLeGAmw098X5cv4Zkwcmo8vvZa3eH3eKxsPzbB9wrR"}"#;
    assert_eq!(function.invoke(test_event).await.response()["skipped"], 1);
    for empty in ["{}", "[]", r#"{"Records":[]}"#] {
        assert_eq!(function.invoke(empty).await.response()["changes"], 0, "{empty}");
    }
    assert!(simulator.calls().is_empty());
}

#[tokio::test]
async fn a_queue_gets_the_messages_to_redeliver() {
    let known = "E1EXAMPLEWWW".to_owned();
    let simulator =
        simulator(SimulatorOptions { known: Some([known].into()), ..SimulatorOptions::default() })
            .await;
    let rules = "
version: 1
rules:
  - { name: good, bucket: good, invalidate: E1EXAMPLEWWW }
  - { name: gone, bucket: gone, invalidate: E9EXAMPLEGONE }
";
    let mut function = function(&simulator, Some(rules), &[]).await;
    let answer = function
        .invoke(sqs(&[
            ("m1", &created("good", "a.html")),
            ("m2", "hello world"),
            ("m3", &created("gone", "b.html")),
            ("m4", &created("good", "c.html")),
        ]))
        .await
        .response();
    assert_eq!(
        answer,
        json!({ "batchItemFailures": [{ "itemIdentifier": "m2" }, { "itemIdentifier": "m3" }] })
    );
    assert_eq!(accepted(&simulator), [("E1EXAMPLEWWW".to_owned(), items(&["/a.html", "/c.html"]))]);
    let log = function.stdout();
    assert!(log.contains("E9EXAMPLEGONE") && log.contains("NoSuchDistribution"), "{log}");
}

#[tokio::test]
async fn an_error_of_one_distribution_names_it_and_spares_the_others() {
    let known = "E2EXAMPLEBLOG".to_owned();
    let simulator =
        simulator(SimulatorOptions { known: Some([known].into()), ..SimulatorOptions::default() })
            .await;
    let mut function = function(&simulator, Some(RULES), &[]).await;
    let (kind, message) = function.invoke(created("site", "public/a.html")).await.error();
    assert_eq!(kind, "NotAccepted");
    for part in ["www", "E1EXAMPLEWWW", "NoSuchDistribution", "/a.html"] {
        assert!(message.contains(part), "{part}: {message}");
    }
    assert_eq!(accepted(&simulator), [("E2EXAMPLEBLOG".to_owned(), items(&["/public/a.html"]))]);
}

#[tokio::test]
async fn an_unreadable_payload_is_an_error() {
    let simulator = simulator(SimulatorOptions::default()).await;
    let mut function = function(&simulator, Some(RULES), &[]).await;
    for (payload, parts) in [
        ("hello world", ["expected", "hello world"]),
        (
            r#"{"source":"aws.ec2","detail-type":"EC2 Instance State-change Notification","detail":{}}"#,
            ["aws.ec2", "aws.s3"],
        ),
        (r#"{"hello":"world"}"#, ["expected", "hello"]),
        ("42", ["expected", "42"]),
        ("{", ["not JSON", "{"]),
    ] {
        let (kind, message) = function.invoke(payload).await.error();
        assert_eq!(kind, "UnreadablePayload", "{payload}");
        assert!(parts.iter().all(|part| message.contains(part)), "{payload}: {message}");
    }
    let (kind, message) = function.invoke("x".repeat(300_000)).await.error();
    assert_eq!(kind, "UnreadablePayload", "{message}");
    let (kind, message) = function.invoke(&b"\"caf\xe9\""[..]).await.error();
    assert!(kind == "UnreadablePayload" && message.contains("not UTF-8"), "{kind}: {message}");
    assert_eq!(function.invoke("{}").await.response()["changes"], 0);
    assert!(simulator.calls().is_empty());
}

#[tokio::test]
async fn a_payload_sent_as_a_json_string_is_read() {
    let simulator = simulator(SimulatorOptions::default()).await;
    let mut function = function(&simulator, Some(RULES), &[]).await;
    let quoted = json!(created("site", "public/a.html")).to_string();
    assert_eq!(function.invoke(quoted).await.response()["changes"], 1);
}

#[tokio::test]
async fn a_dry_run_sends_nothing_and_says_so() {
    let simulator = simulator(SimulatorOptions::default()).await;
    let mut function = function(&simulator, Some(RULES), &[("DRY_RUN", "true")]).await;
    let answer = function.invoke(created("site", "public/a.html")).await.response();
    assert_eq!(answer["dry_run"], true);
    assert_eq!(
        answer["invalidations"][0],
        json!({ "distribution": "E1EXAMPLEWWW", "items": ["/a.html"] })
    );
    let answer =
        function.invoke(sqs(&[("m1", &created("site", "public/b.html"))])).await.response();
    assert_eq!(answer, json!({ "batchItemFailures": [] }));
    assert!(simulator.calls().is_empty());
    assert!(
        function.stdout().contains("DRY_RUN: 1 items not sent to E1EXAMPLEWWW"),
        "{}",
        function.stdout()
    );
}

#[tokio::test]
async fn nothing_is_sent_after_the_deadline() {
    let simulator = simulator(SimulatorOptions::default()).await;
    let mut function = function(&simulator, Some(RULES), &[]).await;
    let payload = sqs(&[("m1", &created("site", "public/a.html"))]);
    let answer = function.invoke_within(payload, Duration::ZERO).await.response();
    assert_eq!(answer, json!({ "batchItemFailures": [{ "itemIdentifier": "m1" }] }));
    assert!(simulator.calls().is_empty());
}

#[tokio::test]
async fn the_function_does_not_start_with_an_invalid_configuration() {
    for (rules, environment, expected) in [
        (
            None,
            &[][..],
            &["no rules file", "rules.yaml", "set the environment variable DistributionId"][..],
        ),
        (
            Some("version: 1\nrules:\n  - name: a\n    bukket: site\n    invalidate: E1EXAMPLE\n"),
            &[],
            &["rules.yaml:4:5: error[unknown-field]: a rule has no field `bukket`"],
        ),
        (Some(RULES), &[("RULES_PATH", "/nowhere.yaml")], &["/nowhere.yaml"]),
        (Some(RULES), &[("DistributionId", "www")], &["DistributionId", "`www`"]),
        (
            Some(RULES),
            &[("AWS_MAX_ATTEMPTS", "abc")],
            &["cannot start", "AWS_MAX_ATTEMPTS is `abc`"],
        ),
        (Some(RULES), &[("DRY_RUN", "1")], &["DRY_RUN", "`1`"]),
    ] {
        let mut function = Lambda::start(rules, environment).await;
        assert!(!function.exit_status().await.success());
        let log = function.stdout();
        for part in expected {
            assert!(log.contains(part), "{part}: {log}");
        }
    }
}

#[tokio::test]
async fn a_panic_is_logged_as_an_error() {
    let environment = [
        ("DistributionId", "E1EXAMPLE1WWW"),
        ("AWS_LAMBDA_LOG_FORMAT", "JSON"),
        ("AWS_LAMBDA_LOG_LEVEL", "ERROR"),
        // lambda_runtime panics; Lambda sets a number.
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "much"),
    ];
    let mut function = Lambda::start(None, &environment).await;
    assert!(!function.exit_status().await.success());
    let line: Value = serde_json::from_str(&function.stdout()).unwrap();
    assert_eq!(line["level"], "ERROR");
    let message = line["fields"]["message"].as_str().unwrap();
    assert!(message.starts_with("panicked at "), "{message}");
}

#[tokio::test]
async fn rules_path_names_the_rules_file() {
    let simulator = simulator(SimulatorOptions::default()).await;
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("other.yaml");
    std::fs::write(&path, "version: 1\nrules: [{ name: all, invalidate: E4EXAMPLE }]\n").unwrap();
    let mut function =
        function(&simulator, Some(RULES), &[("RULES_PATH", path.to_str().unwrap())]).await;
    function.invoke(created("site", "public/a.html")).await.response();
    assert_eq!(accepted(&simulator), [("E4EXAMPLE".to_owned(), items(&["/public/a.html"]))]);
}

/// Lambda counts lines without a level as INFO.
#[tokio::test]
async fn metrics_have_the_level_that_keeps_them() {
    let simulator = simulator(SimulatorOptions::default()).await;
    for (level, expected) in [("WARN", json!("WARN")), ("INFO", Value::Null)] {
        let environment = [("AWS_LAMBDA_LOG_FORMAT", "JSON"), ("AWS_LAMBDA_LOG_LEVEL", level)];
        let mut function = function(&simulator, Some(RULES), &environment).await;
        function.invoke(created("site", "public/a.html")).await.response();
        let log = function.stdout();
        let lines = log.lines().map(|line| serde_json::from_str::<Value>(line).expect(line));
        let metrics: Vec<Value> = lines.filter(|line| line["_aws"].is_object()).collect();
        // The function, and its two distributions.
        assert_eq!(metrics.len(), 3, "{log}");
        for line in metrics {
            assert_eq!(line["level"], expected, "{line}");
            assert_eq!(line["timestamp"].is_string(), expected.is_string(), "{line}");
        }
    }
}

/// An event rule with the wrong `detail-type` looks healthy.
#[tokio::test]
async fn events_of_another_type_are_warned_of() {
    let simulator = simulator(SimulatorOptions::default()).await;
    let mut function = function(&simulator, Some(RULES), &[]).await;
    for (detail_type, warned) in [
        ("Object Created", false),
        ("Object Restore Initiated", false),
        ("AWS API Call via CloudTrail", true),
    ] {
        let event = event(detail_type, "site", "public/a.html").to_string();
        function.invoke(sqs(&[("m1", &event)])).await.response();
        let log = function.stdout();
        assert_eq!(log.contains("none of S3's object events"), warned, "{log}");
        assert_eq!(log.contains("`AWS API Call via CloudTrail`"), warned, "{log}");
    }
}

/// Names come from whoever sends events.
#[tokio::test]
async fn a_name_forges_no_line_of_a_text_log() {
    let simulator = simulator(SimulatorOptions::default()).await;
    let rules = "version: 1\nrules: [{name: all, invalidate: E1EXAMPLE}]\n";
    for level in ["INFO", "DEBUG"] {
        let environment = [("AWS_LAMBDA_LOG_LEVEL", level)];
        let mut function = function(&simulator, Some(rules), &environment).await;
        let bucket = "b\n{\"_aws\":{},\"Forged\":1}\rWARN forged\u{1b}[31m";
        // Neither can be invalidated, which is logged.
        function.invoke(created(bucket, "~draft")).await.response();
        function.invoke(created("b", "~draft\n{\"_aws\":1}")).await.response();
        let log = function.stdout();
        assert!(log.contains(r#"of b\n{"_aws":{},"Forged":1}\rWARN forged"#), "{log}");
        let is_forged = |line: &str| line.starts_with('{') && !line.contains("FunctionName");
        assert!(!log.lines().any(is_forged) && !log.contains(['\r', '\u{1b}']), "{log}");
    }
}

#[tokio::test]
async fn metrics_and_logs_are_lines_of_json_without_secrets() {
    let simulator = simulator(SimulatorOptions::default()).await;
    let environment = [("AWS_LAMBDA_LOG_FORMAT", "JSON"), ("AWS_LAMBDA_LOG_LEVEL", "TRACE")];
    let mut function = function(&simulator, Some(RULES), &environment).await;
    let key = "public/new\nline \u{1b}[31m.html";
    function.invoke(sqs(&[("m1", &created("site", key))])).await.response();
    function.invoke(created("site", "public/a.html")).await.response();

    let log = function.stdout();
    let lines: Vec<Value> =
        log.lines().map(|line| serde_json::from_str(line).expect(line)).collect();
    let metrics: Vec<&Value> =
        lines.iter().filter(|line| line["_aws"].is_object() && line["Target"].is_null()).collect();
    assert_eq!(metrics.len(), 2, "{log}");
    assert_eq!((&metrics[0]["Changes"], &metrics[0]["BilledPaths"]), (&json!(1), &json!(2)));
    assert!(
        lines.iter().any(|line| line["level"] == "DEBUG" && line["fields"]["rules"] == "pages"),
        "{log}"
    );
    assert!(lines.iter().any(|line| line["fields"]["distribution"] == "E1EXAMPLEWWW"), "{log}");
    for (name, value) in simulator.environment() {
        let secret = ["SECRET", "TOKEN", "KEY_ID"].iter().any(|part| name.contains(part));
        assert!(!secret || !log.contains(&value), "{name} in {log}");
    }
    for secret in ["AQEBsecretReceiptHandle", "Signature=", "Authorization"] {
        assert!(!log.contains(secret), "{secret} in {log}");
    }
}
