//! The embedded keymaps as tables, the errors of a file, and the look-up.

use super::*;
use crate::command::{Place, SPECS};

fn embedded(name: &str) -> Keymap {
    Keymap::named(name).unwrap().unwrap()
}

fn read(text: &str) -> Result<Keymap, String> {
    Keymap::read(Source { name: "mine.toml", text }).map_err(|e| e.to_string())
}

fn keys(text: &str) -> Vec<Chord> {
    text.parse::<Sequence>().unwrap().chords().to_vec()
}

/// What typing `text` comes to.
fn typed(keymap: &Keymap, tab: Tab, text: &str) -> Step {
    let keys = keys(text);
    let (last, pending) = keys.split_last().unwrap();
    keymap.step(tab, pending, *last)
}

#[test]
fn every_command_can_be_reached_on_each_of_its_tabs_in_every_keymap() {
    for (name, _) in EMBEDDED {
        let keymap = embedded(name);
        for spec in SPECS {
            for tab in Tab::ALL.into_iter().filter(|t| spec.place.holds(*t)) {
                let sequences = keymap.chords_of(spec.command, tab);
                assert!(!sequences.is_empty(), "{name}: {} on {}", spec.name, tab.title());
                for sequence in sequences {
                    assert_eq!(
                        typed(&keymap, tab, &sequence.to_string()),
                        Step::Run(spec.command),
                        "{name}: {sequence}"
                    );
                }
            }
        }
    }
}

#[test]
fn no_keymap_offers_a_command_where_it_does_not_belong() {
    for (name, _) in EMBEDDED {
        let keymap = embedded(name);
        for tab in Tab::ALL {
            for binding in keymap.bindings(tab) {
                assert!(binding.command.spec().place.holds(tab), "{name}: {} on {}", binding.sequence, tab.title());
            }
        }
    }
}

#[test]
fn a_keymap_within_a_reach_runs_nothing_beyond_it_says_so_and_touches_no_other_key() {
    for (name, _) in EMBEDDED {
        let all = embedded(name);
        let reads = all.clone().within(Reach::Reads);
        let mut removed = 0;
        for tab in Tab::ALL {
            for Binding { sequence, command } in all.bindings(tab) {
                let step = typed(&reads, tab, &sequence.to_string());
                if command.spec().reach > Reach::Reads {
                    removed += 1;
                    assert_eq!(step, Step::Barred(*command), "{name}: {sequence} on {}", tab.title());
                } else {
                    assert_eq!(step, Step::Run(*command), "{name}: {sequence} on {}", tab.title());
                }
            }
        }
        assert!(removed >= 4, "{name}: the test proves nothing when nothing writes");
    }
}

#[test]
fn the_keys_are_those_that_the_fingers_know() {
    use Command as C;
    let table = [
        ("default", Tab::Connections, "x", Step::Run(C::CancelBackend)),
        ("default", Tab::Connections, "X", Step::Run(C::TerminateBackend)),
        ("vim", Tab::Slow, "X", Step::Run(C::TerminateBackend)),
        ("default", Tab::Slow, "x", Step::Run(C::CancelBackend)),
        ("default", Tab::Tables, "x", Step::Run(C::CancelBackend)),
        ("default", Tab::Replication, "x", Step::Unbound),
        ("default", Tab::Tables, "v", Step::Run(C::VacuumAnalyze)),
        ("default", Tab::Tables, "a", Step::Run(C::Analyze)),
        ("default", Tab::Tables, "K", Step::Run(C::CancelJob)),
        ("default", Tab::Connections, "v", Step::Unbound),
        ("default", Tab::Slow, ">", Step::Run(C::RaiseThreshold)),
        ("default", Tab::Latency, "Left", Step::Run(C::PreviousPanel)),
        ("default", Tab::Latency, "Enter", Step::Unbound),
        ("default", Tab::Tables, "Enter", Step::Run(C::OpenDetail)),
        ("default", Tab::Cache, "C-c", Step::Run(C::Quit)),
        ("default", Tab::Cache, "g", Step::Run(C::SelectFirst)),
        ("default", Tab::Cache, "A-q", Step::Unbound),
        ("vim", Tab::Slow, "g g", Step::Run(C::SelectFirst)),
        ("vim", Tab::Slow, "y y", Step::Run(C::CopyRow)),
        ("vim", Tab::Slow, "g z", Step::Unbound),
        ("vim", Tab::Slow, "l", Step::Run(C::OpenDetail)),
        ("vim", Tab::Latency, "l", Step::Run(C::NextPanel)),
        ("vim", Tab::Latency, "h", Step::Run(C::PreviousPanel)),
        ("emacs", Tab::Slow, "C-n", Step::Run(C::SelectNext)),
        ("emacs", Tab::Slow, "C-x C-c", Step::Run(C::Quit)),
        ("emacs", Tab::Slow, "C-c", Step::Run(C::Quit)),
        ("emacs", Tab::Slow, "x", Step::Run(C::CancelBackend)),
        ("emacs", Tab::Slow, "X", Step::Run(C::TerminateBackend)),
    ];
    for (name, tab, keys, step) in table {
        assert_eq!(typed(&embedded(name), tab, keys), step, "{name}: {keys} on {}", tab.title());
    }
}

