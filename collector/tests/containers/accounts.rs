//! What users and groups are called, on the node and in a container that has files of its own.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use lanner_core::event::{Account, Accounts, ContainerId, Origin, Payload, ProcessKey};

use super::watch::Watch;

/// The names of a file, as its lines give them; of several with one number the first.
fn names(file: &str) -> Vec<Account> {
    let mut all = BTreeMap::new();
    for line in fs::read_to_string(file).expect("the node has the file").lines() {
        let parts: Vec<&str> = line.split(':').collect();
        if let [name, _, id, ..] = parts[..]
            && let Ok(id) = id.parse::<u32>()
        {
            all.entry(id).or_insert(name.to_owned());
        }
    }
    all.into_iter().map(|(id, name)| Account { id, name: name.as_str().into() }).collect()
}

/// A control group in the shape of a container's, with a process that sees an `/etc` of its own. It runs a program again and
/// again: changes are looked for when one is run.
struct Inhabited {
    id: String,
    folder: PathBuf,
    child: Child,
}

impl Inhabited {
    fn new() -> Option<Inhabited> {
        let hierarchy = ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"]
            .into_iter()
            .find(|at| Path::new(at).join("cgroup.controllers").exists());
        let Some(hierarchy) = hierarchy else {
            lanner_tests::not_run("no control groups of version 2 are mounted");
            return None;
        };
        let id = format!("{:064x}", u128::from(std::process::id()) << 72 | 0xacc);
        let folder = Path::new(hierarchy).join(format!("lanner-accounts-{}/docker/{id}", std::process::id()));
        fs::create_dir_all(&folder).expect("a control group");
        let script = format!(
            "echo $$ > {}/cgroup.procs && mount -t tmpfs none /etc && echo app:x:7:8:::: > /etc/passwd && \
             echo root:x:0:0:::: >> /etc/passwd && echo apps:x:8: > /etc/group && while sleep 0.5; do :; done",
            folder.display()
        );
        let child = Command::new("unshare").args(["-m", "sh", "-c", &script]).stdin(Stdio::null()).spawn();
        Some(Inhabited { id, folder, child: child.expect("unshare starts") })
    }
}

impl Drop for Inhabited {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        // The last program that it ran may live on for a moment.
        lanner_tests::wait_for("the control group to be empty", || fs::remove_dir(&self.folder).ok());
        for folder in self.folder.ancestors().skip(1).take(2) {
            let _ = fs::remove_dir(folder);
        }
    }
}

#[test]
fn users_and_groups_have_the_names_of_where_they_are() {
    let Some(mut watch) = Watch::start() else { return };
    let own = watch.expect("the node's names", |event, _| match &event.payload {
        Payload::Accounts(accounts) => Some((event.header, accounts.as_ref().clone())),
        _ => None,
    });
    let expected = Accounts { container: None, users: names("/etc/passwd"), groups: names("/etc/group"), cut: false };
    assert_eq!((own.0.process, own.0.origin, own.1), (ProcessKey::UNKNOWN, Origin::Backfill, expected.clone()));

    let Some(inhabited) = Inhabited::new() else { return };
    let account = |id, name: &str| Account { id, name: name.into() };
    let container = Some(ContainerId(inhabited.id.as_str().into()));
    let (users, groups) = (vec![account(0, "root"), account(7, "app")], vec![account(8, "apps")]);
    // They may be told before, with as many as were written by then.
    let wanted = Accounts { container: container.clone(), users, groups, cut: false };
    let process = watch.expect("the container's names", |event, _| match &event.payload {
        Payload::Accounts(accounts) if **accounts == wanted => Some(event.header.process),
        _ => None,
    });
    let shown_by = watch.graph.process(process).expect("it was seen");
    assert_eq!(shown_by.task.context.container, container);
    assert_eq!(watch.graph.accounts(container.as_ref()).and_then(|list| list.user(7)), Some(&"app".into()));

    // Files of these names were written, which may have been the node's.
    let mut times = std::collections::BTreeSet::new();
    watch.expect("the node's names once more", |event, _| {
        if matches!(&event.payload, Payload::Accounts(accounts) if **accounts == expected) {
            times.insert(event.header.time);
        }
        (times.len() > 1).then_some(())
    });
}
