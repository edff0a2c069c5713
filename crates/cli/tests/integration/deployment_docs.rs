//! The numbers of the templates, in the documents that name them.

use std::fs;

use serde_yaml::Value;

fn read(file: &str) -> String {
    fs::read_to_string(format!("{}/../../{file}", env!("CARGO_MANIFEST_DIR"))).expect(file)
}

/// The settings of a template, each with its value and the texts that state it.
type Settings = [(&'static str, i64, &'static [(&'static str, &'static str)])];

const INSTALL: &str = "docs/install.md";
const OPERATE: &str = "docs/operate.md";
const PAYLOADS: &str = "docs/payloads.md";
const README: &str = "README.md";

const TEMPLATE: &Settings = &[
    (
        "Parameters.MemorySize.Default",
        128,
        &[
            (INSTALL, "--memory-size 128 "),
            (OPERATE, "GB-seconds at 128 MB"),
            (README, "128 MB, timeout"),
        ],
    ),
    (
        "Resources.Function.Properties.Timeout",
        300,
        &[
            (INSTALL, "--timeout 300 "),
            (PAYLOADS, "for a timeout of 300 s"),
            (README, "timeout 300 s"),
            ("deploy/drain", "own timeout is 300 s"),
        ],
    ),
    (
        "Parameters.ReservedConcurrency.Default",
        1,
        &[(INSTALL, "--reserved-concurrent-executions 1\n"), (INSTALL, "with `Mode=drain`: 1,")],
    ),
    (
        "Resources.Schedule.Properties.Target.RetryPolicy.MaximumEventAgeInSeconds",
        60,
        &[(INSTALL, "\"MaximumEventAgeInSeconds\": 60,")],
    ),
    (
        "Resources.Schedule.Properties.Target.RetryPolicy.MaximumRetryAttempts",
        0,
        &[(INSTALL, "\"MaximumRetryAttempts\": 0}")],
    ),
    (
        "Resources.InvokeConfig.Properties.MaximumEventAgeInSeconds",
        60,
        &[(INSTALL, "--maximum-event-age-in-seconds 60 ")],
    ),
    (
        "Resources.InvokeConfig.Properties.MaximumRetryAttempts",
        0,
        &[(INSTALL, "--maximum-retry-attempts 0\n")],
    ),
    (
        "Parameters.BatchSize.Default",
        1000,
        &[
            (INSTALL, "--batch-size 1000 "),
            (PAYLOADS, "--batch-size 1000 "),
            (PAYLOADS, "\"BatchSize\":1000,"),
        ],
    ),
    (
        "Parameters.BatchingWindow.Default",
        10,
        &[
            (INSTALL, "--maximum-batching-window-in-seconds 10 "),
            (PAYLOADS, "--maximum-batching-window-in-seconds 10 "),
            (PAYLOADS, "\"MaximumBatchingWindowInSeconds\":10}"),
            (PAYLOADS, "the batching window (10 s)"),
            ("docs/cost.md", "a window of 10 s"),
        ],
    ),
    ("Parameters.BatchingWindow.MaxValue", 60, &[(PAYLOADS, "a window of up to 60 s")]),
    (
        "Resources.Pollers.Properties.ScalingConfig.MaximumConcurrency",
        2,
        &[(INSTALL, "MaximumConcurrency=2\n"), (PAYLOADS, "MaximumConcurrency=2 ")],
    ),
    (
        "Resources.Queue.Properties.VisibilityTimeout",
        1_860,
        &[
            (INSTALL, "\"VisibilityTimeout\": \"1860\""),
            (PAYLOADS, "\"VisibilityTimeout\": \"1860\""),
        ],
    ),
    (
        "Resources.Queue.Properties.MessageRetentionPeriod",
        7 * 86_400,
        &[
            (INSTALL, "\"1860\", \"MessageRetentionPeriod\": \"604800\""),
            (PAYLOADS, "\"1860\", \"MessageRetentionPeriod\": \"604800\""),
            (OPERATE, "at least 7 days"),
        ],
    ),
    (
        "Resources.Queue.Properties.RedrivePolicy.maxReceiveCount",
        10,
        &[
            (INSTALL, "\\\"maxReceiveCount\\\": 10}"),
            (INSTALL, "up to ten times in all"),
            (PAYLOADS, "\\\"maxReceiveCount\\\":\\\"10\\\"}"),
            (OPERATE, "received ten times"),
            (OPERATE, "ten new attempts"),
            (OPERATE, "as one of the ten attempts"),
        ],
    ),
    (
        "Resources.DeadLetterQueue.Properties.MessageRetentionPeriod",
        14 * 86_400,
        &[
            (INSTALL, "{\"MessageRetentionPeriod\": \"1209600\""),
            (PAYLOADS, "MessageRetentionPeriod=1209600"),
            (OPERATE, "keeps them for 14 days"),
        ],
    ),
    ("Parameters.LogRetention.Default", 30, &[(INSTALL, "--retention-in-days 30\n")]),
    (
        "Resources.OldestMessageAlarm.Properties.Threshold",
        1_800,
        &[(INSTALL, "Maximum 300 1800\n"), (OPERATE, "has waited for half an hour")],
    ),
    (
        "Resources.FailedDeliveriesAlarm.Properties.Period",
        900,
        &[(INSTALL, "Sum --period 900 --threshold 0")],
    ),
    (
        "Resources.FailedDeliveriesAlarm.Properties.EvaluationPeriods",
        4,
        &[(INSTALL, "--evaluation-periods 4 "), (OPERATE, "twice within an hour")],
    ),
    (
        "Resources.FailedDeliveriesAlarm.Properties.DatapointsToAlarm",
        2,
        &[(INSTALL, "--datapoints-to-alarm 2 ")],
    ),
    (
        "Resources.NoDrainAlarm.Properties.Period",
        900,
        &[
            (INSTALL, "Sum --period 900 --threshold 1"),
            (OPERATE, "No drain succeeded for 15 minutes"),
        ],
    ),
    ("Resources.NoDrainAlarm.Properties.Threshold", 1, &[(INSTALL, "--threshold 1 ")]),
    ("Resources.BilledPathsAlarm.Properties.Period", 86_400, &[(INSTALL, "Sum 86400 1000\n")]),
    ("Parameters.PathsPerDay.Default", 1000, &[(INSTALL, "Sum 86400 1000\n")]),
];

