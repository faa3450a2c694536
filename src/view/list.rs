//! Draws a list: which columns fit, how wide each is, the page around the cursor.

use ratatui::Frame;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use unicode_width::UnicodeWidthStr;

use super::theme::Theme;
use crate::model::Tone;
use crate::table::{Align, Column, Direction, Listing, Row, Width, page_start};

/// Rows looked at to fit a column's width: a longer list does not change it, and must not cost a frame.
const FITTED_ROWS: usize = 200;

/// A column that fits, and where.
struct Placed<'a, R> {
    column: &'a Column<R>,
    index: usize,
    x: u16,
    width: u16,
}

/// Draws head and rows of the list; `dimmed` where they are old.
pub fn draw<R: Row>(listing: &Listing<R>, dimmed: bool, theme: Theme, area: Rect, frame: &mut Frame) {
    if area.height == 0 || area.width == 0 {
        return;
    }
    let columns = placed(listing, area.width);
    let buffer = frame.buffer_mut();
    draw_head(listing, &columns, theme, Rect { height: 1, ..area }, buffer);
    let height = usize::from(area.height - 1);
    let start = page_start(listing.place(), height, listing.len());
    let cursor = listing.cursor();
    let last = listing.len().min(start + height);
    draw_place((start, last), listing.len(), theme, Rect { height: 1, ..area }, buffer);
    for (i, row) in listing.window(start, height).enumerate() {
        let y = area.y + 1 + u16::try_from(i).unwrap_or(u16::MAX);
        let selected = cursor == Some(start + i);
        for placed in &columns {
            let cell = (placed.column.cell)(row);
            let mut style = theme.style(if dimmed { Tone::Faint } else { cell.tone });
            if selected {
                // Reversed tones would make the row a patchwork, and a faint grey unreadable; its mark keeps its tone.
                style = Style::new();
            }
            let at = Rect { x: area.x + placed.x, y, width: placed.width, height: 1 };
            put(&theme.plain(&cell.text), placed.column.align, (style, theme), at, buffer);
        }
        if selected {
            buffer.set_style(Rect { y, height: 1, ..area }, theme.selected());
        }
    }
}

fn draw_head<R: Row>(listing: &Listing<R>, columns: &[Placed<'_, R>], theme: Theme, area: Rect, buffer: &mut Buffer) {
    let (sorted, direction) = listing.sort();
    for placed in columns {
        let mark = match direction {
            _ if placed.index != sorted || placed.column.title.is_empty() => "",
            Direction::Ascending if theme.is_ascii() => "^",
            Direction::Descending if theme.is_ascii() => "v",
            Direction::Ascending => "▲",
            Direction::Descending => "▼",
        };
        let at = Rect { x: area.x + placed.x, width: placed.width, ..area };
        let title = format!("{}{mark}", placed.column.title);
        put(&title, placed.column.align, (theme.style(Tone::Faint), theme), at, buffer);
    }
    buffer.set_style(area, theme.title());
}

/// Says which rows these are where they are not all: at the end of the head, behind the last title.
fn draw_place(shown: (usize, usize), of: usize, theme: Theme, area: Rect, buffer: &mut Buffer) {
    let (first, last) = shown;
    if last - first >= of {
        return;
    }
    let text = format!(" {}-{last} of {of}", first + 1);
    let width = u16::try_from(text.len()).unwrap_or(u16::MAX);
    let Some(x) = area.width.checked_sub(width).map(|x| area.x + x) else { return };
    let free = (x..area.right()).all(|x| buffer.cell((x, area.y)).is_none_or(|c| c.symbol() == " "));
    if free {
        buffer.set_stringn(x, area.y, text, usize::from(width), theme.style(Tone::Faint));
    }
}

/// Puts a text into its cell; what does not fit ends in `…`, so that a cut name is not taken for a whole one.
fn put(text: &str, align: Align, (style, theme): (Style, Theme), at: Rect, buffer: &mut Buffer) {
    let width = usize::from(at.width);
    let have = text.width();
    if have <= width {
        let pad = if align == Align::Right { width - have } else { 0 };
        let x = at.x + u16::try_from(pad).unwrap_or(0);
        buffer.set_stringn(x, at.y, text, width, style);
        return;
    }
    let (end, _) = buffer.set_stringn(at.x, at.y, text, width.saturating_sub(1), style);
    if width > 0 && end < buffer.area.right() {
        buffer.set_stringn(end, at.y, theme.cut(), 1, style);
    }
}

/// Chooses the columns: the highest ranks go first until the rest fits.
fn placed<R: Row>(listing: &Listing<R>, width: u16) -> Vec<Placed<'static, R>> {
    let sorted = listing.sort().0;
    let natural: Vec<u16> = listing.columns().iter().map(|c| natural_width(c, listing, width)).collect();
    let mut keep: Vec<usize> = (0..natural.len()).filter(|i| natural.get(*i).is_some_and(|w| *w > 0)).collect();
    loop {
        let need: u32 = keep.iter().filter_map(|i| natural.get(*i)).map(|w| u32::from(*w) + 1).sum();
        if need <= u32::from(width) + 1 || keep.len() <= 1 {
            break;
        }
        // The sorted column stays as long as another can go.
        let drop = keep
            .iter()
            .enumerate()
            .filter(|(_, i)| **i != sorted)
            .max_by_key(|(at, i)| (listing.columns().get(**i).map_or(0, |c| c.rank), *at))
            .map(|(at, _)| at);
        match drop {
            Some(at) if keep.get(at).and_then(|i| listing.columns().get(*i)).is_some_and(|c| c.rank > 0) => {
                keep.remove(at);
            }
            Some(_) | None => break,
        }
    }
    let used: u16 = keep.iter().filter_map(|i| natural.get(*i)).map(|w| w + 1).sum::<u16>().saturating_sub(1);
    let spare = width.saturating_sub(used);
    let mut x = 0;
    let mut out = Vec::new();
    for index in keep {
        let Some(column) = listing.columns().get(index) else { continue };
        let mut own = natural.get(index).copied().unwrap_or(0);
        if matches!(column.width, Width::Rest(_)) {
            own += spare;
        }
        if x >= width {
            break;
        }
        out.push(Placed { column, index, x, width: own.min(width - x) });
        x += own + 1;
    }
    out
}

fn natural_width<R: Row>(column: &Column<R>, listing: &Listing<R>, width: u16) -> u16 {
    match column.width {
        Width::Fixed(w) => w,
        // At least that share of the screen, so that what one reads last is not squeezed out by what is merely known.
        Width::Rest(percent) => (u32::from(width) * u32::from(percent) / 100).max(12).try_into().unwrap_or(width),
        Width::Fit(least, most) => {
            // And around the cursor: what is on the screen has its column, however far down it is.
            let here = listing.window(listing.place().saturating_sub(FITTED_ROWS / 2), FITTED_ROWS);
            let rows = listing.window(0, FITTED_ROWS).chain(here);
            let widest = rows.map(|row| (column.cell)(row).text.width()).max().unwrap_or(0);
            if widest == 0 && least == 0 {
                return 0;
            }
            let title = column.title.width();
            u16::try_from(widest.max(title)).unwrap_or(most).clamp(least, most)
        }
    }
}
