//! What is wrong with a chain file is said with its place, and with what would be right.
#![allow(clippy::unwrap_used)]

use lanner_core::detect::chain;

/// The first problem, as it is shown.
fn wrong(text: &str) -> String {
    chain::load("x.yaml", text).unwrap_err().0[0].render()
}

/// A chain whose second step is this.
fn with_step(step: &str) -> String {
    format!(
        "- chain: C\n  desc: d\n  story: \"{{who}} did it\"\n  steps:\n    - step: first\n      tactic: execution\n      \
         required: true\n      names: {{who: process}}\n    - step: second\n      {step}\n"
    )
}

#[test]
fn a_chain_without_mistakes_loads() {
    let text = with_step(
        "any: [{techniques: [T1059]}, {rules: [R]}]\n      with: [{any: [{descends: first}, {wrote-executed: first}]}, \
         {within: 10 min, of: first}]",
    );
    let chains = chain::load("x.yaml", &text).unwrap();
    assert_eq!((chains.len(), chains[0].steps.len(), chains[0].steps[1].with.len()), (1, 2, 2));
}

#[test]
fn the_place_is_shown_with_a_caret_and_what_was_meant() {
    insta::assert_snapshot!(wrong(&with_step("tactic: execution\n      with: [{decsends: first}]")), @r"
    `decsends` is no relation
      --> x.yaml:11:15
       |
    11 |       with: [{decsends: first}]
       |               ^^^^^^^^
       = did you mean `descends`?
    ");
    insta::assert_snapshot!(wrong(&with_step("tactic: executoin")), @r"
    `executoin` is no tactic
      --> x.yaml:10:15
       |
    10 |       tactic: executoin
       |               ^^^^^^^^^
       = did you mean `execution`?
    ");
}

#[test]
fn whatever_is_wrong_is_said() {
    let chain = |rest: &str| format!("- chain: C\n  desc: d\n  {rest}\n");
    let steps = "steps:\n    - step: a\n      tactic: execution\n      required: true\n      names: {who: process}\n";
    for (text, words) in [
        ("chain: C", "a chain file is a list of chains"),
        ("- [a]", "a chain is a mapping"),
        ("- chain: C\n  desc: d\n  story: s\n  stepz: []", "`stepz` is no key of a chain"),
        (&chain("story: s"), "has no list of `steps`"),
        (&chain("steps: []\n  story: s"), "has no required step, so that anything would match it"),
        (&chain(&format!("{steps}  story: \"{{whom}}\"")), "`whom` is no name that a step gives"),
        (&chain(&format!("{steps}  story: \"{{who\"")), "a `{` of the story has no `}`"),
        (&chain(&format!("{steps}  story: \"[{{who}}\"")), "a `[` of the story has no `]`"),
        (&chain(&format!("{steps}  story: \"who]\"")), "a `]` of the story has no `[`"),
        (&chain(steps), "has no `story`"),
        (&with_step("required: true"), "the step `second` may be anything"),
        (&with_step("required: maybe\n      tactic: execution"), "`required` is true or false"),
        (&with_step("tactic: execution\n      link: wrote-run"), "`wrote-run` is no kind of link"),
        (&with_step("tactic: execution\n      techniques: T1"), "`techniques` is a list of texts"),
        (&with_step("tactic: execution\n      any: [{}]"), "this alternative may be anything"),
        (&with_step("tactic: execution\n      with: [{descends: frist}]"), "`frist` is no step above"),
        (&with_step("tactic: execution\n      with: [{descends: second}]"), "cannot stand in a relation to itself"),
        (
            &with_step("tactic: execution\n      with: [{descends: third}]\n    - step: third\n      tactic: impact"),
            "a relation leads to a step above, or relations would go round in a circle",
        ),
        (&with_step("tactic: execution\n      with: [{within: soon, of: first}]"), "this is no time"),
        (&with_step("tactic: execution\n      with: [{within: 5 min}]"), "`within` needs `of: STEP`"),
        (&with_step("tactic: execution\n      with: [{descends: first, traced: first}]"), "one relation an entry"),
        (&with_step("tactic: execution\n      names: {who: file}"), "there are two names `who`"),
        (&with_step("tactic: execution\n      names: {w: whom}"), "`whom` is no part of a step"),
        (&with_step("tactic: execution\n      absent: true\n      required: true"), "neither required nor anytime"),
        (&with_step("tactic: execution\n    - step: first\n      tactic: impact"), "there are two steps `first`"),
        (&(with_step("tactic: execution") + &with_step("tactic: execution")), "there are two chains `C`"),
        ("- chain: [", "x.yaml:1"),
    ] {
        let all = chain::load("x.yaml", text).unwrap_err().to_string();
        assert!(all.contains(words), "{words:?} is not in:\n{all}\nof:\n{text}");
    }
}

#[test]
fn hostile_files_end_in_an_error_soon() {
    let deep = |n| "{any: [".repeat(n) + "{descends: first}" + &"]}".repeat(n);
    assert!(chain::load("x", &with_step(&format!("tactic: execution\n      with: [{}]", deep(9)))).is_err());
    let steps: String = (0..10_000).map(|i| format!("    - step: s{i}\n      tactic: execution\n")).collect();
    assert!(chain::load("x", &format!("- chain: C\n  desc: d\n  story: s\n  steps:\n{steps}")).is_err());
    let wrong: String = (0..10_000).map(|i| format!("- chain: c{i}\n")).collect();
    let errors = chain::load("x", &wrong).unwrap_err();
    assert!(errors.0.len() <= 100, "{}", errors.0.len());
    let escaped = chain::load("x", "- \u{1b}[2J: C").unwrap_err().to_string();
    assert!(!escaped.contains('\u{1b}'), "{escaped:?}");
}
