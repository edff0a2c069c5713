//! Quotas, the request rate, and time.

use super::*;

fn paths(from: usize, count: usize) -> Vec<String> {
    (from..from + count).map(|number| format!("/{number}")).collect()
}

fn wildcards(count: usize) -> Vec<String> {
    (0..count).map(|number| format!("/{number}/*")).collect()
}

#[tokio::test]
async fn three_thousand_paths_and_fifteen_wildcards_may_be_in_progress() {
    let simulator = start(Options { completion: seconds(10.0), ..manual() }).await;
    let client = client(&simulator.sdk_config());
    let too_many = "TooManyInvalidationsInProgress";
    send(&client, SITE, batch("1", &paths(0, 2_999))).await.unwrap();
    assert_eq!(send(&client, SITE, batch("2", &["/a", "#b"])).await.unwrap_err(), too_many);
    assert_eq!(
        last_refusal(&simulator).2,
        "2999 of 3000 paths and 0 of 15 wildcards are in progress, 2 and 0 more were asked for"
    );
    send(&client, SITE, batch("3", &["#b"])).await.unwrap();
    assert_eq!(send(&client, SITE, batch("4", &["/a"])).await.unwrap_err(), too_many);
    send(&client, BLOG, batch("4", &["/a"])).await.expect("a quota of its own");

    simulator.advance(seconds(5.0));
    assert_eq!(send(&client, SITE, batch("5", &wildcards(16))).await.unwrap_err(), too_many);
    send(&client, SITE, batch("6", &wildcards(15))).await.expect("wildcards count apart");
    assert_eq!(send(&client, SITE, batch("7", &["/z*"])).await.unwrap_err(), too_many);
    send(&client, SITE, batch("6", &wildcards(15))).await.expect("a replay does not count");

    simulator.advance(seconds(5.0));
    send(&client, SITE, batch("8", &paths(0, 3_000))).await.expect("the first are completed");
    assert_eq!(send(&client, SITE, batch("9", &["/z*"])).await.unwrap_err(), too_many);
    simulator.advance(seconds(5.0));
    send(&client, SITE, batch("10", &["/z*"])).await.expect("the wildcards are completed");
}

#[tokio::test]
async fn without_completion_time_only_one_request_counts() {
    let simulator = start(manual()).await;
    let client = client(&simulator.sdk_config());
    for number in 0..3 {
        send(&client, SITE, batch(&number.to_string(), &wildcards(15))).await.unwrap();
    }
    send(&client, SITE, batch("r", &wildcards(16))).await.unwrap_err();
}

#[tokio::test]
async fn quotas_can_be_off() {
    let options = Options { in_progress: None, completion: seconds(10.0), ..manual() };
    let simulator = start(options).await;
    let client = client(&simulator.sdk_config());
    for number in 0..3 {
        send(&client, SITE, batch(&number.to_string(), &wildcards(100))).await.unwrap();
    }
}

#[tokio::test]
async fn a_hundred_and_fifty_paths_and_a_wildcard_a_second() {
    let per_second = Some(PerSecond::default());
    let simulator = start(Options { in_progress: None, per_second, ..manual() }).await;
    let client = client(&simulator.sdk_config());
    send(&client, SITE, batch("1", &paths(0, 100))).await.unwrap();
    assert_eq!(send(&client, SITE, batch("2", &paths(0, 51))).await.unwrap_err(), "Throttling");
    send(&client, SITE, batch("3", &paths(0, 50))).await.unwrap();
    send(&client, BLOG, batch("3", &paths(0, 150))).await.expect("an allowance of its own");
    send(&client, SITE, batch("4", &["/a*"])).await.expect("wildcards count apart");
    assert_eq!(send(&client, SITE, batch("5", &["/b*"])).await.unwrap_err(), "Throttling");
    simulator.advance(seconds(1.0));
    send(&client, SITE, batch("5", &["/b*"])).await.unwrap();

    send(&client, SITE, batch("6", &paths(0, 1_500))).await.expect("the whole allowance is there");
    simulator.advance(seconds(9.9));
    assert_eq!(send(&client, SITE, batch("7", &paths(0, 150))).await.unwrap_err(), "Throttling");
    send(&client, SITE, batch("8", &["/c*"])).await.expect("no wildcard is owed");
    simulator.advance(seconds(0.1));
    send(&client, SITE, batch("6", &paths(0, 1_500))).await.expect("a replay does not count");
    send(&client, SITE, batch("7", &paths(0, 150))).await.expect("the debt is paid");
}

#[tokio::test]
async fn a_call_every_two_seconds_after_a_burst() {
    let request_rate = Some(RequestRate::default());
    let simulator = start(Options { request_rate, ..manual() }).await;
    let client = client(&simulator.sdk_config());
    for number in 0..6 {
        let target = [SITE, BLOG, TENANT][number % 3];
        send(&client, target, batch(&number.to_string(), &["/a"])).await.unwrap();
    }
    assert_eq!(send(&client, SITE, batch("0", &["/a"])).await.unwrap_err(), "Throttling");
    simulator.advance(seconds(1.9));
    assert_eq!(send(&client, SITE, batch("0", &["/a"])).await.unwrap_err(), "Throttling");
    client.list_invalidations().distribution_id(SITE).send().await.expect("only creation counts");
    simulator.advance(seconds(0.1));
    send(&client, SITE, batch("0", &["/a"])).await.expect("time has passed");
    assert_eq!(send(&client, SITE, batch("0", &["/a"])).await.unwrap_err(), "Throttling");
}

#[tokio::test]
async fn latency_is_of_the_simulators_clock() {
    let simulator = start(Options { latency: seconds(60.0), ..manual() }).await;
    let client = client(&simulator.sdk_config());
    let answer = send(&client, SITE, batch("r", &["/a"]));
    tokio::pin!(answer);
    // A second goes by whenever the call has nothing to do but to wait.
    let mut waited = 0;
    let answer = loop {
        tokio::select! {
            biased;
            answer = &mut answer => break answer,
            () = tokio::task::yield_now() => {
                simulator.advance(seconds(1.0));
                waited += 1;
            }
        }
    };
    answer.unwrap();
    assert!(waited >= 60, "{waited}");
    assert!(simulator.requests()[0].at >= seconds(60.0));
}

#[tokio::test]
async fn a_running_clock_runs_and_can_be_advanced() {
    let clock = Clock::real();
    let before = clock.now();
    clock.sleep(Duration::from_micros(1)).await;
    assert!(clock.now() > before);
    clock.advance(seconds(3_600.0));
    assert!(clock.now() >= seconds(3_600.0));
}
