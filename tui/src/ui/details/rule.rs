//! A rule, and what of it an event met.

use lanner_core::condition::View;

use super::super::scene::Scene;
use super::super::text::count;
use super::{MOST, Page};

/// Tells of the rule with this name, and why the first of these events that meets it does, as far as is still known.
pub(super) fn write(page: &mut Page, scene: &Scene<'_>, name: &str, events: &[u64]) {
    let Some(told) = scene.latest_picture.engine.rules().explain(name) else { return };
    page.heading(&format!("Rule: {}", told.name));
    if !told.desc.is_empty() {
        page.fact("about", &told.desc);
    }
    let lines = told.condition.lines().count();
    for (i, line) in told.condition.lines().take(MOST).enumerate() {
        page.fact(if i == 0 { "holds when" } else { "" }, line);
    }
    if lines > MOST {
        page.fact("", &format!("and {}", count(lines - MOST, "more line", "more lines")));
    }
    let met = told.rule.and_then(|rule| {
        let grounds = |seq: &u64| {
            let entry = scene.event(scene.history.number_of_seq(*seq)?)?;
            Some(rule.condition.grounds(&View::new(&entry.event, scene.graph))).filter(|met| !met.is_empty())
        };
        events.iter().find_map(grounds)
    });
    for (i, (field, value)) in met.into_iter().flatten().enumerate() {
        page.fact(if i == 0 { "it met" } else { "" }, &format!("{field} = {value}"));
    }
    page.fact("defined in", &format!("{}:{}", told.file, told.line));
}
