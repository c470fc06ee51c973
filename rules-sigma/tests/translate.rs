//! Sigma rules: what becomes of them, and what they are met by.
#![allow(clippy::unwrap_used)]

#[path = "../../core/tests/world/mod.rs"]
mod world;

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use lanner_core::condition::View;
use lanner_core::detect::rules::{Loader, RuleSet};
use lanner_core::detect::{Severity, Tactic};
use lanner_core::graph::Graph;
use lanner_rules_sigma::{Category, FIELDS, is_sigma, load, translate};
use world::World;

const RULES: &str = r#"
title: Fetcher below a web server
id: 00000000-0000-0000-0000-000000000001
description: A program that fetches files was started below a web server.
logsource:
  product: linux
  category: process_creation
detection:
  selection_parent:
    ParentImage|endswith:
      - /nginx
      - /httpd
  selection_child:
    - Image|endswith: /CURL
    - CommandLine|contains|all:
        - "http"
        - '-o '
  filter_version:
    CommandLine|re: '--version$'
  filter_user:
    User: null
  condition: all of selection_* and not 1 of filter_*
level: high
tags:
  - attack.command-and-control
  - attack.t1105
---
title: 'Profile written'
logsource: {product: linux, category: file_event}
detection:
  selection:
    TargetFilename|startswith: /etc/profile.d/
    TargetFilename|endswith: ['.sh', '.cs?']
  shell:
    Image|cased: /bin/sh
  condition: selection and not shell
---
title: Calls to a strange port
logsource: {product: linux, category: network_connection}
detection:
  selection:
    Initiated: 'true'
    DestinationPort: [4444, 5555]
  inside:
    DestinationIp|cidr: [10.0.0.0/8, 'fd00::/8']
  other:
    DestinationIp|startswith: '192.168.'
  condition: selection and not (inside or other)
level: low
"#;

fn rules(text: &str) -> RuleSet {
    let mut loader = Loader::default();
    load(&mut loader, "rules.yml", text);
    loader.finish()
}

/// The rules that the last event of a story meets.
fn met(set: &RuleSet, world: &World) -> Vec<String> {
    let mut graph = Graph::default();
    world.events.iter().for_each(|event| graph.apply(event));
    let view = View::new(world.events.last().unwrap(), &graph);
    set.matching(&view).map(|rule| rule.sentence(&view)).collect()
}

#[test]
fn rules_become_conditions() {
    let translated = translate(RULES);
    assert_eq!((translated.errors, translated.refused), (vec![], vec![]));
    let mut shown = String::new();
    for rule in &translated.rules {
        writeln!(shown, "{} (line {}, {}, {:?})", rule.name, rule.line, rule.priority, rule.tags).unwrap();
        writeln!(shown, "  {}\n  {}\n", rule.condition, rule.output).unwrap();
    }
    insta::assert_snapshot!(shown);
}

#[test]
fn events_meet_them_as_sigma_means_it() {
    let set = rules(RULES);
    assert_eq!((&set.errors[..], &set.unsupported[..]), (&[][..], &[][..]));
    let rule = &set.rules[0];
    assert_eq!(
        (rule.severity, rule.tactic, &*rule.technique),
        (Severity::High, Some(Tactic::CommandAndControl), "T1105")
    );
    let started = |exe: &str, args: &str| {
        let mut world = World::new();
        let init = world.found(None, "/sbin/init");
        let server = world.spawn(&init, "/usr/sbin/nginx", "nginx");
        world.spawn(&server, exe, args);
        met(&set, &world)
    };
    let fetched = "Fetcher below a web server: curl http://x was started by nginx";
    assert_eq!(started("/usr/bin/curl", "curl http://x"), [fetched]);
    assert_eq!(started("/opt/Fetch", "fetch HTTP://x -o y").len(), 1, "in any case");
    for (exe, args) in [("/opt/fetch", "fetch http://x"), ("/usr/bin/curl", "curl --version"), ("/usr/bin/curls", "c")]
    {
        assert_eq!(started(exe, args).len(), 0, "{exe} {args}");
    }
    let written = |exe: &str, path: &str| {
        let mut world = World::new();
        let init = world.found(None, "/sbin/init");
        let shell = world.spawn(&init, exe, "x");
        world.write(&shell, path, 7);
        met(&set, &world).len()
    };
    assert_eq!(written("/bin/bash", "/etc/profile.d/a.sh"), 1);
    assert_eq!(written("/bin/bash", "/etc/profile.d/a.csH"), 1);
    assert_eq!(written("/bin/SH", "/etc/profile.d/a.sh"), 1, "cased");
    assert_eq!(written("/bin/sh", "/etc/profile.d/a.sh"), 0);
    assert_eq!(written("/bin/bash", "/etc/profile.d/a.txt"), 0);
    let called = |peer: &str| {
        let mut world = World::new();
        let init = world.found(None, "/sbin/init");
        let shell = world.spawn(&init, "/bin/bash", "x");
        world.connect(&shell, peer);
        // The last event may tell that the connection stands.
        let mut graph = Graph::default();
        let mut count = 0;
        for event in &world.events {
            graph.apply(event);
            count += set.matching(&View::new(event, &graph)).len();
        }
        count
    };
    assert_eq!(called("192.0.2.1:4444"), 1, "told once, when it is tried");
    for peer in ["192.0.2.1:443", "10.1.2.3:4444", "[fd00::1]:4444", "192.168.1.1:5555"] {
        assert_eq!(called(peer), 0, "{peer}");
    }
}

