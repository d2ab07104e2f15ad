//! Draws faults.

use std::collections::BTreeMap;
use std::time::Duration;

use payment_simulator::faults::{FaultSet, Loss, Operation};
use rand::RngExt;
use rand::rngs::Xoshiro256PlusPlus;
use rand::seq::{IndexedRandom, SliceRandom};

use super::{Counts, Fault, Planned, Target, Terrain};
use crate::proxy::Conditions;

/// The load runs for so long before anything happens to it.
const BEGINNING: Duration = Duration::from_secs(3);
/// How long a replica is taken to be busy with starting.
const START: Duration = Duration::from_millis(2500);
/// How long it may take until somebody comes by a failpoint.
const WAY_TO_POINT: Duration = Duration::from_secs(10);
/// One kill in so many takes both replicas at once.
const BOTH_IN: u32 = 20;
const FREEZE_MIN: Duration = Duration::from_secs(1);
const FREEZE_MS: std::ops::RangeInclusive<f64> = 1_000.0..=90_000.0;

/// Between the last fault among others and the first alone: what the others have
/// left behind is worked off.
const CALM: Duration = Duration::from_secs(40);
/// What a kill has for itself.
const ALONE: Duration = Duration::from_secs(12);

/// How long so many kills alone take.
pub(super) fn peace(kills: usize) -> Duration {
    let kills = u32::try_from(kills).unwrap_or(u32::MAX);
    match kills {
        0 => Duration::ZERO,
        kills => CALM + ALONE * kills,
    }
}

pub(super) struct Draw<'a> {
    pub rng: Xoshiro256PlusPlus,
    pub length: Duration,
    pub terrain: &'a Terrain,
}

/// Draws one of a kind.
type One<D> = fn(&mut D) -> Fault;

/// What is done to replicas, before it is known to which.
enum Blow {
    Kill,
    Abort(&'static str),
    Terminate,
    Freeze(Duration),
}

impl Draw<'_> {
    pub(super) fn all(mut self, counts: &Counts) -> Vec<Planned> {
        let mut planned = self.blows(counts);
        let alone: [(usize, One<Self>); 6] = [
            (counts.postgres_kills, Self::postgres_kill),
            (counts.postgres_stops, Self::postgres_stop),
            (counts.redis_kills, Self::redis_kill),
            (counts.redis_flushes, |_| Fault::RedisFlush),
            (counts.network, Self::network),
            (counts.provider, Self::provider),
        ];
        for (count, draw_one) in alone {
            for at in self.times(count) {
                let fault = draw_one(&mut self);
                planned.push(self.within(at, fault));
            }
        }
        let ends = planned
            .iter()
            .map(|planned| planned.at + planned.fault.length());
        let end = ends.max().unwrap_or_default().max(self.length);
        planned.extend(self.lone_kills(counts.lone_kills, end + CALM));
        planned
    }

    /// Each replica in turn.
    fn lone_kills(&mut self, count: usize, mut at: Duration) -> Vec<Planned> {
        let mut targets = self.targets(&Blow::Kill);
        targets.shuffle(&mut self.rng);
        let mut planned = Vec::new();
        for target in targets.into_iter().cycle().take(count) {
            let pause = self.ms(0..=1_000);
            let fault = Fault::Kill { target, pause };
            planned.push(Planned { at, fault });
            at += ALONE;
        }
        planned
    }

    /// Sorted.
    fn times(&mut self, count: usize) -> Vec<Duration> {
        let end = self.length.max(BEGINNING * 2);
        let range = BEGINNING.as_secs_f64()..end.as_secs_f64();
        let drawn = (0..count).map(|_| self.rng.random_range(range.clone()));
        let mut times: Vec<Duration> = drawn.map(Duration::from_secs_f64).collect();
        times.sort();
        times
    }

    /// Early enough to be over at the end.
    fn within(&self, at: Duration, fault: Fault) -> Planned {
        let latest = self.length.saturating_sub(fault.length());
        let at = at.min(latest).max(BEGINNING);
        Planned { at, fault }
    }

