//! What only an exporter on the server's host knows, by a real `node_exporter`: the finding, its runbook's signs, the panels.

use super::driver::{ESC, Start, WIDE};
use crate::lab::{Lab, Wanted};

/// The share of this machine's memory that is in use, as the kernel says.
fn in_use() -> f64 {
    let text = std::fs::read_to_string("/proc/meminfo").expect("Linux");
    let figure = |name: &str| -> f64 {
        let line = text.lines().find_map(|line| line.strip_prefix(name)).expect(name);
        line.trim_end_matches("kB").trim().parse().expect(name)
    };
    1.0 - figure("MemAvailable:") / figure("MemTotal:")
}

#[test]
fn memory_of_the_servers_host_is_what_its_kernel_says_and_decides_the_runbooks_signs() {
    let wanted = Wanted { without: &["standby", "service"], with: &["node-exporter"], ..Wanted::default() };
    let Some(lab) = Lab::start(wanted) else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let config = folder.path().join("config.toml");
    // So that it is a finding on any machine.
    std::fs::write(&config, "[limits]\nmemory_used = \"1%\"\n").expect("a file");
    let (uri, prometheus, config) = (lab.uri("oncall"), lab.prometheus(), config.display().to_string());
    let mut console =
        Start::with(&[&uri, "--prometheus", &prometheus, "--config", &config]).size(WIDE).open_on_triage();
    let told: f64 =
        console.until("127\\.0\\.0\\.1:\\d+: (\\d+) % of its memory is in use", 40).parse().expect("a figure");
    let real = in_use() * 100.0;
    assert!((told - real).abs() < 20.0, "{told} of {real}");
    console.until_not("not checked: (free disk space|memory in use|processes ended)", 20);
    console.keys("7");
    console.until(
        "(?s)Free disk space +\\d.*Disk in use +\\d+\\.\\d%.*Memory in use +\\d+\\.\\d%.*Ended for want of memory +\\d",
        20,
    );
    console.keys("G");
    console.until(
        "(?s)Processor in use +\\d+\\.\\d%.*Waiting for a core +\\d+\\.\\d%.*Cores +\\d.*Waiting for I/O +\\d+\\.\\d%.*Time of a disk request",
        20,
    );
    console.keys("1");
    console.until("of its memory is in use", 10);
    console.keys("r");
    console.until("(?s)Memory pressure.*[✓✗] Over 80 % of the memory is used +\\d+ %", 10);
    console.until("[✓✗] A process ran out of memory +\\d", 10);
    console.keys(ESC);
    console.leave();
}

#[test]
fn a_busy_processor_is_told_with_what_of_it_is_postgresqls_by_a_real_kernel() {
    let wanted = Wanted { without: &["standby", "service"], with: &["node-exporter"], ..Wanted::default() };
    let Some(lab) = Lab::start(wanted) else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let config = folder.path().join("config.toml");
    // So that it is a finding on any machine, and soon.
    std::fs::write(&config, "[limits]\ncpu_used = \"1%\"\nhost_short = \"10s\"\n").expect("a file");
    let (uri, prometheus, config) = (lab.uri("oncall"), lab.prometheus(), config.display().to_string());
    let console = Start::with(&[&uri, "--prometheus", &prometheus, "--config", &config]).size(WIDE).open_on_triage();
    console.until("127\\.0\\.0\\.1:\\d+: \\d+ % of its cores are in use(, and somebody waits for one \\d+ %)?", 90);
    let cores: usize = console.until("active backends run, on (\\d+) cores", 10).parse().expect("a count");
    assert_eq!(cores, std::thread::available_parallelism().expect("a count").get());
    console.until_not("not checked: .*(processor in use|waiting for I/O)", 10);
    console.leave();
}
