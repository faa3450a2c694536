//! Alerts against the programs that define them: `promtool test rules`, and the alerts of a real Prometheus.

mod own;
mod promtool;
mod store;
