//! Sessions: a transaction left open by a worker, an `UPDATE` behind it, an `ALTER TABLE` queued behind both, and 35
//! readers behind that.

use pgtriage::model::session::{HeldLock, LockHold, LockWait, Session, SessionKey, Sessions, State, Wait};

/// The root: idle in a transaction.
pub const ROOT: i32 = 4711;
/// An `UPDATE` of the same row.
pub const UPDATE: i32 = 4802;
/// The queued `ALTER TABLE`: where the queue of readers starts.
pub const ALTER: i32 = 5120;
/// The first of the readers.
pub const READER: i32 = 5200;
/// A report that runs for a while and waits for nobody.
pub const REPORT: i32 = 3100;
/// A client of the pool that does nothing.
pub const IDLE: i32 = 4000;

/// The identity that [`session`] gives a pid.
pub fn key(pid: i32) -> SessionKey {
    SessionKey { pid, backend_start: Some(format!("2025-11-24 03:01:55.{pid:06}+00")) }
}

/// A client of the shop's API that runs a statement for so many seconds.
pub fn session(pid: i32, seconds: f64, query: &str) -> Session {
    Session {
        pid,
        leader: None,
        database: Some("shop".into()),
        user: Some("shop".into()),
        application: "api".into(),
        client: Some("10.0.3.7".to_owned()),
        client_port: Some(40_000 + pid),
        backend_type: Some("client backend".to_owned()),
        state: Some(State::Active),
        wait: None,
        query_id: None,
        xid: None,
        xmin: Some("8812001".to_owned()),
        xmin_age: Some(340),
        backend_start: key(pid).backend_start,
        xact_start: Some(format!("2025-11-24 03:02:04.{pid:06}+00")),
        query_start: Some(format!("2025-11-24 03:02:05.{pid:06}+00")),
        backend_s: Some(seconds + 600.0),
        xact_s: Some(seconds),
        query_s: Some(seconds),
        state_s: Some(seconds),
        query: query.into(),
        hidden: false,
        blocked_by: Vec::new(),
        blockers: 0,
        waits_for: None,
        holds: None,
    }
}

/// A client that waits for its next statement.
pub fn idle(pid: i32, seconds: f64) -> Session {
    Session {
        state: Some(State::Idle),
        xmin: None,
        xmin_age: None,
        xact_start: None,
        xact_s: None,
        wait: Some(wait("Client", "ClientRead")),
        ..session(pid, seconds, "SELECT data FROM tv_order WHERE id = $1")
    }
}

/// A process of the server.
pub fn background(pid: i32, kind: &str) -> Session {
    Session {
        database: None,
        user: None,
        application: "".into(),
        client: None,
        client_port: None,
        backend_type: Some(kind.to_owned()),
        state: None,
        wait: Some(wait("Activity", "CheckpointerMain")),
        xact_start: None,
        xact_s: None,
        query_start: None,
        query_s: None,
        state_s: None,
        xmin: None,
        xmin_age: None,
        backend_s: Some(1_044_724.0),
        ..session(pid, 0.0, "")
    }
}

/// Waiting for a lock behind others.
pub fn behind(session: Session, blockers: &[i32], locktype: &str, mode: &str) -> Session {
    let relation = (locktype == "relation").then(|| "orders".into());
    let waited_s = session.query_s;
    Session {
        wait: Some(wait("Lock", locktype)),
        blocked_by: blockers.to_vec(),
        blockers: blockers.len(),
        waits_for: Some(LockWait {
            locktype: locktype.to_owned(),
            mode: mode.to_owned(),
            relation,
            waited_s,
            shared: false,
        }),
        ..session
    }
}

/// A commit that a standby has not confirmed for so many seconds.
pub fn unconfirmed(pid: i32, seconds: f64) -> Session {
    Session { wait: Some(wait("IPC", "SyncRep")), xid: Some(format!("88{pid}")), ..session(pid, seconds, "COMMIT") }
}

fn wait(class: &str, event: &str) -> Wait {
    Wait { class: class.to_owned(), event: event.to_owned() }
}

/// The transaction that a worker left open.
pub fn root() -> Session {
    Session {
        application: "worker".into(),
        client: Some("10.0.3.9".to_owned()),
        client_port: Some(50_112),
        state: Some(State::IdleInTransaction),
        wait: Some(wait("Client", "ClientRead")),
        xid: Some("8812345".to_owned()),
        holds: Some(LockHold {
            locktype: "relation".to_owned(),
            mode: "RowExclusiveLock".to_owned(),
            relation: Some("orders".into()),
            locks: 2,
        }),
        xact_s: Some(723.0),
        state_s: Some(722.0),
        ..session(ROOT, 722.5, "UPDATE orders SET status = 'packed', packed_at = now() WHERE id = 42")
    }
}

