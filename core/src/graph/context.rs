//! As whom and where processes run, from one change to the next.

use std::sync::Arc;

use super::Graph;
use crate::event::{Context, FileId, Header, NamespaceChange, NsChangeHow, RootChange, Task};

impl Graph {
    /// The circumstances of a process as an event tells them; what that does not know is as it was `before`, with itself or its
    /// parent. Gives whether it is out of its container's control group.
    pub(super) fn circumstances(&mut self, told: &Task, before: Option<&Arc<Context>>) -> (Task, bool) {
        let mut task = told.clone();
        let Some(before) = before else { return (self.shared(task, None), false) };
        let context = &task.context;
        // A group can be left, for another that is nobody's; that makes nobody the host's.
        let is_out = context.container.is_none() && before.container.is_some();
        let root = if context.root.is_known() { context.root } else { before.root };
        // Who went elsewhere unseen has no known path.
        let path = || before.root_path.clone().filter(|_| before.root == root);
        let root_path = context.root_path.clone().or_else(path);
        if is_out || root != context.root || root_path != context.root_path {
            let context = task.context_mut();
            (context.root, context.root_path) = (root, root_path);
            if is_out {
                context.container.clone_from(&before.container);
            }
        }
        (self.shared(task, Some(before)), is_out)
    }

    /// A task that shares what it can with others, a context that is most likely the same first.
    fn shared(&mut self, mut task: Task, like: Option<&Arc<Context>>) -> Task {
        self.texts.share(&mut task.comm);
        match like.filter(|like| **like == task.context) {
            Some(like) => task.context.clone_from(like),
            None => self.contexts.share(&mut task.context, &mut self.texts),
        }
        task
    }

    /// Changes as whom or where the event's process runs.
    pub(super) fn change_context(&mut self, header: &Header, change: impl FnOnce(&mut Context)) {
        let place = self.meet(header);
        let before = &self.nodes.processes.value(place).task.context;
        let mut context = before.clone();
        change(Arc::make_mut(&mut context));
        if context != *before {
            self.contexts.share(&mut context, &mut self.texts);
            self.nodes.processes.value_mut(place).task.context = context;
        }
    }
}

/// Another directory is the root, unless that was asked in vain.
pub(super) fn change_root(context: &mut Context, change: &RootChange) {
    if change.errno == 0 {
        context.root = change.now.id;
        context.root_path = Some(change.now.path.clone());
    }
}

/// In other namespaces. Who enters another's mounts gets the root that those have; who makes a copy keeps its own.
pub(super) fn change_namespaces(context: &mut Context, change: &NamespaceChange) {
    if change.how == NsChangeHow::Setns && change.now.mnt != change.before.mnt {
        context.root = FileId::default();
        context.root_path = None;
    }
    context.namespaces = change.now;
}
