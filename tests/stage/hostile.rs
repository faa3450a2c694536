//! Texts that a hostile or careless author put where the console must show them.

use pgtriage::model::cache::{CacheContents, CacheState, CacheTable, CacheView};
use pgtriage::model::relation::Relations;
use pgtriage::model::replica::Replication;
use pgtriage::model::server::Server;
use pgtriage::model::session::{Prepared, Sessions};
use pgtriage::model::{Link, ProbeError, Question, Snapshot};

use super::{Stage, cache, charts, locks, replication, server, tables};
use pgtriage::message::Event;
use pgtriage::model::panel::Reading;

/// Clear the screen; own the title and the clipboard; C1; turn the line round; hide; join; be wide; be long.
pub const TEXTS: [&str; 12] = [
    "\u{1b}[2J\u{1b}[31mred",
    "\u{1b}]52;c;cm0gLXJmIC8=\u{7}paste",
    "\u{9b}31m\u{90}dcs\u{9c}",
    "abc\u{202e}txt.exe",
    "\u{2066}iso\u{2069}late\u{200f}",
    "👩\u{200d}👩\u{200d}👧 family \u{fe0f}",
    "漢字テーブル漢字テーブル漢字テーブル漢字テーブル",
    "line\r\none\n\ttwo\u{b}\u{c}\u{85}\u{2028}three",
    "e\u{301}\u{301}\u{301}\u{301}\u{301}combining",
    "ｆｕｌｌ　ｗｉｄｔｈ",
    "ääääääääääääääääääääääääääääääää",
    "x123456789x123456789x123456789x123456789x123456789x123456789x12",
];

fn text(i: usize) -> &'static str {
    TEXTS.get(i % TEXTS.len()).unwrap()
}

/// The incident with hostile texts in every place where a server or Prometheus can put one.
pub fn incident(stage: Stage) -> Stage {
    let mut stage = stage.filled();
    feed(&mut stage);
    stage
}

/// A hostile answer to each question.
pub fn feed(stage: &mut Stage) {
    let server = Server {
        cluster_name: text(0).into(),
        database: text(6).into(),
        user: text(3).into(),
        version: text(2).into(),
        ..server()
    };
    stage.take(Question::Server, Ok(Snapshot::Server(Box::new(server))));
    stage.see(sessions());
    let relations = relations();
    let question = Question::Relations { database: None, order: relations.order };
    stage.take(question, Ok(Snapshot::Relations(Box::new(relations))));
    stage.take(Question::Replication, Ok(Snapshot::Replication(Box::new(replication()))));
    stage.take(Question::Progress, Ok(Snapshot::Progress(running())));
    stage.take(Question::CacheTable, Ok(Snapshot::CacheTable(cache())));
    stage.take(Question::SessionLocks(locks::key(locks::ALTER)), Ok(Snapshot::SessionLocks(held())));
    let series = TEXTS.iter().map(|t| charts::series(t, |x| Some(x * 1e12))).collect();
    charts::give(stage, "p95", Ok(charts::answer(Reading::Values { candidate: 0, series })));
    let mut refused = charts::answer(Reading::NoSeries);
    refused.refused = TEXTS.iter().map(|t| (*t).to_owned()).collect();
    refused.notes.clone_from(&refused.refused);
    charts::give(stage, "slow-statements", Ok(refused.clone()));
    refused.unmeasured = Some(TEXTS.concat());
    charts::give(stage, "db-time", Ok(refused));
    super::health::hostile(stage, &TEXTS);
    charts::give(stage, "p50", Err(ProbeError::Refused { code: text(1).to_owned(), message: TEXTS.concat() }));
}

/// The reads have lost their connection, and the last words are hostile.
pub fn lost(stage: &mut Stage) {
    let link = Link::Connecting {
        place: TEXTS.concat(),
        since: stage.now(),
        attempt: 3,
        last_error: Some(TEXTS.concat()),
        retry_at: None,
    };
    stage.event(Event::Link(link));
    let error = ProbeError::Unreachable(TEXTS.concat());
    stage.take(Question::Sessions, Err(error.clone()));
    stage.take(Question::Replication, Err(error));
}

