//! A day as text, in the order of time.

use std::{fmt::Write, time::Duration};

use cloudfront_simulator::{CallOutcome, Operation};

use crate::{
    day::{Day, End},
    verdict::Violation,
    world::World,
};

/// The most items of a request that a line shows.
const ITEMS: usize = 8;

/// Returns what came, what was sent, what CloudFront answered, and what is wrong.
pub fn tell(world: &World, day: &Day, violations: &[Violation]) -> String {
    let mut lines: Vec<(Duration, String)> = Vec::new();
    for (n, change) in world.changes.iter().enumerate() {
        let name = format!("s3://{}/{}", change.bucket, change.key);
        let what = match (change.is_unreadable, change.is_deleted) {
            (true, _) => format!("#{n} is unreadable"),
            (false, true) => format!("#{n} deletes {name}"),
            (false, false) => format!("#{n} puts {name}"),
        };
        lines.push((change.at, what));
        for at in &change.delivered_at {
            lines.push((*at, format!("#{n} is sent")));
        }
    }
    for invocation in &day.invocations {
        let environment = invocation.environment;
        lines.push((invocation.from, format!("environment {environment} is invoked")));
        let end = match invocation.end {
            End::Returned => "returns",
            End::Killed => "is killed",
            End::Frozen => "is frozen beyond its deadline",
            End::Late => "is beyond its deadline",
        };
        lines.push((invocation.until, format!("environment {environment} {end}")));
    }
    for call in day.calls.iter().filter(|call| call.operation == Operation::CreateInvalidation) {
        let distribution = call.path.split('/').nth(3).unwrap_or_default();
        let outcome = match &call.outcome {
            CallOutcome::Refused { code, why, .. } => match why {
                Some(why) => format!("{code} ({why})"),
                None => code.clone(),
            },
            outcome => format!("{outcome:?}"),
        };
        lines.push((call.at, format!("  {distribution} {} → {outcome}", items(&call.body))));
    }
    for letter in &day.dead_letters {
        lines.push((day.until, format!("message {} is a dead letter", letter.id)));
    }
    lines.sort_by_key(|(at, _)| *at);
    let mut story = format!("{}\n{:?}\n", world.site.document(), world.day);
    for (at, line) in lines {
        let _ = writeln!(story, "{:>9.3} {line}", at.as_secs_f64());
    }
    for violation in violations {
        let _ = writeln!(story, "WRONG: {violation:?}");
    }
    story
}

/// The items of a request.
fn items(body: &str) -> String {
    let listed: Vec<&str> = ["<Path>", "<Tag>"]
        .iter()
        .flat_map(|tag| body.split(tag).skip(1))
        .map(|rest| rest.split('<').next().unwrap_or_default())
        .collect();
    let shown = listed.iter().take(ITEMS).copied().collect::<Vec<_>>().join(" ");
    match listed.len().saturating_sub(ITEMS) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}