#[test]
fn the_first_key_of_a_sequence_says_what_may_come_next() {
    let vim = embedded("vim");
    let Step::Pending(next) = typed(&vim, Tab::Slow, "g") else { panic!("g begins sequences in vim") };
    let next: Vec<(String, &str)> = next.iter().map(|(chord, c)| (chord.to_string(), c.spec().name)).collect();
    assert_eq!(next, [("g".into(), "select-first"), ("t".into(), "next-tab"), ("T".into(), "previous-tab")]);
}

#[test]
fn control_and_a_capital_is_control_and_the_letter() {
    let shifted = Chord { key: Key::Char('C'), control: true, alt: false };
    assert_eq!(embedded("default").step(Tab::Slow, &[], shifted), Step::Run(Command::Quit));
}

#[test]
fn the_first_sequence_of_the_file_is_the_one_to_show_and_an_own_one_goes_before_an_inherited_one() {
    let shown =
        |name, command, tab| embedded(name).chords_of(command, tab).iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(shown("default", Command::Quit, Tab::Cache), ["q", "C-c"]);
    assert_eq!(shown("vim", Command::SelectFirst, Tab::Slow), ["g g", "Home"]);
    assert_eq!(shown("emacs", Command::SelectNext, Tab::Slow), ["C-n", "j", "Down"]);
}

#[test]
fn an_inheriting_file_replaces_adds_and_unbinds() {
    let mine = "inherit = 'default'\n[everywhere]\n'g g' = 'select-first'\n'c' = 'unbound'\n[tables]\n'Space' = 'unbound'\n'b' = 'help'\n";
    let keymap = read(mine).unwrap();
    let table = [
        (Tab::Slow, "g g", Step::Run(Command::SelectFirst)),
        (Tab::Slow, "c", Step::Unbound),
        (Tab::Slow, "Space", Step::Run(Command::Freeze)),
        (Tab::Tables, "Space", Step::Unbound),
        (Tab::Tables, "b", Step::Run(Command::Help)),
        (Tab::Tables, "v", Step::Run(Command::VacuumAnalyze)),
    ];
    for (tab, keys, step) in table {
        assert_eq!(typed(&keymap, tab, keys), step, "{keys} on {}", tab.title());
    }
}

#[test]
fn a_dangerous_command_may_move_to_a_key_that_nothing_uses() {
    let mine = "inherit = 'default'\n[connections]\n'H' = 'cancel-backend'\n'x' = 'unbound'\n[slow]\n'x' = 'unbound'\n'H' = 'cancel-backend'\n";
    let keymap = read(mine).unwrap();
    assert_eq!(typed(&keymap, Tab::Slow, "H"), Step::Run(Command::CancelBackend));
    assert_eq!(typed(&keymap, Tab::Slow, "x"), Step::Unbound);
}

