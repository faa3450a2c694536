//! The host's processor and disks: what is short, for how long, whether it is `PostgreSQL` that needs it, and what is not judged.

use pgtriage::command::Tab;
use pgtriage::diagnose::{Finding, Kind, Severity};
use pgtriage::model::ProbeError;
use pgtriage::model::activity::Part;
use pgtriage::model::activity::io::Io;
use pgtriage::model::panel::{Reading, Series};
use pgtriage::model::session::{Session, Wait};

use super::findings::{sessions, sessions_for, short_of_disks};
use super::runbooks::{fact, figure, why};
use crate::stage::{Stage, activity, charts, locks};

fn steady(name: &str, value: f64) -> Series {
    charts::series(name, move |_| Some(value))
}

fn give(stage: &mut Stage, id: &str, candidate: usize, series: Vec<Series>) {
    charts::give(stage, id, Ok(charts::answer(Reading::Values { candidate, series })));
}

/// So many sessions that run, and so many that wait for that, for over a minute.
fn doing(running: i32, waiting: i32, (class, event): (&str, &str)) -> Stage {
    let mut stage = Stage::calm();
    let wait = Wait { class: class.to_owned(), event: event.to_owned() };
    let all = (0..running).map(|i| locks::session(6_000 + i, 0.2, "SELECT 1")).chain(
        (0..waiting).map(|i| Session { wait: Some(wait.clone()), ..locks::session(7_000 + i, 0.2, "SELECT 1") }),
    );
    sessions_for(&mut stage, &all.collect::<Vec<_>>());
    stage
}

const READS: (&str, &str) = ("IO", "DataFileRead");

/// The database's host with so much of its cores in use, and somebody waiting so often, beside that of the service.
fn cores(stage: &mut Stage, used: f64, waits: Option<f64>) {
    give(stage, "cores", 0, vec![steady("db1:9100", 8.0)]);
    give(stage, "cpu-used", 0, vec![steady("db1:9100", used), steady("app-1:9100", 0.4)]);
    match waits {
        Some(waits) => give(stage, "cpu-waiting", 0, vec![steady("db1:9100", waits), steady("app-1:9100", 0.02)]),
        None => charts::give(stage, "cpu-waiting", Ok(charts::answer(Reading::NoSeries))),
    }
}

fn found(stage: &Stage) -> Option<&Finding> {
    let all = &stage.app.triage.diagnosis.findings;
    all.iter().find(|f| matches!(f.kind(), Kind::ProcessorShort | Kind::IoWaits))
}

/// How bad it is, and all its words; none where nothing is wrong.
fn told(stage: &Stage) -> Option<(Severity, String)> {
    found(stage).map(|f| (f.severity, format!("{} | {} | {}", f.fact, f.evidence, f.todo)))
}

#[test]
fn cores_that_are_all_in_use_are_worse_where_somebody_waits_for_one_and_it_is_told_whether_they_are_ours() {
    let story = |running, used, waits| {
        let mut stage = doing(running, 0, READS);
        cores(&mut stage, used, waits);
        told(&stage)
    };
    assert_eq!(story(12, 0.85, Some(0.9)), None, "there is room, whatever waits for a moment");
    let (severity, said) = story(12, 0.97, Some(0.1)).unwrap();
    assert_eq!(severity, Severity::Notice, "used up is not yet short");
    let (worse, said_then) = story(12, 0.97, Some(0.62)).unwrap();
    assert_eq!(worse, Severity::Warning);
    let wanted = "db1:9100: 97 % of its cores are in use, and somebody waits for one 62 % of the time | \
                  12 of 12 active backends run, on 8 cores · by node_exporter and containers | PostgreSQL needs them";
    assert!(said_then.starts_with(wanted), "{said_then}");
    assert!(said.contains("one 10 % of the time"), "{said}");
    // One session of ours runs on eight cores: the machine is busy with something else.
    let (severity, said) = story(1, 0.97, Some(0.62)).unwrap();
    assert_eq!(severity, Severity::Warning);
    assert!(said.contains("1 of 1 active backends run, on 8 cores") && said.contains("what else runs there"), "{said}");
    // Without pressure the sessions tell whether that is short.
    let (severity, said) = story(12, 0.97, None).unwrap();
    assert!(severity == Severity::Warning && !said.contains("somebody waits"), "{said}");
    assert_eq!(story(3, 0.97, None).unwrap().0, Severity::Notice);
}