    fn blows(&mut self, counts: &Counts) -> Vec<Planned> {
        let mut blows: Vec<Blow> = Vec::new();
        blows.extend((0..counts.kills).map(|_| Blow::Kill));
        blows.extend((0..counts.terminations).map(|_| Blow::Terminate));
        blows.extend(self.freezes(counts.freezes).into_iter().map(Blow::Freeze));
        blows.extend(self.points(counts.aborts).into_iter().map(Blow::Abort));
        blows.shuffle(&mut self.rng);
        let times = self.times(blows.len());
        let mut busy: BTreeMap<Target, Duration> = BTreeMap::new();
        let mut frozen: BTreeMap<&str, Duration> = BTreeMap::new();
        let mut planned = Vec::new();
        for (at, blow) in times.into_iter().zip(blows) {
            let (at, target) = self.target(at, &blow, &busy, &frozen);
            let fault = self.aimed(blow, target, at);
            let until = at + fault.length() + self.over(&fault);
            busy.insert(target, until);
            if let Fault::Freeze { .. } = fault {
                frozen.insert(target.service, until);
            }
            let both = matches!(fault, Fault::Kill { .. }) && self.rng.random_ratio(1, BOTH_IN);
            let blow = Planned { at, fault };
            if both {
                planned.extend(self.sibling(&blow, target, &mut busy));
            }
            planned.push(blow);
        }
        planned
    }

    /// The other replica meets the same at the same moment.
    fn sibling(
        &self,
        planned: &Planned,
        target: Target,
        busy: &mut BTreeMap<Target, Duration>,
    ) -> Option<Planned> {
        let sibling = Target {
            replica: (target.replica + 1) % self.terrain.replicas,
            ..target
        };
        let Fault::Kill { pause, .. } = planned.fault else {
            return None;
        };
        if sibling == target || busy.get(&sibling).is_some_and(|until| *until > planned.at) {
            return None;
        }
        busy.insert(sibling, planned.at + pause + START);
        let fault = Fault::Kill {
            target: sibling,
            pause,
        };
        Some(Planned {
            at: planned.at,
            fault,
        })
    }

    /// Most are short; every third is longer than any lease.
    fn freezes(&mut self, count: usize) -> Vec<Duration> {
        let longest = (self.length.as_secs_f64() * 1_000.0 / 3.0).min(*FREEZE_MS.end());
        let longest = longest.max(*FREEZE_MS.start());
        let lease = 8_000.0_f64.min(longest);
        let lengths = (0..count).map(|n| {
            let shortest = if n % 3 == 0 {
                lease
            } else {
                *FREEZE_MS.start()
            };
            let share: f64 = self.rng.random_range(0.0..=1.0);
            let ms = shortest * (longest / shortest).powf(share);
            Duration::from_secs_f64(ms / 1_000.0)
        });
        lengths.collect()
    }

