//! The figures behind a finding: where no row of a tab shows what it says, Enter opens a view that does.

use pgtriage::app::mode::{Mode, Subject};
use pgtriage::app::part::Part as List;
use pgtriage::command::Tab;
use pgtriage::diagnose::figures::Figure;
use pgtriage::diagnose::{Kind, Target};
use pgtriage::message::Effect;
use pgtriage::model::activity::Part;

use super::findings::{STORIES, forgotten, refuses, replicated, slot_kept, subscription};
use crate::stage::hostile::TEXTS;
use crate::stage::{SIZES, Stage, activity, replication, tables};

/// What the view of each kind shows that no row of a tab does.
const SHOWN: &[(Kind, &[&str])] = &[
    (Kind::Restarted, &["the server's life", "ran before 12d"]),
    (Kind::SlotLost, &["slot warehouse", "wal_status lost", "catalogs   catalog_xmin"]),
    (Kind::SlotRetains, &["slot warehouse", "kind       logical", "retains    14 GB", "SQL        SELECT pg_drop"]),
    (Kind::Archive, &["the archive", "archived   ", "failed     ", "the last 0000000", "pg_wal     holds"]),
    (
        Kind::WalKept,
        &["the directory of the WAL", "settings   max_wal_size 1.0 GB", "replication slots", "archive    the last"],
    ),
    (Kind::Checkpoints, &["lately     ", "by force", "in all     ", "checkpoint_timeout 5m", "max_wal_size 1.0 GB"]),
    (Kind::TempFiles, &["temporary files by database", "database   shop: ", "work_mem   4MB"]),
    (Kind::Deadlocks, &["deadlocks by database", "database   shop: ", "4 deadlocks"]),
    (Kind::Conflicts, &["that replay cancelled, by database", "rows removed", "max_standby_streaming_delay 30s"]),
    (
        Kind::Prepared,
        &["prepared transaction tx'42", "owner      shop", "ROLLBACK PREPARED 'tx''42';", "blocks     nobody"],
    ),
    (Kind::Subscription, &["subscription warehouse", "worker     ", "heard      ", "errors     "]),
    (Kind::Partitions, &["table public.tb_error_occurrence", "the last   "]),
    (Kind::OwnCost, &["sessions and who blocks whom: ", "the longest 200 ms"]),
    (Kind::Gap, &["not seen   ", "ended"]),
];

/// Goes to the evidence of a finding by the keys of whoever reads it.
fn enter(stage: &mut Stage, kind: Kind) {
    stage.press("1 g");
    for _ in 0..stage.app.triage.findings.len() {
        if stage.app.current_finding().is_some_and(|finding| finding.kind() == kind) {
            break;
        }
        stage.press("j");
    }
    assert_eq!(stage.app.current_finding().map(pgtriage::diagnose::Finding::kind), Some(kind));
    stage.press("Enter");
}

fn gone_wrong(kind: Kind) -> Stage {
    let mut stage = Stage::calm();
    let story = STORIES.iter().find(|story| story.0 == kind).unwrap();
    (story.1)(&mut stage);
    stage
}

#[test]
fn where_no_row_shows_what_a_finding_says_its_figures_do() {
    for (kind, words) in SHOWN {
        let mut stage = gone_wrong(*kind);
        let fact = stage.finding(*kind).fact.clone();
        enter(&mut stage, *kind);
        let screen = stage.wide();
        for word in [&[fact.as_str()], *words].concat() {
            assert!(screen.contains(word), "{kind:?} has no {word:?}:\n{screen}");
        }
        // Esc leads to where the slots are listed, and else back to the finding.
        let slot = matches!(kind, Kind::SlotLost | Kind::SlotRetains);
        stage.press("Esc");
        assert_eq!(stage.app.tab, if slot { Tab::Replication } else { Tab::Triage }, "{kind:?}");
    }
}

#[test]
fn every_kind_that_leads_to_figures_is_told_here() {
    for (kind, go_wrong, ..) in STORIES {
        let mut stage = Stage::calm();
        go_wrong(&mut stage);
        let figures = matches!(stage.finding(*kind).target, Target::Figures(_));
        assert_eq!(figures, SHOWN.iter().any(|(shown, _)| shown == kind), "{kind:?}");
    }
}

