//! Prometheus stops and comes back under the console: Latency says which.

use super::driver::{Start, WIDE};
use super::outage::A_KEY;
use super::scene::Scene;

#[test]
fn latency_says_that_prometheus_is_unreachable_and_comes_back() {
    let Some(mut scene) = Scene::whole() else { return };
    let (uri, prometheus) = (scene.uri("oncall"), scene.lab().prometheus());
    let mut console = Start::with(&[&uri, "--prometheus", &prometheus]).size(WIDE).open();
    console.until("of 97 slots", 10);
    console.keys("7");
    console.until("(?i)p95", 10);
    console.until("[0-9.]+ m?s\\b", 20);
    console.until_not("(?i)unreachable", 10);
    scene.lab().command("stop-prometheus");
    console.until("(?i)unreachable", 15);
    assert!(console.key_takes(5) < A_KEY);
    console.keys("2");
    console.until("of 97 slots", 5);
    console.keys("7");
    console.until("(?i)unreachable", 5);
    scene.lab().command("start-prometheus");
    console.until_not("(?i)unreachable", 15);
    console.keys("8");
    console.until("Cache hits", 10);
    console.leave();
}