    /// Each equally often, as far as that is possible.
    fn points(&mut self, count: usize) -> Vec<&'static str> {
        let mut points = self.terrain.points.clone();
        points.shuffle(&mut self.rng);
        points.into_iter().cycle().take(count).collect()
    }

    /// A replica that is free, and the moment when it is.
    fn target(
        &mut self,
        at: Duration,
        blow: &Blow,
        busy: &BTreeMap<Target, Duration>,
        frozen: &BTreeMap<&str, Duration>,
    ) -> (Duration, Target) {
        let mut targets = self.targets(blow);
        targets.shuffle(&mut self.rng);
        let is_freeze = matches!(blow, Blow::Freeze(_));
        let free_from = |target: &Target| {
            let own = busy.get(target).copied().unwrap_or_default();
            // Never both replicas of a service at once.
            let sibling = frozen.get(target.service).filter(|_| is_freeze);
            own.max(sibling.copied().unwrap_or_default()).max(at)
        };
        let soonest = targets.into_iter().min_by_key(|target| free_from(target));
        let target = soonest.expect("a shop has replicas");
        (free_from(&target), target)
    }

    fn targets(&self, blow: &Blow) -> Vec<Target> {
        let owner = match blow {
            Blow::Abort(point) => owner(point, &self.terrain.services),
            Blow::Kill | Blow::Terminate | Blow::Freeze(_) => None,
        };
        let services = self.terrain.services.iter().copied();
        let services = services.filter(|service| owner.is_none_or(|owner| owner == *service));
        let replicas = 0..self.terrain.replicas;
        services
            .flat_map(|service| {
                replicas
                    .clone()
                    .map(move |replica| Target { service, replica })
            })
            .collect()
    }

    fn aimed(&mut self, blow: Blow, target: Target, at: Duration) -> Fault {
        match blow {
            Blow::Kill => Fault::Kill {
                target,
                pause: self.ms(0..=3_000),
            },
            Blow::Terminate => Fault::Terminate {
                target,
                pause: self.ms(0..=2_000),
            },
            Blow::Freeze(length) => Fault::Freeze {
                target,
                // Over at the end.
                length: length.min(self.length.saturating_sub(at)).max(FREEZE_MIN),
            },
            Blow::Abort(point) => Fault::Abort {
                target,
                point,
                passes: self.rng.random_range(0..=4),
            },
        }
    }

    /// How long a replica is busy beyond the length of what was done to it.
    fn over(&self, fault: &Fault) -> Duration {
        match fault {
            Fault::Abort { .. } => WAY_TO_POINT + START,
            Fault::Terminate { .. } => START * 2,
            _ => START,
        }
    }

    fn postgres_kill(&mut self) -> Fault {
        let pause = self.ms(100..=2_000);
        Fault::PostgresKill { pause }
    }

    fn postgres_stop(&mut self) -> Fault {
        let pause = self.ms(100..=2_000);
        Fault::PostgresStop { pause }
    }

    fn redis_kill(&mut self) -> Fault {
        let pause = self.ms(100..=5_000);
        Fault::RedisKill { pause }
    }

    fn network(&mut self) -> Fault {
        let link = self.terrain.links.choose(&mut self.rng);
        let (from, to) = link.expect("a shop has links").clone();
        let mut conditions = Conditions::default();
        let mut reset = false;
        match self.rng.random_range(0..8) {
            0 => conditions.hold_there = true,
            1 => conditions.hold_back = true,
            2 => {
                conditions.hold_there = true;
                conditions.hold_back = true;
            }
            3 => conditions.latency = self.ms(20..=800),
            4 => {
                conditions.latency = self.ms(1..=100);
                conditions.jitter = self.ms(10..=500);
            }
            5 => conditions.bytes_per_second = Some(self.rng.random_range(500..20_000)),
            6 => {
                conditions.refuse = true;
                reset = true;
            }
            _ => reset = true,
        }
        Fault::Network {
            from,
            to,
            conditions,
            reset,
            length: self.ms(500..=12_000),
        }
    }

    fn provider(&mut self) -> Fault {
        let mut faults = FaultSet::default();
        match self.rng.random_range(0..5) {
            0 => faults.delay_ms = self.rng.random_range(100..=9_000),
            1 => {
                faults.lose_answers = self.operations();
                faults.lose_by = match self.rng.random_bool(0.5) {
                    true => Loss::Drop,
                    false => Loss::Hang,
                };
            }
            2 => faults.refuse = self.operations(),
            3 => faults.webhook_copies = self.rng.random_range(2..=4),
            _ => faults.webhook_reorder_ms = self.rng.random_range(100..=3_000),
        }
        Fault::Provider {
            faults,
            length: self.ms(1_000..=10_000),
        }
    }

    fn operations(&mut self) -> BTreeMap<Operation, u32> {
        use Operation as O;
        let calls = [
            O::CreatePaymentIntent,
            O::RetrievePaymentIntent,
            O::CapturePaymentIntent,
            O::CancelPaymentIntent,
            O::CreateRefund,
        ];
        let count = self.rng.random_range(1..=calls.len());
        let chosen = calls.sample(&mut self.rng, count);
        let chosen: Vec<Operation> = chosen.copied().collect();
        let counted = chosen.into_iter();
        counted
            .map(|call| (call, self.rng.random_range(1..=20)))
            .collect()
    }

    fn ms(&mut self, range: std::ops::RangeInclusive<u64>) -> Duration {
        Duration::from_millis(self.rng.random_range(range))
    }
}

/// The service that alone has a point, by the first word of its name.
fn owner<'a>(point: &str, services: &[&'a str]) -> Option<&'a str> {
    let first = point.split('.').next()?;
    let is_owner = |service: &&&str| service.strip_suffix("-service") == Some(first);
    services.iter().find(is_owner).copied()
}