#[test]
fn a_moment_is_no_finding_and_since_when_it_lasts_the_series_tells() {
    let mut stage = doing(12, 0, READS);
    cores(&mut stage, 0.5, Some(0.5));
    let lately = |seconds: f64| move |x: f64| Some(if (1.0 - x) * 900.0 <= seconds { 0.98 } else { 0.3 });
    give(&mut stage, "cpu-used", 0, vec![charts::series("db1:9100", lately(90.0))]);
    assert_eq!(told(&stage), None);
    give(&mut stage, "cpu-used", 0, vec![charts::series("db1:9100", lately(300.0))]);
    let finding = stage.finding(Kind::ProcessorShort);
    let long = finding.seen.duration_since(finding.since.unwrap()).as_secs();
    assert!((295..=305).contains(&long), "{long}");
    assert_eq!((finding.target.tab(), finding.runbook()), (Tab::Latency, Some("database-performance")));
    // A host that is seen for a minute has no last three minutes, and one that is seen no more has no now.
    let mut young = charts::series("db1:9100", |_| Some(0.99));
    young.points.drain(..young.points.len() - 12);
    let mut gone = charts::series("db1:9100", |_| Some(0.99));
    gone.points.truncate(gone.points.len() - 12);
    for series in [young, gone] {
        give(&mut stage, "cpu-used", 0, vec![series]);
        assert_eq!(told(&stage), None);
    }
}

#[test]
fn a_host_of_the_service_is_told_as_such_and_one_of_anybody_is_not_judged() {
    let mut stage = doing(12, 0, READS);
    cores(&mut stage, 0.5, Some(0.1));
    give(&mut stage, "cpu-used", 0, vec![steady("db1:9100", 0.5), steady("app-1:9100", 0.99)]);
    let (severity, said) = told(&stage).unwrap();
    assert_eq!(severity, Severity::Notice);
    assert!(said.starts_with("app-1:9100: 99 %") && said.contains("not the host of this server"), "{said}");
    give(&mut stage, "cpu-used", 2, vec![steady("app-1:9100", 0.99)]);
    assert_eq!(told(&stage), None);
    let unchecked = &stage.app.triage.diagnosis.unchecked;
    assert!(unchecked.iter().any(|u| u.what.contains("processor in use")), "{unchecked:#?}");
    assert_eq!(why(&stage, "cpu_used").1, "have Prometheus read node_exporter on the server's host");
}

#[test]
fn a_container_is_held_back_by_its_limit_and_not_by_its_host() {
    let story = |share| {
        let mut stage = Stage::calm();
        cores(&mut stage, 0.4, Some(0.1));
        give(&mut stage, "cpu-waiting", 0, vec![steady("db1:9100", 0.9), steady("pod shop-api-a", share)]);
        told(&stage)
    };
    assert_eq!(story(0.2), None);
    let (severity, said) = story(0.4).unwrap();
    assert_eq!(severity, Severity::Notice);
    assert!(said.starts_with("pod shop-api-a is held back by its CPU limit in 40 % of its periods"), "{said}");
    assert_eq!(story(0.7).unwrap().0, Severity::Warning);
}

