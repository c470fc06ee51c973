//! Container runtimes, as their processes tell by their arguments: at which sockets they answer, which files they keep,
//! and which container they are about to start.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use lanner_core::event::{ContainerId, Image, Text};

/// Longer paths and ids are nothing that a runtime uses.
const PATH_MAX: usize = 512;
const ID_MAX: usize = 128;

/// A way to learn what a runtime knows. Paths are as the runtime sees them. The order is that in which they are asked:
/// who knows most comes first.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Way {
    /// The kubelet's interface.
    Cri { socket: PathBuf },
    /// Docker's own interface, and the folder in which it keeps what it knows.
    Docker { socket: PathBuf, data: PathBuf },
    /// The folder in which podman and CRI-O keep what they know of containers: `STORAGE/overlay-containers`.
    Storage { folder: PathBuf },
    /// containerd's own interface; `namespace` is one of its own.
    Containerd { socket: PathBuf, namespace: String },
}

impl Way {
    /// Where it leads, in words.
    pub(super) fn place(&self) -> String {
        let path = match self {
            Way::Cri { socket } | Way::Docker { socket, .. } | Way::Containerd { socket, .. } => socket,
            Way::Storage { folder } => folder,
        };
        Text::from(path.as_os_str().as_bytes()).to_string()
    }
}

/// What a process's image shows of a runtime.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) ways: Vec<Way>,
    /// The container that it starts or looks after, and the folder with its specification.
    pub(super) container: Option<(ContainerId, Option<PathBuf>)>,
}

/// What this image shows; `None` when it is no runtime's.
pub(super) fn seen(image: &Image) -> Option<Seen> {
    let args = Args(&image.args.list);
    let mut seen = Seen::default();
    match image.exe.path.file_name() {
        b"containerd" => seen.ways = containerd(args.path(&["--address", "-a"]), "/run/containerd/containerd.sock"),
        b"k3s" | b"rke2" | b"k3s-server" => seen.ways = containerd(None, "/run/k3s/containerd/containerd.sock"),
        b"kubelet" | b"hyperkube" | b"kubelite" => {
            seen.ways =
                args.path(&["--container-runtime-endpoint"]).map(|socket| Way::Cri { socket }).into_iter().collect();
        }
        b"crio" => {
            let socket = args.path(&["--listen"]).unwrap_or_else(|| "/run/crio/crio.sock".into());
            seen.ways = vec![Way::Cri { socket }, storage()];
        }
        b"dockerd" => {
            let socket = args.path(&["--host", "-H"]).unwrap_or_else(|| "/run/docker.sock".into());
            let data = args.path(&["--data-root", "-g"]).unwrap_or_else(|| "/var/lib/docker".into());
            seen.ways = vec![Way::Docker { socket, data }];
        }
        b"podman" => seen.ways = vec![storage()],
        b"conmon" => {
            let bundle = args.path(&["-b", "--bundle"]);
            seen.ways = bundle.as_deref().and_then(storage_of).into_iter().collect();
            seen.container = args.id(&["-c", "--cid"]).map(|id| (id, bundle));
        }
        b"runc" | b"crun" | b"youki" | b"runsc" => {
            let starts = image.args.list.iter().any(|a| matches!(a.as_bytes(), b"create" | b"run"));
            let id = image.args.list.last().and_then(id).filter(|_| starts);
            seen.container = id.map(|id| (id, args.path(&["--bundle", "-b"])));
        }
        name if name.starts_with(b"containerd-shim") => {
            let namespace = args.of(&["-namespace", "--namespace"]).and_then(|n| std::str::from_utf8(n).ok());
            // Docker's names are Docker's to tell, at another socket.
            if let (Some(socket), Some(namespace)) = (args.path(&["-address", "--address"]), namespace)
                && namespace != "moby"
            {
                let cri = (namespace == "k8s.io").then(|| Way::Cri { socket: socket.clone() });
                seen.ways =
                    cri.into_iter().chain([Way::Containerd { socket, namespace: namespace.to_owned() }]).collect();
            }
            seen.container = args.id(&["-id", "--id"]).map(|id| (id, absolute(image.cwd.as_bytes())));
        }
        _ => return None,
    }
    Some(seen)
}

