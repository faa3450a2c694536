use super::file::BUILTIN;
use super::*;
use crate::command::Reach;
use crate::diagnose::Kind;
use crate::keymap::source::Source;
use crate::model::panel;

const HEAD: &str = "id = \"own\"\ntitle = \"Own\"\nsummary = \"Of our own.\"\n";
const STEP: &str = "[[step]]\ntitle = \"Look\"\ntext = \"Look at it.\"\n";

fn read(text: &str) -> Result<Runbook, crate::keymap::source::SourceError> {
    parse(Source { name: "own.toml", text }, &panel::defaults().unwrap())
}

fn fault(text: &str) -> String {
    read(text).unwrap_err().to_string()
}

#[test]
fn the_built_in_files_are_whole() {
    let books = builtin().unwrap();
    let panels = panel::defaults().unwrap();
    for ((name, text), book) in BUILTIN.iter().zip(&books) {
        let own = parse(Source { name, text }, &panels).unwrap();
        assert_eq!(own.steps, book.steps, "{name}: its panels are among the built-in ones");
        assert!(name.ends_with(&format!(" {}.toml", book.id)), "{name}");
        assert!(book.detect.len() >= 3 && book.steps.len() >= 5 && book.causes.len() >= 3, "{name}");
        assert!(!book.scaling.is_empty() && !book.escalation.is_empty(), "{name}");
        for step in &book.steps {
            assert!(step.tab.is_some(), "{name}, {}: Enter leads nowhere", step.title);
            assert!(!step.text.is_empty() && !step.show.is_empty(), "{name}, {}", step.title);
        }
    }
}

#[test]
fn every_finding_that_names_a_runbook_finds_it_and_every_runbook_has_a_finding() {
    let books = builtin().unwrap();
    for kind in Kind::ALL {
        if let Some(id) = kind.runbook() {
            assert!(books.iter().any(|book| book.id == id), "{}: {id}", kind.name());
        }
    }
    for book in &books {
        assert!(Kind::ALL.iter().any(|kind| kind.runbook() == Some(&book.id)), "{}", book.id);
    }
}

#[test]
fn the_guides_sql_and_python_that_fail_on_real_servers_are_not_copied() {
    for (name, text) in BUILTIN {
        for wrong in
            ["DatabasePool(", "max_size_mb", "tablename", "stats.hit_rate", "get_stats()", "GROUP BY cache_key"]
        {
            let copied = text.lines().filter(|line| !line.trim_start().starts_with('#')).any(|l| l.contains(wrong));
            // The garbage collector's own statistics are another thing.
            assert!(!copied || (wrong == "get_stats()" && text.contains("gc.get_stats()")), "{name}: {wrong}");
        }
        assert!(!text.lines().any(|line| line.trim() == "ALTER SYSTEM SET log_statement = 'all';"), "{name}");
    }
}

#[test]
fn what_acts_is_offered_by_a_command_that_asks() {
    let offered: Vec<Command> =
        builtin().unwrap().iter().flat_map(|b| b.steps.iter().filter_map(|s| s.command)).collect();
    assert!(offered.contains(&Command::ExpireCache) && offered.contains(&Command::QueryLogging), "{offered:?}");
    let acting = offered.iter().filter(|c| c.spec().reach > Reach::Reads);
    assert!(acting.clone().all(|c| c.spec().help.contains("asks first")), "{offered:?}");
}

