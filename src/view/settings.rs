//! The list of the server's settings above a tab: what is in force, from where, what the guide says, what we changed; and
//! the line in which a new value is typed.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::theme::Theme;
use super::{lines, picker, words};
use crate::app::App;
use crate::app::mode::{Board, Edit};
use crate::app::settings::Line as Shown;
use crate::command::Command;
use crate::guard::Policy;
use crate::model::setting::{Files, Override, Setting};
use crate::model::{ServerText, Tone};
use crate::table::page_start;

/// Cells of the list at most.
const WIDEST: u16 = 150;

/// Cells of a name: `idle_in_transaction_session_timeout` has 35, most have less than 30.
const NAME: usize = 35;

/// Draws the list.
pub fn draw(app: &App, board: &Board, theme: Theme, area: Rect, frame: &mut Frame) {
    let inner = picker::framed("Server settings", WIDEST, area.height, theme, area, frame);
    if inner.height == 0 {
        return;
    }
    let foot = foot(app, board, theme, inner.width);
    let kept = u16::try_from(foot.len()).unwrap_or(u16::MAX).min(inner.height.saturating_sub(2));
    let input = Line::from(vec![Span::styled("/ ", theme.key()), Span::raw(theme.plain(board.input.text()))]);
    lines::draw_one(input, theme, inner, frame);
    let shown = app.settings_shown(board.input.text());
    let at = board.at.as_ref().and_then(|name| shown.iter().position(|line| line.setting.name == *name)).unwrap_or(0);
    let list = Rect { y: inner.y + 1, height: inner.height.saturating_sub(1 + kept), ..inner };
    if shown.is_empty() {
        let said = match words::standing(&app.world().settings, 30.0, app) {
            Some((text, tone)) if app.world().settings.get().is_none() => Line::styled(text, theme.style(tone)),
            Some(_) | None => Line::styled("nothing matches", theme.style(Tone::Faint)),
        };
        lines::draw_one(said, theme, list, frame);
    }
    let rows = usize::from(list.height);
    let start = page_start(at, rows, shown.len());
    for (i, line) in shown.iter().enumerate().skip(start).take(rows) {
        let y = list.y + u16::try_from(i - start).unwrap_or(0);
        let mut text = row(line, list.width, theme);
        if i == at {
            text = text.style(theme.selected());
        }
        lines::draw_one(text, theme, Rect { y, height: 1, ..list }, frame);
    }
    let below = Rect { y: list.bottom(), height: kept, ..inner };
    lines::draw(foot, theme, below, frame);
}

