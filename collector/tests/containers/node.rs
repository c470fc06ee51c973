//! A Kubernetes node: containerd's CRI, driven by a real kubelet, in namespaces of its own.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::RwLockReadGuard;

use lanner_core::event::{
    ContainerId, ContainerInfo, HostMount, HostNamespace, ImageName, Label, Payload, PodName, Role, Text, ToldBy,
};
use lanner_tests::{has_a_nodes_parts, not_run, root};

use super::host::keep_groups;
use super::watch::Watch;

const KUBELET: &str = "/var/cache/lanner-node/kubelet";

const POD: &str = "
apiVersion: v1
kind: Pod
metadata: {name: shop, namespace: unseen, labels: {app: shop}}
spec:
  hostPID: true
  containers:
  - name: web
    image: localhost/busybox:1
    imagePullPolicy: Never
    command: [sleep, '7421']
    securityContext: {privileged: true}
    volumeMounts: [{name: usr, mountPath: /mnt, readOnly: true}]
  volumes: [{name: usr, hostPath: {path: /usr}}]
";

/// A disposable node. It goes with the test, or with the next one in the same folder.
struct Node(PathBuf);

impl Node {
    fn script(&self) -> Command {
        let mut command = Command::new(root().join("demo-scenarios/node/node.sh"));
        command.env("NODE", &self.0).stdin(Stdio::null());
        command
    }

