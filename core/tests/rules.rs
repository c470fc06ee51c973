//! Rule files: what they may say, and what is said of those that are wrong.
#![allow(clippy::unwrap_used)]

mod world;

use std::fmt::Write as _;

use lanner_core::condition::View;
use lanner_core::detect::rules::RuleSet;
use lanner_core::detect::{Severity, Tactic};
use lanner_core::event::*;
use lanner_core::graph::Graph;
use world::World;

fn load(files: &[&str]) -> RuleSet {
    let names = ["a.yaml", "b.yaml", "c.yaml"];
    let files: Vec<(&str, &str)> = names.into_iter().zip(files.iter().copied()).collect();
    RuleSet::load(&files)
}

/// A shell that someone named so runs, and what the rules say to it.
fn sentences(set: &RuleSet, exe: &str, args: &str) -> Vec<String> {
    let mut world = World::new();
    let init = world.found(None, "/sbin/init");
    world.spawn(&init, exe, args);
    let mut graph = Graph::default();
    world.events.iter().for_each(|event| graph.apply(event));
    let event = world.events.last().unwrap();
    let view = View::new(event, &graph);
    set.matching(&view).map(|rule| format!("{}: {}", rule.name, rule.sentence(&view))).collect()
}

/// As rule files of Falco's users are written.
const SHAPED: &str = r#"
- required_engine_version: 0.31.0
- required_plugin_versions:
  - name: k8saudit
    version: 0.7.0

- list: shell_binaries
  items: [ash, bash, csh, ksh, sh, tcsh, zsh, dash]
- list: login_binaries
  items: [login, '"(systemd)"', su]
- list: all_of_them
  items: [shell_binaries, login_binaries]

- macro: spawned_process
  condition: (evt.type in (execve, execveat) and evt.dir=<)
- macro: never_true
  condition: (evt.num=0)
- macro: user_expected_shells
  condition: (never_true)

- rule: Shell spawned
  desc: >
    A shell
    was spawned
  condition: >
    spawned_process
    and proc.name in (all_of_them)
    and not user_expected_shells
  output: Shell spawned (user=%user.name shell=%proc.name parent=%proc.pname cmdline=%proc.cmdline tty=%proc.tty image=%user.shell)
  priority: WARNING
  tags: [maturity_stable, host, mitre_execution, T1059.004]
  exceptions:
    - name: known
      fields: [proc.name, proc.args]
      comps: [=, startswith]
      values:
        - [bash, "--known"]
        - [zsh, -x]
    - name: names
      fields: proc.name
      values: [dash, ash]
"#;

#[test]
fn a_file_in_falcos_shape_loads() {
    let set = load(&[SHAPED]);
    assert_eq!(set.errors, []);
    assert_eq!(set.unsupported, []);
    let rule = &set.rules[0];
    assert_eq!((rule.severity, &*rule.priority), (Severity::Medium, "WARNING"));
    assert_eq!((rule.tactic, &*rule.technique), (Some(Tactic::Execution), "T1059.004"));
    assert_eq!((&*rule.file, rule.line), ("a.yaml", 21));
    assert_eq!(&*rule.desc, "A shell was spawned");
    assert_eq!(
        sentences(&set, "/bin/bash", "bash -c ls"),
        ["Shell spawned: Shell spawned (user=root shell=bash parent=init cmdline=bash -c ls tty=0 image=<NA>)"]
    );
    assert_eq!(sentences(&set, "/bin/(systemd)", "x").len(), 1);
    for (exe, args) in
        [("/bin/cat", "cat"), ("/bin/bash", "bash --known x"), ("/bin/zsh", "zsh -x"), ("/bin/dash", "dash")]
    {
        assert_eq!(sentences(&set, exe, args).len(), 0, "{exe} {args}");
    }
    assert_eq!(sentences(&set, "/bin/zsh", "zsh").len(), 1);
    // That the output asks for what is not known is said, and does no harm.
    assert_eq!(set.warnings.len(), 1);
    assert!(set.warnings[0].to_string().contains("user.shell"), "{}", set.warnings[0]);
}