/// Control groups that this program, which is in the group `own`, may make for its container where their paths do not tell
/// it: `/NAMESPACE/NAME` by containerd; by runc and crun alone `/NAME` or, where they may not make groups in the root or
/// version 2 has them keep to their place, `NAME` beside their own (`defaultPath` in runc's `fs2/defaultpath.go`,
/// `make_new_sibling_cgroup` in crun's `cgroup-cgroupfs.c`).
pub(super) fn groups(image: &Image, id: &ContainerId, own: &[u8]) -> Vec<Vec<u8>> {
    let systemds = [b".slice".as_slice(), b".scope", b".service", b".mount"];
    let id = id.0.as_bytes();
    if systemds.iter().any(|end| id.ends_with(end)) {
        return Vec::new();
    }
    match image.exe.path.file_name() {
        b"runc" | b"crun" | b"youki" | b"runsc" => {
            let beside = own.iter().rposition(|b| *b == b'/').map(|slash| [&own[..slash], b"/", id].concat());
            let mut groups = vec![[b"/", id].concat()];
            groups.extend(beside.filter(|beside| *beside != groups[0]));
            groups
        }
        name if name.starts_with(b"containerd-shim") => {
            let namespace = Args(&image.args.list).of(&["-namespace", "--namespace"]);
            namespace.map(|namespace| [b"/", namespace, b"/", id].concat()).into_iter().collect()
        }
        _ => Vec::new(),
    }
}

/// Where runtimes answer when nothing tells otherwise: for a collector that does not see their processes, but was given
/// their sockets.
pub(super) fn usual() -> Vec<Way> {
    let mut ways = containerd(None, "/run/containerd/containerd.sock");
    ways.extend(containerd(None, "/run/k3s/containerd/containerd.sock"));
    ways.push(Way::Cri { socket: "/run/crio/crio.sock".into() });
    ways.push(Way::Docker { socket: "/run/docker.sock".into(), data: "/var/lib/docker".into() });
    ways.push(storage());
    ways
}

fn containerd(socket: Option<PathBuf>, usual: &str) -> Vec<Way> {
    let socket = socket.unwrap_or_else(|| usual.into());
    let of = |namespace: &str| Way::Containerd { socket: socket.clone(), namespace: namespace.to_owned() };
    vec![Way::Cri { socket: socket.clone() }, of("k8s.io"), of("default")]
}

fn storage() -> Way {
    Way::Storage { folder: "/var/lib/containers/storage/overlay-containers".into() }
}

/// The storage that a container's bundle lies in: `STORAGE/overlay-containers/ID/userdata`.
fn storage_of(bundle: &Path) -> Option<Way> {
    let folder = bundle.parent()?.parent()?;
    let named = folder.file_name()?.as_bytes().ends_with(b"-containers");
    named.then(|| Way::Storage { folder: folder.to_owned() })
}

fn id(text: &Text) -> Option<ContainerId> {
    let bytes = text.as_bytes();
    let plain = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
    let fine = !bytes.is_empty() && bytes.len() <= ID_MAX && bytes.iter().all(plain) && !bytes.starts_with(b"-");
    fine.then(|| ContainerId(text.clone()))
}

/// An absolute path, without a scheme.
fn absolute(bytes: &[u8]) -> Option<PathBuf> {
    let path = bytes.strip_prefix(b"unix://").or_else(|| bytes.strip_prefix(b"unix:")).unwrap_or(bytes);
    (path.starts_with(b"/") && path.len() <= PATH_MAX).then(|| PathBuf::from(OsStr::from_bytes(path)))
}

/// A program's arguments.
#[derive(Clone, Copy)]
struct Args<'a>(&'a [Text]);

