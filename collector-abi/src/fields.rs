//! The kernel's fields that the sensor reads. Rust cannot emit relocations against the running kernel's types, so the
//! loader looks each field up by name in the kernel's BTF and writes its offset into a read-only global of the object;
//! the verifier takes it for a constant. [`kernel_fields!`](crate::kernel_fields) is the one place to add a field: the
//! offsets, the loader's table and the programs' typed accessors all come from it.

use core::marker::PhantomData;

/// The offset of a field that this kernel does not have.
pub const MISSING: u32 = u32::MAX;

/// A field that is a pointer to a `T`: reading it gives a `T` to read on from.
#[derive(Debug)]
pub struct Ptr<T>(PhantomData<T>);

/// A field that is a `T` itself, or the first element of an array of them: reading it gives its place.
#[derive(Debug)]
pub struct At<T>(PhantomData<T>);

/// Not a field but an enumerator's value: `cgroup_subsys_id { pids: Const = ... }`.
#[derive(Debug)]
pub struct Const;

/// How many bytes the kernel's field must have for an accessor of this type to read it.
pub trait FieldSize {
    /// 0: any number; [`MISSING`]: the value of an enumerator is wanted.
    const SIZE: u32;
}

macro_rules! sizes {
    ($($ty:ty = $size:expr),*) => { $(impl FieldSize for $ty { const SIZE: u32 = $size; })* };
}
sizes!(u8 = 1, u16 = 2, u32 = 4, u64 = 8, Const = MISSING);
impl<T> FieldSize for Ptr<T> {
    const SIZE: u32 = 8;
}
impl<T> FieldSize for At<T> {
    const SIZE: u32 = 0;
}

/// A field's path that stands for the place right behind its struct.
pub const END: &str = "sizeof";

/// A field to look up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field {
    /// The struct's name (or the enum's).
    pub of: &'static str,
    /// Paths of members, the first that exists is taken: kernels rename fields.
    pub paths: &'static [&'static str],
    /// See [`FieldSize`].
    pub size: u32,
    /// Empty: the sensor cannot do without it. Else what cannot be told without it.
    pub without: &'static str,
}