#[test]
fn faults_carry_their_line_and_what_was_meant() {
    let with = |more: &str| fault(&format!("{HEAD}{STEP}{more}"));
    let table = [
        (fault("id = \"own\"\n"), "own.toml:1: missing field `title`"),
        (fault(HEAD), "own.toml:1: runbook `own` has no [[step]]"),
        (
            fault(&format!("{}{STEP}", HEAD.replace("\"own\"", "\"Own book\""))),
            "own.toml:1: an id is made of a–z, 0–9 and `-`",
        ),
        (fault(&format!("{HEAD}colour = \"red\"\n{STEP}")), "own.toml:4: unknown field `colour`"),
        (with("colour = \"red\"\n"), "own.toml:7: unknown field `colour`"),
        (with("tab = \"lock\"\n"), "own.toml:7: no tab is called `lock`; did you mean `locks`?"),
        (with("tab = \"cache\"\npanel = \"cache-hits\"\n"), "own.toml:8: no panel is called `cache-hits`"),
        (with("panel = \"p95\"\n"), "own.toml:7: a `panel` stands on `tab` latency or cache"),
        (
            with("command = \"cancel-backed\"\n"),
            "own.toml:7: no action is called `cancel-backed`; did you mean `cancel-backend`?",
        ),
        (with("command = \"quit\"\n"), "own.toml:7: `quit` is no action: a `tab` leads to one, and a step offers"),
        (
            with("findings = [\"blocker\",\n \"quue\"]\n"),
            "own.toml:8: no kind of finding is called `quue`; did you mean `queue`?",
        ),
        (with("show = [\"pool_shar\"]\n"), "own.toml:7: no fact is called `pool_shar`; did you mean `pool_share`?"),
        (with("[step.copy]\nwhat = \"SQL\"\ntext = \"x\"\n"), "own.toml:7: missing field `risk`"),
        (
            with("[[detect]]\nsays = \"x\"\nfact = \"p95\"\n"),
            "own.toml:9: `p95` takes one of `above`, `at_least`, `below`, `at_most`",
        ),
        (with("[[detect]]\nsays = \"x\"\nfact = \"p95\"\nabove = 1\nbelow = 2\n"), "own.toml:9: `p95` takes one of"),
        (
            with("[[detect]]\nsays = \"x\"\n"),
            "own.toml:7: a [[detect]] has a `fact` with its limit, or says in `elsewhere`",
        ),
        (
            with("[[detect]]\nsays = \"x\"\nfact = \"p95\"\nabove = nan\n"),
            "own.toml:9: `p95`: `above = NaN` is no limit",
        ),
        (
            with("[[detect]]\nsays = \"x\"\nfact = \"p95\"\nat_least = inf\n"),
            "own.toml:9: `p95`: `at_least = inf` is no limit",
        ),
        (with("[[cause]]\nsays = \"x\"\ntext = \"y\"\nabove = 1\n"), "own.toml:7: a limit without its `fact`"),
        (with("[[scaling]]\nsays = \"x\"\ntext = \"y\"\n"), "own.toml:7: missing field `fact`"),
        (with("[[step]]\ntitle = 7\n"), "own.toml:8: invalid type"),
    ];
    for (said, wanted) in table {
        assert!(said.starts_with(wanted), "{said}\n{wanted}");
        assert!(!said.contains('\n'), "{said}");
    }
}

#[test]
fn texts_flow_and_blank_lines_part_paragraphs() {
    let book = read(&format!("{HEAD}[[step]]\ntitle = \"A\"\ntext = '''\none\n  two\n\nthree\n'''\n")).unwrap();
    assert_eq!(book.steps.first().unwrap().text, ["one two", "three"]);
    assert_eq!(book.origin.as_deref(), Some("own.toml"));
}

#[test]
fn one_of_ones_own_stands_in_the_place_of_the_built_in_one_and_that_is_said() {
    let own = |id: &str| read(&format!("{HEAD}{STEP}").replace("\"own\"", &format!("\"{id}\""))).unwrap();
    let (books, said) = with_own(builtin().unwrap(), vec![own("cache-performance"), own("queue")]).unwrap();
    let ids: Vec<&str> = books.iter().map(|b| b.id.as_str()).collect();
    assert_eq!(ids, ["database-performance", "cache-performance", "memory-pressure", "queue"]);
    assert_eq!(books.get(1).map(|b| b.title.as_str()), Some("Own"));
    assert_eq!(said, ["runbook `cache-performance`: own.toml stands in the place of the built-in one"]);
    let twice = with_own(builtin().unwrap(), vec![own("queue"), own("queue")]).unwrap_err();
    assert_eq!(twice.to_string(), "own.toml:1: a runbook `queue` is in own.toml already");
}

#[test]
fn a_value_that_is_no_smaller_decides_in_one_direction_only() {
    let fact = FactSpec::named("busy_statements").unwrap();
    let value = |figure, at_least: Option<Unknown>| Value {
        figure,
        at_least,
        seen: crate::model::Timestamp::UNIX_EPOCH,
        note: String::new(),
    };
    let doubt = || Unknown::of("12 sessions hidden from bob", "GRANT pg_monitor TO bob");
    let unknown = || State::Unknown(doubt());
    let table = [
        (Test::Above, 5.0, State::Met, State::Met),
        (Test::Above, 3.0, State::NotMet, unknown()),
        (Test::AtLeast, 3.0, State::Met, State::Met),
        (Test::AtLeast, 2.0, State::NotMet, unknown()),
        (Test::Below, 2.0, State::Met, unknown()),
        (Test::Below, 3.0, State::NotMet, State::NotMet),
        (Test::AtMost, 3.0, State::Met, unknown()),
        (Test::AtMost, 4.0, State::NotMet, State::NotMet),
    ];
    for (test, figure, exact, bounded) in table {
        let condition = Condition { fact, test, limit: 3.0 };
        assert_eq!(condition.state_of(&value(figure, None)), exact, "{test:?} {figure}");
        assert_eq!(condition.state_of(&value(figure, Some(doubt()))), bounded, "{test:?} {figure} or more");
    }
}