impl<'a> Args<'a> {
    /// The value of an option: `--name VALUE` or `--name=VALUE`.
    fn of(self, names: &[&str]) -> Option<&'a [u8]> {
        self.0.iter().enumerate().find_map(|(i, arg)| {
            let arg = arg.as_bytes();
            let rest = names.iter().find_map(|name| arg.strip_prefix(name.as_bytes()))?;
            match rest {
                [] => self.0.get(i + 1).map(Text::as_bytes),
                [b'=', value @ ..] => Some(value),
                _ => None,
            }
        })
    }

    fn path(self, names: &[&str]) -> Option<PathBuf> {
        absolute(self.of(names)?)
    }

    fn id(self, names: &[&str]) -> Option<ContainerId> {
        id(&Text::from(self.of(names)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lanner_core::event::{Args as List, File};

    fn image(line: &str) -> Image {
        let list: Vec<Text> = line.split(' ').map(Text::from).collect();
        let exe = File::new(format!("/usr/bin/{}", list[0]).as_str(), 1, 1);
        Image { exe, args: List { list, truncated: false }, cwd: "/run/bundle".into(), ..Image::default() }
    }

    fn cri(socket: &str) -> Way {
        Way::Cri { socket: socket.into() }
    }

    #[test]
    fn daemons_tell_where_they_answer() {
        let of = |namespace: &str, socket: &str| Way::Containerd { socket: socket.into(), namespace: namespace.into() };
        let usual = "/run/containerd/containerd.sock";
        let docker = |socket: &str, data: &str| Way::Docker { socket: socket.into(), data: data.into() };
        for (line, expected) in [
            ("containerd", vec![cri(usual), of("k8s.io", usual), of("default", usual)]),
            (
                "containerd --address=/run/c.sock",
                vec![cri("/run/c.sock"), of("k8s.io", "/run/c.sock"), of("default", "/run/c.sock")],
            ),
            ("kubelet --container-runtime-endpoint=unix:///run/x.sock --v=2", vec![cri("/run/x.sock")]),
            ("kubelet --config /etc/kubelet.yaml", vec![]),
            ("crio --listen /run/own.sock", vec![cri("/run/own.sock"), storage()]),
            ("dockerd -H fd://", vec![docker("/run/docker.sock", "/var/lib/docker")]),
            ("dockerd -H unix:///tmp/d.sock --data-root /data", vec![docker("/tmp/d.sock", "/data")]),
            ("podman ps", vec![storage()]),
        ] {
            assert_eq!(seen(&image(line)).map(|s| s.ways), Some(expected), "{line}");
        }
        assert_eq!(seen(&image("cat /etc/hosts")), None);
    }

    #[test]
    fn supervisors_tell_which_container_they_look_after() {
        let of = |line: &str| seen(&image(line)).and_then(|s| s.container).map(|(id, bundle)| (id.to_string(), bundle));
        let bundle = Some(PathBuf::from("/b"));
        assert_eq!(of("runc --root /r create --bundle /b --pid-file /p abc"), Some(("abc".to_owned(), bundle.clone())));
        assert_eq!(of("runc --root /r delete abc"), None);
        assert_eq!(of("runc create --bundle /b ../../etc"), None, "no id");
        assert_eq!(of("conmon --api-version 1 -c abc -u abc -b /b -n name"), Some(("abc".to_owned(), bundle)));
        let shim = "containerd-shim-runc-v2 -namespace k8s.io -id abc -address /run/containerd/containerd.sock";
        assert_eq!(of(shim), Some(("abc".to_owned(), Some("/run/bundle".into()))));
    }

    #[test]
    fn runtimes_make_groups_that_only_they_know() {
        let of = |line: &str, id: &str, own: &str| -> Vec<String> {
            let groups = groups(&image(line), &ContainerId(id.into()), own.as_bytes());
            groups.into_iter().map(|group| String::from_utf8(group).expect("it was text")).collect()
        };
        assert_eq!(of("runc run web", "web", "/"), ["/web"]);
        assert_eq!(of("crun run web", "web", "/user.slice/session-2.scope"), ["/web", "/user.slice/web"]);
        assert_eq!(of("containerd-shim-runc-v2 -namespace default -id web", "web", "/x"), ["/default/web"]);
        assert_eq!(of("runc run cron.service", "cron.service", "/"), [""; 0], "that is systemd's");
        assert_eq!(of("conmon -c web", "web", "/"), [""; 0]);
    }

    #[test]
    fn supervisors_tell_whose_they_are() {
        let ways = |line: &str| seen(&image(line)).map(|s| s.ways);
        let socket = PathBuf::from("/run/c.sock");
        let of = |namespace: &str| Way::Containerd { socket: socket.clone(), namespace: namespace.into() };
        let shim = |namespace: &str| {
            ways(&format!("containerd-shim-runc-v2 -namespace {namespace} -id a -address /run/c.sock"))
        };
        assert_eq!(shim("k8s.io"), Some(vec![cri("/run/c.sock"), of("k8s.io")]));
        assert_eq!(shim("default"), Some(vec![of("default")]));
        assert_eq!(shim("moby"), Some(vec![]));
        let storage = Way::Storage { folder: "/home/u/.local/share/containers/storage/overlay-containers".into() };
        let line = "conmon -c a -b /home/u/.local/share/containers/storage/overlay-containers/a/userdata";
        assert_eq!(ways(line), Some(vec![storage]));
    }
}
