//! The command `sim`: many simulated worlds, or one.

use std::{
    process::ExitCode,
    sync::atomic::{AtomicU64, Ordering},
    thread,
    time::{Duration, Instant},
};

use crate::{Day, Violation, World, shrink, tell, violations};

/// Runs the command with its arguments, without the name of the program.
///
/// ```text
/// sim [--seeds N] [--from SEED]    N worlds (500), from a seed (1)
/// sim [--seeds N] --first          the same until the first that goes wrong
/// sim --seed SEED [--whole]        one world, made small: prints what happened
/// ```
///
/// It is also a test of `cargo test`. Therefore it ignores other options, which are
/// meant for other tests, and does nothing if a filter does not select it.
pub fn command(arguments: &[String]) -> ExitCode {
    let number = |name: &str| {
        let at = arguments.iter().position(|argument| argument == name)?;
        arguments.get(at + 1)?.parse().ok()
    };
    let is_filtered = arguments.first().is_some_and(|one| !one.starts_with('-') && one != "sim");
    if is_filtered || arguments.iter().any(|one| one == "--list") {
        return ExitCode::SUCCESS;
    }
    let failed = match number("--seed") {
        Some(seed) => u64::from(!replay(seed, arguments.iter().any(|one| one == "--whole"))),
        None => many(
            number("--from").unwrap_or(1),
            number("--seeds").unwrap_or(500),
            arguments.iter().any(|one| one == "--first"),
        ),
    };
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Prints one world; returns whether all is well.
fn replay(seed: u64, is_whole: bool) -> bool {
    let world = World::random(seed);
    let violations = |world: &World| -> (Day, Vec<Violation>) {
        let day = world.run();
        let violations = violations(world, &day);
        (day, violations)
    };
    let (day, wrong) = violations(&world);
    if is_whole || wrong.is_empty() {
        print!("{}", tell(&world, &day, &wrong));
        return wrong.is_empty();
    }
    let small = shrink(world);
    let (day, wrong) = violations(&small);
    print!("{}", tell(&small, &day, &wrong));
    false
}

/// Runs worlds with the seeds from `from`; returns how many went wrong.
fn many(from: u64, seeds: u64, stops: bool) -> u64 {
    let started = Instant::now();
    let next = AtomicU64::new(from);
    let worker = || {
        let (mut simulated, mut failed) = (Duration::ZERO, 0);
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= from + seeds {
                return (simulated, failed);
            }
            let world = World::random(seed);
            let day = world.run();
            simulated += day.until;
            let wrong = violations(&world, &day);
            if let Some(first) = wrong.first() {
                failed += 1;
                if stops {
                    next.store(from + seeds, Ordering::Relaxed);
                }
                println!("seed {seed}: {first:?}; replay: cargo test --test sim -- --seed {seed}");
            }
        }
    };
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let (simulated, failed) = thread::scope(|scope| {
        let workers: Vec<_> = (0..cores).map(|_| scope.spawn(worker)).collect();
        let results = workers.into_iter().map(|worker| worker.join().expect("no panic"));
        results.fold((Duration::ZERO, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1))
    });
    let (hours, seconds) = (simulated.as_secs_f64() / 3_600.0, started.elapsed().as_secs_f64());
    println!(
        "{seeds} worlds, {failed} went wrong; {hours:.0} simulated hours in {seconds:.0} s, {:.1} \
         hours per second",
        hours / seconds
    );
    failed
}
