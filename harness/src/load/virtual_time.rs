//! The queue and the search on virtual time: every number is exact to the nanosecond, and no test waits.

use std::convert::Infallible;
use std::time::Duration;

use bakeoff_reports::{most_over, quantile};

use super::*;

/// A worker whose time goes on only while it waits or serves.
struct VirtualWorker<S> {
    now: Duration,
    service: S,
}

impl<S: FnMut(usize) -> Duration> Worker for VirtualWorker<S> {
    type Answer = ();
    type Fault = Infallible;

    fn now(&mut self) -> Duration {
        self.now
    }

    fn wait_until(&mut self, time: Duration) -> Result<Duration, Infallible> {
        self.now = self.now.max(time);
        Ok(self.now)
    }

    fn serve(&mut self, query: usize) -> Result<(), Infallible> {
        self.now += (self.service)(query);
        Ok(())
    }
}

/// Serves a load by `workers` workers, of which the one that is free first takes the next query, as threads do. The queries are in
/// their order.
fn simulate(load: &Load, workers: usize, service: impl Fn(usize) -> Duration) -> Vec<Served> {
    let mut workers: Vec<_> = (0..workers).map(|_| VirtualWorker { now: Duration::ZERO, service: &service }).collect();
    let mut all = Vec::new();
    while let Some(free) = workers.iter_mut().min_by_key(|worker| worker.now) {
        let Ok(step) = load.step(free);
        let Some((served, ())) = step else { break };
        all.push(served);
    }
    all
}

/// A load without a bound.
fn unbounded(arrivals: &[Duration]) -> Load {
    Load::new(Duration::ZERO, arrivals, Duration::MAX, usize::MAX)
}

const US: Duration = Duration::from_micros(1);
const MS: Duration = Duration::from_millis(1);

/// Microseconds of queueing and of service, by query.
fn microseconds(served: &[Served]) -> Vec<(u128, u128)> {
    assert!(served.iter().enumerate().all(|(at, served)| served.query == at), "{served:?}");
    served.iter().map(|served| (served.queueing.as_micros(), served.service.as_micros())).collect()
}

#[test]
fn queries_wait_for_the_one_before_them_and_not_for_an_idle_worker() {
    let arrivals = [0_u32, 10, 20, 100, 101].map(|at| at * US);
    let served = simulate(&unbounded(&arrivals), 1, |_| 15 * US);
    assert_eq!(microseconds(&served), [(0, 15), (5, 15), (10, 15), (0, 15), (14, 15)]);
    assert_eq!(served[4].latency(), 29 * US);
}

#[test]
fn two_workers_serve_in_the_order_of_arrival_and_the_free_one_takes_the_next_query() {
    let arrivals = [0_u32, 1, 2, 3].map(|at| at * US);
    let services = [10_u32, 3, 3, 3];
    let load = unbounded(&arrivals);
    let served = simulate(&load, 2, |query| services[query] * US);
    // The second worker serves the queries 1, 2 and 3, because the first one is busy until 10.
    assert_eq!(microseconds(&served), [(0, 10), (0, 3), (2, 3), (4, 3)]);
}

#[test]
fn a_load_with_no_more_late_queries_than_may_be_is_served_to_its_end() {
    let arrivals: Vec<Duration> = (0_u32..1000).map(|at| at * 10 * MS).collect();
    // Two of the queries take 15 ms, and each also delays the one after it by 5 ms.
    let service = |query: usize| if query == 100 || query == 500 { 15 * MS } else { MS };
    for (most_late, is_served) in [(2, true), (1, false)] {
        let load = Load::new(Duration::ZERO, &arrivals, 9 * MS, most_late);
        let served = simulate(&load, 1, service);
        assert_eq!((served.len() == 1000, load.is_overloaded()), (is_served, !is_served), "{most_late}");
    }
}

#[test]
fn a_queue_that_grows_without_bound_is_noticed_long_before_its_end() {
    // Twice as many queries arrive as can be served.
    let arrivals: Vec<Duration> = (0_u32..100_000).map(|at| at * MS).collect();
    let load = Load::new(Duration::ZERO, &arrivals, 100 * MS, 900);
    let served = simulate(&load, 1, |_| 2 * MS);
    assert!(load.is_overloaded());
    // Query n waits for n ms, so that the 100th is late, and queries that nobody has served yet are late as well.
    assert!((500..1_100).contains(&served.len()), "{}", served.len());
}

#[test]
fn a_worker_that_hangs_is_noticed_at_once_by_the_queries_that_wait() {
    let arrivals: Vec<Duration> = (0_u32..100_000).map(|at| at * MS).collect();
    let load = Load::new(Duration::ZERO, &arrivals, 10 * MS, 900);
    let served = simulate(&load, 1, |query| if query == 50 { 5_000 * MS } else { MS / 10 });
    assert_eq!((served.len(), load.is_overloaded()), (51, true));
}

#[test]
fn a_load_that_could_still_be_valid_is_never_ended() {
    let arrivals = arrivals(3, 900.0, 20_000);
    let service = |query: usize| if query.is_multiple_of(50) { 4 * MS } else { MS / 2 };
    let late = |served: &[Served]| served.iter().filter(|served| served.latency() > 5 * MS).count();
    let all = late(&simulate(&unbounded(&arrivals), 1, service));
    assert!(all > 0);
    let just = Load::new(Duration::ZERO, &arrivals, 5 * MS, all);
    let served = simulate(&just, 1, service);
    assert_eq!((served.len(), late(&served), just.is_overloaded()), (20_000, all, false));
    let one_less = Load::new(Duration::ZERO, &arrivals, 5 * MS, all - 1);
    assert!(simulate(&one_less, 1, service).len() <= 20_000 && one_less.is_overloaded());
}