fn sessions() -> Sessions {
    let mut sessions = locks::pile_up();
    for (i, s) in sessions.rows.iter_mut().enumerate() {
        s.query = format!("{} {} {}", text(i), text(i + 1), s.query.raw()).as_str().into();
        s.application = text(i + 2).into();
        s.user = Some(text(i + 3).into());
        s.database = Some(text(i + 4).into());
        s.client = Some(text(i + 5).to_owned());
        if let Some(lock) = &mut s.waits_for {
            lock.relation = Some(text(i + 6).into());
            lock.mode = format!("{}Lock", text(i + 7));
            text(i + 8).clone_into(&mut lock.locktype);
        }
        if let Some(wait) = &mut s.wait {
            text(i + 9).clone_into(&mut wait.event);
        }
        if i % 7 == 6 {
            s.backend_type = Some(text(i).to_owned());
        }
    }
    let last = sessions.rows.len() - 1;
    sessions.rows.get_mut(last).unwrap().blocked_by = vec![0];
    sessions.prepared = vec![Prepared {
        gid: text(1).into(),
        owner: text(3).into(),
        database: text(0).into(),
        age_s: 9e9,
        waiters: Vec::new(),
        exact: true,
    }];
    sessions.hidden = 3;
    sessions
}

fn relations() -> Relations {
    let mut relations = tables::relations();
    for (i, r) in relations.rows.iter_mut().enumerate() {
        r.name = text(i).into();
        r.schema = text(i + 1).into();
        if r.toast_of.is_some() {
            r.toast_of = Some(text(i + 2).into());
        }
    }
    for v in &mut relations.vacuums {
        text(1).clone_into(&mut v.phase);
        v.database = text(2).into();
    }
    for (i, d) in relations.databases.iter_mut().enumerate() {
        d.name = text(i).into();
    }
    relations.database = text(0).into();
    relations
}

fn replication() -> Replication {
    let mut replication = replication::after();
    for (i, r) in replication.replicas.iter_mut().enumerate() {
        r.application = text(i).into();
        r.client = Some(text(i + 1).to_owned());
        r.state = Some(text(i + 2).to_owned());
        r.sync_state = Some(text(i + 3).to_owned());
        r.replay_lsn = Some(text(i + 4).to_owned());
        r.slot = Some(text(i + 5).into());
        r.user = Some(text(i + 6).into());
    }
    for (i, s) in replication.slots.iter_mut().enumerate() {
        s.name = text(i).into();
        text(i + 1).clone_into(&mut s.kind);
        s.wal_status = Some(text(i + 2).to_owned());
        s.invalidation = Some(text(i + 3).to_owned());
        s.database = Some(text(i + 4).into());
    }
    replication.standby = Some(pgtriage::model::replica::Standby {
        paused: true,
        receive_lsn: Some(text(0).to_owned()),
        replay_lsn: Some(text(1).to_owned()),
        gap: Some(i64::MAX),
        lag_s: None,
        last_replay_s: Some(9e9),
        receiver_hidden: false,
        receiver: Some(text(2).to_owned()),
        sender: Some(text(3).into()),
        sender_port: Some(5432),
        slot: Some(text(4).into()),
        heard_s: Some(1.0),
    });
    replication
}

fn cache() -> CacheTable {
    let views = (0..TEXTS.len())
        .map(|i| CacheView { view: text(i).into(), rows: i64::MAX, expired: -1, bytes: i64::MAX })
        .collect();
    let contents = CacheContents { rows: i64::MAX / 200, expired: 5, bytes: None, views, sampled: true };
    CacheTable { table: text(0).into(), database: text(1).into(), ..cache::table(CacheState::Read(contents)) }
}

fn held() -> Vec<pgtriage::model::session::HeldLock> {
    let mut held = locks::held();
    for (i, lock) in held.iter_mut().enumerate() {
        text(i).clone_into(&mut lock.mode);
        text(i + 1).clone_into(&mut lock.locktype);
        lock.object = text(i + 2).into();
    }
    held
}

fn running() -> pgtriage::model::progress::Running {
    let mut running = super::progress::running();
    for (i, p) in running.rows.iter_mut().enumerate() {
        p.database = p.database.as_ref().map(|_| text(i).into());
        p.command = Some(text(i + 1).to_owned());
        p.phase = Some(text(i + 2).to_owned());
        if let Some(place) = &mut p.relation {
            place.name = Some(text(i + 3).into());
        }
        if let Some(place) = &mut p.index {
            place.name = Some(text(i + 4).into());
        }
        if let Some(wait) = &mut p.wait {
            text(i + 5).clone_into(&mut wait.event);
        }
        p.blocked_by.clear();
    }
    running
}
