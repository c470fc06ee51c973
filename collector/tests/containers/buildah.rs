//! Steps of a build by buildah: containers of a runtime that is run alone, in groups that only it knows.

use lanner_core::event::{ContainerId, ToldBy};

use super::host::{Groups, Host};
use super::watch::Watch;

#[test]
fn a_step_of_a_build_is_a_container() {
    let Some(host) = Host::start(Groups::Machines, &["docker.io", "buildah"]) else { return };
    let Some(mut watch) = Watch::start() else { return };
    let buildah = |args: &[&str]| host.run(&[&["buildah", "--storage-driver", "vfs"], args].concat());
    let from = buildah(&["from", "scratch"]);
    buildah(&["add", &from, &host.dir().join("rootfs").display().to_string(), "/"]);
    let run = ["run", "--runtime", "runc", "--network", "none"];
    buildah(&[&run[..], &[&from, "true", "7474"]].concat());

    let (_, program) = watch.exec("7474");
    let id = program.task.context.container.clone().expect("it runs in a container");
    assert!(id.to_string().starts_with("buildah-buildah"), "{id}");
    assert_eq!(program.task.context.cgroup, format!("/{id}").as_str());
    let (_, info) = watch.named("buildah's container", |info| info.id == id);
    assert_eq!(info.told_by, ToldBy::Files, "{info:?}");

    // Without a runtime there is no container: a root directory and mounts of its own are all.
    buildah(&["run", "--isolation", "chroot", &from, "true", "7475"]);
    let chrooted = watch.meets("proc.name = true and proc.args = 7475");
    assert_eq!(watch.graph.container_of(chrooted.header.process).map(|c| &c.id), None::<&ContainerId>);
}
