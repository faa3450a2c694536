//! Removing the expired rows of the cache table: the question, the progress, the stop.

use pgtriage::app::mode::Mode;
use pgtriage::guard::Write;
use pgtriage::message::{ActionStep, Effect, Outcome};
use pgtriage::model::cache::CacheState;

use crate::stage::{Stage, cache};

fn expired(effects: &[Effect]) -> Option<(u32, i64)> {
    match effects {
        [Effect::Write { approved, .. }] => match approved.write() {
            Write::ExpireCache { table, most, .. } => Some((table.key.oid, *most)),
            Write::Cancel { .. }
            | Write::Terminate { .. }
            | Write::Bulk(_)
            | Write::Maintain { .. }
            | Write::Setting { .. }
            | Write::Reload { .. } => None,
        },
        _ => None,
    }
}

#[test]
fn what_was_counted_is_what_is_asked_about_and_no_more_is_removed() {
    let mut stage = Stage::incident();
    assert_eq!(stage.press("8 E"), []);
    assert!(stage.wide().contains("Remove the expired rows of public.fraiseql_cache?"), "{}", stage.wide());
    let Mode::Ask(prompt) = &stage.app.mode else { panic!("no question") };
    let said: Vec<&str> = prompt.rows().iter().map(|row| row.text.as_str()).collect();
    let said = said.join("\n");
    assert!(said.contains("31k of them expired") && said.contains("at most 32000"), "{said}");
    assert!(said.contains("dead rows until a vacuum"), "{said}");
    assert_eq!(stage.press("E Enter"), [], "neither the key that asked nor Enter");
    assert_eq!(expired(&stage.press("y")), Some((16_500, 32_000)));
}

#[test]
fn its_progress_is_on_the_screen_and_it_can_be_stopped() {
    let mut stage = Stage::incident();
    stage.press("8 E y");
    stage.news(1, ActionStep::Started { pid: Some(9_001) });
    stage.news(1, ActionStep::Progress("removed 3000 rows in 3 batches".to_owned()));
    assert!(stage.last_line().contains("expire public.fraiseql_cache: removed 3000 rows"), "{}", stage.last_line());
    assert_eq!(stage.press("E"), [], "one at a time");
    assert_eq!(stage.press("K"), [Effect::StopJob { id: 1 }]);
    stage.news(1, ActionStep::Ended(Outcome::Done("stopped: removed 3000 rows".to_owned())));
    assert!(stage.last_line().contains("stopped: removed 3000 rows"));
}

#[test]
fn many_rows_are_asked_for_by_name() {
    let mut table = cache::read();
    if let CacheState::Read(contents) = &mut table.state {
        contents.expired = 100_001;
    }
    let mut stage = Stage::incident().cache(table);
    assert_eq!(stage.press("8 E y"), []);
    assert!(matches!(stage.app.mode, Mode::Ask(_)));
    stage.press("Backspace");
    stage.type_text("public.fraiseql_cache");
    assert_eq!(expired(&stage.press("Enter")), Some((16_500, 101_000)));
}

#[test]
fn without_a_table_or_in_read_only_mode_there_is_nothing_to_ask() {
    let (_, none) = cache::states().swap_remove(0);
    let mut stage = Stage::incident().cache(none);
    assert_eq!(stage.press("8 E"), []);
    assert!(stage.last_line().contains("no cache table"), "{}", stage.last_line());
    let mut stage = Stage::read_only().filled();
    assert_eq!(stage.press("8 E y"), []);
    assert!(matches!(stage.app.mode, Mode::Normal));
}
