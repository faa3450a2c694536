//! One chart: series over a shared span of time, gaps left as gaps, the scale at its side.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::{Color, Style};
use ratatui::symbols::Marker;
use ratatui::text::Line;
use ratatui::widgets::canvas::{Canvas, Line as Stroke, Points};

use super::lines;
use super::theme::Theme;
use crate::app::tab::panels::shown;
use crate::model::Tone;
use crate::model::panel::{PanelUnit, Series};

/// What a chart shows.
pub struct Chart<'a> {
    /// The series.
    pub series: &'a [Series],
    /// Start and end in seconds since the epoch.
    pub span: (f64, f64),
    /// Seconds between points; a larger distance is a gap.
    pub step: f64,
    /// Unit of the values.
    pub unit: PanelUnit,
    /// What the values should keep to: a dotted line.
    pub usual: Option<f64>,
    /// The series a week ago, dotted.
    pub before: &'a [Series],
    /// Seconds from then to now.
    pub ago: f64,
}

/// Dots of a dotted line.
const DOTS: u32 = 24;

/// Colours of several series; a single one is plain.
const COLOURS: [Color; 6] = [Color::Cyan, Color::Yellow, Color::Magenta, Color::Green, Color::Blue, Color::Red];

/// The colour of the series at that index, among so many.
#[must_use]
pub fn colour(index: usize, many: usize, theme: Theme) -> Color {
    if !theme.has_colour() {
        return Color::Reset;
    }
    if many <= 1 { Color::Cyan } else { COLOURS.get(index % COLOURS.len()).copied().unwrap_or(Color::Cyan) }
}

/// Draws the chart with its scale on the left.
pub fn draw(chart: &Chart<'_>, theme: Theme, area: Rect, frame: &mut Frame) {
    let top = top_of_scale(chart);
    let labels = [shown(top, chart.unit, None), shown(0.0, chart.unit, None)];
    let room = labels.iter().map(|l| l.chars().count()).max().unwrap_or(0);
    let side = u16::try_from(room).unwrap_or(0) + 1;
    if area.width < side + 4 || area.height == 0 {
        return;
    }
    let faint = theme.style(Tone::Faint);
    let label = |text: &str, y: u16, frame: &mut Frame| {
        let text = format!("{text:>room$}");
        lines::draw_one(Line::styled(text, faint), theme, Rect { x: area.x, y, width: side, height: 1 }, frame);
    };
    label(&labels[0], area.y, frame);
    if area.height > 1 {
        label("0", area.y + area.height - 1, frame);
    }
    let plot = Rect { x: area.x + side, width: area.width - side, ..area };
    let marker = if theme.is_ascii() { Marker::Dot } else { Marker::Braille };
    let canvas = Canvas::default()
        .marker(marker)
        .x_bounds([chart.span.0, chart.span.1])
        .y_bounds([0.0, top])
        .paint(|context| {
            let many = chart.series.len();
            let faint = if theme.has_colour() { Color::DarkGray } else { Color::Reset };
            context.draw(&Points { coords: &dotted(chart), color: faint });
            for (i, series) in chart.series.iter().enumerate() {
                let color = colour(i, many, theme);
                for run in runs(series, chart.step) {
                    context.draw(&Points { coords: &run, color });
                    for pair in run.windows(2) {
                        if let [a, b] = pair {
                            context.draw(&Stroke { x1: a.0, y1: a.1, x2: b.0, y2: b.1, color });
                        }
                    }
                }
            }
        })
        .background_color(Color::Reset);
    frame.render_widget(canvas, plot);
    if theme.is_ascii() {
        // The canvas' dot is `•`; ASCII was asked for.
        let buffer = frame.buffer_mut();
        for position in plot.positions() {
            if let Some(cell) = buffer.cell_mut(position)
                && cell.symbol() == "•"
            {
                cell.set_symbol("*");
            }
        }
    }
}

