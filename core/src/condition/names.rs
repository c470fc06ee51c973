//! The macros and lists that conditions may use.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use super::ast::Expr;
use super::error::nearest;
use super::parse::parse_quoted;

/// Macros and lists by name. Empty for filters; the rule files fill it for rules.
#[derive(Debug, Clone, Default)]
pub struct Names {
    macros: HashMap<String, Arc<Expr>>,
    lists: HashMap<String, Arc<[String]>>,
}

/// How deep lists may name lists.
const MAX_LIST_DEPTH: usize = 32;

impl Names {
    /// Defines a macro; a macro of the same name is replaced.
    pub fn define_macro(&mut self, name: impl Into<String>, expr: Expr) {
        self.macros.insert(name.into(), Arc::new(expr));
    }

    /// Defines a list; a list of the same name is replaced. An item may be the name of a list; one in quotes is not.
    pub fn define_list(&mut self, name: impl Into<String>, items: Vec<String>) {
        self.lists.insert(name.into(), items.into());
    }

    /// The macro of this name.
    pub(super) fn get_macro(&self, name: &str) -> Option<&Arc<Expr>> {
        self.macros.get(name)
    }

    /// The macro whose name is nearest to this one.
    pub(super) fn nearest_macro(&self, name: &str) -> Option<&str> {
        nearest(name, self.macros.keys().map(String::as_str))
    }

    /// The list whose name is nearest to this one.
    pub(super) fn nearest_list(&self, name: &str) -> Option<&str> {
        nearest(name, self.lists.keys().map(String::as_str))
    }

    /// Whether a list has this name.
    pub(super) fn has_list(&self, name: &str) -> bool {
        self.lists.contains_key(name)
    }

    /// The items of a list, those of lists that it names in their place. `None` when lists name each other in a circle
    /// or when there would be more than `most`.
    pub(super) fn items(&self, name: &str, most: usize) -> Option<Vec<String>> {
        let mut items = Vec::new();
        self.collect(name, most, MAX_LIST_DEPTH, &mut items).then_some(items)
    }

    fn collect(&self, name: &str, most: usize, depth: usize, into: &mut Vec<String>) -> bool {
        let Some(items) = self.lists.get(name) else { return true };
        for item in &**items {
            if self.has_list(item) {
                if depth == 0 || !self.collect(item, most, depth - 1, into) {
                    return false;
                }
            } else {
                into.push(unquoted(item).into_owned());
            }
            if into.len() > most {
                return false;
            }
        }
        true
    }
}

/// A list's item may stand in quotes of its own, for the sake of characters that a condition would not take bare: then
/// its escapes are those of a condition's strings.
pub(crate) fn unquoted(item: &str) -> Cow<'_, str> {
    if !item.starts_with(['"', '\'']) {
        return Cow::Borrowed(item);
    }
    match parse_quoted(item) {
        Some(text) => Cow::Owned(text),
        None => {
            let inside = |q: char| item.strip_prefix(q).and_then(|rest| rest.strip_suffix(q));
            Cow::Borrowed(inside('"').or_else(|| inside('\'')).unwrap_or(item))
        }
    }
}