#[test]
fn what_is_not_translated_is_told_with_its_reason() {
    let rule = |title: &str, source: &str, detection: &str| {
        format!("title: {title}\nlogsource: {{{source}}}\ndetection:\n{detection}\n---\n")
    };
    let process = "product: linux, category: process_creation";
    let file = [
        rule("of windows", "product: windows, category: process_creation", "  s: {Image: x}\n  condition: s"),
        rule("of auditd", "product: linux, service: auditd", "  s: {type: EXECVE}\n  condition: s"),
        rule("of dns", "product: linux, category: dns_query", "  s: {QueryName: x}\n  condition: s"),
        rule("keywords", process, "  s: [a, b]\n  condition: s"),
        rule("base64", process, "  s: {CommandLine|base64offset|contains: x}\n  condition: s"),
        rule("wildcards", process, "  s: {CommandLine|base64|contains: 'x*y'}\n  condition: s"),
        rule("wide", process, "  s: {CommandLine|wide|contains: x}\n  condition: s"),
        rule("expanded", process, "  s: {CommandLine|expand: '%x%'}\n  condition: s"),
        rule("no field", process, "  s: {Hashes|contains: x}\n  condition: s"),
        rule("not here", process, "  s: {DestinationPort: 80}\n  condition: s"),
        rule("no detection", process, "  s: {Image: x}\n  condition: s and t"),
        rule("no number", process, "  s: {ProcessId: x}\n  condition: s"),
        rule("two of", process, "  s1: {Image: x}\n  s2: {Image: y}\n  s3: {Image: z}\n  condition: 2 of s*"),
        rule("fine", process, "  s: {Image: x}\n  condition: s"),
        "title: counted\ncorrelation:\n  type: event_count\n  rules: [fine]\n  group-by: [User]\n  timespan: 5m\n  condition: {gte: 5}\n".to_owned(),
    ]
    .concat();
    let set = rules(&file);
    assert_eq!(set.rules.len(), 1, "{:?}", set.errors);
    let listed: Vec<String> =
        set.unsupported.iter().map(|u| format!("{}:{} {}: {}", u.file, u.line, u.rule, u.reason)).collect();
    insta::assert_snapshot!(listed.join("\n"));
}

#[test]
fn what_is_encoded_is_found() {
    let rule = |detection: &str| {
        let head = "title: t\nlogsource: {product: linux, category: process_creation}\ndetection:\n";
        rules(&format!("{head}  s:\n    {detection}\n  condition: s\n"))
    };
    let started = |set: &RuleSet, args: &str| {
        let mut world = World::new();
        let init = world.found(None, "/sbin/init");
        world.spawn(&init, "/usr/bin/x", args);
        met(set, &world).len()
    };
    // `x curl http` and `curl`, and `curl` in UTF-16, as a shell would be given them.
    let set = rule("CommandLine|base64offset|contains: curl");
    assert_eq!((&set.errors[..], &set.unsupported[..]), (&[][..], &[][..]));
    for (text, count) in [("eCBjdXJsIGh0dHA=", 1), ("Y3VybA==", 1), ("ICBjdXJs", 1), ("y3vybA==", 0), ("curl", 0)] {
        assert_eq!(started(&set, &format!("x {text}")), count, "{text}");
    }
    let set = rule("CommandLine|base64|contains: curl");
    assert_eq!((started(&set, "x Y3VybA=="), started(&set, "x ICBjdXJs")), (1, 0));
    let set = rule("CommandLine|wide|base64offset|contains: curl");
    assert_eq!((started(&set, "x YwB1AHIAbAA="), started(&set, "x Y3VybA==")), (1, 0));
    let set = rule("CommandLine|windash|contains|all: [' -x', 'a-b']");
    for (text, count) in [("a-b -x", 1), ("a-b /x", 1), ("a-b \u{2014}x", 1), ("a/b -x", 0), ("a-b +x", 0)] {
        assert_eq!(started(&set, &format!("x {text}")), count, "{text}");
    }
}

