//! The Lambda Runtime API: configuration, invocations and their logs and metrics.

use std::{
    cell::Cell,
    mem,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use aws_config::{BehaviorVersion, environment::EnvironmentVariableCredentialsProvider};
use aws_sdk_cloudfront::config::ProvideCredentials;
use lambda_runtime::{
    Context, LambdaEvent, LambdaInvocation, Runtime, layers::TracingLayer, service_fn,
    tower::util::MapRequestLayer,
};
use serde::de::IgnoredAny;
use tokio::time::Instant;

use crate::{
    cloudfront::{CloudFront, CloudFrontOptions},
    config::{Config, ConfigError},
    handler::Function,
    https,
    queue::Queue,
    response::{Answer, InvocationError},
    telemetry::{self, TargetNames},
};

/// Makes the function from the environment, in Lambda's init phase.
pub async fn function() -> Result<Function, ConfigError> {
    let Config { rules, dry_run, queue_url } = Config::from_environment()?;
    let mut sdk = aws_config::defaults(BehaviorVersion::v2026_01_12());
    sdk = sdk.http_client(https::shared_client());
    // The SDK would try Lambda's variables first, too, but also make its other sources
    // of credentials, which takes 6 % of a cold start.
    let credentials = EnvironmentVariableCredentialsProvider::new();
    if credentials.provide_credentials().await.is_ok() {
        sdk = sdk.credentials_provider(credentials);
    }
    let sdk = sdk.load().await;
    let cloudfront =
        CloudFront::new(&sdk, CloudFrontOptions { dry_run, ..CloudFrontOptions::default() });
    let keep_decisions = telemetry::is_debug();
    let queue = queue_url.map(|url| Queue::new(&sdk, &url));
    Ok(Function { queue, keep_decisions, ..Function::new(rules, cloudfront) })
}

/// Serves invocations until the environment ends. `emit` writes a line of
/// metrics to standard output.
pub async fn serve(function: Function, emit: fn(&str)) -> Result<(), lambda_runtime::Error> {
    let target_names = TargetNames::new(function.rules.targets());
    let (function, target_names) = (&function, &target_names);
    // The runtime would copy a payload, and refuse one that is not JSON without
    // saying what is expected. It has one invocation at a time.
    let payload = &Cell::default();
    let keep_payload = |mut invocation: LambdaInvocation| {
        payload.set(mem::replace(&mut invocation.body, "null".into()));
        invocation
    };
    let service = service_fn(move |event: LambdaEvent<IgnoredAny>| async move {
        invoke(function, target_names, emit, &payload.take(), &event.context).await
    });
    Runtime::new(service)
        .layer(MapRequestLayer::new(keep_payload))
        .layer(TracingLayer::new())
        .run()
        .await
}

async fn invoke(
    function: &Function,
    target_names: &TargetNames,
    emit: fn(&str),
    payload: &[u8],
    context: &Context,
) -> Result<Answer, InvocationError> {
    function.cloudfront.set_function_arn(&context.invoked_function_arn);
    // Some callers send the JSON as a string.
    let quoted: Option<String> = serde_json::from_slice(payload).ok();
    let payload = quoted.as_ref().map_or(payload, String::as_bytes);
    let report = function.handle(payload, &context.request_id, deadline(context)).await?;
    telemetry::log(&report);
    let name = &context.env_config.function_name;
    let now_ms = since_epoch_ms();
    let level = telemetry::metric_level();
    for line in telemetry::metric_lines(name, target_names, &report, now_ms, level) {
        emit(&line);
    }
    report.answer()
}

/// The deadline of the invocation on the monotonic clock.
fn deadline(context: &Context) -> Instant {
    Instant::now() + time_left(Duration::from_millis(context.deadline), since_epoch())
}

/// Lambda's limit for the timeout of a function.
/// <https://docs.aws.amazon.com/lambda/latest/dg/configuration-timeout.html>
const LONGEST_TIMEOUT: Duration = Duration::from_secs(900);

/// The time from `now` to `deadline`, both since the Unix epoch. `cargo lambda
/// watch` sends 600,000 milliseconds, which is a duration and no date.
fn time_left(deadline: Duration, now: Duration) -> Duration {
    if deadline <= LONGEST_TIMEOUT { deadline } else { deadline.saturating_sub(now) }
}

fn since_epoch() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

fn since_epoch_ms() -> i64 {
    i64::try_from(since_epoch().as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deadlines_are_dates_or_durations() {
        let now = Duration::from_secs(1_795_000_000);
        for (deadline, left) in [(1_795_000_120, 120), (1_794_999_999, 0), (600, 600), (900, 900)] {
            let deadline = Duration::from_secs(deadline);
            assert_eq!(time_left(deadline, now), Duration::from_secs(left), "{deadline:?}");
        }
    }
}