#[test]
fn ids_that_run_out_lead_to_the_tables_with_the_oldest_ones_first() {
    let mut stage = gone_wrong(Kind::Wraparound);
    enter(&mut stage, Kind::Wraparound);
    assert_eq!((stage.app.tab, stage.app.part), (Tab::Tables, List::Tables));
    let column = stage.app.tables.columns()[stage.app.tables.sort().0].name;
    assert_eq!(column, "freeze");
    // Of another database no table is listed, and of multixact ids no column tells.
    let mut other = tables::calm();
    other.databases[0].name = "billing".into();
    other.databases[0].xid_age = 1_500_000_000;
    let mut stage = Stage::calm().relations(other);
    enter(&mut stage, Kind::Wraparound);
    let screen = stage.wide();
    assert!(screen.contains("database billing"), "{screen}");
    assert!(screen.contains("rows       1.5G transaction ids old, 70 % of the way to the stop"), "{screen}");
    assert!(screen.contains("horizon    nobody is seen to hold it"), "{screen}");
}

#[test]
fn the_figures_stay_when_the_finding_is_over_and_mean_no_other_one() {
    let mut stage = Stage::calm();
    slot_kept(&mut stage);
    enter(&mut stage, Kind::SlotRetains);
    let copied = stage.press("Y");
    assert_eq!(copied, [Effect::Copy("SELECT pg_drop_replication_slot('warehouse');".to_owned())]);
    let Some(Effect::Copy(text)) = stage.press("y").pop() else { panic!("nothing was copied") };
    assert!(text.contains("retains 14 GB") && text.contains("\n  kind logical"), "{text}");
    replicated(&mut stage, replication::calm());
    let screen = stage.wide();
    assert!(screen.contains("it is over; what follows is how it is now") && screen.contains("it is gone"), "{screen}");
    assert!(matches!(&stage.app.mode, Mode::Detail { of: Subject::Figures(_), .. }));
    assert!(stage.app.current_session().is_none() && stage.app.current_table().is_none());
    assert_eq!(stage.press("Y"), [], "nothing of another finding is copied");
}

#[test]
fn hostile_names_are_shown_and_not_obeyed() {
    for text in TEXTS {
        let mut stage = Stage::calm();
        activity::minute(&mut stage, |look, n| {
            let mut one = subscription(n);
            (one.name, one.database) = (text.into(), text.into());
            look.subscriptions = Part::Read(vec![one]);
            let mut transaction = forgotten();
            (transaction.gid, transaction.owner, transaction.database) = (text.into(), text.into(), text.into());
            look.prepared = Part::Read(vec![transaction]);
            refuses(look, n);
            look.archiver.last_failed = Some(text.to_owned());
            activity::shop(look).name = Some(text.into());
            activity::shop(look).deadlocks += n;
        });
        for kind in [Kind::Subscription, Kind::Prepared, Kind::Archive, Kind::Deadlocks] {
            let key = stage.finding(kind).key.clone();
            for figure in stage.app.figures_of(&key) {
                let (Figure::Title(shown) | Figure::Line { text: shown, .. }) = figure;
                assert!(!shown.chars().any(char::is_control), "{shown:?}");
            }
            enter(&mut stage, kind);
            for (width, height) in SIZES {
                let screen = stage.screen(width, height);
                assert!(!screen.contains('\u{1b}') && !screen.contains('\u{202e}'), "{screen}");
            }
        }
    }
}

#[test]
fn figures_in_three_sizes() {
    for (name, kind) in [
        ("archive", Kind::Archive),
        ("wal-kept", Kind::WalKept),
        ("slot", Kind::SlotRetains),
        ("subscription", Kind::Subscription),
    ] {
        let mut stage = gone_wrong(kind);
        enter(&mut stage, kind);
        for (width, height) in SIZES {
            let screen = stage.screen(width, height);
            insta::assert_snapshot!(format!("figures-{name}_{width}x{height}"), screen);
        }
    }
}