#[test]
fn a_mistake_in_a_rule_that_is_switched_off_is_a_warning() {
    let rule = |condition: &str| {
        format!("- rule: r\n  desc: d\n  condition: {condition}\n  output: o\n  priority: INFO\n  enabled: false\n")
    };
    let set = load(&[&rule("evt.type = execve and\n    proc.nam = x")]);
    assert_eq!((set.errors.len(), set.unsupported.len(), set.warnings.len()), (0, 0, 1));
    assert!(set.warnings[0].to_string().contains("switched off: there is no field `proc.nam`"), "{}", set.warnings[0]);
    assert_eq!(set.warnings[0].error.line, 4);
    assert_eq!(load(&[&rule("evt.type = execve")]).warnings, []);
}

#[test]
fn later_files_change_earlier_ones() {
    let more = r#"
- list: shell_binaries
  items: [fish]
  override: {items: append}
- macro: user_expected_shells
  condition: (proc.args contains expected)
- rule: Shell spawned
  condition: and not proc.args contains quiet
  output: "%proc.name again"
  priority: ERROR
  override:
    condition: append
    output: replace
    priority: replace
- rule: Shell spawned
  exceptions:
    - name: names
      values: [ksh]
  append: true
"#;
    let set = load(&[SHAPED, more]);
    assert_eq!(set.errors, []);
    assert_eq!(set.rules[0].severity, Severity::High);
    assert_eq!(sentences(&set, "/bin/fish", "fish"), ["Shell spawned: fish again"]);
    for args in ["x expected", "x quiet"] {
        assert_eq!(sentences(&set, "/bin/bash", args).len(), 0, "{args}");
    }
    assert_eq!(sentences(&set, "/bin/ksh", "ksh").len(), 0);
    assert_eq!(sentences(&set, "/bin/dash", "dash").len(), 0, "the exception's earlier values stay");

    let set = load(&[SHAPED, more, "- rule: Shell spawned\n  enabled: false\n"]);
    assert_eq!((set.rules.len(), &*set.disabled[0]), (0, "Shell spawned"));
    let redefined = "- rule: Shell spawned\n  desc: d\n  condition: evt.num > 0\n  output: o\n  priority: INFO\n";
    assert_eq!(load(&[SHAPED, redefined]).rules[0].severity, Severity::Low);
}