#[test]
fn mistakes_are_shown_where_they_stand() {
    let rule = |title: &str, detection: &str| {
        format!(
            "title: {title}\nlogsource: {{product: linux, category: process_creation}}\ndetection:\n{detection}\n---\n"
        )
    };
    let file = [
        rule("fine", "  s: {Image: x}\n  condition: s"),
        "# nothing but words\n---\n".to_owned(),
        rule("no modifier", "  s:\n    Image|frob: x\n  condition: s"),
        rule("no condition", "  s: {Image: x}\n  condition: s and and"),
        rule("counted", "  s: {Image: x}\n  condition: s | count() > 5"),
        "logsource: {product: linux, category: process_creation}\ndetection:\n  s: {Image: x}\n  condition: s\n"
            .to_owned(),
    ]
    .concat();
    let translation = translate(&file);
    assert_eq!(translation.rules.len(), 1);
    let shown = translation.errors.iter().map(|(line, what)| format!("{line}: {what}"));
    let refused = translation.refused.iter().map(|(rule, line, why)| format!("{line}: {rule}: {why}"));
    insta::assert_snapshot!(shown.chain(refused).collect::<Vec<_>>().join("\n"));
}

#[test]
fn a_field_of_ours_that_is_lacking_makes_the_rule_unsupported() {
    for row in FIELDS {
        let category = match row.only {
            None => "process_creation",
            Some(Category::File) => "file_event",
            Some(_) => "network_connection",
        };
        let text = format!(
            "title: t\nlogsource: {{product: linux, category: {category}}}\ndetection:\n  s:\n    {}|exists: true\n  condition: s\n",
            row.sigma
        );
        let set = rules(&text);
        assert_eq!(set.errors, [], "{}", row.sigma);
        assert_eq!(set.rules.len() + set.unsupported.len(), 1, "{}", row.sigma);
        assert!(set.unsupported.iter().all(|u| u.field.as_deref() == Some(row.ours)), "{:?}", set.unsupported);
    }
}

#[test]
fn falcos_files_are_told_from_sigmas() {
    assert!(is_sigma(RULES) && is_sigma("\u{feff}logsource:\r\n  product: linux\r\ndetection:\r\n"));
    assert!(!is_sigma("- rule: r\n  desc: |\n    detection: x\n    logsource: y\n"));
}

#[test]
fn hostile_files_are_refused_within_bounds() {
    let head = "title: t\nlogsource: {product: linux, category: process_creation}\ndetection:\n";
    let mut bomb = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for i in 1..12 {
        writeln!(bomb, "a{i}: &a{i} [{}]", vec![format!("*a{}", i - 1); 10].join(", ")).unwrap();
    }
    let many: String = (0..3_000).map(|n| format!("  s{n}: {{Image: [{}]}}\n", vec!["x"; 20].join(", "))).collect();
    let cases = [
        ("large", "x".repeat(5 << 20)),
        ("bomb", format!("{bomb}{head}  s: {{Image: *a11}}\n  condition: s\n")),
        (
            "parentheses",
            format!("{head}  s: {{Image: x}}\n  condition: {}s{}\n", "(".repeat(30_000), ")".repeat(30_000)),
        ),
        ("spread", format!("{head}  s: {{Image: x}}\n  condition:\n{}\n", "    (\n".repeat(30_000))),
        ("nested", format!("{head}  s: {}\n  condition: s\n", "[".repeat(20_000))),
        ("not", format!("{head}  s: {{Image: x}}\n  condition: {} s\n", "not ".repeat(15_000))),
        ("hidden", format!("{head}  s: {{Image: x}}\n  \"\\x63ondition\": \"{} s\"\n", "\\x6eot ".repeat(15_000))),
        ("many", format!("{head}{many}  condition: 1 of s*\n")),
        ("regex", format!("{head}  s: {{Image|re: '{}'}}\n  condition: s\n", "(a{1000}){1000}")),
        ("no rule", format!("{head}  s: 1\n")),
    ];
    for (name, text) in cases {
        let begun = Instant::now();
        let set = rules(&text);
        assert_eq!(set.rules.len(), 0, "{name}");
        assert!(!set.errors.is_empty() || !set.unsupported.is_empty(), "{name}");
        // A bound against minutes, not a measurement.
        assert!(begun.elapsed() < Duration::from_secs(30), "{name} took {:?}", begun.elapsed());
        eprintln!("{name}: {:?}", begun.elapsed());
    }
}

#[test]
fn the_page_of_rules_has_every_field() {
    let page = include_str!("../../docs/rules.md");
    let categories = |only: Option<Category>| match only {
        None => "all",
        Some(Category::Process) => "process_creation",
        Some(Category::File) => "file_event",
        Some(Category::Network) => "network_connection",
    };
    for row in FIELDS {
        let line = format!("| `{}` | `{}` | {} |", row.sigma, row.ours, categories(row.only));
        assert!(page.lines().any(|l| l == line), "docs/rules.md lacks {line}");
    }
    assert_eq!(
        page.lines().filter(|line| line.starts_with("| `")).count(),
        FIELDS.len(),
        "a row that there is no more"
    );
}
