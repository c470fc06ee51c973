//! What a trick is.

use std::collections::HashSet;
use std::io;

use crate::scene::Scene;

/// A way to hide.
pub(crate) struct Trick {
    /// The file's name.
    pub(crate) name: &'static str,
    /// What is done, and what it is to hide.
    pub(crate) idea: &'static str,
    /// What is seen of it.
    pub(crate) shows: &'static str,
    /// Why tracepoints alone do not see it; empty when they do.
    pub(crate) base_misses: &'static str,
    /// Why the full layer does not see it; empty when it does.
    pub(crate) full_misses: &'static str,
    /// Hooks of which at least one is needed, where older kernels have none of them; empty when every kernel has what is.
    pub(crate) needs: &'static [&'static str],
    /// Does it. The process that calls this, and whatever it makes, is watched.
    pub(crate) perform: fn() -> io::Result<()>,
    /// What is missing among what was seen.
    pub(crate) seen: fn(&Scene) -> Result<(), String>,
    /// Why this machine has no such thing.
    pub(crate) cannot: fn() -> Option<String>,
}

impl Trick {
    /// Everything can do it, and both layers see it: what most tricks begin with.
    pub(crate) const PLAIN: Trick = Trick {
        name: "",
        idea: "",
        shows: "",
        base_misses: "",
        full_misses: "",
        needs: &[],
        perform: || Ok(()),
        seen: |_| Err("nothing is asked".to_owned()),
        cannot: || None,
    };

    /// Why it is not seen on a layer, with these hooks; `None`: it must be.
    pub(crate) fn verdict(&self, full_layer: bool, attached: &HashSet<String>) -> Option<&'static str> {
        if !self.needs.is_empty() && !self.needs.iter().any(|hook| attached.contains(*hook)) {
            return Some("this kernel has none of the hooks that it takes");
        }
        let why = if full_layer { self.full_misses } else { self.base_misses };
        (!why.is_empty()).then_some(why)
    }
}
