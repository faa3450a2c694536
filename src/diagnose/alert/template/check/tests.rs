use super::fault;

#[test]
fn what_prometheus_takes_is_no_fault_whether_it_is_rendered_here_or_not() {
    for template in [
        "no action }} at all",
        "{{ $value }} on {{$labels.job}} of {{ $externalLabels.cluster }}: {{ $externalURL }}",
        "{{ .Value }} {{ .Labels.job }} {{ . }} {{ $ }}",
        "a {{- $value -}} b {{- /* a comment */ -}} c {{/* }} */}}",
        "{{ $value | humanizePercentage | toUpper }} {{ $value | $value }}",
        "{{ printf \"%.2f}}\" $value }} {{ `raw }}` }} {{ \"q\\\"}}\" }} {{ 'x' }} {{ '\\n' }}",
        "{{ if and (gt $value 1.0) (lt $value 2e3) }}high{{ else if eq $value .5 }}x{{ else }}low{{ end }}",
        "{{ with $x := query \"up\" }}{{ range $i, $e := $x }}{{ $i }}{{ $e.Labels.a }}{{ break }}{{ end }}{{ end }}",
        "{{ with query \"up\" | first }}{{ .Value }}{{ else }}none{{ end }}",
        "{{ $x := 1 }}{{ $x = 2 }}{{ $x }}{{ ($y := 3) }}",
        "{{ (query \"up\" | first).Labels.job }} {{ index $labels \"a\" }} {{ ($value) }} {{ true }}",
        "{{ define \"a\" }}{{ . }}{{ end }}{{ template \"a\" $value }}{{ template \"a\" }}",
        "{{ reReplaceAll \"\\\\d+:(.*)\" \"$1\" $labels.instance }} {{ -1 }} {{ 0x1F }} {{ 1_000 }}",
        "{{ now }} {{ toDuration 3 }} {{ urlQueryEscape \"a\" }} {{ urlquery \"a\" }} {{ stripDomain \"a\" }}",
        "{{ $value\n  | humanize }}",
        "{{ $value | humanize | }} {{ ($value | ) }}",
    ] {
        assert_eq!(fault(template), None, "{template}");
    }
}

#[test]
fn what_prometheus_refuses_is_said_in_its_words() {
    for (template, words) in [
        ("{{ $value | humanise }}", "function \"humanise\" not defined; did you mean `humanize`?"),
        ("{{ (tmpl \"a\" 1) }}", "function \"tmpl\" not defined"),
        ("{{ $value ", "unclosed action"),
        ("{{", "unclosed action"),
        ("{{ \"open }}", "unterminated quoted string"),
        ("{{ `open }}", "unterminated raw quoted string"),
        ("{{ 'open }}", "unterminated character constant"),
        ("{{ printf '%.2f' $value }}", "malformed character constant: '%.2f'"),
        ("{{ reReplaceAll \"\\d\" \"\" $labels.a }}", "invalid syntax: \"\\d\" is no escape in quotes"),
        ("{{/* open }}", "unclosed comment"),
        ("{{/* x */ }}", "comment ends before closing delimiter"),
        ("{{ (query \"up\" }}", "unclosed left paren"),
        ("{{ query \"up\") }}", "unexpected right paren"),
        ("{{ }}", "missing value for command"),
        ("{{ if }}x{{ end }}", "missing value for if"),
        ("{{ $value | | humanize }}", "missing value for command"),
        ("{{ $value | 1 }}", "non executable command in pipeline"),
        ("{{ () }}", "missing value for parenthesized pipeline"),
        ("{{ $vlaue }}", "undefined variable \"$vlaue\""),
        ("{{ with $x := 1 }}{{ end }}{{ $x }}", "undefined variable \"$x\""),
        ("{{ define \"a\" }}{{ $value }}{{ end }}", "undefined variable \"$value\""),
        ("{{ $labels[\"a\"] }}", "bad character U+005B '['"),
        ("{{ $labels.a-b }}", "bad character U+002D '-'"),
        ("{{ printf \"%s\", $value }}", "unexpected \",\" in operand"),
        ("{{ 5m }}", "bad number syntax: \"5m\""),
        ("{{ $value }", "unexpected \"}\" in operand"),
        ("{{ if gt $value 1.0 }}high", "unexpected EOF: {{if}} has no {{end}}"),
        ("{{ end }}", "unexpected {{end}}"),
        ("{{ else }}", "unexpected {{else}}"),
        ("{{ if $value }}{{ else }}{{ else }}{{ end }}", "unexpected {{else}}"),
        ("{{ break }}", "{{break}} outside {{range}}"),
    ] {
        assert_eq!(fault(template).as_deref(), Some(words), "{template}");
    }
}