    fn run(&self, args: &[&str]) -> String {
        let output = self.script().args(args).output().expect("node.sh starts");
        assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    fn write(&self, path: &str, text: &str) {
        let mut command = self.script();
        let mut child = command
            .args(["run", "sh", "-c", &format!("cat >{path}")])
            .stdin(Stdio::piped())
            .spawn()
            .expect("it starts");
        child.stdin.take().expect("piped").write_all(text.as_bytes()).expect("written");
        assert!(child.wait().expect("it ends").success());
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        let _ = self.script().arg("down").status();
    }
}

fn text(text: &str) -> Text {
    Text::from(text)
}

#[test]
fn a_static_pod_is_named_though_no_api_server_knows_it() {
    if !has_a_nodes_parts() {
        return;
    }
    if !Path::new(KUBELET).exists() {
        return not_run("there is no kubelet: `cargo xtask node build` makes one");
    }
    let Some(mut watch) = Watch::start() else { return };
    let node = Node(PathBuf::from("/var/tmp/lanner-node-names"));
    node.run(&["down"]);
    node.run(&["up"]);
    node.run(&["kubelet"]);
    node.write("/etc/kubernetes/manifests/shop.yaml", POD);

    let (_, program) = watch.exec("7421");
    let id = program.task.context.container.clone().expect("it runs in a container");
    let (_, info) = watch.named("the pod's container", |info| info.id == id);
    let pod = info.pod.clone().unwrap_or_default();
    let sandbox = pod.sandbox.clone().expect("a pod has a sandbox");
    assert!(
        program.task.context.cgroup.to_string().contains(&format!("/pod{}/", pod.uid)),
        "{}",
        program.task.context.cgroup
    );
    let wanted = ContainerInfo {
        id: id.clone(),
        told_by: ToldBy::Cri,
        runtime: text("containerd"),
        name: text("web"),
        image: ImageName { reference: text("localhost/busybox:1"), digest: Text::empty(), id: info.image.id.clone() },
        role: Role::Container,
        pod: Some(PodName {
            name: text("shop-node1"),
            namespace: text("unseen"),
            uid: pod.uid.clone(),
            sandbox: Some(sandbox.clone()),
            source: text("file"),
            labels: vec![Label { key: text("app"), value: text("shop") }],
        }),
        created: info.created,
        privileged: Some(true),
        host_namespaces: vec![HostNamespace::Pid],
        mounts: vec![HostMount { host: text("/usr"), container: text("/mnt"), read_only: true }],
        ..ContainerInfo::default()
    };
    assert_eq!(info, wanted);
    assert!(info.image.id.to_string().starts_with("sha256:") && info.created.is_some(), "{info:?}");
    holds_the_pod(&mut watch, &sandbox, &wanted);
    who_goes_in_and_out(&mut watch, &node, &id);
}

/// The sandbox is known before the kubelet's interface admits it.
fn holds_the_pod(watch: &mut Watch, sandbox: &ContainerId, container: &ContainerInfo) {
    let (_, info) = watch.named("the pod's sandbox", |info| info.id == *sandbox);
    assert_eq!(info.role, Role::Sandbox);
    assert!(matches!(info.told_by, ToldBy::Runtime | ToldBy::Cri), "{info:?}");
    assert_eq!((&info.pod, info.privileged), (&container.pod, Some(true)));
    assert_eq!(info.image.reference, "localhost/pause:1");
    let known = watch.graph.container(sandbox).expect("it was seen");
    assert!(known.static_pod);
}

fn who_goes_in_and_out(watch: &mut Watch, node: &Node, id: &ContainerId) {
    let web = "k8s.pod.name = shop-node1 and k8s.ns.name = unseen and container.name = web";
    let name = id.to_string();
    let exec = |exec_id: &str, args: &[&str]| {
        node.run(&[&["run", "ctr", "-n", "k8s.io", "task", "exec", "--exec-id", exec_id, &name], args].concat());
    };
    // Into the container, as `kubectl exec` goes.
    exec("in", &["true", "7422"]);
    watch.meets(&format!("lanner.container.entered = true and {web} and proc.args = 7422"));

    // Out of it, into the namespaces of the node, which are not those of the machine.
    exec("out", &["nsenter", "-t", "1", "-m", "true", "7423"]);
    let out = watch.meets(&format!("lanner.ns.entered_host intersects (mnt) and {web}"));
    let Payload::Namespace(change) = &out.payload else { panic!("{out:?}") };
    let pid = std::fs::read_to_string(node.0.join("init.pid")).expect("the node is up");
    let mnt = |path: String| std::fs::metadata(path).map(|file| std::os::unix::fs::MetadataExt::ino(&file)).ok();
    assert_eq!(Some(u64::from(change.now.mnt)), mnt(format!("/proc/{}/ns/mnt", pid.trim())));
    assert_ne!(Some(u64::from(change.now.mnt)), mnt("/proc/self/ns/mnt".to_owned()));

    // From outside into its file system, past its runtime: nobody leaves a container there.
    let root = watch.graph.container(id).expect("it was seen").root;
    let entered = Command::new("nsenter").args(["-t", &root.pid.to_string(), "-m", "true", "7424"]).status();
    assert!(entered.expect("nsenter starts").success());
    let short = id.short();
    let into = watch.meets(&format!("lanner.ns.entered_container = {short} and container.id = host"));
    assert!(watch.graph.container_of(into.header.process).is_none());
}

/// A control group in which the shell that runs `node.sh` puts itself, as Docker does with the node of a kind cluster.
struct Group {
    id: String,
    _keeps_groups: RwLockReadGuard<'static, ()>,
}

impl Group {
    fn inside(&self, node: &Node, args: &[&str]) {
        let enter = format!(
            "for base in $(findmnt -n -l -t cgroup,cgroup2 -o TARGET); do
                 mkdir -p $base/docker/{0} && echo $$ >$base/docker/{0}/cgroup.procs
             done 2>/dev/null || true
             exec \"$0\" \"$@\"",
            self.id
        );
        let mut shell = Command::new("sh");
        shell.args(["-c", &enter]).arg(node.script().get_program()).args(args).env("NODE", &node.0);
        let output = shell.stdin(Stdio::null()).output().expect("sh starts");
        assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        let remove = format!(
            "for base in $(findmnt -n -l -t cgroup,cgroup2 -o TARGET); do
                 find $base/docker/{} -depth -type d -exec rmdir {{}} +; rmdir $base/docker
             done 2>/dev/null",
            self.id
        );
        let _ = Command::new("sh").args(["-c", &remove]).status();
    }
}

#[test]
fn a_node_that_is_a_container_names_the_containers_inside_of_it() {
    if !has_a_nodes_parts() {
        return;
    }
    let Some(mut watch) = Watch::start() else { return };
    let outer = format!("{:064x}", 0x7426 + u64::from(std::process::id()));
    // Dropped last: it can go when the node has.
    let group = Group { id: outer.clone(), _keeps_groups: keep_groups() };
    let node = Node(PathBuf::from("/var/tmp/lanner-node-nested"));
    node.run(&["down"]);
    group.inside(&node, &["up"]);
    // The node sees its own part of version 2's tree alone, as of the others.
    let own = "p=$(findmnt -n -t cgroup2 -o TARGET | head -n 1) && umount $p && mount -t cgroup2 cgroup2 $p";
    group.inside(&node, &["run", "sh", "-c", own]);
    group.inside(
        &node,
        // It stays, until its runtime was asked.
        &["run", "ctr", "-n", "k8s.io", "run", "-d", "localhost/busybox:1", "lanner-inner", "sleep", "7425"],
    );
    let id = ContainerId("lanner-inner".into());
    let program = watch.expect("a program in the inner container", |event, _| match &event.payload {
        Payload::Exec(exec) if exec.task.context.container.as_ref() == Some(&id) => Some(exec.as_ref().clone()),
        _ => None,
    });
    assert_eq!(program.task.context.cgroup, format!("/docker/{outer}/k8s.io/lanner-inner").as_str());
    let (_, info) = watch.named("the inner container", |info| info.id == id);
    let wanted = ContainerInfo {
        id,
        told_by: ToldBy::Runtime,
        node: Some(ContainerId(outer.as_str().into())),
        runtime: text("containerd"),
        name: text("lanner-inner"),
        image: ImageName { reference: text("localhost/busybox:1"), ..ImageName::default() },
        created: info.created,
        ..ContainerInfo::default()
    };
    assert_eq!(info, wanted);
    assert!(info.created.is_some());
}