/// Every eighth of a cell's width or so a dot of what is usual, apart enough not to be taken for the curve.
fn dotted(chart: &Chart<'_>) -> Vec<(f64, f64)> {
    let mut dots = Vec::new();
    if let Some(usual) = chart.usual {
        let width = chart.span.1 - chart.span.0;
        dots.extend((0..=DOTS).map(|i| (chart.span.0 + width * f64::from(i) / f64::from(DOTS), usual)));
    }
    for series in chart.before {
        let apart = series.points.len().div_ceil(DOTS as usize).max(1);
        let points = series.points.iter().step_by(apart);
        dots.extend(points.filter_map(|(at, value)| Some((at + chart.ago, (*value)?))));
    }
    dots
}

/// A round figure at or above the greatest value, so that the scale does not change with every point.
fn top_of_scale(chart: &Chart<'_>) -> f64 {
    let greatest = chart
        .series
        .iter()
        .flat_map(|s| s.points.iter().filter_map(|p| p.1))
        .chain(chart.usual.filter(|_| chart.unit == PanelUnit::Seconds))
        .filter(|v| v.is_finite())
        .fold(0.0_f64, f64::max);
    if chart.unit == PanelUnit::Ratio && greatest <= 1.0 && greatest > 0.2 {
        return 1.0;
    }
    if greatest <= 0.0 {
        return 1.0;
    }
    if chart.unit == PanelUnit::Bytes {
        // Bytes are written in powers of 1024: a round figure there is none here.
        let power = 1024f64.powf(greatest.log(1024.0).floor().max(0.0));
        let steps = [1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1024.0];
        return steps.iter().map(|f| f * power).find(|t| *t >= greatest * 0.999_999).unwrap_or(greatest);
    }
    let power = 10f64.powf(greatest.log10().floor());
    [1.0, 2.0, 5.0, 10.0].iter().map(|f| f * power).find(|t| *t >= greatest * 0.999_999).unwrap_or(greatest)
}

/// The runs of a series between its gaps: a missing or NaN point is a gap, not a line across it.
fn runs(series: &Series, step: f64) -> Vec<Vec<(f64, f64)>> {
    let mut out: Vec<Vec<(f64, f64)>> = Vec::new();
    let mut before: Option<f64> = None;
    for (t, value) in &series.points {
        match value.filter(|v| v.is_finite()) {
            Some(v) => {
                let joined = before.is_some_and(|b| t - b <= step * 1.5);
                match out.last_mut() {
                    Some(run) if joined => run.push((*t, v)),
                    Some(_) | None => out.push(vec![(*t, v)]),
                }
                before = Some(*t);
            }
            None => before = None,
        }
    }
    out
}

/// The style of a series' legend.
#[must_use]
pub fn legend_style(index: usize, many: usize, theme: Theme) -> Style {
    Style::new().fg(colour(index, many, theme))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gap_is_not_bridged() {
        let series = Series {
            name: String::new(),
            points: vec![(0.0, Some(1.0)), (5.0, Some(2.0)), (10.0, None), (15.0, Some(3.0)), (40.0, Some(4.0))],
        };
        let runs = runs(&series, 5.0);
        assert_eq!(runs, [vec![(0.0, 1.0), (5.0, 2.0)], vec![(15.0, 3.0)], vec![(40.0, 4.0)]]);
    }

    #[test]
    fn the_scale_is_round() {
        let with = |v: f64, unit| {
            let series = [Series { name: String::new(), points: vec![(0.0, Some(v))] }];
            top_of_scale(&Chart {
                series: &series,
                span: (0.0, 1.0),
                step: 1.0,
                unit,
                usual: None,
                before: &[],
                ago: 0.0,
            })
        };
        assert!((with(0.031, PanelUnit::Seconds) - 0.05).abs() < 1e-9);
        assert!((with(0.0, PanelUnit::Count) - 1.0).abs() < 1e-9);
        assert!((with(0.66, PanelUnit::Ratio) - 1.0).abs() < 1e-9);
        assert!((with(100.0, PanelUnit::Rate) - 100.0).abs() < 1e-9);
    }
}