#[test]
fn what_cannot_work_is_listed_with_its_reason() {
    let set = load(&[r#"
- macro: from_image
  condition: user.shell = nginx
- rule: by image
  desc: d
  condition: evt.type = execve
    and user.shell = nginx
  output: o
  priority: NOTICE
- rule: by macro
  desc: d
  condition: evt.type = execve and from_image
  output: o
  priority: NOTICE
- rule: by event
  desc: d
  condition: evt.type in (userfaultfd, io_destroy)
  output: o
  priority: NOTICE
- rule: by what cannot be
  desc: d
  condition: evt.type = execve and evt.is_open_write = true
  output: o
  priority: NOTICE
- rule: of another source
  desc: d
  condition: ka.verb = get
  output: o
  priority: NOTICE
  source: k8s_audit
- rule: that works
  desc: d
  condition: evt.type = execve
  output: o
  priority: NOTICE
"#]);
    assert_eq!(set.errors, []);
    assert_eq!(set.rules.len(), 1);
    let mut listed = String::new();
    for rule in &set.unsupported {
        writeln!(
            listed,
            "{}:{} {} [{}]: {}",
            rule.file,
            rule.line,
            rule.rule,
            rule.field.as_deref().unwrap_or(""),
            rule.reason
        )
        .unwrap();
    }
    insta::assert_snapshot!(listed, @r"
    a.yaml:7 by image [user.shell]: `user.shell` is a field of Falco's that Lanner does not have: the home and shell of a user are not known
    a.yaml:12 by macro [user.shell]: in the macro `from_image`: `user.shell` is a field of Falco's that Lanner does not have: the home and shell of a user are not known
    a.yaml:17 by event [evt.type]: Lanner sees no events of `userfaultfd`, `io_destroy`, which it asks for
    a.yaml:20 by what cannot be []: no event can meet it: what it asks for does not happen together
    a.yaml:25 of another source []: its events come from `k8s_audit`, not from the kernel
    ");
}

#[test]
fn mistakes_in_files_are_shown_where_they_are() {
    let files = [
        "- rule: r\n  desc: d\n  condition: >\n    evt.type = execve and\n    proc.nmae = x\n  output: o\n  priority: NOTICE\n",
        "- rule: r\n  desc: d\n  condition: |\n    evt.type = execve\n      and proc.pid = x\n  output: o\n  priority: NOTICE\n",
        "- rule: r\n  desc: d\n  condition: \"evt.type = execve and prc.x = 1\"\n  output: o\n  priority: NOTICE\n",
        "- rule: r\n  desc: d\n  condition: evt.type = execve\n    and evt.foo = 1\n  output: o\n  priority: NOTICE\n",
        "- rule: r\n  desc: d\n  condition: evt.num > 0\n  output: \"who: %proc.nmae\"\n  priority: NOTICE\n",
        "- rule: r\n  desc: d\n  condition: evt.num > 0\n  output: o\n  priority: SEVERE\n",
        "- rule: r\n  desc: d\n  condition: evt.num > 0\n  priority: NOTICE\n",
        "- rule: r\n  desc: d\n  condtion: evt.num > 0\n  output: o\n  priority: NOTICE\n",
        "- macro: m\n  condition: proc.name = \n- macro: n\n  condition: proc.name = x or proc.pid = y\n",
        "- list: l\n  items: x\n",
        "- lst: l\n  items: [x]\n",
        "- rule: r\n  condition: and x\n  append: true\n",
        "rules: []\n",
        "- rule: r\n  desc: [\n",
        "- rule: r\n  desc: d\n  condition: evt.num > 0\n  output: o\n  priority: NOTICE\n  exceptions:\n    - name: e\n      fields: [proc.name, proc.pid]\n      comps: [is, =]\n    - name: f\n      fields: [proc.name]\n      values: [[a, b]]\n",
        "- rule: r\n  desc: d\n  condition: evt.num > 0\n  output: o\n  priority: NOTICE\n  exceptions:\n    - name: e\n      fields: [proc.pid]\n      values: [[a]]\n",
    ];
    let mut shown = String::new();
    for file in files {
        let set = load(&[file]);
        for problem in set.errors.iter().chain(&set.warnings) {
            shown += &problem.render();
            shown.push('\n');
        }
        assert!(!set.errors.is_empty(), "{file}");
        shown += "----\n";
    }
    insta::assert_snapshot!(shown);
}

#[test]
fn marks_and_line_ends_of_other_systems_are_understood() {
    let set = load(&[&format!("\u{feff}{}", SHAPED.replace('\n', "\r\n"))]);
    assert_eq!(set.errors, []);
    assert_eq!(set.rules.len(), 1);
    assert_eq!(load(&[""]).errors, []);
    assert_eq!(load(&["# nothing\n"]).errors, []);
}

#[test]
fn upper_layers_leave_the_names_of_lower_ones_alone() {
    let rule = |name: &str| {
        format!("- rule: {name}\n  desc: d\n  condition: m and proc.name in (l)\n  output: o\n  priority: INFO\n")
    };
    let ours = format!("- macro: m\n  condition: evt.type = execve\n- list: l\n  items: [sh]\n{}", rule("ours"));
    let theirs = format!("- macro: m\n  condition: evt.num = 0\n- list: l\n  items: [cat]\n{}", rule("theirs"));
    let change = "- list: l\n  items: [bash]\n  override: {items: append}\n- rule: ours\n  enabled: false\n";
    let layers = |upper: &str| RuleSet::load_layers(&[&[("a", ours.as_str())], &[("b", upper)]]);
    let set = layers(&theirs);
    assert_eq!(set.errors, []);
    assert_eq!(sentences(&set, "/bin/sh", "sh"), ["ours: o"]);
    assert_eq!(sentences(&set, "/bin/cat", "cat").len(), 0, "theirs can hold for no event");
    // What is changed and not defined is what is below.
    let set = layers(change);
    assert_eq!((set.errors.len(), set.disabled.len()), (0, 1));
    let set = layers(&change[..change.find("- rule").unwrap()]);
    assert_eq!(sentences(&set, "/bin/bash", "bash"), ["ours: o"]);
    // And what is there may be used.
    let set = layers(&rule("mine"));
    assert_eq!(sentences(&set, "/bin/sh", "sh"), ["ours: o", "mine: o"]);
}

#[test]
fn a_rule_is_explained_with_its_macros_in_their_places() {
    let set = load(&[SHAPED]);
    let told = set.explain("Shell spawned").unwrap();
    assert_eq!((told.line, told.enabled, told.rule.is_some()), (21, true, true));
    insta::assert_snapshot!(told.condition, @r#"
    evt.type in (execve, execveat)
    and evt.dir = <
    and proc.name in (ash, bash, csh, ksh, sh, tcsh, zsh, dash, login, "(systemd)", su)
    and not evt.num = 0
    "#);
    let known = "(proc.name = bash and proc.args startswith --known)\nor (proc.name = zsh and proc.args startswith -x)";
    assert_eq!(told.exceptions[0], ("known".to_owned(), known.to_owned()));
    let fields = told.rule.unwrap().condition.fields();
    assert_eq!(fields, ["evt.dir", "evt.num", "evt.type", "proc.args", "proc.name"]);
    assert!(set.explain("Shell").is_none());
    // Macros that double each other do not fill the screen.
    let mut doubling = String::from("- macro: m0\n  condition: evt.num = 1\n");
    for i in 1..60 {
        writeln!(doubling, "- macro: m{i}\n  condition: m{0} and m{0}", i - 1).unwrap();
    }
    doubling += "- rule: r\n  desc: d\n  condition: m59\n  output: o\n  priority: INFO\n";
    let set = load(&[&doubling]);
    assert!(set.explain("r").unwrap().condition.len() < 100_000);
}

#[test]
fn the_engine_that_a_file_asks_for_is_compared() {
    for (version, warns, fails) in [
        ("17", false, false),
        ("0.57.0", false, false),
        ("0.58.0", true, false),
        ("1.0.0", true, false),
        ("58", true, false),
        ("new", false, true),
        ("0.1", false, true),
        ("[0]", false, true),
    ] {
        let set = load(&[&format!("- required_engine_version: {version}\n")]);
        assert_eq!((!set.warnings.is_empty(), !set.errors.is_empty()), (warns, fails), "{version}");
    }
    let said = load(&["# c\n- required_engine_version: 0.99.0\n"]).warnings[0].render();
    assert!(said.contains("a.yaml:2:28") && said.contains("0.57.0"), "{said}");
}

#[test]
fn items_in_quotes_of_their_own_are_strings_of_the_language() {
    let file = r#"
- list: lines
  items: ['"sh -c \"a b\""', "'it is \"so\"'", '"(x)"', plain]
- rule: r
  desc: d
  condition: proc.cmdline in (lines)
  output: o
  priority: INFO
"#;
    let set = load(&[file]);
    assert_eq!(set.errors, []);
    for (exe, args, expected) in [
        ("/bin/sh", "sh -c \"a b\"", 1),
        ("/bin/it", "it is \"so\"", 1),
        ("/bin/(x)", "(x)", 1),
        ("/bin/plain", "plain", 1),
        ("/bin/sh", "sh -c a b", 0),
    ] {
        assert_eq!(sentences(&set, exe, args).len(), expected, "{args}");
    }
}

#[test]
fn sentences_are_safe_to_show() {
    let rule = |output: &str| {
        format!("- rule: r\n  desc: d\n  condition: evt.type = execve\n  output: '{output}'\n  priority: INFO\n")
    };
    let say = |output: &str, args: &str| sentences(&load(&[&rule(output)]), "/bin/x", args).remove(0);
    assert_eq!(say("%proc.args!", "x \u{1b}[2J\n\u{202e}"), "r: \\x1b[2J\\n\\u{202e}!");
    assert_eq!(say("*%proc.name and %fd.name", "x"), "r: x and <NA>");
    assert_eq!(say("100%% of %proc.name. Then", "x"), "r: 100% of x. Then");
    assert_eq!(say("%proc.name.Then", "x"), "r: x.Then");
    assert_eq!(say("%proc.aname[1] %toupper(proc.name) %lanner.images %", "x"), "r: init X (x) %");
    assert!(say("%proc.args%proc.args", &format!("x {}", "y".repeat(100_000))).len() < 1_100);
}

#[test]
fn what_was_there_before_raises_no_signals() {
    let set = load(&["- rule: r\n  desc: d\n  condition: evt.num > 0\n  output: o\n  priority: INFO\n"]);
    let mut world = World::new();
    world.found(None, "/sbin/init");
    let mut graph = Graph::default();
    graph.apply(&world.events[0]);
    assert_eq!(world.events[0].header.origin, Origin::Backfill);
    assert_eq!(set.matching(&View::new(&world.events[0], &graph)).count(), 0);
}

#[test]
fn hostile_files_are_refused_within_bounds() {
    let rule = |name: &str, condition: &str| {
        format!("- rule: {name}\n  desc: d\n  condition: {condition}\n  output: o\n  priority: INFO\n")
    };
    let mut doubling = String::from("- macro: m0\n  condition: evt.num = 1\n");
    for i in 1..3_000 {
        let before = i - 1;
        write!(doubling, "- macro: m{i}\n  condition: m{before} and m{before}\n").unwrap();
        doubling += &rule(&format!("r{i}"), &format!("m{i}"));
    }
    let unknown: String = (0..5_000).map(|i| rule(&format!("r{i}"), "proc.nmae = x")).collect();
    let macros: String = (0..10_000).map(|i| format!("- macro: m{i}\n  condition: n{i}\n")).collect();
    let appends = format!(
        "{}{}",
        rule("r", "evt.num = 1"),
        "- rule: r\n  append: true\n  condition: or evt.num = 2\n".repeat(40_000)
    );
    let keys = format!("- rule: r\n{}", (0..20_000).map(|i| format!("  k{i}: 1\n")).collect::<String>());
    let mut bomb = String::from("- &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for i in 1..12 {
        writeln!(bomb, "- &a{i} [{}]", vec![format!("*a{}", i - 1); 10].join(", ")).unwrap();
    }
    let patterns = |operator: &str, pattern: &str| -> String {
        (0..5_000).map(|i| rule(&format!("r{i}"), &format!("proc.args {operator} \"{pattern}{i}\""))).collect()
    };
    let lists = (0..40).fold(String::from("- list: l0\n  items: [a, b]\n"), |lists, i| {
        format!("{lists}- list: l{}\n  items: [l{i}, l{i}]\n", i + 1)
    });
    let wrong = "- rule: [r]\n- rule: {a: b}\n- macro: 1\n  condition: [x]\n- list: l\n  items: {a: b}\n- rule: r\n  priority: []\n\
                 - rule: s\n  desc: d\n  condition: evt.num = 1\n  output: o\n  priority: INFO\n  enabled: perhaps\n- 7\n- ~\n";
    let cases: [(&str, String); 16] = [
        ("bomb", bomb),
        ("regex", rule("r", "proc.args regex \"(a{1000}){1000}\"")),
        ("unclosed regex", rule("r", "proc.args regex \"(((\"")),
        ("nested regex", rule("r", &format!("proc.args regex \"{}\"", "(".repeat(4_000)))),
        ("many regexes", patterns("regex", "(x+x+)+y.{50}")),
        ("many globs", patterns("glob", "*a*b*c*?d")),
        ("lists", format!("{lists}{}", rule("r", "proc.name in (l40)"))),
        ("types", wrong.to_owned()),
        ("large", "x".repeat(10 << 20)),
        ("doubling", doubling),
        ("unknown", unknown),
        ("macros", macros),
        ("appends", appends),
        ("keys", keys),
        ("cycle", format!("- macro: a\n  condition: b\n- macro: b\n  condition: a\n{}", rule("r", "a"))),
        ("deep", format!("- rule: {}", "[".repeat(100_000))),
    ];
    for (name, text) in cases {
        let set = load(&[&text]);
        assert!(!set.errors.is_empty(), "{name}");
        assert!(set.errors.len() + set.warnings.len() + set.unsupported.len() <= 4_100, "{name}");
    }
}

/// Given the Falco project's own files, colon-separated in `LANNER_FALCO_RULES`, loads them and tells what is missing.
#[test]
fn files_of_others_load() {
    let Some(paths) = std::env::var_os("LANNER_FALCO_RULES") else {
        eprintln!("not run: LANNER_FALCO_RULES names no rule files");
        return;
    };
    let files: Vec<(String, String)> = std::env::split_paths(&paths)
        .map(|path| (path.display().to_string(), std::fs::read_to_string(&path).unwrap()))
        .collect();
    let set = RuleSet::load(&files);
    for rule in &set.unsupported {
        eprintln!("{}:{}: {}: {}", rule.file, rule.line, rule.rule, rule.reason);
    }
    eprintln!("{} rules work, {} do not", set.rules.len(), set.unsupported.len());
    let errors: Vec<String> = set.errors.iter().map(|e| e.render()).collect();
    assert!(errors.is_empty(), "{}", errors.join("\n"));
}