/// The table: `struct { accessor: type = "path" | "older path" [else "what is lost without it"]; }`.
#[macro_export]
macro_rules! kernel_fields {
    ($callback:ident) => {
        $callback! {
            task_struct {
                pid: u32 = "pid";
                tgid: u32 = "tgid";
                flags: u32 = "flags";
                exit_code: u32 = "exit_code";
                start_boottime: u64 = "start_boottime" | "real_start_time";
                group_leader: Ptr<task_struct> = "group_leader";
                real_parent: Ptr<task_struct> = "real_parent";
                comm: At<bytes> = "comm";
                mm: Ptr<mm_struct> = "mm";
                fs: Ptr<fs_struct> = "fs";
                files: Ptr<files_struct> = "files";
                nsproxy: Ptr<nsproxy> = "nsproxy";
                signal: Ptr<signal_struct> = "signal";
                cred: Ptr<cred> = "real_cred";
                thread_pid: Ptr<pid> = "thread_pid";
                pid_link: At<bytes> = "pid_links[0]";
                cgroups: Ptr<css_set> = "cgroups" else "control groups and containers";
                tgid_link: At<bytes> = "pid_links[1]" else "who listens on a unix socket";
                loginuid: u32 = "loginuid.val" else "the user who logged in";
                works: Ptr<callback_head> = "task_works" else "which file a script is";
                call_flags: u32 = "thread_info.status" else "32-bit system calls";
                stack: u64 = "stack" else "names as they were passed to open, and its flags";
            }
            callback_head { next: Ptr<callback_head> = "next"; }
            signal_struct {
                live: u32 = "live.counter";
                flags: u32 = "flags";
                group_exit_code: u32 = "group_exit_code";
                group: Ptr<pid> = "pids[2]";
                session: Ptr<pid> = "pids[3]";
                tty: Ptr<tty_struct> = "tty" else "the controlling terminal";
            }
            tty_struct {
                name: At<bytes> = "name" else "the controlling terminal";
            }
            cred {
                uid: u32 = "uid.val";
                euid: u32 = "euid.val";
                gid: u32 = "gid.val";
                egid: u32 = "egid.val";
                cap_effective: u64 = "cap_effective";
                cap_permitted: u64 = "cap_permitted";
                user_ns: Ptr<user_namespace> = "user_ns";
                suid: u32 = "suid.val";
                fsuid: u32 = "fsuid.val";
                sgid: u32 = "sgid.val";
                fsgid: u32 = "fsgid.val";
                cap_inheritable: u64 = "cap_inheritable";
                cap_bounding: u64 = "cap_bset";
                cap_ambient: u64 = "cap_ambient";
                groups: Ptr<group_info> = "group_info";
            }
            group_info {
                count: u32 = "ngroups";
                list: At<bytes> = "gid";
            }
            pid {
                level: u32 = "level";
                numbers: At<upid> = "numbers";
                first_task: Ptr<bytes> = "tasks[0].first";
                tgid_task: Ptr<bytes> = "tasks[1]" else "who listens on a unix socket";
            }
            upid {
                nr: u32 = "nr";
                ns: Ptr<pid_namespace> = "ns";
            }
            nsproxy {
                uts: Ptr<uts_namespace> = "uts_ns";
                ipc: Ptr<ipc_namespace> = "ipc_ns";
                mnt: Ptr<mnt_namespace> = "mnt_ns";
                pid_for_children: Ptr<pid_namespace> = "pid_ns_for_children";
                net: Ptr<net> = "net_ns";
                cgroup: Ptr<cgroup_namespace> = "cgroup_ns" else "control group namespaces";
            }
            uts_namespace { inum: u32 = "ns.inum"; }
            ipc_namespace { inum: u32 = "ns.inum" else "IPC namespaces"; }
            mnt_namespace {
                inum: u32 = "ns.inum";
                mounts: u64 = "mounts.rb_node" else "where mount(2) mounts, but by its name";
            }
            rb_node { right: u64 = "rb_right"; }
            pid_namespace {
                inum: u32 = "ns.inum";
                level: u32 = "level";
                pids: u64 = "idr.idr_rt.xa_head";
            }
            xa_node {
                shift: u8 = "shift";
                slots: At<bytes> = "slots";
            }
            net { inum: u32 = "ns.inum"; }
            cgroup_namespace { inum: u32 = "ns.inum" else "control group namespaces"; }
            user_namespace { inum: u32 = "ns.inum"; }
            css_set {
                subsys: At<bytes> = "subsys" else "containers on control groups v1";
                default: Ptr<cgroup> = "dfl_cgrp" else "containers on control groups v2";
            }
            cgroup_subsys_state {
                cgroup: Ptr<cgroup> = "cgroup" else "containers on control groups v1";
            }
            cgroup_subsys_id {
                pids: Const = "pids_cgrp_id" else "containers on control groups v1 without the memory controller";
                memory: Const = "memory_cgrp_id" else "containers on control groups v1 without the pids controller";
            }
            cgroup { kn: Ptr<kernfs_node> = "kn" else "control groups and containers"; }
            kernfs_node {
                parent: Ptr<kernfs_node> = "parent" | "__parent" else "control groups and containers";
                name: Ptr<bytes> = "name" else "control groups and containers";
            }
            mm_struct {
                exe_file: Ptr<file> = "exe_file";
                arg_start: u64 = "arg_start";
                arg_end: u64 = "arg_end";
                env_start: u64 = "env_start";
                env_end: u64 = "env_end";
                task_size: u64 = "task_size" else "whether a program is a 32-bit one";
            }
            linux_binprm {
                filename: u64 = "filename";
                interp: u64 = "interp";
                file: Ptr<file> = "file";
                execfd: u32 = "execfd" else "the file of scripts whose interpreter gets them open";
            }
            fs_struct {
                pwd: At<path> = "pwd";
                root: At<path> = "root";
            }
            files_struct { fdt: Ptr<fdtable> = "fdt"; }
            fdtable {
                max_fds: u32 = "max_fds";
                fd: Ptr<bytes> = "fd";
            }
            file {
                f_mode: u32 = "f_mode";
                f_flags: u32 = "f_flags";
                work: At<callback_head> = "f_task_work" | "f_rcuhead" | "f_u.fu_rcuhead" else "which file a script is";
                f_inode: Ptr<inode> = "f_inode";
                f_path: At<path> = "f_path" | "__f_path";
                private_data: Ptr<socket> = "private_data";
            }
            path {
                mnt: Ptr<vfsmount> = "mnt";
                dentry: Ptr<dentry> = "dentry";
            }
            vfsmount { root: Ptr<dentry> = "mnt_root"; }
            mount {
                vfs: At<vfsmount> = "mnt";
                parent: Ptr<mount> = "mnt_parent";
                mountpoint: Ptr<dentry> = "mnt_mountpoint";
                mounts: At<bytes> = "mnt_mounts";
                child: At<bytes> = "mnt_child";
                device: Ptr<bytes> = "mnt_devname";
                node: At<bytes> = "mnt_node" else "where mount(2) mounts, but by its name";
            }
            dentry {
                parent: Ptr<dentry> = "d_parent";
                name: Ptr<bytes> = "d_name.name";
                name_len: u32 = "d_name.len";
                hash_len: u64 = "d_name.hash_len";
                flags: u32 = "d_flags";
                hash_link: At<bytes> = "d_hash";
                hashed: u64 = "d_hash.pprev";
                inode: Ptr<inode> = "d_inode";
            }
            inode {
                mode: u16 = "i_mode";
                ino: u64 = "i_ino";
                uid: u32 = "i_uid.val";
                gid: u32 = "i_gid.val";
                size: u64 = "i_size";
                link: Ptr<bytes> = "i_link";
                nlink: u32 = "i_nlink" | "__i_nlink";
                rdev: u32 = "i_rdev";
                generation: u32 = "i_generation" else "that a file's number was used before by another";
                sb: Ptr<super_block> = "i_sb";
                private: u64 = "i_private";
                end: At<bytes> = "sizeof";
            }
            super_block {
                dev: u32 = "s_dev";
                magic: u64 = "s_magic";
                private: Ptr<proc_fs_info> = "s_fs_info";
                kind: Ptr<file_system_type> = "s_type";
            }
            proc_fs_info { pid_ns: Ptr<pid_namespace> = "pid_ns" else "paths through /proc/self"; }
            proc_inode {
                pid: Ptr<pid> = "pid" else "paths through /proc/PID/root and the like, and whose memory is opened";
                fd: u32 = "fd" else "paths through /proc/PID/fd";
                inode: At<inode> = "vfs_inode" else "paths through /proc/PID/root and the like, and whose memory is opened";
            }
            socket {
                state: u32 = "state";
                sk: Ptr<sock> = "sk";
            }
            file_system_type { name: Ptr<bytes> = "name"; }
            fs_context { kind: Ptr<file_system_type> = "fs_type" else "the type of file systems that fsconfig sets up"; }
            kernel_siginfo { code: u32 = "si_code"; }
            bpf_prog {
                kind: u32 = "type" else "BPF programs of others";
                attach: u32 = "expected_attach_type" else "BPF programs of others";
                len: u32 = "len" else "BPF programs of others";
                aux: Ptr<bpf_prog_aux> = "aux" else "BPF programs of others";
            }
            bpf_prog_aux {
                id: u32 = "id" else "BPF programs of others";
                name: At<bytes> = "name" else "BPF programs of others";
            }
            bpf_map {
                kind: u32 = "map_type" else "BPF maps of others";
                entries: u32 = "max_entries" else "BPF maps of others";
                id: u32 = "id" else "BPF maps of others";
                name: At<bytes> = "name" else "BPF maps of others";
            }
            bpf_link { prog: Ptr<bpf_prog> = "prog" else "what BPF programs of others are attached to"; }
            shmem_inode_info {
                seals: u32 = "seals" else "seals on files in memory";
                inode: At<inode> = "vfs_inode" else "seals on files in memory";
            }
            io_kiocb {
                opcode: u8 = "opcode" else "operations of io_uring";
                result: u32 = "cqe.res" else "files opened by io_uring";
                data: At<bytes> = "cmd" | "rw" else "names in operations of io_uring";
                flags: At<bytes> = "flags" else "whether operations of io_uring say when they are done";
                file: Ptr<file> = "file" else "what operations of io_uring on sockets come to";
                fd: u32 = "cqe.fd" else "what operations of io_uring on sockets come to";
            }
            io_connect {
                address: u64 = "addr" else "connections through io_uring that fail before a packet is sent";
                len: u32 = "addr_len" else "connections through io_uring that fail before a packet is sent";
            }
            io_accept { slot: u32 = "file_slot" else "connections accepted through io_uring"; }
            io_xattr {
                name: Ptr<filename> = "filename" else "names in operations of io_uring";
                attribute: Ptr<bytes> = "ctx.kname" else "names in operations of io_uring";
            }
            io_socket {
                domain: u32 = "domain" else "raw and packet sockets made through io_uring";
                kind: u32 = "type" else "raw and packet sockets made through io_uring";
                protocol: u32 = "protocol" else "raw and packet sockets made through io_uring";
            }
            io_open {
                dir: u32 = "dfd" else "files opened by io_uring";
                slot: u32 = "file_slot" else "files opened by io_uring";
                name: Ptr<filename> = "filename" else "names in operations of io_uring";
                flags: u64 = "how.flags" else "how files are opened by io_uring";
                mode: u64 = "how.mode" else "how files are opened by io_uring";
            }
            io_unlink {
                dir: u32 = "dfd" else "names in operations of io_uring";
                name: Ptr<filename> = "filename" else "names in operations of io_uring";
            }
            io_mkdir {
                dir: u32 = "dfd" else "names in operations of io_uring";
                name: Ptr<filename> = "filename" else "names in operations of io_uring";
            }
            io_rename {
                old_dir: u32 = "old_dfd" else "names in operations of io_uring";
                new_dir: u32 = "new_dfd" else "names in operations of io_uring";
                old: Ptr<filename> = "oldpath" else "names in operations of io_uring";
                new: Ptr<filename> = "newpath" else "names in operations of io_uring";
                flags: u32 = "flags" else "names in operations of io_uring";
            }
            io_link {
                old_dir: u32 = "old_dfd" else "names in operations of io_uring";
                new_dir: u32 = "new_dfd" else "names in operations of io_uring";
                old: Ptr<filename> = "oldpath" else "names in operations of io_uring";
                new: Ptr<filename> = "newpath" else "names in operations of io_uring";
                flags: u32 = "flags" else "names in operations of io_uring";
            }
            filename {
                name: Ptr<bytes> = "name";
                given: u64 = "uptr" else "what operations of io_uring on names come to";
            }
            sock {
                family: u16 = "__sk_common.skc_family";
                state: u8 = "__sk_common.skc_state";
                protocol: u16 = "sk_protocol";
                remote_port: u16 = "__sk_common.skc_dport";
                local_port: u16 = "__sk_common.skc_num";
                remote4: u32 = "__sk_common.skc_daddr";
                local4: u32 = "__sk_common.skc_rcv_saddr";
                remote6: At<bytes> = "__sk_common.skc_v6_daddr" else "IPv6 addresses";
                local6: At<bytes> = "__sk_common.skc_v6_rcv_saddr" else "IPv6 addresses";
                net: Ptr<net> = "__sk_common.skc_net.net" else "network namespaces of connections";
                flags: u64 = "__sk_common.skc_flags" else "whether a peer closed first: received bytes may be 1 too many";
                err: u32 = "sk_err";
                socket_type: u16 = "sk_type";
                peer_pid: Ptr<pid> = "sk_peer_pid" else "who listens on a unix socket";
            }
            unix_sock {
                addr: Ptr<unix_address> = "addr" else "unix sockets";
                path: At<path> = "path" else "unix sockets with a path";
                peer: Ptr<unix_sock> = "peer" else "connections to unix sockets";
            }
            unix_address {
                len: u32 = "len" else "abstract unix sockets";
                name: At<bytes> = "name" else "abstract unix sockets";
            }
            packet_sock {
                interface: u32 = "ifindex" else "the interface that a packet socket is bound to";
                protocol: u16 = "num" else "the protocol that a packet socket is bound to";
            }
            inet_sock { local_port: u16 = "inet_sport"; }
            tcp_sock {
                acked: u64 = "bytes_acked" else "bytes sent";
                sent: u64 = "bytes_sent" else "exact bytes sent";
                retransmitted: u64 = "bytes_retrans" else "exact bytes sent";
                received: u64 = "bytes_received" else "bytes received";
                retransmits: u32 = "total_retrans" else "segments sent again";
                rtt_eighths: u32 = "srtt_us" else "round trip times";
                rtt_min: u32 = "rtt_min.s[0].v" else "shortest round trip times";
                unacked: u32 = "snd_una" else "which way a connection older than the sensor was opened";
                next: u32 = "snd_nxt" else "which way a connection older than the sensor was opened";
            }
            pt_regs {
                number: At<bytes> = "orig_ax" | "syscallno" else "files opened through io_uring without another thread";
                first: u64 = "di" | "regs[0]" else "names as they were passed to open, and its flags";
                second: u64 = "si" | "regs[1]" else "names as they were passed to open, and its flags";
                third: u64 = "dx" | "regs[2]" else "names as they were passed to open, and its flags";
                fourth: u64 = "r10" | "regs[3]" else "names as they were passed to open, and its flags";
                narrow_first: u64 = "bx" else "names as they were passed to open by 32-bit calls, and its flags";
                narrow_second: u64 = "cx" else "names as they were passed to open by 32-bit calls, and its flags";
                mode: At<bytes> = "cs" | "pstate" else "names as they were passed to open, and its flags";
                end: At<bytes> = "sizeof" else "names as they were passed to open, and its flags";
            }
            bytes {}
        }
    };
}

