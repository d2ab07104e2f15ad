//! The script against a model, at times that the test chooses.

use proptest::{
    prelude::*,
    test_runner::{Config, TestRunner},
};
use redis::{Script, aio::MultiplexedConnection};

/// Gives the script its time and keeps what it saves, since the server's own
/// clock runs on.
const PRELUDE: &str = "
local server = redis
local redis = {call = function(command, ...)
  if command == 'TIME' then
    return {ARGV[#ARGV - 1], ARGV[#ARGV]}
  end
  local key, value = ...
  if command == 'SET' then
    return server.call('SET', key, value)
  end
  return server.call(command, ...)
end}
";

const UNIT: i128 = 1_000_000;

#[derive(Debug, Clone)]
struct Quota {
    per_second: i128,
    burst: i128,
}

#[derive(Debug, Clone)]
struct Call {
    pause_us: i128,
    /// Which of the buckets, and how much of each.
    costs: Vec<(usize, i128)>,
}

/// A bucket of tokens: starts full and is filled by the rate.
struct Model {
    tokens: i128,
    at_us: i128,
}

impl Model {
    fn refill(&mut self, quota: &Quota, now_us: i128) {
        let grown = self.tokens + (now_us - self.at_us) * quota.per_second;
        self.tokens = grown.min(quota.burst * UNIT);
        self.at_us = now_us;
    }
}

fn quota() -> impl Strategy<Value = Quota> {
    let per_second = prop_oneof![1..50_i128, 1..10_000_i128, Just(i128::from(u32::MAX))];
    let burst = prop_oneof![1..30_i128, 1..10_000_i128, Just(i128::from(u32::MAX))];
    (per_second, burst).prop_map(|(per_second, burst)| Quota { per_second, burst })
}

fn call() -> impl Strategy<Value = Call> {
    let pause_us = prop_oneof![Just(0), 0..1_000_i128, 0..5_000_000_i128];
    let some = prop::sample::subsequence(vec![0, 1, 2], 1..=3);
    (pause_us, some, 1..20_i128).prop_map(|(pause_us, some, cost)| Call {
        pause_us,
        costs: some.into_iter().map(|bucket| (bucket, cost)).collect(),
    })
}

async fn run(
    script: &Script,
    conn: &mut MultiplexedConnection,
    quotas: &[Quota],
    call: &Call,
    now_us: i128,
) -> Vec<i128> {
    let mut invocation = script.prepare_invoke();
    for (bucket, cost) in &call.costs {
        let quota = &quotas[*bucket];
        invocation
            .key(format!("bucket {bucket}"))
            .arg(quota.per_second as u64)
            .arg((quota.burst * UNIT) as u64)
            .arg(((*cost).min(quota.burst) * UNIT) as u64);
    }
    invocation
        .arg((now_us / UNIT) as u64)
        .arg((now_us % UNIT) as u64);
    let answer: Vec<i64> = invocation.invoke_async(conn).await.unwrap();
    answer.into_iter().map(i128::from).collect()
}

/// What the script must answer.
fn expected(models: &mut [Model], quotas: &[Quota], call: &Call, now_us: i128) -> Vec<i128> {
    let (mut full, mut longest) = (0, 0);
    for (position, (bucket, cost)) in call.costs.iter().enumerate() {
        let (model, quota) = (&mut models[*bucket], &quotas[*bucket]);
        model.refill(quota, now_us);
        let missing = (*cost).min(quota.burst) * UNIT - model.tokens;
        let wait = missing
            .max(0)
            .unsigned_abs()
            .div_ceil(quota.per_second.unsigned_abs());
        if wait > longest {
            (full, longest) = (position as i128 + 1, wait);
        }
    }
    if full > 0 {
        return vec![full, longest as i128];
    }
    for (bucket, cost) in &call.costs {
        models[*bucket].tokens -= (*cost).min(quotas[*bucket].burst) * UNIT;
    }
    vec![0]
}

#[test]
fn the_script_answers_as_the_model_does() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let redis = runtime.block_on(testkit::redis());
    let conn = runtime.block_on(crate::world::client(&redis));
    let script = Script::new(&format!("{PRELUDE}{}", include_str!("../../src/take.lua")));
    let mut runner = TestRunner::new(Config {
        cases: 200,
        failure_persistence: None,
        ..Config::default()
    });
    let histories = (
        prop::collection::vec(quota(), 3),
        prop::collection::vec(call(), 1..60),
    );
    runner
        .run(&histories, |(quotas, calls)| {
            runtime.block_on(async {
                let _: () = redis::cmd("FLUSHALL")
                    .query_async(&mut conn.clone())
                    .await
                    .unwrap();
                let mut now_us = 1_800_000_000 * UNIT;
                let start = |quota: &Quota| Model {
                    tokens: quota.burst * UNIT,
                    at_us: now_us,
                };
                let mut models: Vec<Model> = quotas.iter().map(start).collect();
                for call in &calls {
                    now_us += call.pause_us;
                    let answer = run(&script, &mut conn.clone(), &quotas, call, now_us).await;
                    prop_assert_eq!(&answer, &expected(&mut models, &quotas, call, now_us));
                }
                Ok(())
            })
        })
        .unwrap();
}
