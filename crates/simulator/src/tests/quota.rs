use super::*;

fn paths(count: usize) -> Vec<String> {
    (0..count).map(|number| format!("/{number}")).collect()
}

fn wildcards(count: usize) -> Vec<String> {
    (0..count).map(|number| format!("/{number}/*")).collect()
}

/// Sends each batch after a wait and compares the response.
async fn check(client: &Client, cases: &[(f64, &str, &str, Vec<String>, &str)]) {
    for (number, (wait, target, reference, items, expected)) in cases.iter().enumerate() {
        advance(seconds(*wait)).await;
        assert_eq!(result(client, target, reference, items).await, *expected, "case {number}");
    }
}

#[tokio::test(start_paused = true)]
async fn items_in_progress() {
    const TOO_MANY: &str = "TooManyInvalidationsInProgress";
    let (simulator, client) =
        start(SimulatorOptions { completion: seconds(10.0), ..Default::default() });
    let tag = || vec!["#b".to_owned()];
    check(&client, &[(0.0, SITE, "1", paths(2_999), "ok"), (0.0, SITE, "2", paths(2), TOO_MANY)])
        .await;
    assert_eq!(
        last_refusal(&simulator).2,
        "2999 of 3000 paths and 0 of 15 wildcards are in progress, 2 and 0 more are requested"
    );
    check(
        &client,
        &[
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
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn items_per_second() {
    let per_second = Some(PerSecond::default());
    let (_, client) =
        start(SimulatorOptions { in_progress: None, per_second, ..Default::default() });
    check(
        &client,
        &[
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
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn calls_per_second() {
    let request_rate = Some(RequestRate::default());
    let (_, client) = start(SimulatorOptions { request_rate, ..Default::default() });
    for target in [SITE, BLOG, TENANT, SITE, BLOG, TENANT] {
        assert_eq!(result(&client, target, "r", &["/a"]).await, "ok");
    }
    check(
        &client,
        &[
            (0.0, SITE, "r", paths(1), "Throttling"),
            (1.9, SITE, "1", paths(1), "Throttling"),
            (0.1, SITE, "1", paths(1), "ok"),
            (0.0, SITE, "2", paths(1), "Throttling"),
        ],
    )
    .await;
}