/// Name, value, what is special about it; on a wide screen where it comes from and the guide's word.
fn row(line: &Shown<'_>, width: u16, theme: Theme) -> Line<'static> {
    let setting = line.setting;
    let narrow = width < 70;
    let name = if narrow { usize::from(width / 2) } else { NAME };
    let value = theme.plain(&setting.shown());
    // Where there is little room what follows needs it more than a column does.
    let value = if narrow { words::shortened(&value, 10) } else { lines::padded(&value, 12) };
    let mut spans = vec![
        Span::raw(lines::padded(&ServerText::from(setting.name.as_str()).escaped(), name)),
        Span::styled(format!(" {value}"), theme.key()),
    ];
    if !narrow {
        spans.push(Span::styled(lines::padded(&source(setting), 20), theme.style(Tone::Faint)));
        spans.push(Span::styled(
            lines::padded(if setting.needs_restart() { " restart" } else { "" }, 9),
            theme.style(Tone::Faint),
        ));
    }
    let mark = |text: String, tone: Tone| Span::styled(theme.plain(&text), theme.style(tone));
    if let Some(change) = line.change {
        let changed = if setting.entry == change.to || change.to == crate::model::setting::Entry::Unknown {
            format!(" · ours, was {}", change.was.shown())
        } else {
            format!(" · changed since ours ({})", change.to.shown())
        };
        spans.push(mark(changed, Tone::Notice));
    }
    if setting.pending_restart {
        spans.push(mark(" · waits for a restart".to_owned(), Tone::Warning));
    }
    if setting.error.is_some() {
        spans.push(mark(" · fault in its file".to_owned(), Tone::Critical));
    }
    if !setting.overrides.is_empty() {
        spans.push(mark(format!(" · {} overridden", setting.overrides.len()), Tone::Notice));
    }
    if let Some(guide) = line.known.and_then(|known| known.guide).filter(|guide| *guide != setting.shown()) {
        spans.push(mark(format!(" · guide: {guide}"), Tone::Faint));
    }
    if let Some(known) = line.known {
        spans.push(mark(format!(" · {}", known.why), Tone::Faint));
    }
    Line::from(spans)
}

/// Where the value in force comes from, in a word or two.
fn source(setting: &Setting) -> String {
    let file = setting.file.as_ref().and_then(|file| file.raw().rsplit('/').next());
    match (setting.source.as_str(), file) {
        // The file of a line by ALTER SYSTEM is known by its name.
        ("configuration file", Some(file)) => ServerText::from(file).head(19),
        // Our own session sets this one for itself, which hides where the server's comes from.
        ("session", _) => "not shown".to_owned(),
        (source, _) => ServerText::from(source).head(19),
    }
}

/// What stands below the list: the line that is typed in, or what the selected setting is for; what is not known.
fn foot(app: &App, board: &Board, theme: Theme, width: u16) -> Vec<Line<'static>> {
    let said = |text: &str, tone: Tone| -> Vec<Line<'static>> {
        let folded = lines::folded(&theme.plain(text), usize::from(width));
        folded.into_iter().map(|text| Line::styled(text, theme.style(tone))).collect()
    };
    if let Some(edit) = &board.edit {
        return typing(app, edit, theme, &said);
    }
    let mut out = Vec::new();
    let shown = app.settings_shown(board.input.text());
    let on = board.at.as_ref().and_then(|name| shown.iter().find(|line| line.setting.name == *name)).or(shown.first());
    if let Some(known) = on.and_then(|line| line.known) {
        out.extend(said(known.why, Tone::Plain));
    }
    let fixed = on.and_then(|line| app.unchangeable(line.setting));
    if let Some(refusal) = &fixed {
        out.extend(said(&refusal.sentence(), Tone::Notice));
    }
    if let Some(setting) = on.map(|line| line.setting).filter(|setting| !setting.overrides.is_empty()) {
        let named: Vec<String> = setting.overrides.iter().map(Override::shown).collect();
        out.extend(said(&format!("another value for {}", named.join(", ")), Tone::Notice));
    }
    let world = app.world();
    if let Some(Files::Hidden { cure }) = world.settings.get().map(|settings| &settings.files) {
        out.extend(said(&format!("the configuration files may not be read: {cure}"), Tone::Notice));
    }
    if let Some(error) = world.settings.get().and_then(|settings| settings.errors.first()) {
        out.extend(said(&format!("fault: {}", error.head(200)), Tone::Critical));
    }
    let told = match (&app.history.trouble, &app.history.since) {
        (Some(trouble), _) => Some(format!("what was changed from here is not fully known: {trouble}")),
        (None, Some(since)) => {
            Some(format!("changes from here are known since {}", since.chars().take(16).collect::<String>()))
        }
        (None, None) => None,
    };
    let read_only = app.setup.policy == Policy::Observer;
    out.extend(told.filter(|_| !read_only).map_or_else(Vec::new, |told| said(&told, Tone::Faint)));
    let reload = app.key_of(Command::ReloadConfiguration);
    let keys = if read_only {
        "type to narrow, ↑ ↓ choose, Esc; read-only: nothing is changed".to_owned()
    } else if fixed.is_some() {
        format!("type to narrow, ↑ ↓ choose, {reload} reload the files, Esc")
    } else {
        format!("type to narrow, ↑ ↓ choose, Enter new value, {reload} reload the files, Esc")
    };
    out.extend(said(&keys, Tone::Plain));
    out
}

fn typing(app: &App, edit: &Edit, theme: Theme, said: &dyn Fn(&str, Tone) -> Vec<Line<'static>>) -> Vec<Line<'static>> {
    let shown = app.settings_shown("");
    let line = shown.iter().find(|line| line.setting.name == edit.name);
    let now = line.map_or_else(String::new, |line| line.setting.shown());
    let mut out = vec![Line::from(vec![
        Span::raw(format!("{} {now} → ", words::shortened(&edit.name, NAME))),
        Span::styled(format!("{}_", theme.plain(edit.input.text())), theme.key()),
    ])];
    let undo = line.and_then(|line| line.change).map_or_else(String::new, |change| {
        let time = change.time.chars().take(16).collect::<String>();
        format!(" · undo: {}, as before our change of {time}", change.was.shown())
    });
    let keys = format!("Enter asks · default: no entry in postgresql.auto.conf{undo} · Esc back");
    let (text, tone) =
        edit.error.as_ref().map_or((keys, Tone::Faint), |error| (format!("it wants {error}"), Tone::Warning));
    out.extend(said(&text, tone));
    if let Some(known) = line.and_then(|line| line.known) {
        let guide = known.guide.map_or_else(String::new, |guide| format!(" (the guide's value: {guide})"));
        out.extend(said(&format!("{}{guide}", known.why), Tone::Plain));
    }
    out
}