#[test]
fn a_host_waits_for_its_disks_only_where_sessions_wait_with_it() {
    let story = |waiting, candidate, share| {
        let mut stage = doing(2, waiting, READS);
        give(&mut stage, "io-waiting", candidate, vec![steady("db1:9100", share)]);
        give(&mut stage, "disk-time", 0, vec![steady("db1:9100 vda", 0.038), steady("db10:9100 vdb", 9.0)]);
        told(&stage)
    };
    // A backup at night waits for a disk all the time.
    assert_eq!(story(1, 0, 0.95), None);
    assert_eq!(story(6, 0, 0.3), None);
    assert_eq!(story(3, 0, 0.8).unwrap().0, Severity::Notice);
    let (severity, said) = story(6, 0, 0.8).unwrap();
    assert_eq!(severity, Severity::Warning);
    let wanted = "db1:9100: somebody waits for I/O 80 % of the time, with it 6 of 8 active sessions | \
                  IO:DataFileRead 6.0 · vda takes 38 ms a request · by pressure beside postgres_exporter | \
                  pages come from outside the buffers";
    assert!(said.starts_with(wanted), "{said}");
    let (severity, said) = story(6, 1, 0.99).unwrap();
    assert_eq!(severity, Severity::Notice, "an SSD that is busy all the time may take more");
    assert!(said.starts_with("db1:9100: a disk is busy 99 % of the time, with it 6 of 8"), "{said}");
    assert_eq!(story(6, 2, 0.99), None, "whose host that is nothing tells");
}

#[test]
fn who_waits_for_another_that_writes_waits_for_the_disk_and_who_waits_for_its_client_does_not() {
    for (wait, finds) in [
        (("LWLock", "WALWrite"), true),
        (("LWLock", "WalWrite"), true),
        (("IPC", "BufferIo"), true),
        (("IO", "WalSync"), true),
        (("Client", "ClientRead"), false),
        (("LWLock", "BufferContent"), false),
    ] {
        let mut stage = doing(2, 6, wait);
        give(&mut stage, "io-waiting", 0, vec![steady("db1:9100", 0.8)]);
        assert_eq!(told(&stage).is_some(), finds, "{wait:?}");
    }
}

#[test]
fn of_several_hosts_the_servers_own_is_told_by_its_name_or_it_is_said_that_nothing_tells() {
    let mut stage = doing(2, 6, READS);
    // The console has connected to db1:5432.
    give(&mut stage, "io-waiting", 0, vec![steady("db1:9100", 0.1), steady("db2:9100", 0.9)]);
    assert_eq!(told(&stage), None, "a standby's host");
    give(&mut stage, "io-waiting", 0, vec![steady("db1:9100", 0.9), steady("db2:9100", 0.1)]);
    assert_eq!(told(&stage).unwrap().0, Severity::Warning);
    give(&mut stage, "io-waiting", 0, vec![steady("10.0.0.7:9100", 0.9), steady("10.0.0.8:9100", 0.1)]);
    let (severity, said) = told(&stage).unwrap();
    assert!(severity == Severity::Notice && said.contains("whether this server runs there is not known"), "{said}");
    give(&mut stage, "cores", 0, vec![steady("10.0.0.7:9100", 8.0), steady("10.0.0.8:9100", 8.0)]);
    let (said, cure) = why(&stage, "sessions_per_core");
    assert_eq!(said, "which of several hosts is this server's is not known");
    assert!(cure.contains("the name that Prometheus has"), "{cure}");
}

#[test]
fn the_runbooks_step_on_what_is_short_shows_the_machine_beside_the_sessions() {
    let mut stage = doing(12, 6, READS);
    cores(&mut stage, 0.97, Some(0.62));
    give(&mut stage, "io-waiting", 0, vec![steady("db1:9100", 0.8)]);
    give(&mut stage, "disk-time", 0, vec![steady("db1:9100 vda", 0.038)]);
    assert!((figure(&stage, "sessions_per_core") - 1.5).abs() < 1e-9);
    assert_eq!(fact(&stage, "sessions_per_core").unwrap().note, "12 on 8 cores");
    assert!((figure(&stage, "cpu_used") - 0.97).abs() < 1e-9 && (figure(&stage, "cores") - 8.0).abs() < 1e-9);
    assert!((figure(&stage, "cpu_waiting") - 0.62).abs() < 1e-9);
    assert!((figure(&stage, "waiting_for_io") - 6.0).abs() < 1e-9);
    assert!(fact(&stage, "io_waiting").unwrap().note.starts_with("db1:9100, by pressure"));
    assert!((figure(&stage, "disk_time") - 0.038).abs() < 1e-9);
    sessions(&mut stage, Vec::new());
    assert!(figure(&stage, "sessions_per_core").abs() < 1e-9);
}