/// The queued `ALTER TABLE`.
pub fn alter() -> Session {
    let ddl = Session {
        application: "migrate".into(),
        user: Some("deploy".into()),
        client: Some("10.0.9.2".to_owned()),
        ..session(ALTER, 541.0, "ALTER TABLE orders ADD COLUMN carrier text NOT NULL DEFAULT 'dhl'")
    };
    behind(ddl, &[ROOT, UPDATE], "relation", "AccessExclusiveLock")
}

/// All of it, and what else a server has.
pub fn pile_up() -> Sessions {
    let update = session(UPDATE, 698.0, "UPDATE orders SET status = 'shipped', shipped_at = now() WHERE id = 42");
    let mut rows = vec![
        root(),
        Session { xid: Some("8812399".to_owned()), ..behind(update, &[ROOT], "transactionid", "ShareLock") },
        alter(),
        Session {
            application: "metabase".into(),
            user: Some("analyst".into()),
            wait: Some(wait("IO", "DataFileRead")),
            ..session(
                REPORT,
                84.0,
                "SELECT date_trunc('day', o.created_at) AS day, c.country, sum(o.total) AS revenue\nFROM orders_archive \
                 o JOIN customers c ON c.id = o.customer_id\nWHERE o.created_at > now() - interval '90 days' GROUP BY \
                 1, 2 ORDER BY 1",
            )
        },
    ];
    for i in 0..35 {
        let reader = session(
            READER + i,
            535.0 - f64::from(i) * 14.0,
            "SELECT o.id, o.status, o.total, i.sku, i.quantity FROM orders o JOIN order_items i ON i.order_id = o.id \
             WHERE o.customer_id = $1 ORDER BY o.created_at DESC LIMIT 20",
        );
        rows.push(behind(reader, &[ALTER], "relation", "AccessShareLock"));
    }
    rows.extend((0..6).map(|i| idle(IDLE + i, 3.0 + f64::from(i) * 40.0)));
    rows.push(background(901, "checkpointer"));
    rows.push(background(902, "autovacuum launcher"));
    rows.push(Session {
        user: Some("replicator".into()),
        application: "replica-1".into(),
        client: Some("10.0.3.21".to_owned()),
        state: Some(State::Active),
        query: "START_REPLICATION SLOT \"replica_1\" 3/A000000 TIMELINE 1".into(),
        query_s: Some(1_000_000.0),
        ..background(903, "walsender")
    });
    Sessions { rows, hidden: 0, own: 2, ours: Vec::new(), prepared: Vec::new() }
}

/// The same without the queue: after the `ALTER TABLE` was cancelled.
pub fn flowing() -> Sessions {
    let mut sessions = pile_up();
    sessions.rows.retain(|s| s.pid < ALTER);
    sessions
}

/// Nobody waits, and nothing is open for long.
pub fn calm() -> Sessions {
    let mut sessions = flowing();
    sessions.rows.retain(|s| s.pid < ROOT && s.pid != REPORT);
    sessions
}

/// Calm, and these sessions.
pub fn calm_but(rows: Vec<Session>) -> Sessions {
    let mut sessions = calm();
    sessions.rows.extend(rows);
    sessions
}

/// What a role without `pg_read_all_stats` gets: others' rows without their content.
pub fn hidden() -> Sessions {
    let mut sessions = pile_up();
    for s in &mut sessions.rows {
        if s.application.raw() != "worker" {
            *s = Session {
                hidden: true,
                backend_type: None,
                state: None,
                wait: None,
                client: None,
                client_port: None,
                backend_start: None,
                xact_start: None,
                query_start: None,
                backend_s: None,
                xact_s: None,
                query_s: None,
                state_s: None,
                xmin: None,
                xmin_age: None,
                xid: None,
                application: "".into(),
                query: "<insufficient privilege>".into(),
                waits_for: None,
                holds: None,
                ..s.clone()
            };
        }
    }
    sessions.hidden = sessions.rows.iter().filter(|s| s.hidden).count();
    sessions
}

/// The locks of the `ALTER TABLE`.
pub fn held() -> Vec<HeldLock> {
    let lock = |mode: &str, granted, locktype: &str, object: &str| HeldLock {
        locktype: locktype.to_owned(),
        mode: mode.to_owned(),
        granted,
        object: object.into(),
        waited_s: (!granted).then_some(541.0),
    };
    vec![
        lock("ExclusiveLock", true, "virtualxid", "7/1021"),
        lock("AccessExclusiveLock", false, "relation", "public.orders"),
    ]
}