const DIRECT: &Settings = &[
    // Less than the read timeout of the replay.
    ("Resources.Function.Properties.Timeout", 120, &[(OPERATE, "--cli-read-timeout 150 ")]),
    (
        "Resources.Function.Properties.EventInvokeConfig.MaximumRetryAttempts",
        2,
        &[(INSTALL, "invocation twice within minutes"), (PAYLOADS, "two, after 1 and 2 minutes")],
    ),
    (
        "Resources.FailedQueue.Properties.MessageRetentionPeriod",
        14 * 86_400,
        &[(OPERATE, "for 14 days from their failure")],
    ),
];

#[test]
fn documents_state_the_numbers_of_the_templates() {
    for (file, settings) in [("template.yaml", TEMPLATE), ("direct.yaml", DIRECT)] {
        let template: Value = serde_yaml::from_str(&read(&format!("deploy/sam/{file}"))).unwrap();
        for (path, value, texts) in settings {
            let set = path.split('.').fold(&template, |value, name| &value[name]);
            assert_eq!(set.as_i64(), Some(*value), "{file}: {path}; correct {texts:?}, too");
            for (document, text) in *texts {
                assert!(read(document).contains(text), "{document} without {text:?} for {path}");
            }
        }
    }
}

/// The visibility timeout that AWS recommends for an event source mapping, and the
/// retention of dead letters, which counts from the first enqueue.
#[test]
fn the_queue_fits_the_function() {
    let value = |path| TEMPLATE.iter().find(|(name, ..)| *name == path).unwrap().1;
    let timeout = value("Resources.Function.Properties.Timeout");
    let window = value("Parameters.BatchingWindow.MaxValue");
    assert_eq!(value("Resources.Queue.Properties.VisibilityTimeout"), 6 * timeout + window);
    let retention = value("Resources.Queue.Properties.MessageRetentionPeriod");
    assert!(value("Resources.DeadLetterQueue.Properties.MessageRetentionPeriod") > retention);
}

/// Otherwise files would be left in the clone.
#[test]
fn commands_keep_their_files_in_the_folder_of_the_user() {
    for document in [INSTALL, OPERATE, PAYLOADS, README] {
        let text = read(document);
        for line in text.split("```").skip(1).step_by(2).flat_map(str::lines) {
            for mark in ["file://", "fileb://", " > "] {
                let mut files = line.split(mark).skip(1);
                assert!(files.all(|file| file.starts_with("site/")), "{document}: {line}");
            }
        }
    }
}
