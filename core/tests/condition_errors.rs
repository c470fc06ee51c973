//! What a person is told who wrote a condition that is wrong.
#![allow(clippy::unwrap_used)]

use lanner_core::condition::{Condition, Names, parse};

fn error(text: &str) -> String {
    let mut names = Names::default();
    names.define_macro("spawned_process", parse("evt.type = execve").unwrap());
    names.define_macro("loop_a", parse("loop_b").unwrap());
    names.define_macro("loop_b", parse("evt.num = 1 and loop_a").unwrap());
    names.define_macro("broken", parse("proc.pid = x").unwrap());
    names.define_list("shell_binaries", vec!["sh".into()]);
    names.define_list("circle", vec!["circle".into()]);
    match Condition::parse(text, &names) {
        Ok(_) => panic!("{text} is right"),
        Err(error) => error.render("rule"),
    }
}

#[test]
fn mistakes_are_shown_where_they_are() {
    let texts = [
        "proc.nmae = sh",
        "proc.name = sh and\n  proc.pid = many",
        "proc.name = sh prco.pid = 1",
        "proc.name starswith sh",
        "proc.name =",
        "proc.name = sh and",
        "proc.name in sh, bash",
        "proc.name in (sh, bash",
        "proc.name in (sh bash)",
        "(proc.name = sh",
        "proc.name = sh)",
        "proc.name = \"sh",
        "proc.name = \"\\q\"",
        "proc.name = sh && proc.pid = 1",
        "and proc.name = sh",
        "name = sh",
        "spawned_proces",
        "shell_binaries",
        "proc.name in (shell_binaris)\nand proc.name in shell_binaris",
        "proc.pid contains 1",
        "fd.ip = localhost",
        "fd.ip = 10.0.0.0/33",
        "fd.ip < 10.0.0.1",
        "evt.failed = yes",
        "evt.type = opennat",
        "evt.type in (open, 'open at')\nor evt.type != exceve",
        "evt.type in (execve, whatever)",
        "proc.name[1] = x",
        "proc.aname[x] = x",
        "evt.arg.offset = x",
        "evt.arg = x",
        "container.ip = nginx",
        "proc.aenv[HOME] = x",
        "proc.name regex \"(\"",
        "proc.name regex \"(((a{500}){500}){500})\"",
        "proc.name bcontains xyz",
        "tolower(proc.pid) = x",
        "tolower(proc.name = x",
        "tolower(x) = y",
        "tolower(len(proc.name)) = 1",
        "proc.name = val(proc.pid)",
        "proc.name regex val(proc.exe)",
        "evt.num = 1 and loop_a",
        "proc.name = sh or broken",
        "proc.name in (circle)",
        "proc.näme = sh",
        "proc.name = sh \u{202e}\x1b[31m",
        "",
        "toupr(proc.name) = SH",
        "join(proc.name, proc.pid) = x",
        "join(\"-\") = x",
        "join(\"-\", (proc.name, )) = x",
        "join(\"-\", (proc.name, proc.nmae)) = x",
        "join(\"-\", (proc.name, proc.pid) = x",
        "join(\"-\", (proc.name, proc.pid)) > \"a\" and len(join(\"-\", proc.aname)) = x",
        "proc.pid = join(\"-\", (proc.name, proc.pid))",
        "concat(proc.name, proc.pid) = x",
        "tolower(\"x\" = y",
        "proc.name = \"\\xff\"",
        "val(proc.name) = proc.pname",
    ];
    let shown: Vec<String> = texts.iter().map(|text| error(text)).collect();
    insta::assert_snapshot!(shown.join("\n"));
}

#[test]
fn hostile_conditions_are_refused_quickly() {
    let deep = |n: usize| format!("{}evt.num = 1{}", "(".repeat(n), ")".repeat(n));
    assert!(Condition::parse(&deep(90), &Names::default()).is_ok());
    assert!(error(&deep(101)).contains("nest deeper"));
    assert!(error(&"(".repeat(60_000)).contains("nest deeper"));
    assert!(error(&"tolower(".repeat(5_000)).contains("more than 8"));
    assert!(error(&"a".repeat(70_000)).contains("at most 65536"));
    assert!(error(&"\u{1f980}".repeat(10_000)).contains("a test is expected"));
    assert!(Condition::parse(&"not ".repeat(10_000), &Names::default()).is_err());
    assert!(error(&"join(\"\",(".repeat(5_000)).contains("nest deeper"));
    assert!(error(&"join(\"\",tolower(".repeat(4_000)).contains("nest deeper"));
    let joined = |n: usize| format!("{}proc.name{} = x", "join(\"\", (\"a\", ".repeat(n), "))".repeat(n));
    assert!(Condition::parse(&joined(60), &Names::default()).is_ok());
    let parts = |n: usize| format!("join(\"\", ({})) = x", vec!["proc.name"; n].join(", "));
    assert!(Condition::parse(&parts(32), &Names::default()).is_ok());
    assert!(error(&parts(33)).contains("more than 32 parts"));
    assert!(error(&format!("proc.name = \"{}", "\\x".repeat(20_000))).contains("are no text"));
    let many = format!("proc.name = \"{}\"", "x".repeat(60_000));
    assert!(Condition::parse(&many, &Names::default()).is_ok());

    // Each macro uses the one before twice: 2^40 tests, were they all put in their places.
    let mut names = Names::default();
    names.define_macro("m0", parse("evt.num = 1").unwrap());
    for i in 1..40 {
        names.define_macro(format!("m{i}"), parse(&format!("m{} and m{}", i - 1, i - 1)).unwrap());
    }
    let error = Condition::parse("m39", &names).unwrap_err();
    assert!(error.message.contains("more than 100000 parts"), "{error}");

    // A chain of macros as deep as one likes.
    for i in 1..5_000 {
        names.define_macro(format!("c{i}"), parse(&format!("not c{}", i - 1)).unwrap());
    }
    assert!(Condition::parse("c4999", &names).unwrap_err().message.contains("nests deeper"));

    // Lists that name lists.
    names.define_list("l0", vec!["x".into(); 100]);
    for i in 1..30 {
        names.define_list(format!("l{i}"), vec![format!("l{}", i - 1); 100]);
    }
    assert!(Condition::parse("proc.name in (l29)", &names).is_err());
}

#[test]
fn no_text_makes_the_parser_panic() {
    // All texts of a few tokens, and every cut of a longer one.
    let tokens =
        ["proc.name", "=", "(", ")", "in", "not", "and", "'", "\\", ",", "val(", "[", "1", "é", " ", "join(\"", "\\x"];
    for a in tokens {
        for b in tokens {
            for c in tokens {
                for d in tokens {
                    let _ = Condition::parse(&[a, b, c, d].concat(), &Names::default());
                    let _ = Condition::parse(&[a, b, c, d].join(" "), &Names::default());
                }
            }
        }
    }
    let whole = "not (proc.aname[2] in ('é\\n', x) or tolower(fd.name) glob \"*[a-z]\") and evt.num >= 0x1f or \
        join(\"\\x2d\", (proc.name, tolower(\"é\"))) = toupper(join(\"\", (\"x\")))";
    for end in (0..whole.len()).filter(|i| whole.is_char_boundary(*i)) {
        if let Err(error) = Condition::parse(&whole[..end], &Names::default()) {
            error.render("x");
        }
    }
}