#[test]
fn what_is_wrong_with_a_file_is_said_with_its_line() {
    let inherit = "inherit = 'default'\n";
    let table = [
        ("[tables]\n\n'x' = 'cancl-job'", "mine.toml:3: no command is called `cancl-job`; did you mean `cancel-job`?"),
        ("[tables]\n'x' = 'terminate'", "mine.toml:2: no command is called `terminate`"),
        ("[table]\n'x' = 'help'", "mine.toml:1: no tab is called `table`; did you mean `tables`?"),
        ("tables = 3", "mine.toml:1: `tables` is a section: write [tables]"),
        ("inherit = 'vi'", "mine.toml:1: `inherit` names one of `default`, `vim`, `emacs`"),
        ("inherit = 1", "mine.toml:1: `inherit` names one of `default`, `vim`, `emacs`"),
        ("[everywhere]\n'Entr' = 'help'", "mine.toml:2: `Entr` is no key; did you mean `Enter`?"),
        ("[everywhere]\nx.y = 'help'", "mine.toml:2: `x` is bound to the name of a command, in quotes"),
        ("[everywhere]\n'x' = 'help'\nx = 'quit'", "mine.toml:3: x is there twice"),
        ("[everywhere]\n'PgDn' = 'help'\n'PageDown' = 'quit'", "mine.toml:3: `PgDn` is already bound on line 2"),
        (
            "[everywhere]\n'g' = 'help'\n'g g' = 'quit'",
            "mine.toml:3: `g g` and `g` (line 2) begin with the same key: one could never be typed",
        ),
        (
            "[connections]\n'v' = 'vacuum-analyze'",
            "mine.toml:2: `vacuum-analyze` belongs to Triage, Tables, not to Connections",
        ),
        ("[everywhere]\n'x' = 'help'", "mine.toml:1: no key is bound to `quit` on Triage"),
        (
            "[tables]\n'Enter' = 'vacuum-analyze'",
            "mine.toml:2: `vacuum-analyze` acts on a server; `Enter` is never a key of that",
        ),
        (
            "[tables]\n'C-m' = 'vacuum-analyze'",
            "mine.toml:2: `vacuum-analyze` acts on a server; `Enter` is never a key of that",
        ),
        (
            "[tables]\n'Space v' = 'vacuum-analyze'",
            "mine.toml:2: `vacuum-analyze` acts on a server; `Space` is never a key of that",
        ),
        (
            "[slow]\n'y' = 'cancel-backend'",
            "mine.toml:2: `cancel-backend` acts on a server; `y` is never a key of that",
        ),
        (
            "inherit = 'default'\n[tables]\n'x' = 'cancel-job'",
            "mine.toml:3: `x` is `cancel-backend` on Triage, which acts on a server, so its key must do nothing else; \
             but `x` is `cancel-job` on Tables",
        ),
        (
            "inherit = 'default'\n[everywhere]\n'x' = 'help'",
            "mine.toml:3: `x` is `cancel-backend` on Triage, which acts on a server, so its key must do nothing else; \
             but `x` is `help` on Replication",
        ),
        (
            "inherit = 'default'\n[slow]\n'c' = 'cancel-backend'",
            "mine.toml:3: `c` is `cancel-backend` on Slow, which acts on a server, so its key must do nothing else; \
             but `c` is `reconnect` on Triage",
        ),
        (
            "inherit = 'default'\n[slow]\n'c x' = 'cancel-backend'",
            "mine.toml:3: `c x` is `cancel-backend` on Slow, which acts on a server, so its key must do nothing else; \
             but `c` is `reconnect` on Triage",
        ),
    ];
    for (text, error) in table {
        assert_eq!(read(text), Err(error.to_owned()), "{text}");
    }
    assert!(read(inherit).is_ok());
}

#[test]
fn the_markdown_has_a_row_for_every_command_and_keeps_its_columns() {
    let keymap = read("inherit = 'default'\n[everywhere]\n'|' = 'help'\n'`' = 'help'\n").unwrap();
    let text = keys_markdown(&keymap);
    assert_eq!(text.lines().count(), SPECS.len() + 2);
    for line in text.lines() {
        assert_eq!(line.replace("\\|", "").matches('|').count(), 5, "{line}");
    }
    assert!(text.contains(
        "| `x` | Cancel the selected session's statement (asks first). | Triage, Connections, Slow, Locks, Tables | `cancel-backend` |"
    ));
    assert!(text.contains("| `\\|` `` ` `` `?` `F1` |"));
}

#[test]
fn a_writing_command_that_is_offered_everywhere_is_for_the_server_itself() {
    // What is done to a row is offered where its rows are: a key pressed on the wrong tab finds nothing to act on.
    let everywhere = SPECS.iter().filter(|s| s.reach > Reach::Reads && s.place == Place::Everywhere);
    assert_eq!(everywhere.map(|s| s.name).collect::<Vec<_>>(), ["query-logging", "reload-configuration"]);
}

#[test]
fn a_key_that_writes_everywhere_has_no_other_use_on_any_tab() {
    let error = read("inherit = 'default'\n[tables]\n'L' = 'exact-bloat'\n").unwrap_err();
    assert!(error.contains("which acts on a server, so its key must do nothing else"), "{error}");
}
