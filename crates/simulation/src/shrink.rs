//! The smallest world in which the same goes wrong.

use std::mem::discriminant;

use cloudfront_simulator::Faults;

use crate::{site::Action, verdict::violations, world::World};

/// The most worlds to try.
const TRIALS: u32 = 300;

/// Removes changes, rules and faults from a world as long as the first of its
/// violations remains.
pub fn shrink(world: World) -> World {
    let mut trials = 0;
    let mut wrong = |world: &World| {
        trials += 1;
        if trials > TRIALS { Vec::new() } else { violations(world, &world.run()) }
    };
    let Some(first) = wrong(&world).into_iter().next() else { return world };
    let mut is_same =
        |world: &World| wrong(world).iter().any(|one| discriminant(one) == discriminant(&first));
    let mut world = world;
    loop {
        let before = size(&world);
        for simpler in SIMPLER {
            let mut candidate = world.clone();
            simpler(&mut candidate);
            if is_same(&candidate) {
                world = candidate;
            }
        }
        let mut length = world.changes.len().div_ceil(2);
        while length > 0 {
            let mut from = 0;
            while from < world.changes.len() {
                let mut candidate = world.clone();
                let until = (from + length).min(candidate.changes.len());
                candidate.changes.drain(from..until);
                if is_same(&candidate) {
                    world = candidate;
                } else {
                    from += length;
                }
            }
            length /= 2;
        }
        for index in (0..world.site.rules.len()).rev() {
            let mut candidate = world.clone();
            candidate.site.rules.remove(index);
            if is_same(&candidate) {
                world = candidate;
            }
        }
        if size(&world) == before {
            return world;
        }
    }
}

fn size(world: &World) -> (usize, usize) {
    (world.changes.len(), world.site.rules.len())
}

/// Ways to make a world simpler.
const SIMPLER: [fn(&mut World); 9] = [
    |world| world.day.kill = 0.0,
    |world| world.day.freeze = 0.0,
    |world| world.day.queue_faults = 0.0,
    |world| world.day.environments = 1,
    |world| world.cloudfront.faults = Faults::default(),
    |world| world.cloudfront.in_progress = None,
    |world| (world.cloudfront.per_second, world.cloudfront.request_rate) = (None, None),
    |world| world.changes.iter_mut().for_each(|change| change.delivered_at.truncate(1)),
    |world| {
        for rule in &mut world.site.rules {
            if let Action::Invalidate { also, .. } = &mut rule.action {
                *also = None;
            }
        }
    },
];
