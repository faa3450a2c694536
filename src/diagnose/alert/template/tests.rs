use super::{Context, render};
use crate::model::alert::Labels;

fn shown(template: &str, value: f64) -> String {
    let labels = Labels::from([("job".into(), "shop".into()), ("le".into(), "1.5".into())]);
    let rendered = render(template, Context { labels: &labels, value });
    if rendered.verbatim { format!("VERBATIM {}", rendered.text) } else { rendered.text }
}

#[test]
fn values_and_labels_are_filled_in() {
    let table = [
        ("no action", 1.0, "no action"),
        ("{{ $value }} on {{ $labels.job }}", 0.25, "0.25 on shop"),
        ("{{.Value}}/{{ .Labels.job }}/{{ $labels.nope }}/", 3.0, "3/shop//"),
        ("a  {{- $value -}}  b", 1.0, "a1b"),
        ("{{ `raw {{` }} {{ \"q\\\"}}\" }}", 1.0, "raw {{ q\"}}"),
        ("{{ $labels.le | humanizeDuration }}", 1.0, "1.5s"),
        ("{{ $labels.job | toUpper }}", 1.0, "SHOP"),
    ];
    for (template, value, text) in table {
        assert_eq!(shown(template, value), text, "{template}");
    }
}

#[test]
fn figures_are_written_as_prometheus_writes_them() {
    let table = [
        ("{{ $value | humanize }}", 1_234_567.0, "1.235M"),
        ("{{ $value | humanize }}", 0.0012, "1.2m"),
        ("{{ $value | humanize1024 }}", 104_857_600.0, "100Mi"),
        ("{{ $value | humanizePercentage }}", 0.05123, "5.123%"),
        ("{{ $value | humanizeDuration }}", 4.1, "4.1s"),
        ("{{ $value | humanizeDuration }}", 93_784.0, "1d 2h 3m 4s"),
        ("{{ $value | humanizeDuration }}", 0.0123, "12.3ms"),
        ("{{ $value | humanizeTimestamp }}", 1_435_065_584.128, "2015-06-23 13:19:44.128 +0000 UTC"),
        ("{{ printf \"%.2f\" $value }}", 0.666_6, "0.67"),
        ("{{ $value | printf \"%.1f%%\" }}", 66.66, "66.7%"),
        ("{{ printf \"%5.1f|%-6s|%+d\" $value $labels.job 7 }}", 2.25, "  2.2|shop  |+7"),
        ("{{ printf \"%s is %v\" $labels.job $value }}", 2.5, "shop is 2.5"),
        ("{{ $value | humanize }}", f64::NAN, "NaN"),
        ("{{ $value }}", f64::INFINITY, "+Inf"),
    ];
    for (template, value, text) in table {
        assert_eq!(shown(template, value), text, "{template}");
    }
}

#[test]
fn a_template_with_anything_unknown_is_shown_whole_as_it_was_written() {
    for template in [
        "{{ if gt $value 1.0 }}high{{ end }} {{ $value }}",
        "{{ $value }} {{ query \"up\" | first | value }}",
        "{{ $externalLabels.cluster }}: {{ $value }}",
        "{{ $value | title }}",
        "{{ printf \"%d\" $value }}",
        "{{ printf \"%.2f\" }}",
        "{{ printf \"%s\" $labels.job $value }}",
        "{{ $labels }}",
        "{{ $labels.job | humanize }}",
        "{{ $value",
        "{{ }}",
        "{{ $value | | humanize }}",
        "{{ $value | $value }}",
        "{{/* a comment */}}x",
        "{{ ($value) }}",
    ] {
        assert_eq!(shown(template, 2.0), format!("VERBATIM {template}"));
    }
}