macro_rules! offsets {
    ($($of:ident { $($name:ident: $ty:ty = $($path:literal)|+ $(else $without:literal)?;)* })*) => {
        /// The offsets of each struct's fields, in bytes; [`MISSING`] where this kernel has none.
        #[allow(non_camel_case_types, missing_docs)]
        pub mod layout {
            $(
                #[repr(C)]
                #[derive(Clone, Copy, Debug)]
                pub struct $of { $(pub $name: u32,)* }
            )*
        }

        /// The offsets of all fields: a read-only global of the object. As memory it is [`FIELDS`]`.len()` words, in
        /// the same order.
        #[repr(C)]
        #[derive(Clone, Copy, Debug)]
        #[allow(missing_docs)]
        pub struct Offsets { $(pub $of: layout::$of,)* }

        impl Offsets {
            /// Nothing is known yet.
            pub const UNRESOLVED: Offsets = Offsets { $($of: layout::$of { $($name: MISSING,)* },)* };
        }

        const _: () = {
            use layout::*;
            $($(let _: Option<$ty> = None;)*)*
        };

        /// What to look up, in the order of [`Offsets`]' words.
        pub const FIELDS: &[Field] = {
            use layout::*;
            &[$($(Field {
                of: stringify!($of),
                paths: &[$($path),+],
                size: <$ty as FieldSize>::SIZE,
                without: concat!("" $(, $without)?),
            },)*)*]
        };
    };
}
kernel_fields!(offsets);

/// How many words [`Offsets`] has.
pub const OFFSET_WORDS: usize = core::mem::size_of::<Offsets>() / 4;
const _: () = assert!(OFFSET_WORDS == FIELDS.len(), "one word per field, in order");
