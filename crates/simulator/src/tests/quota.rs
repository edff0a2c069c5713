//! Each quota up to its limit, and when it recovers.

use super::*;

fn paths(count: usize) -> Vec<String> {
    (0..count).map(|number| format!("/{number}")).collect()
}

fn wildcards(count: usize) -> Vec<String> {
    (0..count).map(|number| format!("/{number}/*")).collect()
}

fn tag() -> Vec<String> {
    vec!["#b".to_owned()]
}

const TOO_MANY: &str = "TooManyInvalidationsInProgress";

#[tokio::test(start_paused = true)]
async fn quotas() {
    let in_progress = SimulatorOptions { completion: seconds(10.0), ..Default::default() };
    let per_second = |counting| {
        let per_second = Some(PerSecond { counting, ..Default::default() });
        SimulatorOptions { in_progress: None, per_second, ..Default::default() }
    };
    let request_rate = Some(RequestRate::default());
    let request_rate = SimulatorOptions { request_rate, ..Default::default() };
    // The wait, the distribution, the caller reference, the items, the response.
    type Call = (f64, &'static str, &'static str, Vec<String>, &'static str);
    let cases: [(&str, SimulatorOptions, Vec<Call>); 5] = [
        (
            "in progress",
            in_progress,
            vec![
                (0.0, SITE, "1", paths(2_999), "ok"),
                (0.0, SITE, "2", paths(2), TOO_MANY),
                (0.0, SITE, "3", tag(), "ok"),
                (0.0, SITE, "4", tag(), TOO_MANY),
                (0.0, BLOG, "4", tag(), "ok"),
                (5.0, SITE, "5", wildcards(16), TOO_MANY),
                (0.0, SITE, "6", wildcards(15), "ok"),
                (0.0, SITE, "7", wildcards(1), TOO_MANY),
                // The existing invalidation is not counted again.
                (0.0, SITE, "6", wildcards(15), "ok"),
                (5.0, SITE, "8", paths(3_000), "ok"),
                (0.0, SITE, "9", wildcards(1), TOO_MANY),
                (5.0, SITE, "9", wildcards(1), "ok"),
            ],
        ),
        (
            "items per second",
            per_second(Counting::Items),
            vec![
                (0.0, SITE, "1", paths(151), "Throttling"),
                (0.0, SITE, "1", paths(150), "ok"),
                (0.0, SITE, "2", paths(1), "Throttling"),
                (9.0, SITE, "3", paths(151), "Throttling"),
                (0.0, SITE, "4", wildcards(2), "Throttling"),
                (0.0, SITE, "4", wildcards(1), "ok"),
                (0.0, SITE, "5", wildcards(1), "Throttling"),
                (1.0, SITE, "5", wildcards(1), "ok"),
            ],
        ),
        (
            "requests per second",
            per_second(Counting::Requests),
            vec![
                (0.0, SITE, "1", wildcards(15), "ok"),
                (0.0, SITE, "2", wildcards(1), "Throttling"),
                (0.0, SITE, "3", paths(3_000), "ok"),
                (0.0, SITE, "4", paths(3_000), "ok"),
                (1.0, SITE, "2", wildcards(15), "ok"),
            ],
        ),
        (
            "items per second, in debt",
            per_second(Counting::ItemsInDebt),
            vec![
                (0.0, SITE, "1", paths(100), "ok"),
                (0.0, SITE, "2", paths(51), "Throttling"),
                (0.0, SITE, "3", paths(50), "ok"),
                (0.0, BLOG, "3", paths(150), "ok"),
                (0.0, SITE, "4", wildcards(1), "ok"),
                (0.0, SITE, "5", wildcards(1), "Throttling"),
                (1.0, SITE, "5", wildcards(1), "ok"),
                // Ten seconds' allowance at once.
                (0.0, SITE, "6", paths(1_500), "ok"),
                (9.9, SITE, "7", paths(150), "Throttling"),
                (0.0, SITE, "8", wildcards(1), "ok"),
                (0.1, SITE, "6", paths(1_500), "ok"),
                (0.0, SITE, "7", paths(150), "ok"),
            ],
        ),
        (
            "calls per second",
            request_rate,
            vec![
                (0.0, SITE, "r", paths(1), "ok"),
                (0.0, BLOG, "r", paths(1), "ok"),
                (0.0, TENANT, "r", paths(1), "ok"),
                (0.0, SITE, "r", paths(1), "ok"),
                (0.0, BLOG, "r", paths(1), "ok"),
                (0.0, TENANT, "r", paths(1), "ok"),
                (0.0, SITE, "r", paths(1), "Throttling"),
                (1.9, SITE, "1", paths(1), "Throttling"),
                (0.1, SITE, "1", paths(1), "ok"),
                (0.0, SITE, "2", paths(1), "Throttling"),
            ],
        ),
    ];
    for (quota, options, calls) in cases {
        let (_, client) = start(options);
        for (number, (wait, target, reference, items, expected)) in calls.iter().enumerate() {
            advance(seconds(*wait)).await;
            let actual = result(&client, target, reference, items).await;
            assert_eq!(actual, *expected, "{quota}, call {number}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_usage_is_recorded_with_a_refusal() {
    let completion = seconds(10.0);
    let (simulator, client) = start(SimulatorOptions { completion, ..Default::default() });
    for (reference, items, expected) in [("1", paths(2_999), "ok"), ("2", paths(2), TOO_MANY)] {
        assert_eq!(result(&client, SITE, reference, &items).await, expected);
    }
    assert_eq!(
        last_refusal(&simulator).2,
        "2999 of 3000 paths and 0 of 15 wildcards are in progress, 2 and 0 more are requested"
    );
}