fn io(who: &str, wal: bool, read: i64, written: i64, ms: f64) -> Io {
    Io { who: who.into(), wal, read, written, read_ms: ms, write_ms: 0.0, reset_s: Some(1.7e9) }
}

/// What each process does in ten seconds, over a minute.
fn flows(stage: &mut Stage, change: impl Fn(&mut Vec<Io>, i64)) {
    activity::minute(stage, |look, n| {
        let mut rows = vec![
            io("autovacuum worker", false, n * (10 << 20), 0, 0.0),
            io("checkpointer", false, 0, n * (120 << 20), 0.0),
            #[expect(clippy::cast_precision_loss, reason = "a few looks")]
            io("client backend", false, n * (450 << 20), n * 1024, n as f64 * 32_000.0),
            io("client backend", true, 0, n * (30 << 20), 0.0),
            io("walwriter", false, 0, 0, 0.0),
        ];
        change(&mut rows, n);
        look.io = Part::Read(rows);
    });
}

#[test]
fn who_reads_and_writes_is_told_where_io_is_the_trouble_in_bytes_a_second() {
    let mut stage = Stage::calm();
    flows(&mut stage, |_, _| ());
    let read = fact(&stage, "bytes_read").unwrap();
    assert!((read.figure - f64::from(46 << 20)).abs() < 1.0, "{read:?}");
    assert_eq!(read.note, "client backends 45 MB/s (taking 3.20 s each second), autovacuum workers 1.0 MB/s");
    let written = fact(&stage, "bytes_written").unwrap();
    assert_eq!(written.note, "checkpointer 12 MB/s, client backends' WAL 3.0 MB/s");
    short_of_disks(&mut stage);
    flows(&mut stage, |_, _| ());
    sessions_for(&mut stage, &[]);
    short_of_disks(&mut stage);
    let finding = stage.finding(Kind::IoWaits);
    assert!(
        finding.evidence.contains(" · read by client backends 45 MB/s (taking 3.20 s each second), "),
        "{finding:#?}"
    );
    assert!(finding.evidence.contains("; written by checkpointer 12 MB/s, "), "{finding:#?}");
}

#[test]
fn counters_that_began_anew_give_no_rate_and_before_16_nothing_is_counted() {
    let mut stage = Stage::calm();
    assert_eq!(why(&stage, "bytes_read").0, "PostgreSQL counts it from 16 on");
    // All of them are reset within the last ten seconds: what was known before stays a rate.
    flows(&mut stage, |rows, n| {
        for row in rows.iter_mut().filter(|_| n == 6) {
            *row = Io { reset_s: Some(1.8e9), read: 77, written: 77, ..row.clone() };
        }
    });
    assert!((figure(&stage, "bytes_read") - f64::from(46 << 20)).abs() < 1.0);
    // With every look: nothing to compare.
    let mut stage = Stage::calm();
    flows(&mut stage, |rows, n| {
        for row in rows.iter_mut() {
            row.reset_s = Some(1.8e9 + f64::from(i32::try_from(n).unwrap()));
        }
    });
    assert_eq!(why(&stage, "bytes_read").0, "only one look so far");
    let refused = || ProbeError::Refused { code: "XX000".into(), message: "no".into() };
    activity::minute(&mut stage, |look, _| look.io = Part::Failed(refused()));
    assert!(why(&stage, "bytes_written").0.contains("no"), "{:?}", why(&stage, "bytes_written"));
    let unchecked = &stage.app.triage.diagnosis.unchecked;
    assert!(unchecked.iter().any(|u| u.what == "who reads and writes"), "{unchecked:#?}");
}
