//! What occurs again and again, each kept once: names, paths, control groups, arguments; and the contexts of processes.

use std::hash::Hash;
use std::sync::Arc;

use crate::event::{Context, Text};
use crate::persistent::{Bag, Place, Stock};

/// Longer texts than these, in bytes, are not likely to occur again.
const LONGEST: usize = 1_024;
/// How many places are looked at for something that nobody uses any more, whenever something new comes.
const SWEPT: u32 = 4;

/// Something whose clones share one allocation.
pub(super) trait Counted: Clone + Eq + Hash {
    /// Whether somebody else has it too.
    fn is_shared(&self) -> bool;

    /// What it takes, in bytes, besides its place here.
    fn allocated(&self) -> usize;
}

impl Counted for Text {
    fn is_shared(&self) -> bool {
        Text::is_shared(self)
    }

    fn allocated(&self) -> usize {
        allocated(self)
    }
}

impl Counted for Arc<Context> {
    fn is_shared(&self) -> bool {
        Arc::strong_count(self) > 1
    }

    fn allocated(&self) -> usize {
        size_of::<Context>() + 2 * size_of::<usize>() + size_of_val(self.pid_namespaces.as_slice())
    }
}

/// Each of these once.
#[derive(Debug, Clone)]
pub(super) struct Shared<T> {
    known: Bag<T, ()>,
    /// Where the search for unused ones goes on.
    hand: Place,
    bytes: usize,
}

impl<T> Default for Shared<T> {
    fn default() -> Self {
        Shared { known: Bag::default(), hand: 0, bytes: 0 }
    }
}

impl<T: Counted> Shared<T> {
    /// The same, sharing what it holds with all others that are the same.
    fn share_any(&mut self, thing: &mut T, prepare: impl FnOnce(&mut T)) {
        if let Some((known, ())) = self.known.place(thing).and_then(|place| self.known.at(place)) {
            *thing = known.clone();
            return;
        }
        prepare(thing);
        self.sweep();
        self.bytes += cost(thing);
        self.known.insert(thing.clone(), ());
    }

    /// Looks at some for those that nobody uses any more.
    pub(super) fn sweep(&mut self) {
        for _ in 0..SWEPT {
            self.hand = if self.hand >= self.known.end() { 0 } else { self.hand + 1 };
            if self.known.at(self.hand).is_some_and(|(thing, ())| !thing.is_shared())
                && let Some((thing, ())) = self.known.take_out(self.hand)
            {
                self.bytes -= cost(&thing);
            }
        }
    }
}

impl<T> Shared<T> {
    /// About how many bytes a clone takes that is taken now; what changes after it counts anew.
    pub(super) fn take_stock(&mut self) -> Stock {
        self.known.take_stock()
    }

    /// Bytes of memory, about.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }
}

impl Shared<Text> {
    /// The same text, sharing its bytes with all others that are the same.
    pub(super) fn share(&mut self, text: &mut Text) {
        if text.as_bytes().len() <= LONGEST {
            self.share_any(text, |_| ());
        }
    }
}

impl Shared<Arc<Context>> {
    /// The same context, one with all others that are the same, and with texts that are shared.
    pub(super) fn share(&mut self, context: &mut Arc<Context>, texts: &mut Shared<Text>) {
        self.share_any(context, |context| {
            let Context { tty, root_path, cgroup, container, .. } = Arc::make_mut(context);
            let container = container.as_mut().map(|id| &mut id.0);
            [cgroup].into_iter().chain(tty).chain(root_path).chain(container).for_each(|text| texts.share(text));
        });
    }
}

fn cost<T: Counted>(thing: &T) -> usize {
    Bag::<T, ()>::COST + thing.allocated()
}

/// What the bytes of a text take, with the counters before them.
pub(super) fn allocated(text: &Text) -> usize {
    (text.as_bytes().len() + 2 * size_of::<usize>()).next_multiple_of(8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_uses_any_more_is_forgotten() {
        let mut texts: Shared<Text> = Shared::default();
        let mut kept = Text::from("kept");
        texts.share(&mut kept);
        for i in 0..10_000 {
            texts.share(&mut Text::from(format!("/tmp/{i}")));
        }
        assert!(texts.known.len() < 1_000, "{}", texts.known.len());
        let mut again = Text::from("kept");
        texts.share(&mut again);
        assert!(std::ptr::eq(again.as_bytes(), kept.as_bytes()));
    }

    #[test]
    fn equal_contexts_are_one() {
        let (mut contexts, mut texts): (Shared<Arc<Context>>, _) = (Shared::default(), Shared::default());
        let context = |cgroup: &str| Arc::new(Context { cgroup: cgroup.into(), ..Context::default() });
        let [mut first, mut second, mut other] = [context("/a"), context("/a"), context("/b")];
        [&mut first, &mut second, &mut other].into_iter().for_each(|context| contexts.share(context, &mut texts));
        assert!(Arc::ptr_eq(&first, &second) && !Arc::ptr_eq(&first, &other));
        assert_eq!((contexts.known.len(), contexts.bytes() > 2 * size_of::<Context>()), (2, true));
    }
}