#[test]
fn queries_that_all_arrive_at_once_show_the_capacity() {
    let served = simulate(&unbounded(&[Duration::ZERO; 1000]), 4, |_| 2 * MS);
    let last = served.iter().map(Served::latency).max().expect("queries");
    assert_eq!(last, 500 * MS);
}

/// The constant service of the tests against theory.
const SERVICE: Duration = MS;

/// The probability that a query of an M/D/1 queue waits for no longer than `wait`, with services of length 1 that arrive at `load`:
/// `(1 - load) Σ_k (-x_k)^k e^(x_k) / k!` with `x_k = load (wait - k)`, over whole `k ≤ wait`. Erlang 1909, "The theory of
/// probabilities and telephone conversations"; in this form in Tijms 2003, *A First Course in Stochastic Models*, on the M/D/1 queue.
fn wait_is_at_most(wait: f64, load: f64) -> f64 {
    let term = |k: usize| {
        let x = load * (wait - k as f64);
        let factors: f64 = (1..=k).map(|i| -x / i as f64).product();
        factors * x.exp()
    };
    (1.0 - load) * (0..=wait.floor() as usize).map(term).sum::<f64>()
}

/// The latencies of so many queries of an M/D/1 queue, in services, ascending.
fn latencies(load: f64, queries: usize, seed: u64) -> Vec<f64> {
    let rate_per_s = load / SERVICE.as_secs_f64();
    let served = simulate(&unbounded(&arrivals(seed, rate_per_s, queries)), 1, |_| SERVICE);
    let mut latencies: Vec<f64> =
        served.iter().map(|served| served.latency().as_secs_f64() / SERVICE.as_secs_f64()).collect();
    latencies.sort_by(f64::total_cmp);
    latencies
}

#[test]
fn the_mean_wait_is_that_of_pollaczek_and_khinchine() {
    for load in [0.3, 0.6, 0.8] {
        let latencies = latencies(load, 2_000_000, 1);
        let wait = latencies.iter().sum::<f64>() / latencies.len() as f64 - 1.0;
        let expected = load / (2.0 * (1.0 - load));
        assert!((wait / expected - 1.0).abs() < 0.02, "load {load}: {wait}, expected {expected}");
    }
}

/// The largest number below `high` for which `is_below` is true; it is false for all larger ones.
fn bisect(high: f64, is_below: impl Fn(f64) -> bool) -> f64 {
    let (mut low, mut high) = (0.0, high);
    for _ in 0..60 {
        let middle = f64::midpoint(low, high);
        if is_below(middle) { low = middle } else { high = middle }
    }
    low
}

#[test]
fn the_99th_percentile_is_that_of_the_m_d_1_queue() {
    // For waits below one service, the sum has one term: (1 - load) e^(load wait).
    assert!((wait_is_at_most(0.5, 0.6) - 0.4 * 0.3_f64.exp()).abs() < 1e-15);
    for load in [0.3, 0.6, 0.8] {
        let p99 = quantile(&latencies(load, 2_000_000, 2), 0.99);
        let expected = 1.0 + bisect(30.0, |wait| wait_is_at_most(wait, load) < 0.99);
        assert!((p99 / expected - 1.0).abs() < 0.02, "load {load}: {p99}, expected {expected}");
    }
}

#[test]
fn the_highest_rate_that_holds_a_bound_is_that_of_the_m_d_1_queue() {
    const QUERIES: usize = 1_000_000;
    let most_late = most_over(QUERIES, SERVER_PERCENTILE).expect("enough queries");
    for bound in [2.5, 5.0, 10.0] {
        // In theory: the load at which just 99 % of the queries hold the bound, by bisection.
        let expected =
            bisect(1.0, |load| wait_is_at_most(bound - 1.0, load) > SERVER_PERCENTILE) / SERVICE.as_secs_f64();
        let holds = |rate_per_s: f64| {
            let arrivals = arrivals(2, rate_per_s, QUERIES);
            let load = Load::new(Duration::ZERO, &arrivals, SERVICE.mul_f64(bound), most_late);
            simulate(&load, 1, |_| SERVICE);
            Ok::<_, Infallible>(!load.is_overloaded())
        };
        let Ok(found) = highest_rate(1.0, 1.0 / SERVICE.as_secs_f64(), holds);
        let rate = found.held.expect("a rate that holds");
        assert!((rate / expected - 1.0).abs() < 0.02, "bound {bound}: {rate} per s, expected {expected}");
    }
}

#[test]
fn a_bound_below_the_service_holds_at_no_rate() {
    let holds = |rate_per_s: f64| {
        let load = Load::new(Duration::ZERO, &arrivals(1, rate_per_s, 459), MS / 2, 0);
        simulate(&load, 1, |_| SERVICE);
        Ok::<_, Infallible>(!load.is_overloaded())
    };
    let Ok(found) = highest_rate(1.0, 1000.0, holds);
    assert_eq!(found.held, None);
}

#[test]
fn a_service_that_fails_ends_the_load() {
    struct Fails;
    impl Worker for Fails {
        type Answer = ();
        type Fault = &'static str;
        fn now(&mut self) -> Duration {
            Duration::ZERO
        }
        fn wait_until(&mut self, time: Duration) -> Result<Duration, &'static str> {
            Ok(time)
        }
        fn serve(&mut self, query: usize) -> Result<(), &'static str> {
            if query < 3 { Ok(()) } else { Err("no answer") }
        }
    }
    let mut served = 0;
    let fault = serve_all(&unbounded(&[Duration::ZERO; 10]), &mut Fails, |_, ()| {
        served += 1;
        Ok(())
    });
    assert_eq!((fault, served), (Err("no answer"), 3));
}
